"""Headers: models and features come back, and nothing else is one."""

from pathlib import Path

import pytest

from bitswap_cli.archive.format.header import MODELS, TURNED, Fitted, Header, Tiled
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_cli.images.formats.format import WIDE
from tests.archive.format.test_format import HEADER, MODEL

SAME, WIDER = Fitted(3, 0, 0, b"same"), Fitted(4, 0, 0, b"four channels")
BOTH = frozenset((WIDE, TURNED))
SEVERAL = tuple(Tiled(f"m{k}", f"{k:064x}", "bitswap", 1, (28, 28, 1)) for k in range(8))


def _fitted(*fitted: Fitted) -> Header:
    return Header((MODEL._replace(fitted=fitted),))


HEADERS = (
    HEADER,
    Header.without_model(),
    _fitted(SAME),
    HEADER._replace(features=frozenset([WIDE])),
    HEADER._replace(features=frozenset([TURNED])),
    _fitted(SAME, WIDER).using(BOTH),
    _fitted(Fitted(3, 1, 300, b"larger")).using(BOTH),
    Header((MODEL._replace(tile=(32, 32, 4)),), BOTH),
    Header(SEVERAL, frozenset([MODELS])),
    Header((SEVERAL[0], MODEL._replace(fitted=(SAME, WIDER))), BOTH | {MODELS}),
    Header((MODEL._replace(fitted=(SAME,)), SEVERAL[1]._replace(fitted=(SAME,))), BOTH | {MODELS}),
)


@pytest.mark.parametrize("header", HEADERS)
def test_headers(header: Header) -> None:
    read, counts = Header.from_bytes(header.to_bytes(), 5)
    assert counts == [len(model.fitted) for model in header.models]
    assert read.with_fitted(header.fitted_models(), counts, 5) == header
    for other in (1, 2, 3, 4):
        with pytest.raises(ArchiveError, match="header"):
            Header.from_bytes(header.to_bytes(), other)


def test_malformed_headers() -> None:
    _, (model,) = unpack_object(HEADER.to_bytes(), "header")
    rows = [
        [[], [model, model]],
        [[], [[*model[:7], 7]]],
        [[], [[*model[:6], 5, 0]]],
        [[], [[*model[:4], 0, *model[5:]]]],
        [[], [[model[0], b"short", *model[2:]]]],
        [[], [[*model, 1]]],
        [[], [], 1],
        [[1], []],
        [[]],
        {"features": [], "models": []},
        [[MODELS], [model]],
        [[MODELS], [model, model]],
        [[MODELS], [model, [*model[:2], "bbans", *model[3:]]]],
        [[MODELS], [[*model[:1], bytes([k]) * 32, *model[2:]] for k in range(9)]],
        [[MODELS], [model, [*model[:1], bytes(32), *model[2:6], 5, 0]]],
        [[MODELS], [model, ["jpeg", bytes(32), "bitswap", 1]]],
    ]
    bodies = [b"", b"\x90", b"\xc1", HEADER.to_bytes() + b"\0", *map(pack_object, rows)]
    for version in (1, 2, 3, 4, 5):
        for body in bodies:
            with pytest.raises(ArchiveError, match="header"):
                Header.from_bytes(body, version)
    for bodies in ([b"123"], [b"\4\0\0\0a", b"\4\1\0\0b"]):
        with pytest.raises(ArchiveError, match="model"):
            HEADER.with_fitted(bodies, [len(bodies)], 5)


def test_a_feature_that_is_not_known_is_named() -> None:
    header = HEADER._replace(features=frozenset(["wide", "hard links"]))
    with pytest.raises(ModelError, match="the feature hard links, which this program"):
        Header.from_bytes(header.to_bytes(), 5)


@pytest.mark.parametrize("header", HEADERS)
def test_headers_in_files(tmp_path: Path, header: Header) -> None:
    """Each model is found again, and none of its bytes can change."""
    path = tmp_path / "a.bsw"
    with ArchiveWriter(path, header) as writer:
        writer.finish(Totals(0, 0, 0, 0))
        writer.commit()
    good = path.read_bytes()
    with ArchiveReader(path) as reader:
        assert (reader.version, reader.header) == (5, header)
    for at in range(8, good.index(b"INDX")):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises((ArchiveError, ModelError)):
            ArchiveReader(path)
