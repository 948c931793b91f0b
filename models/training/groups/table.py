"""The table ``[groups]`` of a recipe: what is drawn, and what a step looks at."""

from __future__ import annotations

from dataclasses import dataclass

from bitswap_cli.errors import ModelError
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.training.data import Source

LOT = 32  # tiles that are drawn, and renewed, together


@dataclass(frozen=True)
class Groups:
    """The table ``[groups]`` of a recipe."""

    test: str
    steps: int
    groups: int = 64  # of a step
    cells: int = 8  # of each group
    pixels: int = 256  # of each cell
    side: int = 256  # of a tile of photographs; sheets make groups of as many pixels
    tiles: int = 2560  # at hand, drawn anew in turn
    renewal: int = 10  # steps from one lot of `LOT` new tiles to the next
    rate: float = 2e-3
    ema: float = 0.999
    flip: bool = False  # whether photographs are mirrored and turned, groups of sheets mirrored
    vary: float = 0.0  # share of photographs in another world, see augment.py
    ycc: float = 0.0  # share of tiles told as Y, Cb and Cr, see colours.py
    planes: float = 0.0  # share of tiles told as gray planes, one channel of them is coded
    sparse: float = 0.0  # bits a sample that hidden units may cost if all are 0
    workers: int = 2  # processes that draw; each has its share of the photographs
    compile: bool = False  # by torch, and on a GPU recorded
    seed: int = 0

    def check(self, config: Config, sources: list[Source]) -> None:
        """Raise ModelError if a model of this shape cannot be trained so."""
        wrong = [
            (not (self.groups and self.cells and self.pixels), "groups, cells, pixels are 1.."),
            (not (self.tiles and self.renewal and self.workers), "tiles, renewal, workers are 1.."),
            (
                not 0 < self.side <= 512 or self.side % config.tile > 0,
                "side is a few cells, .. 512",
            ),
            (self.side // config.tile * (self.side // config.tile) < self.cells, "cells are fewer"),
            (self.pixels > config.tile**2, "pixels are those of a cell at most"),
            (self.ycc + self.planes > 1, "ycc and planes are shares"),
            (config.channels not in (1, 3), "channels are 1 or 3"),
            (
                config.channels == 1
                and self.planes < 1
                and any(s.kind == "photos" for s in sources),
                "a model of gray pictures learns of planes, or of sheets",
            ),
            (len(config.latents) > 1, "there is one layer of latents at most"),
            (
                any(s.cell not in (0, config.tile) for s in sources),
                "cells of sheets are the model's",
            ),
            (any(s.kind not in ("sheets", "photos") for s in sources), "sources: sheets, photos"),
        ]
        for is_wrong, why in wrong:
            if is_wrong:
                raise ModelError(f"[groups] cannot be followed: {why}")
