"""Kernels are found, loaded and chosen; what is none is passed over."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from bitswap_cli.ans import kernel, library
from bitswap_cli.ans.library import Library, chosen, find, load

BUILT = find(Path(kernel.__file__).parent)
needs_kernel = pytest.mark.skipif(BUILT is None, reason="the kernel is not compiled")


def test_a_kernel_is_found_whether_or_not_its_name_tells_the_python(tmp_path: Path) -> None:
    plain, *_, old = reversed(EXTENSION_SUFFIXES)
    assert find(tmp_path) is None
    for suffix in (old, plain):  # the plain one is the newer one
        (tmp_path / f"_kernel{suffix}").touch()
        assert find(tmp_path) == tmp_path / f"_kernel{suffix}"


def test_a_file_that_is_no_kernel_is_passed_over(tmp_path: Path) -> None:
    assert load(tmp_path, kernel.Kernel) is None
    (tmp_path / f"_kernel{EXTENSION_SUFFIXES[-1]}").write_bytes(b"not a library")
    assert load(tmp_path, kernel.Kernel) is None
    with pytest.raises(OSError, match="_kernel"):
        Library(tmp_path / f"_kernel{EXTENSION_SUFFIXES[-1]}", "abi", kernel.ABI)


@needs_kernel
def test_another_version_and_functions_that_are_not_there_are_refused() -> None:
    assert BUILT
    with pytest.raises(OSError, match="another version"):
        Library(BUILT, "abi", kernel.ABI + 1)
    with pytest.raises(OSError, match="not the kernel"):
        Library(BUILT, "other_abi", kernel.ABI)
    own = Library(BUILT, "abi", kernel.ABI)
    with pytest.raises(OSError, match="not the kernel"):
        own.bound("nothing", "pl")
    assert own.bound("abi", "")() == kernel.ABI and own.address("abi")


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        ("", True, "kernel"),
        ("c", True, "kernel"),
        ("reference", True, None),
        ("", False, None),
        ("reference", False, None),
        ("c", False, "not compiled"),
        ("fortran", True, "choose c or reference"),
    ],
)
def test_the_environment_chooses(
    monkeypatch: pytest.MonkeyPatch, wanted: str, there: bool, expected: str | None
) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", wanted)
    if expected in ("kernel", None):
        assert chosen(lambda: "kernel" if there else None, RuntimeError) == expected
        return
    with pytest.raises(RuntimeError, match=expected):
        chosen(lambda: "kernel" if there else None, RuntimeError)


def test_every_room_has_its_kernel_from_here() -> None:
    """There is one loader."""
    top = Path(library.__file__).parents[2]
    files = [*(top / "bitswap_cli").rglob("*.py"), *(top / "models").rglob("*.py")]
    users = [path for path in files if "EXTENSION_SUFFIXES" in path.read_text("utf-8")]
    assert users == [Path(library.__file__)]
