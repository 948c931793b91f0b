"""Whether this machine computes what every other machine computes."""

import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import metadata
from typing import NamedTuple

import numpy as np

from bitswap_cli.ans.distributions import Logistic
from bitswap_cli.ans.kernel import engine_name
from bitswap_cli.ans.message import Message
from bitswap_cli.ans.parameters import LANES, LogisticParameters
from bitswap_cli.api.decompress import verify
from bitswap_cli.errors import ModelError
from bitswap_models import zoo

PACKAGES = ("numpy", "pillow", "msgpack", "zstandard", "safetensors", "click", "torch")


class Finding(NamedTuple):
    """What came of a check."""

    check: str
    ok: bool
    detail: str


def examine(version: str) -> Iterator[Finding]:
    """Yield what comes of each check of the installation of a version of bitswap: the packages it
    needs, engine, the known answer of each model, and an archive that was made long ago."""
    for name, check in _checks(version):
        try:
            yield Finding(name, True, check())
        except Exception as error:  # whatever is wrong is what the user wants to know
            yield Finding(name, False, f"{type(error).__name__}: {error}")


def _checks(version: str) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "versions", partial(_versions, version)
    yield "engine", _engine
    for name in zoo.embedded():
        yield f"model {name}", partial(_known_answer, name)
    yield "golden archive", _golden_archive


def _versions(own: str) -> str:
    found = []
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):  # torch is for training
            found.append(f"{name} {metadata.version(name)}")
    return f"bitswap {own}, Python {platform.python_version()}, {', '.join(found)}"


def _engine() -> str:
    """Push and pop symbols on every count of lanes."""
    from bitswap_models.exact import kernel as layers

    symbols = np.arange(-128, 128, dtype=np.int32)
    scale = np.arange(256, dtype=np.int32) // 2
    codec = Logistic(LogisticParameters(16 * symbols[::-1], scale), -128, 127)
    for lanes in LANES:
        message = Message(lanes)
        start = message.copy()
        codec.push(message, symbols)
        if not (np.array_equal(codec.pop(message), symbols) and message == start):
            raise ModelError("a message did not come back from the coder as it was")
    coder = "C" if engine_name() == "c" else "numpy reference (the same bytes, but slower)"
    kernel = layers.compiled() if layers.engine_name() == "c" else None
    networks = f"C, {kernel.variant}" if kernel else "numpy (the same bytes, but slower)"
    return f"coder: {coder}; networks: {networks}"


def _known_answer(name: str) -> str:
    from bitswap_models.stored import model_file

    file, answer = zoo.find(name), "codes nothing"
    if model_file.family_in(file).codes:
        model_file.load(file, afresh=True)  # refuses a machine that computes differently
        answer = "known answer reproduced"
    return f"{answer}, SHA-256 {file.sha256}"


def _golden_archive() -> str:
    return f"{verify(zoo.GOLDEN_ARCHIVE, threads=1).entries} entries decoded"
