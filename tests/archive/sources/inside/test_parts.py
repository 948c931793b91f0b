"""What is left of a part if some of its members are taken."""

from bitswap_cli.archive.sources.inside.parts import Member, Part
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.images.inside.scanning import OWN, Stream


def test_members_that_are_taken() -> None:
    members = tuple(Member(10 * k, Source(b"a//%06d" % k, b"a", "file", 9, 0)) for k in range(3))
    stream = Stream(50, b"x\x9c", OWN)
    part = Part(7, 30, 1, members, stream, b"how", pays=False)
    assert part.literal == 50 - 27
    first = part.with_those(lambda source: source.name == b"a//000000")
    assert first is not None and first.members == members[:1] and first.literal == 41
    assert part.with_those(lambda _: True) == part
    assert part.with_those(lambda _: False) is None
    paying = part._replace(pays=True).with_those(lambda _: False)
    assert paying is not None and not paying.members and paying.literal == 50
    picture = Part(0, 9, 1, members[:1])
    assert picture.literal == 0 and picture.with_those(lambda _: False) is None
