"""FLIF as it is by default, and without interlacing, for small images."""

from collections.abc import Iterator

from benchmarks.peers.codecs.peer import Codec, Peer, pnm_program, version_of


def peers() -> Iterator[Peer]:
    """The program, if it is here."""
    if version := version_of("flif", "-h"):
        for options in ("", " -N -E100"):
            encoder = f"flif -e{options} {{source}} {{target}}"
            coder = pnm_program(encoder, "flif -d {source} {target}", ".flif")
            yield Peer(f"FLIF{options}", f"flif {version}", *coder, mosaic=True)


FLIF = Codec("FLIF", peers, {"FLIF": "flif (make in https://github.com/FLIF-hub/FLIF)"})
