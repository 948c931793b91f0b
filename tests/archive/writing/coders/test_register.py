"""Which coder gets a file."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders import register
from bitswap_cli.archive.writing.coders.coder import Coded, Offer, Step, Work
from tests.archive.support import write


def work_of(catalogue: Catalogue, queue: Callable[[Step], None]) -> Work:
    def submit(*arguments: object) -> NoReturn:
        raise AssertionError("nothing is coded")

    return Work(Header.without_model(), catalogue, Codecs(), submit, 1.0, queue)


class Coder:
    """Offers to code what begins with one of its letters, for a price."""

    tag = b"NONE"

    def __init__(self, letters: bytes, price: float | None, *, sure: bool = False) -> None:
        self.letters, self.price, self.sure = letters, price, sure
        self.taken: list[bytes] = []
        self.ended = 0

    def offer(self, source: Source, seen: Seen | None) -> Offer | None:
        def cost() -> float:
            assert self.price is not None, "nobody else offers"
            return self.price

        name = source.name.rpartition(b"/")[2]
        offer = Offer(lambda: self.taken.append(name), cost, sure=self.sure)
        return offer if name[:1] in self.letters else None

    def end(self) -> None:
        self.ended += 1

    def count(self, report: PackReport, coded: Coded, size: int) -> None: ...


def test_the_cheapest_of_those_who_offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcde":
        write(tmp_path / "in" / name, b"")
    coders = [Coder(b"ab", 3.0), Coder(b"bc", 2.0), Coder(b"bc", 2.0), Coder(b"d", None)]
    begun = [lambda work, one=one: one for one in coders]
    monkeypatch.setattr(register, "_BEGIN", [*begun, lambda work: None])
    catalogue = Catalogue([tmp_path / "in"])
    steps: list[Step] = []
    own = register.Coders(work_of(catalogue, steps.append))
    files = [source for source in catalogue.sources if source.kind == "file"]
    offers = [told.offer for told in own.best([(source, None) for source in files])]
    assert [one.taken for one in coders] == [[], [], [], []]
    for offer in offers[:4]:
        assert offer is not None
        offer.take()
    assert offers[4] is None
    assert [one.taken for one in coders] == [[b"a"], [b"b", b"c"], [], [b"d"]]
    own.end()
    assert [one.ended for one in coders] == [1, 1, 1, 1] and not steps


def test_nobody_is_asked_beside_one_that_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        write(tmp_path / "in" / name, b"")
    coders = [Coder(b"ab", 3.0), Coder(b"b", None, sure=True)]
    monkeypatch.setattr(register, "_BEGIN", [lambda work, one=one: one for one in coders])
    catalogue = Catalogue([tmp_path / "in"])
    own = register.Coders(work_of(catalogue, lambda step: None))
    files = [source for source in catalogue.sources if source.kind == "file"]
    for told in own.best([(source, None) for source in files]):
        assert told.offer
        told.offer.take()
    assert [one.taken for one in coders] == [[b"a"], [b"b"]]


def test_there_are_no_coders_without_codecs(tmp_path: Path) -> None:
    write(tmp_path / "x", b"")
    catalogue = Catalogue([tmp_path / "x"])
    coders = register.Coders(work_of(catalogue, lambda step: None))
    assert coders.best([(catalogue.sources[0], None)])[0].offer is None
