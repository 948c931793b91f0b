"""A process that has everything imported, and lets each command run in a child of its own.

Its stdin has a line of JSON for each: the words of the command, the folder whose calls count, the
action of shim.c, the number of the call, and the error. Its answer is the status of the child, and
how many calls there were where it could still tell.
"""

import atexit
import ctypes
import faulthandler
import json
import os
import sys
from importlib import import_module

from bitswap_cli.cli.main import main
from bitswap_cli.cli.register import VERBS

# what the children will need, once for all of them
MODULES = (
    "bitswap_cli.api.compress", "bitswap_cli.api.decompress", "bitswap_models.stored.model_file",
    "bitswap_models.families.pixel_vae.model", "bitswap_models.families.markov_vae",
)  # fmt: skip
SECONDS = 120


def attempt(words: list[str], folder: str, action: int, number: int, error: int, log: str) -> int:
    """Run a command in this process as if it was its only one; return the exit code."""
    shim = ctypes.CDLL(None)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=descriptor)
    shim.fault_at(os.fsencode(folder), action, number, error)
    try:
        main(words)
    except SystemExit as done:
        code = int(done.code or 0)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
    count = shim.fault_count()
    shim.fault_at(b"", 0, 0, 0)
    os.write(descriptor, b"\n%d calls" % count)
    return code


def serve() -> None:
    """Answer."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 99
            try:
                code = attempt(*json.loads(line))
            finally:
                os._exit(code)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    for name in (*MODULES, *(f"bitswap_cli.cli.{verb}" for verb in VERBS)):
        import_module(name)
    if "torch" in sys.argv:
        import torch

        import_module("bitswap_models.fitting.fit")
        torch.set_num_threads(1)
    serve()
