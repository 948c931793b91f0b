"""``bitswap doctor``: whether this machine computes what every other machine computes."""

import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import click

from bitswap_cli import __version__
from bitswap_cli.cli.common import DEFAULT_BATCH, Console, escape, json_option, say_json, verbosity
from bitswap_cli.errors import ModelError

Check = tuple[str, Callable[[Console], str]]

PACKAGES = ("numpy", "pillow", "msgpack", "zstandard", "safetensors", "click", "torch")


@click.command()
@json_option
@verbosity
def doctor(console: Console, as_json: bool) -> None:
    """Check the installation: engine, known answer of each model, golden archive.

    Prints one line for each check, ok or failed; the exit code is 5 if any failed.
    """
    results = []
    for name, check in _checks():
        try:
            ok, detail = True, check(console)
        except Exception as error:  # whatever is wrong is what the user wants to know
            ok, detail = False, f"{type(error).__name__}: {error}"
        results.append({"check": name, "ok": ok, "detail": detail})
        if not as_json and not (ok and console.quiet):
            click.echo(f"{'ok' if ok else 'failed':<6}  {name}: {escape(detail)}")
    failed = [str(result["check"]) for result in results if not result["ok"]]
    if as_json:
        say_json({"ok": not failed, "checks": results})
    if failed:
        raise ModelError(f"checks failed: {', '.join(failed)}")


def _checks() -> Iterator[Check]:
    from bitswap_models import zoo

    yield "versions", _versions
    yield "engine", _engine
    for name in zoo.embedded():
        yield f"model {name}", partial(_known_answer, name)
    yield "golden archive", _golden_archive


def _versions(console: Console) -> str:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in PACKAGES:
        with suppress(PackageNotFoundError):  # torch is for training
            found.append(f"{name} {version(name)}")
    packages = ", ".join(found)
    return f"bitswap {__version__}, Python {platform.python_version()}, {packages}"


def _engine(console: Console) -> str:
    """Push and pop symbols on every count of lanes."""
    import numpy as np

    from bitswap_cli.ans.distributions import Logistic
    from bitswap_cli.ans.kernel import engine_name
    from bitswap_cli.ans.message import Message
    from bitswap_cli.ans.parameters import LANES, LogisticParameters
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


def _known_answer(name: str, console: Console) -> str:
    from bitswap_models import zoo
    from bitswap_models.stored import model_file

    file, answer = zoo.find(name), "codes nothing"
    if model_file.family_in(file).codes:
        model_file.load(file)  # refuses a machine that computes differently
        answer = "known answer reproduced"
    return f"{answer}, SHA-256 {file.sha256}"


def _golden_archive(console: Console) -> str:
    from bitswap_cli.archive.reading.reader import ArchiveReader
    from bitswap_cli.archive.reading.unpack import verify
    from bitswap_cli.cli.model import decoder
    from bitswap_models import zoo

    with ArchiveReader(zoo.GOLDEN_ARCHIVE) as reader:
        report = verify(reader, decoder(console, None, DEFAULT_BATCH))
    return f"{report.entries} entries decoded"
