"""Tests of the C kernels under AddressSanitizer and UBSan.

    python tests/native/sanitize.py [TESTS]
    python tests/native/sanitize.py -m tests.fuzz.campaign --mutants 2000

The kernels are built anew in a copy of the tree, by gcc, so that the installation stays as it is.
What a sanitizer finds ends the process that runs the tests, and tells the line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = (
    "tests/ans",
    "tests/images/corrections",
    "tests/images/deflate",
    "tests/images/formats/jpeg",
    "tests/images/formats/lattice",
    "tests/images/formats/png",
    "tests/images/history",
    "tests/images/packings",
    "tests/images/vp8",
    "tests/mixing",
    "tests/models/exact",
    "tests/models/families/drawn",
    "tests/models/families/jpeg_vae",
    "tests/models/families/pixel_vae",
    "tests/models/fitting/test_gradient.py",
    "tests/golden",
    "tests/archive/reading",
)
CODER, MIXING = "bitswap_cli/ans/native", "bitswap_cli/mixing/native"  # with headers of all
OPTIONS = (
    *("-O1", "-g", "-w", "-shared", "-fPIC", "-fno-omit-frame-pointer"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"),
)
LIBRARIES = ("libasan.so", "libubsan.so")
LEFT_OUT = (".*", "build", "*.so", "*.egg-info", "__pycache__")


def build(tree: Path) -> None:
    """Compile the kernels in a tree, of which the C is in folders named `native`."""
    found = [f for top in ("bitswap_cli", "models") for f in sorted((tree / top).rglob("native"))]
    for folder in found:
        headers = [f"-I{tree / one}" for one in (CODER, MIXING)] + [f"-I{folder}"]
        files = sorted(folder.rglob("*.c"))
        output = f"-o{folder.parent / '_kernel.so'}"
        subprocess.run(["gcc", *OPTIONS, *headers, output, *files, "-lm"], check=True)
        print(f"sanitized: {folder.relative_to(tree)}", flush=True)


def main() -> int:
    """Build, test; the exit code of pytest."""
    found = [["gcc", f"-print-file-name={name}"] for name in LIBRARIES]
    preloaded = [subprocess.check_output(command, text=True).strip() for command in found]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        root = Path(__file__).parents[2]
        shutil.copytree(root, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        build(tree)
        imports = tree / "imports"  # before what is installed
        imports.mkdir()
        for name, kept in (("bitswap_cli", "bitswap_cli"), ("bitswap_models", "models")):
            (imports / name).symlink_to(tree / kept)
        environment = {
            **os.environ,
            "PYTHONPATH": str(imports),
            "LD_PRELOAD": ":".join(preloaded),  # before Python is
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself ends with memory that it keeps
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        words = tuple(sys.argv[1:]) or TESTS
        if words[0] != "-m":
            # what a sanitizer says goes past Python: pytest must not keep it
            words = ("-m", "pytest", "--capture=sys", "-p", "no:cacheprovider", *words)
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=tree, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
