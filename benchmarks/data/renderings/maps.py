"""Tiles of maps of one style, cut from larger sheets as tile servers do."""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from benchmarks.data.renderings.shared import Field, Random, blur, font, fractal, word

SHEETS, TILES, TILE = 5, 5, 256  # sheets; tiles along the edge of one; pixels along a tile's
SIZE = TILES * TILE
FINE = 3  # pixels that are drawn, along each edge of one that remains
STEP = 10  # pixels between the places that roads and rivers go through
TINTS = (  # heights, colours
    (0.0, 0.15, 0.35, 0.6, 0.8, 1.0),
    ((203, 222, 176), (222, 232, 190), (242, 236, 202), (229, 209, 168), (206, 178, 144))
    + ((236, 230, 224),),
)
WATER, WOOD, PARK = (170, 211, 223), (173, 209, 158), (200, 250, 204)
CONTOUR, RIVER = (190, 140, 90), (130, 180, 210)
ROADS = {  # widths and colours of casing and fill
    "street": (4.0, (190, 185, 180), 3.0, (255, 255, 255)),
    "secondary": (6.0, (160, 150, 90), 4.5, (250, 245, 180)),
    "primary": (8.0, (175, 120, 60), 6.0, (252, 214, 164)),
    "motorway": (10.0, (200, 70, 100), 7.5, (232, 146, 162)),
}
Line = NDArray[np.float64]  # (N, 2): x and y, in pixels


def path(cost: Field, start: tuple[int, int], end: tuple[int, int]) -> Line:
    """The cheapest way over a grid, rounded."""
    best, before = {start: 0.0}, {start: start}
    queue = [(0.0, start)]
    while queue:
        spent, here = heapq.heappop(queue)
        if here == end:
            break
        if spent > best[here]:
            continue
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            there = here[0] + dy, here[1] + dx
            if 0 <= there[0] < cost.shape[0] and 0 <= there[1] < cost.shape[1]:
                total = spent + cost[there] * (dy * dy + dx * dx) ** 0.5
                if total < best.get(there, np.inf):
                    best[there], before[there] = total, here
                    heapq.heappush(queue, (total, there))
    found = [end]
    while found[-1] != start:
        found.append(before[found[-1]])
    line = np.array(found, float)[:, ::-1] * STEP
    if len(line) > 4:  # the steps of the grid
        line[1:-1] = (line[:-2] + line[1:-1] + line[2:]) / 3
    for _ in range(3):
        near, far = line[:-1] * 0.75 + line[1:] * 0.25, line[:-1] * 0.25 + line[1:] * 0.75
        line = np.concatenate([line[:1], np.stack([near, far], 1).reshape(-1, 2), line[-1:]])
    return line


class Sheet:
    """One sheet, drawn larger than it will be."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        rough = 0.07 * fractal(rng, SIZE, SIZE, 1.9, 0.2)
        height = blur(fractal(rng, SIZE, SIZE, 2.6, 0.7) + rough, 1.5)  # models are interpolated
        height += 0.5 * np.cos(np.linspace(0, np.pi, SIZE))  # a coast, or mountains, at one side
        self.sea = float(np.quantile(height, rng.uniform(0.08, 0.25)))
        self.height = (height - self.sea) / (height.max() - self.sea)
        self.coarse = self.height[::STEP, ::STEP]
        self.image = self.terrain().resize((SIZE * FINE,) * 2, Image.Resampling.BICUBIC)
        self.draw = ImageDraw.Draw(self.image)

    def terrain(self) -> Image.Image:
        """Tints of heights, woods, and shades of a light from the north-west."""
        level = np.clip(self.height, 0, 1)
        color = np.stack([np.interp(level, TINTS[0], c) for c in zip(*TINTS[1], strict=True)], -1)
        wood = fractal(self.rng, SIZE, SIZE, 1.9, 0.2) > 0.6
        color[wood & (level < 0.75)] = WOOD
        down, right = np.gradient(self.height * 330)
        length = np.sqrt(down**2 + right**2 + 1)
        light = (0.5 * right + 0.5 * down + 0.707) / length
        color *= np.clip(0.5 + 0.5 * light / 0.707, 0.55, 1.12)[..., None]
        color[self.height < 0] = WATER
        return Image.fromarray(np.clip(np.round(color), 0, 255).astype(np.uint8))

    def line(self, points: Line, width: float, color: tuple[int, int, int]) -> None:
        """A line with round joints."""
        pairs = [(x, y) for x, y in points * FINE]
        self.draw.line(pairs, color, max(1, round(width * FINE)), "curve")

    def text(self, place: Sequence[float], text: str, size: int, face: str, color: str) -> None:
        """A label with a halo."""
        x, y = place[0] * FINE, place[1] * FINE
        halo, white = 2 * FINE, (255, 255, 255)
        drawn = font(face, size * FINE)
        self.draw.text((x, y), text, color, drawn, "mm", stroke_width=halo, stroke_fill=white)

    def contours(self) -> None:
        """Lines of equal height, every fifth stronger; the coast."""
        from contourpy import contour_generator

        fine = np.arange(0, SIZE, 2)
        lines: Any = contour_generator(fine, fine, self.height[::2, ::2])
        for number in range(1, 25):
            for found in lines.lines(number / 25):
                strong = number % 5 == 0
                self.line(np.asarray(found), 1.3 if strong else 0.7, CONTOUR)
                if strong and len(found) > 200:
                    x, y = found[len(found) // 2]
                    self.text((x, y), f"{number * 40}", 9, "DejaVuSans", "#805020")
        for found in lines.lines(0.0):
            self.line(np.asarray(found), 1.5, RIVER)

    def land(self, x: float, y: float) -> bool:
        """Whether there is land at a place of the sheet."""
        inside = 0 <= x < SIZE and 0 <= y < SIZE
        return bool(inside and self.height[int(y), int(x)] > 0.01)

    def places(self, count: int, apart: float) -> list[tuple[int, int]]:
        """Places on low land, on the coarse grid."""
        found: list[tuple[int, int]] = []
        for y, x in self.rng.integers(4, len(self.coarse) - 4, (4000, 2)).tolist():
            far = all((y - a) ** 2 + (x - b) ** 2 > (apart / STEP) ** 2 for a, b in found)
            if 0.02 < self.coarse[y, x] < 0.45 and far and len(found) < count:
                found.append((y, x))
        return found

    def rivers(self) -> None:
        """From heights down to the sea."""
        sea = np.argwhere(self.coarse < 0)
        down, right = np.gradient(self.coarse)
        cost = np.clip(self.coarse, 0, 1) * 8 + 0.05
        for y, x in self.rng.permutation(np.argwhere(self.coarse > 0.55))[:5].tolist():
            end = sea[np.argmin(((sea - (y, x)) ** 2).sum(1))]
            line = path(cost, (y, x), (int(end[0]), int(end[1])))
            half = len(line) // 2
            self.line(line[half:], 1.8, RIVER)  # ways begin at their end
            self.line(line[: half + 1], 3.2, RIVER)

    def town(self, x: float, y: float, radius: float) -> tuple[list[Line], list[Line]]:
        """Streets, and outlines of houses, around a place."""
        rng, streets, houses = self.rng, [], []
        turn = rng.uniform(0, np.pi)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        gap = rng.uniform(26, 38)
        bend = rng.uniform(-0.002, 0.002)
        count = int(radius / gap) + 1
        side = np.arange(-count, count + 1) * gap

        def bent(points: Line) -> Line:
            u, v = points.T
            curved = np.stack([u + bend * v**2, v - bend * u**2], 1)
            return np.asarray(curved @ axes + (x, y))

        for u in side + rng.normal(0, 3, side.size):
            reach = np.sqrt(max(radius**2 - u**2, 0)) * rng.uniform(0.6, 1.1)
            along = np.arange(-reach, reach, 6)
            for points in (
                np.stack([along * 0 + u, along], 1),
                np.stack([along, along * 0 + u], 1),
            ):
                line = bent(points)
                dry = [self.land(*point) for point in line]
                if len(line) > 5 and all(dry):
                    streets.append(line)
        for u, v in np.stack(np.meshgrid(side, side), -1).reshape(-1, 2):
            for _ in range(rng.integers(2, 7)):
                middle = (u, v) + gap * rng.uniform(0.22, 0.78, 2)
                half = rng.uniform(2, 5.5, 2)
                if np.hypot(*middle) < radius * rng.uniform(0.6, 1) and self.land(
                    *bent(middle[None])[0]
                ):
                    box = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
                    if rng.random() < 0.3:  # an L
                        notch = [(1, -1), (1, 0), (0, 0), (0, 1), (-1, 1), (-1, -1)]
                        box = np.array(notch) * half * 1.2
                    houses.append(bent(middle + box))
        return streets, houses

    def polygon(self, points: Line, fill: tuple[int, int, int], edge: tuple[int, int, int]) -> None:
        """An area with a thin edge."""
        self.draw.polygon([(x, y) for x, y in points * FINE], fill, edge, FINE - 1)

    def settle(self) -> None:
        """Towns with streets and houses, roads between them, names."""
        rng = self.rng
        towns = self.places(int(rng.integers(7, 11)), 230)
        radii = [rng.uniform(60, 100) if n else 190 for n in range(len(towns))]
        roads: dict[str, list[Line]] = {name: [] for name in ROADS}
        houses: list[Line] = []
        parks: list[Line] = []
        built = Image.new("L", self.image.size)
        for (y, x), radius in zip(towns, radii, strict=True):
            lines, found = self.town(x * STEP, y * STEP, radius)
            roads["street"] += lines
            houses += found
            angles = np.linspace(0, 2 * np.pi, 80, endpoint=False)
            reach = radius * (1 + 0.08 * np.sin(3 * angles + rng.uniform(0, 6)))
            area = np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
            outline = (area + (x * STEP, y * STEP)) * FINE
            ImageDraw.Draw(built).polygon([(u, v) for u, v in outline], 255)
            park = np.array([x * STEP, y * STEP]) + rng.uniform(-0.5, 0.5, 2) * radius
            if self.land(*park):
                parks.append(park + area[::4] * 0.2)
        land = Image.fromarray((self.height > 0).astype(np.uint8) * 255).resize(built.size)
        self.image.paste((224, 223, 223), mask=ImageChops.multiply(built, land))
        for park in parks:
            self.polygon(park, PARK, (160, 215, 165))
        down, right = np.gradient(self.coarse)
        cost = 1 + 60 * np.hypot(down, right) + 12 * (self.coarse < 0) + rng.random(down.shape)
        for number, here in enumerate(towns):
            near = sorted(towns, key=lambda t: (t[0] - here[0]) ** 2 + (t[1] - here[1]) ** 2)
            kind = "primary" if number < 3 else "secondary"
            roads[kind] += [path(cost, here, there) for there in near[1:3]]
        ends = [(int(rng.integers(len(cost))), 0), (int(rng.integers(len(cost))), len(cost) - 1)]
        roads["motorway"] += [path(cost, end, towns[0]) for end in ends]
        for house in houses:
            self.polygon(house, (217, 208, 201), (190, 170, 155))
        for place in self.places(40, 60):
            end = min(towns, key=lambda t: (t[0] - place[0]) ** 2 + (t[1] - place[1]) ** 2)
            track = path(cost, place, end) * FINE
            for a, b in zip(track[:-1:3], track[1::3], strict=False):
                self.draw.line((*a, *b), (150, 100, 60), FINE)
        for kind, lines in roads.items():
            wide, casing, narrow, fill = ROADS[kind]
            for line in lines:
                self.line(line, wide, casing)
            for line in lines:
                self.line(line, narrow, fill)
        self.names(towns, radii, roads)

    def names(
        self, towns: list[tuple[int, int]], radii: list[float], roads: dict[str, list[Line]]
    ) -> None:
        """Labels of roads, houses, heights and towns."""
        rng = self.rng
        for line in roads["primary"] + roads["motorway"]:
            x, y = line[len(line) // 2] * FINE
            text, face = (
                f"{rng.choice(list('AB'))}{rng.integers(1, 99)}",
                font("DejaVuSans-Bold", 27),
            )
            box = self.draw.textbbox((x, y), text, face, "mm")
            box = box[0] - 9, box[1] - 8, box[2] + 9, box[3] + 8
            self.draw.rounded_rectangle(box, 8, (60, 110, 180), (255, 255, 255), 3)
            self.draw.text((x, y), text, "white", face, "mm")
        for line in roads["street"][::5]:
            self.text(
                line[len(line) // 2], f"{word(rng, 1).capitalize()} St", 8, "DejaVuSans", "#555"
            )
        for y, x in self.rng.permutation(np.argwhere(self.coarse > 0.75))[:6].tolist():
            peak = np.array([(0, -5), (5, 4), (-5, 4)]) + (x * STEP, y * STEP)
            self.polygon(peak, (140, 80, 30), (110, 60, 20))
            height = round(self.coarse[y, x] * 1000)
            name = f"{word(rng, 2).capitalize()} {height}"
            self.text((x * STEP, y * STEP + 12), name, 10, "DejaVuSans", "#603010")
        for y, x in self.rng.permutation(np.argwhere(self.coarse < -0.15))[:2].tolist():
            name = f"{word(rng, 2).capitalize()} Bay"
            self.text((x * STEP, y * STEP), name, 14, "DejaVuSerif-Italic", "#3a6c95")
        for (y, x), radius in zip(towns, radii, strict=True):
            size = 20 if radius > 100 else 13
            name = word(rng, int(rng.integers(2, 4))).capitalize()
            self.text((x * STEP, y * STEP - 14), name, size, "DejaVuSans", "#222")


def maps(rng: Random) -> Iterator[tuple[str, Image.Image]]:
    """Tiles of 8-bit RGB."""
    for number in range(SHEETS):
        sheet = Sheet(rng)
        sheet.contours()
        sheet.rivers()
        sheet.settle()
        whole = sheet.image.reduce(FINE)
        for y, x in np.ndindex(TILES, TILES):
            box = x * TILE, y * TILE, (x + 1) * TILE, (y + 1) * TILE
            yield f"{number + 1}-{x}-{y}", whole.crop(box)
