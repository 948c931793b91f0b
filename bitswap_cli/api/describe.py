"""What an archive says of itself; nothing is decoded, and nothing loaded that decodes."""

from collections import Counter
from typing import Any

from bitswap_cli.api.arguments import PathLike
from bitswap_cli.archive.format.header import DECODINGS, EMBEDDED, OTHERS, Header, Tiled
from bitswap_cli.archive.format.jpeg import were
from bitswap_cli.archive.format.register import KINDS, need_of
from bitswap_cli.archive.format.sections import BYTE, CHUNKS, JPEG, TILE
from bitswap_cli.archive.format.segments import (
    PICTURE,
    ByteSegment,
    ByteTable,
    Segment,
    Table,
    WholeTable,
)
from bitswap_cli.archive.reading.entries import Entry, inside_of
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.errors import ArchiveError

MIXING, VP8, ZSTD, NAMES = "mixing", "vp8", "zstd", "names"
_CHUNKS = sorted(CHUNKS, key=lambda tag: tag == BYTE)  # with a model first


def entries(archive: PathLike) -> list[Entry]:
    """Return the files, links and empty folders of an archive, sorted by name.

    Raises as `describe` does.
    """
    with ArchiveReader(archive) as reader:
        counts = _inside(reader)
        found = sorted(reader.entries(), key=lambda entry: entry.name)
        return [one._replace(inside=counts[one.name]) for one in found] if counts else found


def histories(archive: PathLike) -> dict[bytes, str]:
    """Return which JPEGs the pictures of an archive were that were some, by their names:
    ``quality 80, 4:4:4``.

    Raises as `describe` does.
    """
    told: dict[bytes, str] = {}
    with ArchiveReader(archive) as reader:
        for chunk in reader.chunks if DECODINGS in reader.header.features else ():
            table = reader.table(chunk)
            if chunk.tag == JPEG and isinstance(table, WholeTable):
                try:
                    told |= were(table, reader.body(chunk))
                except ArchiveError as error:
                    raise reader.located(error, chunk) from error
    return told


def coders(archive: PathLike) -> dict[bytes, str]:
    """Return the names of the models that code the entries which one does, by the names of these;
    `MIXING` of those that are kept by context mixing, `VP8` of those whose VP8 frames are coded
    by their decisions.

    Raises as `describe` does.
    """
    told: dict[bytes, str] = {}
    with ArchiveReader(archive) as reader:
        for chunk in reader.chunks:
            table = reader.table(chunk)
            name = _coder(reader.header, chunk.tag, table)
            if name != ZSTD:
                told.update((one.name, name) for one in table.segments if _is_coded(one))
    return told


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
    with ArchiveReader(archive) as reader:
        header, totals = reader.header, reader.totals
        model = header.models[0] if header.models else None
        chunks, sizes = Counter[bytes](), Counter[bytes]()
        own = [{"chunks": 0, "bytes": 0} for _ in header.models]
        for chunk in reader.chunks:
            chunks[chunk.tag] += 1
            sizes[chunk.tag] += chunk.length
            if chunk.tag == TILE:
                told = own[need_of(TILE, reader.table(chunk)).model]
                told["chunks"] += 1
                told["bytes"] += chunk.length
        described: dict[str, Any] = {
            "archive": str(archive),
            "format": reader.version,
            "features": sorted(header.features),
            "size": reader.size,
            "model": model and model.name,
            "sha256": model and model.sha256,
            "model_here": model and _is_here(model),
            "fitted": header.fitted_bytes or None,
            "fitted_channels": [one.channels for named in header.models for one in named.fitted],
            "scheme": model and model.scheme,
            "profile": model.profile if model else 1,  # there is no other yet
            "tile": list(model.tile) if model else [0, 0, 0],
            "models": [_model(*one) for one in zip(header.models, own, strict=True)],
            **_others(header),
            **{f"{tag.decode().lower()}_chunks": chunks[tag] for tag in _CHUNKS},
            **{f"{tag.decode().lower()}_bytes": sizes[tag] for tag in _CHUNKS},
            "largest_chunk": max((chunk.length for chunk in reader.chunks), default=0),
            **_kept(reader),
            "kinds": _kinds(reader),
            "coders": _by_coder(reader),
            "inside": _inside(reader).total(),
        }
    if totals is not None:
        samples = totals.samples
        described |= {
            "entries": totals.entries,
            "before": totals.bytes_before,
            "samples": samples,
            "net_bpd": round(totals.net_bits / samples, 4) if samples else None,
        }
    return described


def _kept(reader: ArchiveReader) -> dict[str, int]:
    """Return what there is to tell of chunks of files that are kept byte for byte."""
    every = ((chunk.length, reader.table(chunk)) for chunk in reader.chunks if chunk.tag == BYTE)
    tables = [(length, table) for length, table in every if isinstance(table, ByteTable)]
    mixed = [length for length, table in tables if table.mixed]
    return {
        "mixed_chunks": len(mixed),
        "mixed_bytes": sum(mixed),
        "largest_block": max((table.length for _, table in tables), default=0),
    }


def _is_here(model: Tiled) -> bool:
    """Tell whether a model is on this machine."""
    from bitswap_models import zoo

    return zoo.installed(model.name, model.sha256) is not None


def _model(model: Tiled, chunks: dict[str, int]) -> dict[str, Any]:
    """Return what an archive says of a model of tiles, and of its chunks."""
    told = {"model": model.name, "sha256": model.sha256, "model_here": _is_here(model)}
    how = {"scheme": model.scheme, "profile": model.profile, "tile": list(model.tile)}
    return {**told, **how, **chunks}


def _coder(header: Header, tag: bytes, table: Table) -> str:
    """Return the name of the model of a chunk, or of what keeps files."""
    if isinstance(table, ByteTable):
        return VP8 if table.frames else MIXING if table.mixed else ZSTD
    if tag == TILE:
        return header.models[need_of(tag, table).model].name
    named = header.other(KINDS[tag].feature or "")
    return named.model if named else ""


def _is_coded(segment: Segment) -> bool:
    """Tell whether there are any bytes of it, not only a name and what that stands for."""
    return not isinstance(segment, ByteSegment) or segment.length > 0


def _by_coder(reader: ArchiveReader) -> dict[str, dict[str, int | None]]:
    """Return of each coder, by its name, how many files and pictures inside of files it codes,
    their bytes, or None if these are not told of each, and those that its chunks take; of chunks
    that hold `NAMES` alone, how many."""
    files, sizes, after = Counter[str](), dict[str, list[int | None]](), Counter[str]()
    for chunk in reader.chunks:
        table = reader.table(chunk)
        coded = [one for one in table.segments if _is_coded(one)]
        name = _coder(reader.header, chunk.tag, table) if coded else NAMES
        files[name] += sum(one.begins for one in coded or table.segments)
        sizes.setdefault(name, []).extend(map(_size, coded))
        after[name] += chunk.length
    before = {
        name: None if None in own else sum(size or 0 for size in own) for name, own in sizes.items()
    }
    return {
        name: {"files": files[name], "before": before[name], "after": size}
        for name, size in after.most_common()
    }


def _size(segment: Segment) -> int | None:
    """Return how many bytes of its file a segment stands for, without what is coded apart; None if
    that is not told."""
    if isinstance(segment, ByteSegment) and segment.kind != PICTURE:
        return segment.length
    return segment.summary.size if segment.begins else 0


def _others(header: Header) -> dict[str, str | None]:
    """Return the models of chunks that need one of their own, or None where there are none."""
    told: dict[str, str | None] = {}
    for feature in OTHERS:
        named = header.other(feature)
        told[f"{feature}_model"] = named and named.model
        told[f"{feature}_sha256"] = named and named.sha256
    return told


def _inside(reader: ArchiveReader) -> Counter[bytes]:
    """Return how many pictures inside of files are entries of their own, by the names of these."""
    if EMBEDDED not in reader.header.features:
        return Counter()
    return inside_of(one for table in reader.tables() for one in table.segments if one.begins)


def _kinds(reader: ArchiveReader) -> dict[str, dict[str, Any]]:
    """Return of each kind of entries how many there are, how they come back, and their bytes in
    all, or None if these are not told of each."""
    kinds: dict[str, dict[str, Any]] = {}
    for entry in reader.entries():
        restored = "bytes" if entry.exact else "pixels"
        kind = kinds.setdefault(entry.kind, {"entries": 0, "restored": restored, "before": 0})
        kind["entries"] += 1
        told = kind["before"] is not None and entry.size is not None
        kind["before"] = kind["before"] + entry.size if told else None
    return dict(sorted(kinds.items()))
