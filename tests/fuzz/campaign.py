"""Mutants of all that others may hand to bitswap: only documented ends, within bounds.

    python -m tests.fuzz.campaign [--mutants N] [--seconds S] [--seed K] [--only KIND]

Mutants are numbered: those of a seed are the same on every machine, and each depends on its number
alone. One that finds a fault is written to a file, and named.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.fuzz import seeds, texts
from tests.fuzz.archives import mutant as mutant_archive
from tests.fuzz.raw import spoilt_bytes
from tests.fuzz.subjects import SUFFIXES

KINDS = ("archive",) * 14 + ("picture",) * 4 + ("model",) * 4 + ("recipe", "registry")
Make = Callable[[random.Random], bytes]


class Worker:
    """A process that tries mutants; begun again when it ends.

    Parameters
    ----------
    folder : Path
        Where it works.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def attempt(self, kind: str, path: Path) -> tuple[str | None, dict[str, int]]:
        """Return what is wrong with what becomes of a mutant, or None; and how commands ended."""
        process = self._process or self._begin()
        assert process.stdin and process.stdout
        try:
            print(json.dumps([kind, str(path)]), file=process.stdin, flush=True)
            told = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            return self._died(process), {}
        return told["fault"], told["counts"]

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process:
            process.communicate()

    def _begin(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "BITSWAP_CACHE": str(self._folder / "cache")}
        environment["PYTHONFAULTHANDLER"] = "1"
        environment["OMP_NUM_THREADS"] = "1"  # threads that wait for others' would count as at work
        environment["TMPDIR"] = str(temporary := self._folder / "tmp")  # torch writes there
        temporary.mkdir(exist_ok=True)
        with open(self._folder / "died.log", "w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.subjects", str(self._folder)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=environment, cwd=seeds.ROOT,
            )  # fmt: skip
        return self._process

    def _died(self, process: subprocess.Popen[str]) -> str:
        self.close()
        code = process.returncode
        logs = [self._folder / name for name in ("died.log", "hung.log")]
        said = "\n".join(path.read_text(errors="replace")[-4000:] for path in logs if path.exists())
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process died ({name})\n{said}"


def makers(kinds: Sequence[str], folder: Path, *, few: bool = False) -> dict[str, Make]:
    """Return what makes mutants of each kind; of few archives if that is to be quick."""
    found: dict[str, Make] = {}
    for kind in set(kinds):
        match kind:
            case "archive":
                found[kind] = partial(mutant_archive, seeds.archives(few))
            case "model":
                found[kind] = partial(texts.mutant_model, seeds.models(folder))
            case "picture":
                found[kind] = _mutant_picture
            case "recipe":
                found[kind] = partial(texts.mutant_text, seeds.recipes())
            case "registry":
                found[kind] = partial(texts.mutant_text, seeds.registries())
    return found


def _mutant_picture(chance: random.Random) -> bytes:
    data = chance.choice(seeds.pictures())
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        data = spoilt_bytes(data, chance)
    return data


def campaign(
    mutants: int, seconds: float, seed: int, kinds: Sequence[str], kept: Path, *, few: bool = False
) -> tuple[int, list[str], Counter[str]]:
    """Try so many mutants, or for so long.

    Returns
    -------
    tried : int
    faults : list of str
        A paragraph each, that names the mutant, which is in the folder `kept`.
    counts : Counter
        How commands ended.
    """
    counts, faults = Counter[str](), list[str]()
    number = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        make, worker = makers(kinds, folder, few=few), Worker(folder)
        end = time.monotonic() + seconds
        while number < mutants and time.monotonic() < end:
            chance = random.Random(f"{seed}-{number}")
            kind = chance.choice(kinds)
            path = folder / f"mutant{SUFFIXES[kind]}"
            path.write_bytes(data := make[kind](chance))
            fault, told = worker.attempt(kind, path)
            counts.update({f"{kind}: {key}": value for key, value in told.items()})
            if fault:
                kept.mkdir(parents=True, exist_ok=True)
                own = kept / f"{kind}-{seed}-{number}{SUFFIXES[kind]}"
                own.write_bytes(data)
                faults.append(f"{own}: {fault.rstrip()}")
                print(faults[-1], file=sys.stderr, flush=True)
            number += 1
            if number % 500 == 0:
                print(f"{number} mutants, {len(faults)} faults", file=sys.stderr, flush=True)
        worker.close()
    return number, faults, counts


def main() -> int:
    """Run a campaign; 1 if it found anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=1 << 62)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(SUFFIXES), action="append")
    parser.add_argument(
        "--kept", type=Path, default=Path("build/faults"), help="folder for what fails"
    )
    arguments = parser.parse_args()
    kinds: Any = arguments.only or KINDS
    began = time.monotonic()
    tried, faults, counts = campaign(
        arguments.mutants, arguments.seconds, arguments.seed, kinds, arguments.kept
    )
    for key, value in sorted(counts.items()):
        print(f"{value:8}  {key}")
    took = time.monotonic() - began
    print(f"{tried} mutants of seed {arguments.seed}, {len(faults)} faults, in {took:.0f} s")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
