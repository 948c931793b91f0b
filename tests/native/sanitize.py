"""Tests of the C kernels under AddressSanitizer and UBSan: python tests/native/sanitize.py [TESTS]

The kernels are built anew in a copy of the tree, with gcc or clang (CC), so that the installation
stays as it is. What a sanitizer finds ends the process that runs the tests, and tells the line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = (
    "tests/ans",
    "tests/models/exact",
    "tests/models/families/pixel_vae",
    "tests/models/fitting/test_gradient.py",
    "tests/golden",
    "tests/archive/reading",
)
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"
LEFT_OUT = (".*", "build", "*.so", "*.egg-info", "__pycache__")


def libraries(compiler: str) -> str:
    """The sanitizers' libraries, which have to be loaded before Python is."""
    names = ("libasan.so", "libubsan.so")
    command = [[compiler, f"-print-file-name={name}"] for name in names]
    return ":".join(subprocess.check_output(c, text=True).strip() for c in command)


def main() -> int:
    """Build, test; the exit code of pytest."""
    root, compiler = Path(__file__).parents[2], os.environ.get("CC", "gcc")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (copy / "imports").mkdir()
        (copy / "imports" / "bitswap_models").symlink_to(copy / "models")
        (copy / "imports" / "bitswap_cli").symlink_to(copy / "bitswap_cli")
        environment = {
            **os.environ,
            "CC": compiler,
            "CFLAGS": FLAGS,
            "LDFLAGS": FLAGS,
            "PYTHONPATH": str(copy / "imports"),
        }
        build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        subprocess.run(build, cwd=copy, env=environment, check=True)
        if len(list(copy.rglob("_kernel*.so"))) != 2:  # setup.py may do without
            sys.exit("the kernels do not compile")
        environment |= {
            "BITSWAP_ENGINE": "",
            "LD_PRELOAD": libraries(compiler),
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself ends with memory that it keeps
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(sys.argv[1:] or TESTS)]
        return subprocess.run(tests, cwd=copy, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
