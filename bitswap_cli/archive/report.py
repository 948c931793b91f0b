"""What packing and unpacking tell their caller."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bitswap_cli.archive.format.header import Named, Tiled

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass
class Report:
    """What every command tells."""

    entries: int = 0
    """Files, links and empty folders packed, restored or checked."""
    samples: int = 0
    """Subpixels coded by the model (H * W * C summed over pictures) = raw bytes of their pixels."""
    seconds: float = 0.0
    """How long it took; for packing, without loading and fitting models, and without verifying."""
    notes: list[str] = field(default_factory=list)
    """Lines worth showing to the user."""


@dataclass
class PackReport(Report):
    """What went into an archive."""

    bytes_before: int = 0
    """Size of all files."""
    bytes_after: int = 0
    """Size of the archive."""
    net_bits: float = 0.0
    """Net bits of the samples."""
    tile_bytes: int = 0
    """Bytes of the sections that hold the samples."""
    tile_entries: int = 0
    """Pictures coded by the model."""
    tile_bytes_before: int = 0
    """Size of the files of those pictures."""
    jpeg_bytes: int = 0
    """Bytes of the sections that hold JPEG files by their coefficients."""
    jpeg_bytes_before: int = 0
    """Size of those files."""
    drawn_bytes: int = 0
    """Bytes of the sections that hold whole pictures."""
    drawn_bytes_before: int = 0
    """Size of their files."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Entries of each kind: 'png', 'bmp', 'pnm', 'file', 'dir', 'link', ..."""
    skipped: dict[str, str] = field(default_factory=dict)
    """By its path: why something could not be archived; everything else is."""
    models: tuple[Tiled, ...] = ()
    """Those of tiles that the archive names."""
    others: tuple[Named, ...] = ()
    """Those of other chunks."""
    fitted_bytes: int = 0
    """Bytes of the models that were fitted from these."""
    saved: int | None = None
    """By how many bytes the archive is smaller than it would be without fitting; None without."""
    verified: bool = False
    """Whether the archive was decoded and checked."""

    @property
    def model(self) -> str | None:
        """Name of the first model."""
        return self.models[0].name if self.models else None

    @property
    def names(self) -> list[str]:
        """Names of all models that the archive has need of."""
        return [*(one.name for one in self.models), *(one.model for one in self.others)]

    @property
    def sha256(self) -> str | None:
        """SHA-256 of its file."""
        return self.models[0].sha256 if self.models else None

    @property
    def scheme(self) -> str:
        """How its latents are coded."""
        return self.models[0].scheme if self.models else ""

    @property
    def fitted(self) -> tuple[int, ...]:
        """Channels of the pictures that fitted models in the archive are for, one for each."""
        return tuple(one.channels for model in self.models for one in model.fitted)

    @property
    def ratio(self) -> float | None:
        """Size of the archive over that of all files; None if these are empty."""
        return self.bytes_after / self.bytes_before if self.bytes_before else None

    @property
    def bpd(self) -> float | None:
        """Total rate of the samples in bits/dim, fitted models included; None without samples."""
        bits = 8 * (self.tile_bytes + self.drawn_bytes + self.fitted_bytes)
        return bits / self.samples if self.samples else None

    @property
    def net_bpd(self) -> float | None:
        """Net rate of the samples in bits/dim; None without samples."""
        return self.net_bits / self.samples if self.samples else None

    @property
    def raw_bytes(self) -> int:
        """Samples, and bytes of all that is no picture for the model."""
        coded = self.tile_bytes_before + self.drawn_bytes_before
        return self.samples + self.bytes_before - coded


@dataclass
class UnpackReport(Report):
    """What came out of an archive."""

    bytes: int = 0
    """Bytes written (or that would be)."""
    jpegs: int = 0
    """How many of the entries are JPEG files though they were other pictures."""
    lost: list[str] = field(default_factory=list)
    """What could not be restored, one line each."""
