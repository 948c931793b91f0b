"""Sprites of games, with alpha: creatures, things and tiles, some frames of each."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.data.renderings.shared import Field, Random, fractal

FINE = 4  # pixels that are drawn, along each edge of one that remains
FRAMES = 4
THINGS = 100
SIZES = (32, 48, 64, 64, 96)
RAMPS = (  # of the palettes: shadow, dark, middle, light
    ("#1d2b53", "#29608f", "#3fa7d6", "#b5e8ff"),
    ("#4a1024", "#9c1f3a", "#e0485a", "#ffb3a0"),
    ("#12372a", "#2c6e49", "#5fb458", "#d0ee8a"),
    ("#3b2417", "#7a4a28", "#bb8148", "#efcf94"),
    ("#3a1a52", "#6b3a99", "#a86fd6", "#ecc9ff"),
    ("#6b3a00", "#c77d0a", "#f5c02c", "#fff3a8"),
    ("#2a2d34", "#5c6470", "#98a3b0", "#eef3f7"),
    ("#5b2b2b", "#a8604d", "#e3a383", "#ffe0c8"),
)
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 15 / 32
OUTLINE = (26, 20, 36)


def _rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text[1:]))


class Canvas:
    """A sprite; places are in parts of its size, from -1 to 1, y down."""

    def __init__(self, size: int, dither: bool) -> None:
        self.size, self.dither = size, dither
        self.color = np.zeros((size, size, 3))
        self.alpha = np.zeros((size, size))

    def mask(
        self, shape: str, points: Sequence[tuple[float, float]], width: float = 0
    ) -> Image.Image:
        """An area: an ellipse in a box, a polygon, or a thick line."""
        image = Image.new("L", (self.size * FINE,) * 2)
        draw = ImageDraw.Draw(image)
        half = self.size * FINE / 2
        pairs = [(half + x * half * 0.9, half + y * half * 0.9) for x, y in points]
        if shape == "line":
            draw.line(pairs, 255, round(width * half), "curve")
            for x, y in pairs:
                draw.circle((x, y), width * half / 2, 255)
        else:
            getattr(draw, shape)(pairs, fill=255)
        return image

    def part(
        self,
        ramp: int,
        shape: str,
        points: Sequence[tuple[float, float]],
        width: float = 0,
        texture: Field | None = None,
        outline: bool = True,
    ) -> None:
        """Draw an area as a lit solid, with an outline around it."""
        mask = self.mask(shape, points, width)
        if outline:
            thick = max(3, 2 * round(self.size / 40 * FINE / 2) + 1)
            around = np.asarray(mask.filter(ImageFilter.MaxFilter(thick)).reduce(FINE)) / 255
            self.over(np.full((self.size, self.size, 3), OUTLINE, float), around)
        inflated = np.zeros((self.size, self.size))
        for radius in (1, 2, 4, 8):  # steep at the edge, flat in the middle
            soft = mask.filter(ImageFilter.GaussianBlur(radius * FINE * self.size / 64))
            inflated += np.asarray(soft.reduce(FINE)) / 255 / 4
        down, right = np.gradient(np.sqrt(inflated) * self.size / 10)
        light = (0.35 * right + 0.6 * down + 0.55) / np.sqrt(1 + right**2 + down**2)
        tone = np.clip(light + 0.1, 0, 1) + (0 if texture is None else texture)
        self.over(self.shade(ramp, tone), np.asarray(mask.reduce(FINE)) / 255)

    def shade(self, ramp: int, tone: Field) -> Field:
        """Colours of tones from 0 to 1: few with a pattern between them, or all."""
        colors = np.array([_rgb(text) for text in RAMPS[ramp]], float)
        steps = np.clip(tone, 0, 1) * (len(colors) - 1)
        if self.dither:
            tiles = -(-self.size // 4)
            pattern = np.tile(BAYER, (tiles, tiles))[: self.size, : self.size]
            return np.asarray(colors[np.clip(np.round(steps + 0.8 * pattern), 0, 3).astype(int)])
        return np.stack([np.interp(steps, range(4), channel) for channel in colors.T], -1)

    def over(self, color: Field, alpha: Field) -> None:
        """Lay colours over what is there."""
        total = alpha + self.alpha * (1 - alpha)
        share = np.divide(alpha, total, out=np.zeros_like(total), where=total > 0)[..., None]
        self.color += (color - self.color) * share
        self.alpha = total

    def spot(self, x: float, y: float, r: float, color: str) -> None:
        """A flat disc."""
        mask = self.mask("ellipse", [(x - r, y - r), (x + r, y + r)]).reduce(FINE)
        self.over(np.full((self.size, self.size, 3), _rgb(color), float), np.asarray(mask) / 255)

    def image(self) -> Image.Image:
        """The sprite; nothing under what is wholly transparent."""
        alpha = np.round(self.alpha * 255)
        color = np.where(alpha[..., None] > 0, np.round(self.color), 0)
        return Image.fromarray(np.dstack([color, alpha]).astype(np.uint8))


Draw = Callable[[Canvas, float], None]  # a thing, at a time from 0 to 1 of its animation


def _box(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    return [(x - rx, y - ry), (x + rx, y + ry)]


def creature(rng: Random) -> Draw:
    """A body with limbs and a face, walking."""
    ramp, other = rng.choice(len(RAMPS), 2, replace=False)
    wide, tall = rng.uniform(0.35, 0.6), rng.uniform(0.35, 0.6)
    legs, eyes, ears = rng.integers(0, 4), rng.integers(1, 4), rng.integers(0, 4)
    arm, eye = rng.random() < 0.6, rng.uniform(0.09, 0.14)
    spots = rng.uniform(-0.8, 0.8, (rng.integers(0, 6), 2)) * (wide, tall)
    ear_x, ear_y = rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.5)

    def draw(canvas: Canvas, time: float) -> None:
        swing = np.sin(2 * np.pi * time)
        y = 0.1 + 0.05 * swing
        squash = 1 + 0.06 * swing * (legs == 0)
        for n in range(legs + (legs == 1)):
            x = (n - (legs + (legs == 1) - 1) / 2) * wide * 0.7
            foot = x + 0.12 * swing * (-1) ** n
            points = [(x, y + tall * 0.7), (foot, 0.88)]
            canvas.part(ramp, "line", points, 0.16)
        for side in (-1, 1):
            if ears:
                tip = (side * wide * (ear_x + 0.15 * (ears > 1)), y - tall - ear_y)
                base = [(side * wide * 0.25, y - tall * 0.85), (side * wide * 0.85, y - tall * 0.5)]
                canvas.part(other if ears == 3 else ramp, "polygon", [*base, tip])
            if arm:
                hand = (side * (wide + 0.22), y + 0.12 * (1 + side * swing))
                canvas.part(ramp, "line", [(side * wide * 0.8, y), hand], 0.14)
        canvas.part(ramp, "ellipse", _box(0, y, wide * squash, tall / squash))
        belly = _box(0, y + tall * 0.35, wide * 0.55, tall * 0.45)
        canvas.part(other, "ellipse", belly, outline=False)
        for x, down in spots:
            if abs(x) + abs(down) < min(wide, tall):
                canvas.part(other, "ellipse", _box(x, y + down, 0.06, 0.05), outline=False)
        for n in range(eyes):
            x = (n - (eyes - 1) / 2) * eye * 2.4
            canvas.spot(x, y - tall * 0.3, eye, "#ffffff")
            if time < 0.7:  # then it blinks
                canvas.spot(x + 0.03 * swing, y - tall * 0.28, eye * 0.55, "#1a1424")
            else:
                canvas.spot(x, y - tall * 0.3, eye * 0.9, RAMPS[ramp][2])
        mouth = [(-0.1, y + tall * 0.12), (0, y + tall * 0.18), (0.1, y + tall * 0.12)]
        canvas.part(1, "line", mouth, 0.05, outline=False)

    return draw


def potion(rng: Random) -> Draw:
    """A flask, its fluid moving."""
    fluid, round_ = int(rng.integers(6)), rng.random() < 0.6
    neck, belly = rng.uniform(0.12, 0.2), rng.uniform(0.45, 0.62)

    def draw(canvas: Canvas, time: float) -> None:
        canvas.part(6, "polygon", [(-neck, -0.7), (neck, -0.7), (neck, 0), (-neck, 0)])
        canvas.part(3, "polygon", [(-neck, -0.9), (neck, -0.9), (neck * 0.8, -0.6), (-neck, -0.6)])
        shape = _box(0, 0.28, belly, 0.55)
        flat = [(-neck, -0.3), (neck, -0.3), (belly, 0.8), (-belly, 0.8)]
        canvas.part(fluid, *(("ellipse", shape) if round_ else ("polygon", flat)))
        for n in range(4):
            rise = (time + n / 4) % 1
            x = 0.2 * np.sin(5 * n + 6 * time)
            canvas.spot(x, 0.6 - 0.7 * rise, 0.04 + 0.02 * (n % 2), RAMPS[fluid][3])
        canvas.spot(-belly * 0.4, 0.05, 0.08, "#ffffff")

    return draw


def sword(rng: Random) -> Draw:
    """A blade that turns."""
    blade, hilt, gem = (int(n) for n in rng.choice(len(RAMPS), 3, replace=False))
    long, wide, guard = rng.uniform(0.9, 1.2), rng.uniform(0.09, 0.16), rng.uniform(0.25, 0.4)

    def draw(canvas: Canvas, time: float) -> None:
        angle = np.pi / 4 + 0.3 * np.sin(2 * np.pi * time)
        along, across = (np.sin(angle), -np.cos(angle)), (np.cos(angle), np.sin(angle))

        def at(u: float, v: float) -> tuple[float, float]:
            u -= 0.35
            return along[0] * u + across[0] * v, along[1] * u + across[1] * v

        sides = [at(0, -wide), at(long - 0.2, -wide), at(long, 0)]
        canvas.part(6 if gem else blade, "polygon", [*sides, at(0, 0)])
        canvas.part(blade, "polygon", [at(long, 0), at(long - 0.2, wide), at(0, wide), at(0, 0)])
        canvas.part(3, "line", [at(0, 0), at(-0.4, 0)], 0.14)
        canvas.part(hilt, "line", [at(0, -guard), at(0, guard)], 0.15)
        canvas.part(gem, "ellipse", _box(*at(-0.45, 0), 0.12, 0.12))

    return draw


def gem(rng: Random) -> Draw:
    """A cut stone, glinting."""
    ramp, sides = int(rng.integers(len(RAMPS))), int(rng.integers(5, 9))
    tall = rng.uniform(0.6, 0.9)

    def draw(canvas: Canvas, time: float) -> None:
        turns = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
        rim = [(0.75 * np.sin(t), tall * np.cos(t)) for t in turns]
        canvas.part(ramp, "polygon", rim)
        table = [(0.4 * x / 0.75, 0.5 * y) for x, y in rim]
        for n in range(sides):
            face = [rim[n], rim[n - 1], table[n - 1], table[n]]
            tone = np.full((canvas.size,) * 2, 0.35 * np.sin(turns[n] + 2 * np.pi * time))
            canvas.part(ramp, "polygon", face, texture=tone, outline=False)
        canvas.part(ramp, "polygon", table, texture=np.full((canvas.size,) * 2, 0.2), outline=False)
        canvas.spot(-0.2, -0.25 * tall, 0.1 * abs(np.sin(np.pi * time)) + 0.02, "#ffffff")

    return draw


def coin(rng: Random) -> Draw:
    """A disc that spins."""
    ramp, inner = int(rng.choice([5, 6, 3])), rng.uniform(0.5, 0.75)

    def draw(canvas: Canvas, time: float) -> None:
        thin = max(abs(np.cos(np.pi * time)), 0.12)
        canvas.part(ramp, "ellipse", _box(0, 0, 0.75 * thin, 0.75))
        dark = np.full((canvas.size,) * 2, -0.2)
        canvas.part(ramp, "ellipse", _box(0, 0, inner * thin, inner), 0, dark, False)
        canvas.part(ramp, "ellipse", _box(0, 0, 0.15 * thin, 0.35), outline=False)

    return draw


def plant(rng: Random) -> Draw:
    """A tree or a mushroom in the wind."""
    crown, tree = int(rng.choice([2, 1, 4, 5, 2])), rng.random() < 0.6
    leaves = rng.normal(0, 0.25, (7, 2))
    sizes = rng.uniform(0.2, 0.36, 7)
    dots = rng.uniform(-0.6, 0.6, (6, 2))

    def draw(canvas: Canvas, time: float) -> None:
        lean = 0.06 * np.sin(2 * np.pi * time)
        canvas.part(3 if tree else 7, "line", [(0, 0.85), (lean, 0)], 0.22 if tree else 0.35)
        if tree:
            for (x, y), r in zip(leaves, sizes, strict=True):
                canvas.part(crown, "ellipse", _box(x + lean * 2, y - 0.3, r, r))
            for (x, y), r in zip(leaves, sizes, strict=True):
                box = _box(x + lean * 2, y - 0.32, r * 0.8, r * 0.75)
                canvas.part(crown, "ellipse", box, outline=False)
            return
        turns = np.linspace(np.pi, 2 * np.pi, 16)
        cap = [(lean * 2 + 0.8 * np.cos(t), 0.1 + 0.9 * np.sin(t)) for t in turns]
        canvas.part(crown, "polygon", cap)
        for x, y in dots:
            if x * x + y * y < 0.3:
                canvas.spot(x + lean * 2, -0.3 + y * 0.6, 0.09, "#fff4e0")

    return draw


def flame(rng: Random) -> Draw:
    """Fire, or magic, with a soft glow around it."""
    ramp = int(rng.choice([1, 0, 2, 4]))
    phase = rng.uniform(0, 6, 5)

    def draw(canvas: Canvas, time: float) -> None:
        y, x = np.mgrid[-1 : 1 : canvas.size * 1j, -1 : 1 : canvas.size * 1j]
        glow = np.clip(1 - np.hypot(x, y), 0, 1) ** 2 * 0.8
        canvas.over(np.full((*x.shape, 3), _rgb(RAMPS[ramp][2]), float), glow)
        for ramp_, scale in ((ramp, 0.75), (5, 0.5), (6, 0.25)):
            side = np.linspace(0, 1, 12)
            wave = 0.12 * np.sin(8 * side + 2 * np.pi * time + phase[0]) * side
            width = scale * np.sqrt(side + 0.02) * (1 - side) * 1.3
            level = 0.7 - side * scale * (1.7 + 0.2 * np.sin(2 * np.pi * time + phase[1]))
            left = [*zip(wave - width, level, strict=True)]
            right = [*zip(wave + width, level, strict=True)]
            canvas.part(ramp_, "polygon", [*left, *right[::-1]], outline=False)

    return draw


def block(rng: Random) -> Draw:
    """A tile of ground, bricks or planks; each frame another piece of it."""
    ramp, top = int(rng.choice([3, 6, 7, 0])), int(rng.choice([2, 2, 5, 6]))
    kind, seed = int(rng.integers(3)), int(rng.integers(1 << 30))

    def draw(canvas: Canvas, time: float) -> None:
        size = canvas.size
        own = np.random.default_rng([seed, round(time * FRAMES)])
        rough = 0.12 * fractal(own, size, size, 0.8, 0.4)
        y, x = np.mgrid[:size, :size]
        if kind == 1:
            row = y // (size // 4)
            rough = rough * 0.5 - 0.4 * (
                (y % (size // 4) < 2) | ((x + row % 2 * 7) % (size // 3) < 2)
            )
        if kind == 2:
            rough = rough * 0.4 - 0.4 * (x % (size // 4) < 2) + 0.08 * np.sin(x * 2.1 + y / 9)
        corners = [(-1, -0.9), (1, -0.9), (1, 1), (-1, 1)]
        canvas.part(ramp, "polygon", corners, 0, rough)
        if kind == 0:
            blades = [(u, -0.55 + own.uniform(-0.15, 0.15)) for u in np.linspace(1, -1, 17)]
            canvas.part(top, "polygon", [(-1, -0.95), (1, -0.95), *blades], 0, rough * 0.7)

    return draw


KINDS = (creature, creature, creature, potion, sword, gem, coin, plant, flame, block)


def sprites(rng: Random) -> Iterator[tuple[str, Image.Image]]:
    """Sprites of 8-bit RGBA."""
    for number in range(THINGS):
        kind = KINDS[number % len(KINDS)]
        thing, size = kind(rng), int(rng.choice(SIZES))
        dither = rng.random() < 0.6
        for frame in range(FRAMES):
            canvas = Canvas(size, dither)
            thing(canvas, frame / FRAMES)
            yield f"{kind.__name__}-{number + 1:03}-{frame}", canvas.image()
