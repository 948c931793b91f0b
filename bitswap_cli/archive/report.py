"""What packing and unpacking tell their caller."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass
class PackReport:
    """What went into an archive."""

    entries: int = 0
    """Files, links and empty folders."""
    bytes_before: int = 0
    """Size of all files."""
    bytes_after: int = 0
    """Size of the archive."""
    samples: int = 0
    """Subpixels coded by the model (H * W * C summed over pictures)."""
    net_bits: float = 0.0
    """Net bits of those subpixels; ``net_bits / samples`` is the net rate in bits/dim."""
    tile_bytes: int = 0
    """Bytes of the sections that hold those subpixels; times 8 / samples, the total rate."""
    tile_entries: int = 0
    """Pictures coded by the model."""
    tile_bytes_before: int = 0
    """Size of the files of those pictures."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Entries of each kind: 'png', 'bmp', 'pnm', 'file', 'dir', 'link'."""
    notes: list[str] = field(default_factory=list)
    """Lines worth showing to the user."""


@dataclass
class UnpackReport:
    """What came out of an archive."""

    entries: int = 0
    """Entries restored (or checked)."""
    bytes: int = 0
    """Bytes written (or that would be)."""
    samples: int = 0
    """Subpixels decoded by the model."""
    lost: list[str] = field(default_factory=list)
    """What could not be restored, one line each."""
