"""What an archive says of itself; nothing is decoded, and nothing loaded that decodes."""

from collections import Counter
from typing import Any

from bitswap_cli.api.arguments import PathLike
from bitswap_cli.archive.format.sections import BYTE
from bitswap_cli.archive.format.segments import ByteTable
from bitswap_cli.archive.reading.entries import Entry
from bitswap_cli.archive.reading.reader import ArchiveReader


def entries(archive: PathLike) -> list[Entry]:
    """Return the files, links and empty folders of an archive, sorted by name.

    Raises as `describe` does.
    """
    with ArchiveReader(archive) as reader:
        return sorted(reader.entries(), key=lambda entry: entry.name)


def describe(archive: PathLike) -> dict[str, Any]:
    """Return the model, the scheme and the sizes of an archive.

    Keys and values are those of ``bitswap info --json`` (docs/scripting.md).

    Raises
    ------
    InputError
        If it cannot be read.
    ArchiveError
        If it is not an archive or is damaged.
    ModelError
        If its format version is not one that this program reads.
    """
    from bitswap_models import zoo

    with ArchiveReader(archive) as reader:
        header, totals = reader.header, reader.totals
        chunks = Counter(chunk.tag.decode("ascii") for chunk in reader.chunks)
        tables = (reader.table(chunk) for chunk in reader.chunks if chunk.tag == BYTE)
        described: dict[str, Any] = {
            "archive": str(archive),
            "format": reader.version,
            "features": sorted(header.features),
            "size": reader.size,
            "model": header.model,
            "sha256": header.sha256,
            "model_here": None,
            "fitted": header.fitted_bytes or None,
            "fitted_channels": [fitted.channels for fitted in header.fitted],
            "scheme": header.scheme or None,
            "profile": header.profile,
            "tile": list(header.tile),
            "jpeg_model": header.coefficients and header.coefficients.model,
            "jpeg_sha256": header.coefficients and header.coefficients.sha256,
            "tile_chunks": chunks["TILE"],
            "jpeg_chunks": chunks["JPEG"],
            "byte_chunks": chunks["BYTE"],
            "largest_chunk": max((chunk.length for chunk in reader.chunks), default=0),
            "largest_block": max((t.length for t in tables if isinstance(t, ByteTable)), default=0),
        }
    if header.model is not None:
        described["model_here"] = zoo.installed(header.model, header.sha256) is not None
    if totals is not None:
        samples = totals.samples
        described |= {
            "entries": totals.entries,
            "before": totals.bytes_before,
            "samples": samples,
            "net_bpd": round(totals.net_bits / samples, 4) if samples else None,
        }
    return described
