"""Palette images by the colours that their indices stand for, and back."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def colours_of(indices: Bytes, palette: Bytes) -> Bytes | None:
    """Return pixels by their colours; None if that would lose which index they had.

    Parameters
    ----------
    indices : uint8 array (H, W, 1)
    palette : uint8 array (entries, C)
        C = 3, or 4 with alpha.

    Returns
    -------
    uint8 array (H, W, C) or None
    """
    if indices.max() >= len(palette):
        return None
    keys = _keys(palette)
    _, first, same = np.unique(keys, return_index=True, return_inverse=True)
    used = np.zeros(len(keys), bool)
    used[indices] = True
    if np.any(used & (first[same] != np.arange(len(keys)))):
        return None
    return palette[indices[:, :, 0]]


def indices_of(pixels: Bytes, palette: Bytes) -> Bytes | None:
    """Return the first index of each pixel's colour (inverse of `colours_of`, shapes as there);
    None if it is not in the palette, or that has other channels, or no colour."""
    if pixels.shape[2] != palette.shape[1] or not len(palette):
        return None
    keys, first = np.unique(_keys(palette), return_index=True)
    wanted = _keys(pixels.reshape(-1, pixels.shape[2]))
    # What is above every key would get a place beyond them, if the last one took part.
    place = np.searchsorted(keys[:-1], wanted)
    if np.any(keys[place] != wanted):
        return None
    return first.astype(np.uint8)[place].reshape(*pixels.shape[:2], 1)


def shown_by(indices: Bytes, palette: Bytes) -> Bytes:
    """Return indices (H, W, 1) as their colours (H, W, C), black and opaque beyond the palette."""
    colours = np.zeros((256, palette.shape[1]), np.uint8)
    colours[:, 3:] = 255
    colours[: len(palette)] = palette
    return colours[indices[:, :, 0]]


def _keys(colours: Bytes) -> NDArray[np.uint32]:
    """Return one number for each colour of an array (N, 3 or 4)."""
    padded = np.zeros((len(colours), 4), np.uint8)
    padded[:, : colours.shape[1]] = colours
    return padded.view(np.uint32)[:, 0]
