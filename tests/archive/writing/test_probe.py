"""Probes stand for all pictures of a catalogue, however few of a genre are among them."""

from pathlib import Path

import numpy as np

from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.probe import PICTURES, probes
from bitswap_cli.images.genres import GRAY, RGB, genre_of
from tests.archive.support import encoded, smooth, write
from tests.images.formats.samples import array_file


def test_each_genre_is_among_them(tmp_path: Path) -> None:
    for number in range(60):
        pixels = smooth(9, 7 + number % 3, seed=number)
        write(tmp_path / f"{number}.ppm", encoded(pixels, "PPM"))
    write(tmp_path / "gray.pgm", encoded(smooth(50, 40)[..., :1], "PPM"))
    write(tmp_path / "twin.pgm", encoded(smooth(50, 40)[..., :1], "PPM") + b"behind it")
    write(tmp_path / "notes.txt", b"no picture")
    found = probes(Catalogue([tmp_path]), wide=False)
    assert len(found) == PICTURES // 2 + 1
    samples = {RGB: 0.0, GRAY: 0.0}
    for one in found:
        (picture,) = one.pictures
        samples[genre_of(picture)] += one.weight * picture.pixels.size
    assert np.allclose([samples[RGB], samples[GRAY]], [60 * 9 * 8 * 3, 50 * 40])


def test_they_are_the_same_every_time(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / f"{number}.ppm", encoded(smooth(9, 9, seed=number), "PPM"))
    names = [[one.name for one in probes(Catalogue([tmp_path], threads=n))] for n in (1, 3)]
    assert names[0] == names[1] and len(set(names[0])) == PICTURES


def test_pictures_of_16_bits_are_among_them_by_their_highest_bits(tmp_path: Path) -> None:
    """Models of photographs code them, which are chosen by these."""
    write(tmp_path / "1.npy", array_file(smooth(40, 50).astype(np.uint16) << 4))
    (one,) = probes(Catalogue([tmp_path]), wide=False)
    assert RGB in map(genre_of, one.pictures)
