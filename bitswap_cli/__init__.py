"""Lossless compression of image folders with hierarchical VAEs, Bit-Swap and vectorized rANS.

    import bitswap_cli as bitswap

    bitswap.compress(["photos"], "photos.bsw")
    bitswap.decompress("photos.bsw", "restored")
    with bitswap.open("photos.bsw") as archive:
        archive.pixels("photos/a.png")

docs/api.md shows all of it. Importing this costs nothing: what a name stands for is loaded when it
is used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitswap_cli.api.archive import Archive
    from bitswap_cli.api.archive import open_archive as open
    from bitswap_cli.api.compress import compress
    from bitswap_cli.api.decompress import decompress, verify
    from bitswap_cli.api.evaluate import Evaluation, evaluate
    from bitswap_cli.api.race import FitProgress
    from bitswap_cli.archive.reading.entries import EntryInfo
    from bitswap_cli.archive.report import PackReport, Report, UnpackReport
    from bitswap_cli.errors import (
        ArchiveError,
        BitswapError,
        InputError,
        ModelError,
        PartialError,
    )

__version__ = "0.26.0"
__all__ = [
    "Archive",
    "ArchiveError",
    "BitswapError",
    "EntryInfo",
    "Evaluation",
    "FitProgress",
    "InputError",
    "ModelError",
    "PackReport",
    "PartialError",
    "Report",
    "UnpackReport",
    "compress",
    "decompress",
    "evaluate",
    "open",
    "verify",
]

_HOMES = {
    "Archive": "api.archive",
    "EntryInfo": "archive.reading.entries",
    "Evaluation": "api.evaluate",
    "FitProgress": "api.race",
    "PackReport": "archive.report",
    "Report": "archive.report",
    "UnpackReport": "archive.report",
    "compress": "api.compress",
    "decompress": "api.decompress",
    "evaluate": "api.evaluate",
    "open": "api.archive",
    "verify": "api.decompress",
} | {name: "errors" for name in __all__ if name.endswith("Error")}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES[name]}")
    value = getattr(home, "open_archive" if name == "open" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
