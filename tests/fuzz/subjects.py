"""What is done with a mutant, and what has to hold: laws of archives, models, pictures, texts."""

import contextlib
import gc
import io
import json
import os
import re
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import numpy as safetensors

import bitswap_cli
from bitswap_cli.cli.main import run
from bitswap_cli.errors import BitswapError
from bitswap_cli.images.shown import read_samples
from bitswap_models import zoo
from bitswap_models.families import register
from bitswap_models.families.family import in_bounds
from bitswap_models.stored.known_answer import known_answer
from tests.fuzz.bounds import Fault, Guard, alive, bounded
from tests.fuzz.memory import remember

Tree = dict[str, bytes | None]  # files, targets of links; None for folders
SMALL = Path(__file__).with_name("corpus") / "pictures"
TEMPORARY = re.compile(r"\.bitswap-[0-9a-f]{16}\.tmp$")


class Bench:
    """Where commands are tried; counts how they end.

    Parameters
    ----------
    folder : Path
        Whatever is written has to be below it.
    guard : Guard
    """

    def __init__(self, folder: Path, guard: Guard) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self._guard = guard

    def clear(self) -> None:
        """Remove what the mutant before has left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def call(self, *words: str | Path, codes: tuple[int, ...]) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed.

        Raises
        ------
        Fault
            If it ends in another way than the documented ones.
        """
        line = [str(word) for word in words]
        out, err = io.StringIO(), io.StringIO()
        with (
            bounded(line[0]),
            self._guard.within(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(line)
        told = err.getvalue()
        self.counts[f"{line[0]} {code}"] += 1
        if told:
            self.counts[re.sub(r"^.*?\.(bsw|safetensors|toml): |\d+", "#", told)[:90].strip()] += 1
        if code not in codes or not _sound(told, code):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                if code == 1:
                    run([*line, "-v"])
            raise Fault(f"{' '.join(line)}: exit code {code}\n{err.getvalue()}")
        return code, out.getvalue()

    def read(self, archive: Path) -> Tree | None:
        """Return an archive as a mapping; None if it cannot be read as a whole."""
        try:
            with (
                bounded("Archive"),
                self._guard.within(self.folder),
                bitswap_cli.open(archive) as opened,
            ):
                found: Tree = {}
                for name in opened:
                    folder = opened.info(name).kind == "dir"
                    with contextlib.suppress(BitswapError):
                        opened.pixels(name)
                    found[name] = None if folder else opened[name]
                return found
        except BitswapError as error:
            self.counts[f"Archive {type(error).__name__}"] += 1
            return None


def _sound(told: str, code: int) -> bool:
    """Tell whether what is on stderr is notes, and one line of an error if there is one."""
    lines = told.split("\n")
    errors = [line for line in lines if line.startswith("bitswap: error: ")]
    notes = all(line.startswith("bitswap: ") for line in lines[:-1])
    printable = all(line.isprintable() for line in lines)
    return notes and printable and not lines[-1] and len(errors) == bool(code)


def tree(folder: Path) -> Tree:
    """Return what is below a folder: files, targets of links, empty folders."""
    found: Tree = {}
    for top, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            key = os.fsdecode(os.path.relpath(path, os.fsencode(folder)))
            if os.path.islink(path):
                found[key] = os.readlink(path)
            elif os.path.isdir(path):
                if not os.listdir(path):
                    found[key] = None
            else:
                found[key] = Path(os.fsdecode(path)).read_bytes()
    for key in found:
        if TEMPORARY.search(key):
            raise Fault(f"left behind: {key}")
    return found


def archive(mutant: Path, bench: Bench) -> None:
    """List, describe, test, restore and rescue an archive.

    What `test` accepts is restored, by each way the same.
    """
    every = (0, 3, 4, 5, 6)
    whole, part = bench.folder / "whole", bench.folder / "part"
    bench.call("list", mutant, codes=every)
    bench.call("info", mutant, "--json", codes=every)
    tested, _ = bench.call("test", mutant, "-q", codes=every)
    restored, _ = bench.call("decompress", mutant, "-o", whole, "-q", codes=every)
    rescued, _ = bench.call("decompress", mutant, "-o", part, "-q", "--keep-going", codes=every)
    found, kept, read = tree(whole), tree(part), bench.read(mutant)
    if restored == 0 and (rescued, kept) != (0, found):
        raise Fault("--keep-going restores something else")
    if tested:
        return
    if restored or read is None:
        raise Fault(f"test accepts what decompress ends with {restored} of")
    # a folder that the archive has for others to be in need not be told
    if {k: v for k, v in found.items() if v is not None or k in read} != read:
        raise Fault("a mapping from names has other values than what is restored")
    bench.call("verify", mutant, whole, "-q", codes=(0,))
    bench.counts["accepted"] += 1


def model(mutant: Path, bench: Bench) -> None:
    """Describe a model; one that is accepted codes without loss.

    Of one that only its known answer refuses, the answer is made to fit first.
    """
    code, _ = bench.call("models", "info", mutant, "--json", codes=(0, 5))
    if code and (twin := _answered(mutant, bench)):
        mutant = twin
        code, _ = bench.call("models", "info", mutant, codes=(0, 5))
    if code:
        return
    output, restored = bench.folder / "a.bsw", bench.folder / "restored"
    words = ("compress", SMALL, "-o", output, "--model", mutant, "-q")
    code, _ = bench.call(*words, codes=(0, 5))
    if not code:
        bench.call("decompress", output, "-o", restored, "--model", mutant, "-q", codes=(0,))
        if tree(restored / SMALL.name).keys() != tree(SMALL).keys():
            raise Fault("a model that was accepted loses files")
        bench.counts["accepted"] += 1


def _answered(mutant: Path, bench: Bench) -> Path | None:
    """Write a model's file with the known answer that it gives; None if it gives none."""
    try:
        tensors = safetensors.load(mutant.read_bytes())
        told = zoo.read_metadata(mutant)
        family = register.find(told["kind"])
        if family is None or not family.codes:
            return None
        table = {k: tuple(v) if isinstance(v, list) else v for k, v in told["config"].items()}
        config = family.config(**table)
        if not in_bounds(config):
            return None
        answer = known_answer(family.build(config, tensors))
    except Exception:  # the command has judged it
        return None
    metadata = {k: v if isinstance(v, str) else json.dumps(v) for k, v in told.items()}
    twin = bench.folder / "twin.safetensors"
    twin.write_bytes(safetensors.save(tensors, {**metadata, "known_answer": answer}))
    bench.counts["answered"] += 1
    return twin


def picture(mutant: Path, bench: Bench) -> None:
    """Archive a file, whatever it is, and restore it: by its bytes, or by its pixels."""
    output, restored = bench.folder / "a.bsw", bench.folder / "restored"
    words = ("compress", mutant, "-o", output, "-q", "--model", "photo", "--threads", "1")
    bench.call(*words, codes=(0,))
    bench.call("decompress", output, "-o", restored, "-q", "--threads", "1", codes=(0,))
    _, text = bench.call("list", output, "--json", codes=(0,))
    (entry,) = json.loads(text)["entries"]
    bench.counts[f"kept as {entry['kind']}"] += 1
    before, after = mutant.read_bytes(), (restored / mutant.name).read_bytes()
    if entry["restored"] == "pixels":
        if not np.array_equal(read_samples(before), read_samples(after)):
            raise Fault("other pixels come back")
    elif before != after:
        raise Fault("other bytes come back")
    bench.read(output)


def recipe(mutant: Path, bench: Bench) -> None:
    """Train as a recipe says, for a second."""
    from bitswap_models.training import loop  # noqa: F401 (what PyTorch takes is no recipe's)

    words = ("train", mutant, SMALL.parent, "-o", bench.folder / "m.safetensors", "--seconds", "1")
    code, _ = bench.call(*words, "-q", codes=(0, 3, 5))
    if not code:
        bench.counts["accepted"] += 1


def registry(mutant: Path, bench: Bench) -> None:
    """List models as a registry tells; nothing is fetched."""
    before = os.environ.get("BITSWAP_REGISTRY")
    os.environ["BITSWAP_REGISTRY"] = str(mutant)
    try:
        bench.call("models", "list", "--json", codes=(0,))
        bench.call("models", "path", "no-such-model", codes=(5,))
    finally:
        del os.environ["BITSWAP_REGISTRY"]
        if before is not None:
            os.environ["BITSWAP_REGISTRY"] = before


SUBJECTS: dict[str, Callable[[Path, Bench], None]] = {
    "archive": archive,
    "model": model,
    "picture": picture,
    "recipe": recipe,
    "registry": registry,
}
SUFFIXES = {
    "archive": ".bsw", "model": ".safetensors", "picture": "", "recipe": ".toml",
    "registry": ".toml",
}  # fmt: skip


def serve(folder: Path) -> None:
    """Try the mutants that stdin names, a kind and a path a line; tell the outcome of each."""
    warnings.simplefilter("error")  # a user would see them beside the one line
    sys.dont_write_bytecode = True
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    homes = [Path(os.environ[name]) for name in ("BITSWAP_CACHE", "TMPDIR")]
    bench = Bench(folder / "bench", Guard(*homes))
    gc.freeze()
    remember()
    with open(folder / "hung.log", "w") as log:
        for line in sys.stdin:
            kind, path = json.loads(line)
            bench.clear()
            fault = None
            try:
                with alive(log):
                    SUBJECTS[kind](Path(path), bench)
            except Fault as error:
                fault = str(error)
            print(json.dumps({"fault": fault, "counts": bench.counts}), file=answers, flush=True)
            bench.counts = Counter()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
