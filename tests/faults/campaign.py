"""Commands that are killed, or whose system calls fail, at each call that changes a file.

    python -m tests.faults.campaign [--only SCENARIO] [--most CALLS] [--actions ACTION ...]

What has to hold, wherever that happens: sources are as they were; what had a final name has its old
or its new content, never half of one; without an error all of it is new, with one of an archive or
a model all of it is old; what is left over has the name of an unfinished file, and is left only by
a process that was killed; and the same command succeeds afterwards.
"""

import argparse
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from tests.cli.conftest import RECIPE, smooth_pixels
from tests.fuzz.subjects import TEMPORARY
from tests.images.png_files import file_of

ROOT = Path(__file__).parents[2]
ACTIONS = (
    "count", "kill before", "kill after", "kill half", "terminate", "fail once", "fail on",
)  # fmt: skip
"""Of shim.c, by their numbers."""
ERRORS = (errno.ENOSPC, errno.EIO)
KILLS = ACTIONS[1:4]

Tree = dict[str, bytes]


class Fault(Exception):
    """What should not have been."""


@dataclass(frozen=True)
class Scenario:
    """A command, and what is there before."""

    words: tuple[str, ...]
    """Of which `{0}` is the folder."""
    before: Mapping[str, bytes]
    """What is in the folder `out`."""
    whole: bool = True
    """Whether it writes one thing, all or nothing."""
    torch: bool = False
    beside: str = "no name"
    """A regular expression of names that may stay beside it."""


def scenarios(archive: bytes, restored: Tree) -> dict[str, Scenario]:
    """Return what is tried, given an archive of the sources and what is restored from it."""
    old = {"a.bsw": b"the old archive", "keep.txt": b"not ours"}
    older = {**{f"r/{name}": b"older" for name in restored}, "keep.txt": b"not ours"}
    compress = ("compress", "{0}/in", "-o", "{0}/out/a.bsw", "--model", "photo", "--threads", "1")
    restore = ("decompress", "{0}/in.bsw", "-o", "{0}/out/r", "--threads", "1")
    train = ("train", "{0}/recipe.toml", "{0}/data", "-o", "{0}/out/m.safetensors")
    fit = (*compress, "--fit-steps", "1", "--save-model", "{0}/out/m.safetensors")
    model = {"m.safetensors": b"the old model"}
    return {
        "compress": Scenario(compress, {"keep.txt": b"not ours"}),
        "compress --force": Scenario((*compress, "--force"), old),
        "decompress": Scenario(restore, {"keep.txt": b"not ours"}, whole=False),
        "decompress --force": Scenario((*restore, "--force"), older, whole=False),
        "decompress --keep-going": Scenario((*restore, "--keep-going"), {}, whole=False),
        "compress --fit": Scenario((*fit, "--force"), {**old, **model}, whole=False, torch=True),
        "train": Scenario((*train, "--force"), model, torch=True, beside=r"\.checkpoint$"),
    }


def sources() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the folder that everything happens in, but for `out`."""
    for number in range(3):
        yield f"in/p{number}.png", file_of(smooth_pixels(40, 33, number))
    held = [file_of(smooth_pixels(90, 90, 3 + number), "JPEG") for number in range(2)]
    yield "in/host.bin", b"held".join([b"", *held, b""])
    text = b"".join(b"%d is a number\n" % number for number in range(400))
    yield "in/unfolded.bin", b"held".join([zlib.compress(text), held[0], b""])
    for number in range(12):
        yield f"in/sub/{number}.txt", b"%d of many\n" % number
    yield "in/random.bin", np.random.default_rng(0).bytes(300_000)
    for number in range(2):
        yield f"data/sheets/{number}.png", file_of(smooth_pixels(48, 48, number))
    yield "recipe.toml", RECIPE.replace("steps = 30", "steps = 2").encode()


def tree(folder: Path) -> Tree:
    """Return the files and links below a folder."""
    return {
        str(path.relative_to(folder)): (
            os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


class Trials:
    """Runs commands in a folder, each in a process of its own that was forked from one.

    Parameters
    ----------
    folder : Path
    torch : bool
        Whether commands need it.
    """

    def __init__(self, folder: Path, *, torch: bool = False) -> None:
        self.place = folder / "place"
        self._log = folder / "log"
        shim = folder / "shim.so"
        if not shim.exists():
            built = ["cc", "-shared", "-fPIC", "-O1", "-o", str(shim)]
            subprocess.run([*built, str(Path(__file__).with_name("shim.c")), "-ldl"], check=True)
        environment = {
            **os.environ, "LD_PRELOAD": str(shim), "BITSWAP_CACHE": str(folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote", *(["torch"] if torch else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def lay(self, before: Mapping[str, bytes], files: Mapping[str, bytes]) -> None:
        """Make the folder as it is before a command."""
        shutil.rmtree(self.place, ignore_errors=True)
        (self.place / "out").mkdir(parents=True)
        for name, data in (*files.items(), *((f"out/{k}", v) for k, v in before.items())):
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for path in (*self.place.rglob("*"), self.place):  # an archive tells times
            os.utime(path, (1_600_000_000, 1_600_000_000))

    def run(
        self, words: tuple[str, ...], action: str = "count", number: int = 0, error: int = 0
    ) -> tuple[int, str]:
        """Run a command; return the status of its process, as `os.waitstatus_to_exitcode` tells it,
        and what it said."""
        filled = [word.format(self.place) for word in words]
        folder = str(self.place / "out")
        line = [filled, folder, ACTIONS.index(action), number, error, str(self._log)]
        assert self._process.stdin and self._process.stdout
        print(json.dumps(line), file=self._process.stdin, flush=True)
        status = int(self._process.stdout.readline())
        return os.waitstatus_to_exitcode(status), self._log.read_text()


@dataclass
class Campaign:
    """Every way in which one scenario can be disturbed."""

    trials: Trials
    name: str
    scenario: Scenario
    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        self.trials.lay(self.scenario.before, self.files)
        code, said = self.trials.run(self.scenario.words)
        if code:
            raise Fault(f"{self.name} ends with {code}: {said}")
        self.after = tree(self.trials.place / "out")
        self.calls = int(said.rpartition("\n")[2].split()[0])

    def attempt(self, action: str, number: int, error: int = 0) -> str:
        """Disturb a call; return how it ended, or raise `Fault`."""
        self.trials.lay(self.scenario.before, self.files)
        code, said = self.trials.run(self.scenario.words, action, number, error)
        try:
            self._check(action, code, said)
        except Fault as fault:
            where = f"{self.name}, {action} {os.strerror(error) if error else ''} at call {number}"
            raise Fault(f"{where} of {self.calls}, ended with {code}: {fault}\n{said}") from None
        return f"{action} -> {code}"

    def _check(self, action: str, code: int, said: str) -> None:
        killed = code == -signal.SIGKILL
        allowed = (
            (0, 143)
            if action == "terminate"
            else (-signal.SIGKILL, 0)
            if (action in KILLS)
            else (0, 3, 5, 6)
        )
        if code not in allowed:
            raise Fault("an exit code that is not documented")
        errors = [line for line in said.splitlines() if line.startswith("bitswap: error: ")]
        if not killed and len(errors) != (code not in (0, 143)):
            raise Fault("not one line")
        place = self.trials.place
        now = tree(place)
        if {k: v for k, v in now.items() if not k.startswith("out/")} != self.files:
            raise Fault("sources have changed")
        out = {k.removeprefix("out/"): v for k, v in now.items() if k.startswith("out/")}
        left = {name for name in out if TEMPORARY.search(name)}
        unremoved = action == "fail once" and len(left) == 1  # that call may be the removal
        if left and not killed and not unremoved:
            raise Fault(f"left over: {sorted(left)}")
        self._compare({k: v for k, v in out.items() if k not in left}, action, code)
        code, said = self.trials.run(self._again())
        out = {k: v for k, v in tree(place / "out").items() if k not in left}
        if code or not self._done(out):
            raise Fault(f"afterwards, the same ends with {code}: {said}")

    def _compare(self, out: Tree, action: str, code: int) -> None:
        """Look at what has a final name."""
        before = dict(self.scenario.before)
        for name, data in out.items():
            if data != before.get(name) and not self._new(name, data):
                raise Fault(f"half, or of an unknown name: {name}")
        if lost := before.keys() - out.keys():
            raise Fault(f"gone: {sorted(lost)}")
        if code == 0 and not self._done(out):
            raise Fault("no error, but not all of it is there")
        if code > 0 and self.scenario.whole:
            kept = {k: v for k, v in out.items() if not re.search(self.scenario.beside, k)}
            if kept != before and not (action == "terminate" and self._done(kept)):
                raise Fault("an error, but what was there has changed")

    def _done(self, out: Tree) -> bool:
        """Tell whether all is there, and new."""
        missing = self.after.keys() - out.keys()
        return not missing and all(self._new(*one) for one in out.items())

    def _new(self, name: str, data: bytes) -> bool:
        """Tell whether a file is what the command makes: a model tells how long it took."""
        if name.endswith(".safetensors") and name in self.after:
            try:
                return bool(safetensors.load(data))
            except SafetensorError:
                return False
        return data == self.after.get(name) or bool(re.search(self.scenario.beside, name))

    def _again(self) -> tuple[str, ...]:
        return (*self.scenario.words, "--force")


def prepared(trials: Trials) -> tuple[dict[str, bytes], dict[str, Scenario]]:
    """Return the files that are there before, and the scenarios."""
    files = dict(sources())
    trials.lay({}, files)
    words = ("compress", "{0}/in", "-o", "{0}/in.bsw", "--model", "photo", "--threads", "1")
    code, said = trials.run(words)
    if code:
        raise Fault(said)
    files["in.bsw"] = (trials.place / "in.bsw").read_bytes()
    trials.run(("decompress", "{0}/in.bsw", "-o", "{0}/out"))
    return files, scenarios(files["in.bsw"], tree(trials.place / "out"))


def disturbances(calls: int, most: int) -> Iterator[tuple[str, int, int]]:
    """Yield actions, numbers of calls, of which there are at most so many, and errors."""
    numbers = sorted({round(1 + k * (calls - 1) / max(most - 1, 1)) for k in range(most)})
    for number in numbers if most < calls else range(1, calls + 1):
        yield from ((action, number, 0) for action in (*KILLS, "terminate"))
        yield from (
            (action, number, error) for action in ("fail once", "fail on") for error in ERRORS
        )


def main() -> int:
    """Try everything; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="a scenario")
    parser.add_argument("--most", type=int, default=1 << 30, help="calls of each scenario")
    parser.add_argument("--actions", nargs="+", choices=ACTIONS[1:], default=ACTIONS[1:])
    arguments = parser.parse_args()
    counts, faults = Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        for torch in (False, True):
            folder = Path(name) / ("torch" if torch else "plain")
            folder.mkdir()
            trials = Trials(folder, torch=torch)
            files, every = prepared(trials)
            for title, scenario in every.items():
                if scenario.torch != torch or title not in (arguments.only or every):
                    continue
                campaign = Campaign(trials, title, scenario, files)
                print(f"{title}: {campaign.calls} calls", flush=True)
                for action, number, error in disturbances(campaign.calls, arguments.most):
                    if action not in arguments.actions:
                        continue
                    try:
                        counts[f"{title}: {campaign.attempt(action, number, error)}"] += 1
                    except Fault as fault:
                        faults += 1
                        print(fault, file=sys.stderr, flush=True)
            trials.close()
    for key, value in sorted(counts.items()):
        print(f"{value:6}  {key}")
    print(f"{sum(counts.values())} trials, {faults} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
