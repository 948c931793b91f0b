"""Training of models of drawn pictures: they are coded, and what that teaches is kept.

A recipe's sources are folders of pictures; what their names begin with, up to a last number, says
where they are from, and `without` names beginnings that are kept out. Of each origin some pictures
are coded, in chunks in an order by chance; `steps` is how often.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.contract import Palette
from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.engine import opened
from bitswap_models.families.drawn.model import Drawn, keys
from bitswap_models.families.drawn.state import State, saved, untrained
from bitswap_models.stored import model_file
from bitswap_models.training import pictures
from bitswap_models.training.recipe import Recipe

ORIGIN = 1 << 20  # pixels of the pictures of one origin, at most
CHUNK = 1 << 15  # pixels from which on a chunk is full
_NUMBER = re.compile(r"[-_]?\d*$")

Picture = tuple[NDArray[np.uint8], Palette]


class Taught:
    """A state as a model that a file can hold."""

    family = Drawn.family

    def __init__(self, config: Config, state: State | None = None) -> None:
        self.config = config
        self._state = untrained(config) if state is None else state

    def tensors(self) -> dict[str, NDArray[np.integer]]:
        """See `model_file.Writable`."""
        return saved(self._state)


def train(recipe_path: Path, data: Path, output: Path, progress: Callable[[str], None]) -> None:
    """Train a model by its recipe and write the model file.

    Parameters
    ----------
    recipe_path, data, output : Path
        TOML recipe, folder that holds the recipe's folders, model file to write.
    progress : callable
        Told a line for each pass.

    Raises
    ------
    ModelError
        If the recipe cannot be followed, or there are no pictures.
    InputError
        If a picture cannot be read, or the file not be written.
    """
    recipe = Recipe.read(recipe_path)
    taught, kept_out = _origins(recipe, data)
    if not taught:
        raise ModelError(f"the recipe {recipe_path} names no PNG files in {data} to learn from")
    config = cast(Config, recipe.model)
    random, state = np.random.default_rng(recipe.seed), untrained(config)
    for turn in range(recipe.steps):
        chunks = [chunk for paths in taught for chunk in _chunks(_shuffled(paths, random))]
        bits = [_code(config, state, chunks[k]) for k in random.permutation(len(chunks))]
        progress(f"pass {turn + 1}  {len(chunks)} chunks  {sum(bits) / 8e6:.3f} MB")
    model = Taught(config, state)
    metrics = _measured(model, kept_out) if kept_out else {}
    model_file.write(model, output, recipe=recipe.text, metrics=metrics)


def _shuffled(paths: Sequence[Path], random: np.random.Generator) -> list[Path]:
    return [paths[k] for k in random.permutation(len(paths))]


def _origins(recipe: Recipe, data: Path) -> tuple[list[list[Path]], list[list[Path]]]:
    """Files by where they are from: those to learn from, and those kept out."""
    found: dict[tuple[str, str], list[Path]] = {}
    out: set[tuple[str, str]] = set()
    for source in recipe.sources:
        for path in sorted((data / source.folder).rglob("*.png")):
            origin = source.folder, _NUMBER.sub("", path.stem)
            found.setdefault(origin, []).append(path)
            if path.stem.startswith(tuple(source.without)):
                out.add(origin)
    taught = [paths for origin, paths in found.items() if origin not in out]
    return taught, [found[origin] for origin in sorted(out)]


def _chunks(paths: Sequence[Path]) -> Iterator[list[Picture]]:
    """Some pictures of one origin."""
    chunk: list[Picture] = []
    done = pixels = 0
    for path in paths:
        picture = _read(path)
        size = 0 if picture is None else picture[0].shape[0] * picture[0].shape[1]
        if picture is None or done + size > ORIGIN:
            continue
        chunk.append(picture)
        done, pixels = done + size, pixels + size
        if pixels >= CHUNK:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def _read(path: Path) -> Picture | None:
    """A picture of 8 bits, a palette image by its colours; None if it is of others.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with pictures.opened(path) as file:
        image: Image.Image = file.convert("L") if file.mode == "1" else file
        if image.mode not in ("L", "LA", "P", "RGB", "RGBA"):
            return None
        palette: Palette = None
        if image.mode == "P":
            mode = "RGBA" if "transparency" in image.info else "RGB"
            entries = len(image.getpalette() or ()) // 3
            table = Image.new("P", (entries, 1))
            table.putpalette(image.getpalette() or ())
            table.info = dict(image.info)
            table.putdata(range(entries))
            palette = np.asarray(table.convert(mode)).reshape(-1, len(mode))
            image = image.convert(mode)
        pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1), palette


def _code(config: Config, state: State, chunk: Sequence[Picture]) -> float:
    """Code pictures, which changes the state; returns their bits."""
    whole = [np.ascontiguousarray(pixels) for pixels, _ in chunk]
    with opened(config, state, [pixels.shape for pixels in whole]) as coded:
        for pixels, (_, palette) in zip(whole, chunk, strict=True):
            coded.picture(pixels, keys(palette))
        return 32.0 * len(coded.words())


def _measured(model: Taught, origins: Sequence[Sequence[Path]]) -> dict[str, float]:
    """Bits per sample of pictures that were kept out; nothing if none of them is of 8 bits."""
    coder = Drawn(model.config, Stored(model.tensors()))
    bits = samples = 0.0
    for paths in origins:
        for chunk in _chunks(paths):
            told = coder.encode([pixels for pixels, _ in chunk], [own for _, own in chunk])
            bits += 8.0 * len(told.words)
            samples += sum(pixels.size for pixels, _ in chunk)
    return {"bpd": bits / samples} if samples else {}
