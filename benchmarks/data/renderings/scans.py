"""Scanned pages of text, in shades of gray."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.data.renderings.shared import Field, Random, blur, font, fractal, word

COUNT = 12
WIDTH, HEIGHT = 1000, 1400
FINE = 2  # pixels that are drawn, of one pixel that is scanned
MARGIN = 110 * FINE
FONTS = ("DejaVuSerif", "DejaVuSerif", "STIXGeneral", "DejaVuSans", "DejaVuSansMono")


class Page:
    """Black ink on white, filled from the top."""

    def __init__(self, rng: Random, words: list[str]) -> None:
        self.rng, self.words = rng, words
        self.face = str(rng.choice(FONTS))
        self.size = FINE * int(rng.integers(17, 22))
        self.image = Image.new("L", (WIDTH * FINE, HEIGHT * FINE), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.y, self.bottom = MARGIN, HEIGHT * FINE - MARGIN
        self.right = WIDTH * FINE - MARGIN

    def sentence(self) -> list[str]:
        """Words, the frequent ones more often."""
        chances = 1 / (np.arange(len(self.words)) + 4)
        found = list(
            self.rng.choice(self.words, self.rng.integers(5, 20), p=chances / chances.sum())
        )
        marks = (self.rng.random(len(found)) < 0.07).tolist()
        found = [w + "," * m for w, m in zip(found, marks, strict=True)]
        return [found[0].capitalize(), *found[1:-1], found[-1].rstrip(",") + "."]

    def title(self, large: float) -> None:
        """A heading."""
        bold = {"STIXGeneral": "STIXGeneralBol"}.get(self.face, f"{self.face}-Bold")
        text = " ".join(self.sentence()[:5]).rstrip(".,")
        size = int(self.size * large)
        while font(bold, size).getlength(text) > self.right - MARGIN:
            text = text.rpartition(" ")[0]
        self.draw.text((MARGIN, self.y), text, 0, font(bold, size))
        self.y += int(size * 2)

    def paragraph(self, sentences: int) -> None:
        """Justified lines."""
        face = font(self.face, self.size)
        space = face.getlength(" ")
        words = [w for _ in range(sentences) for w in self.sentence()]
        line: list[str] = []
        width = left = 2.0 * self.size  # of the first line: it is indented
        for following in [*words, ""]:
            long = face.getlength(following)
            if line and (not following or MARGIN + width + long > self.right):
                if self.y + self.size > self.bottom:
                    return
                used = sum(map(face.getlength, line))
                gap = (self.right - MARGIN - left - used) / max(len(line) - 1, 1)
                gap = gap if following else space
                x = MARGIN + left
                for text in line:
                    self.draw.text((round(x), self.y), text, 0, face)
                    x += face.getlength(text) + gap
                self.y += int(self.size * 1.45)
                line, width, left = [], 0.0, 0.0
            line.append(following)
            width += long + space
        self.y += self.size // 2

    def table(self) -> None:
        """Numbers between rules."""
        rows, columns = int(self.rng.integers(4, 9)), int(self.rng.integers(3, 6))
        if self.y + rows * 2 * self.size > self.bottom:
            return
        face, step = font(self.face, int(self.size * 0.9)), (self.right - MARGIN) // columns
        for row in range(rows + 1):
            if row in (0, 1):
                self._rule(self.y)
            for column in range(columns):
                text = f"{self.rng.gamma(1, 50):.2f}"
                if row == 0 or column == 0:
                    text = str(self.rng.choice(self.words)).capitalize()
                place = MARGIN + column * step + 10, self.y + self.size // 3
                self.draw.text(place, text, 0, face)
            self.y += int(self.size * 1.6)
        self._rule(self.y)
        self.y += self.size

    def figure(self) -> None:
        """A drawing with a caption."""
        tall = 12 * self.size
        if self.y + tall + 3 * self.size > self.bottom:
            return
        left, right = MARGIN + 6 * self.size, self.right - 6 * self.size
        self.draw.rectangle((left, self.y, right, self.y + tall), outline=0, width=3)
        x = np.linspace(left, right, 60)
        for _ in range(3):
            walk = self.rng.normal(size=60).cumsum()
            walk = (walk - walk.min()) / np.ptp(walk) * tall * 0.8 + tall * 0.1
            self.draw.line([*zip(x, self.y + walk, strict=True)], 0, 4)
        self.y += tall + self.size // 2
        caption = f"Fig. {self.rng.integers(1, 9)}. " + " ".join(self.sentence()[:7])
        self.draw.text((left, self.y), caption, 0, font(self.face, int(self.size * 0.8)))
        self.y += 2 * self.size

    def _rule(self, y: int) -> None:
        self.draw.line((MARGIN, y, self.right, y), 0, 4)


def page(rng: Random, words: list[str], number: int) -> Image.Image:
    """A page as printed."""
    made = Page(rng, words)
    if rng.random() < 0.5:
        made.title(1.7)
    extra = int(rng.integers(1, 4))
    for part in range(20):
        if made.y > made.bottom - 2 * made.size:
            break
        if part == extra:
            made.table() if rng.random() < 0.5 else made.figure()
        elif rng.random() < 0.2:
            made.title(1.2)
        made.paragraph(int(rng.integers(3, 9)))
    face = font(made.face, made.size)
    made.draw.text((WIDTH * FINE // 2, HEIGHT * FINE - MARGIN // 2), str(number), 0, face, "mm")
    return made.image


def scan(rng: Random, printed: Image.Image) -> Image.Image:
    """What a scanner makes of a page: ink spreads, paper has fibres, the sensor has noise."""
    wide, tall = printed.size
    blurred = np.asarray(printed.filter(ImageFilter.GaussianBlur(1.1)), np.float64) / 255
    edge = 0.58 + 0.05 * fractal(rng, tall, wide, 0.7)  # above a half: the ink spreads
    ink = np.clip((edge - blurred) * 5 + 0.5, 0, 1)
    ink *= 0.93 + 0.03 * fractal(rng, tall, wide, 0.5)
    turned = Image.fromarray(ink.astype(np.float32)).rotate(
        rng.normal(0, 0.5), Image.Resampling.BICUBIC, translate=tuple(rng.normal(0, 12, 2))
    )
    ink = np.asarray(turned, np.float64).reshape(HEIGHT, FINE, WIDTH, FINE).mean((1, 3))
    paper = (
        0.9 + 0.008 * fractal(rng, HEIGHT, WIDTH, 0.6) + 0.006 * fractal(rng, HEIGHT, WIDTH, 1.5)
    )
    ink = blur(ink, rng.uniform(0.45, 0.7))
    light = paper * (1 - ink) + 0.07 * ink
    pixels = 255 * (light * illumination(rng)) ** 0.9
    noise = rng.standard_normal(pixels.shape) * (0.8 + 0.06 * np.sqrt(np.maximum(pixels, 0)))
    return Image.fromarray(np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8))


def illumination(rng: Random) -> Field:
    """Light of the lamp: less of it to one side and at the gutter of a book."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    gutter = x if rng.random() < 0.5 else 1 - x
    slope = rng.uniform(-0.05, 0.05, 2)
    return np.asarray(1 + slope[0] * (x - 0.5) + slope[1] * (y - 0.5) - 0.25 * np.exp(-gutter * 18))


def scans(rng: Random) -> Iterator[tuple[str, Image.Image]]:
    """Pages of a few books, 8-bit gray."""
    words = sorted((word(rng) for _ in range(2500)), key=lambda w: len(w) + rng.normal(0, 2))
    for number in range(COUNT):
        printed = page(rng, words, number + 17)
        yield f"page-{number + 1:02}", scan(rng, printed)
