"""``bitswap info``: what an archive is, and what reading it takes; decodes nothing."""

from collections import Counter
from typing import Any

import click

from bitswap_cli.cli.common import Console, escape, json_option, say_json, verbosity


@click.command()
@click.argument("archive")
@json_option
@verbosity
def info(console: Console, archive: str, as_json: bool) -> None:
    """Show the model, the scheme and the sizes of an archive."""
    from bitswap_cli.archive.reading.reader import ArchiveReader
    from bitswap_models import zoo

    with ArchiveReader(archive) as reader:
        header, totals = reader.header, reader.totals
        chunks = Counter(chunk.tag.decode("ascii") for chunk in reader.chunks)
        described: dict[str, Any] = {
            "archive": archive,
            "format": reader.version,
            "size": reader.size,
            "model": header.model,
            "sha256": header.sha256,
            "model_here": None,
            "fitted": header.fitted_bytes or None,
            "fitted_channels": [fitted.channels for fitted in header.fitted],
            "scheme": header.scheme or None,
            "profile": header.profile,
            "tile": list(header.tile),
            "tile_chunks": chunks["TILE"],
            "byte_chunks": chunks["BYTE"],
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
    if as_json:
        say_json(described)
        return
    channels = described.pop("fitted_channels")
    if header.fitted:
        described["fitted"] = f"fitted from {header.model}, {header.fitted_bytes:,} bytes"
        if channels != [header.tile[2]]:
            described["fitted"] += f", for pictures of {', '.join(map(str, channels))} channels"
    for key, value in described.items():
        click.echo(f"{key:<12}  {_show(value)}")


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "x".join(map(str, value))
    return "-" if value is None else escape(str(value))
