"""What the renderings have in common: noise, pseudo-words, fonts, blurring."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

Random = np.random.Generator
Field = NDArray[np.float64]

ONSETS = "b br c ch d f fl g gr h k l m n p pl qu r s sh st t th tr v w"
VOWELS = "a a e e e i i o o u ai ea ou"
CODAS = "- - - n r s l t m nd st ck rn"  # a dash: none


def fractal(rng: Random, height: int, width: int, slope: float, longest: float = 1.0) -> Field:
    """Noise of a power spectrum that falls with frequency, of mean 0 and deviation 1.

    Parameters
    ----------
    rng
        Source of the noise.
    height, width
        Of the field.
    slope
        Amplitudes fall with this power of the frequency; 0 is white noise.
    longest
        Wavelengths beyond this share of the width are damped.
    """
    y = np.fft.fftfreq(height)[:, None]
    x = np.fft.rfftfreq(width)[None]
    frequency = np.hypot(np.hypot(y, x), 1 / (longest * width))
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) * frequency**-slope
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (height, width))
    return np.asarray(field / field.std())


def blur(field: Field, sigma: float) -> Field:
    """A Gaussian filter; what is outside of the field is what is at the other side of it."""
    y = np.fft.fftfreq(field.shape[0])[:, None]
    x = np.fft.rfftfreq(field.shape[1])[None]
    kernel = np.exp(-2 * (np.pi * sigma) ** 2 * (x**2 + y**2))
    return np.fft.irfft2(np.fft.rfft2(field) * kernel, field.shape)


def word(rng: Random, syllables: int = 0) -> str:
    """A word of no language."""
    count = syllables or int(rng.choice([1, 2, 3], p=[0.45, 0.38, 0.17]))
    parts = (ONSETS, VOWELS) * count + (CODAS,)
    return "".join(str(rng.choice(part.split())) for part in parts).replace("-", "")


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of those that matplotlib brings."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)
