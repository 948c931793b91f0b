"""Recipes: what a model is trained on, how, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bitswap_cli.errors import ModelError
from bitswap_models.families import register
from bitswap_models.families.family import Config, Family, in_bounds
from bitswap_models.training.data import Source, sources_of
from bitswap_models.training.tables import check, fill, read
from bitswap_models.zoo import bounded

OTHER_TABLES = {"family", "model", "sources", "base", "path", "text"}  # not of [training]


@dataclass(frozen=True)
class Recipe:
    """A training recipe, as read from TOML."""

    family: Family
    model: Config
    sources: list[Source]
    test: str
    steps: int
    batch: int = 64  # tiles a step; of a jpeg_vae blocks of luma
    rate: float = 2e-3
    warmup: int = 200
    final_rate: float = 0.02  # share of `rate` at the last step
    ema: float = 0.999
    free_bits: float = 0.02  # bits per latent below which a channel's KL costs nothing
    kl_warmup: int = 0  # steps over which the KL's weight grows from 0.001 to 1, steadily
    pool: int = 0  # tiles that are drawn once and lie on the device; 0: new ones for every step.
    # Of a jpeg_vae drawn files that lie there at a time
    renew: int = 1  # files of the pool that are drawn anew with every step (jpeg_vae)
    flip: bool = False
    gray: float = 0.0  # share of tiles turned gray
    vary: float = 0.0  # share of photographs in another world, see augment.py
    share: float = 1.0  # of a tile's pixels that a step looks at (pixel_vae)
    seed: int = 0
    bfloat16: bool = False
    compile: bool = False
    base: dict[str, Any] = field(default_factory=dict)  # see base.py
    path: Path = Path()
    text: str = field(default="", compare=False)

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe; raise ModelError with the offending key on any mistake."""
        text, table = read(path, ("model", "source", "training", "base"))
        try:
            training = dict(table["training"])
            shape = dict(table["model"])
            family = register.find(shape.pop("kind", "markov_vae"))
            if family is None:
                raise ModelError(f"[model] kind of {path} is one of {', '.join(register.MODULES)}")
            model = fill(family.config, "model", shape)
            if not in_bounds(model):
                raise ModelError(f"[model] of {path} is of a size that no model file may have")
            sources = sources_of(table["source"])
            check(cls, "training", training, {f.name for f in fields(cls)} - OTHER_TABLES)
            base = dict(table.get("base", {}))
            return cls(
                family=family, model=model, sources=sources, base=base, path=path, text=text,
                **training,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the recipe {path} is incomplete or has a wrong key: {error}"
            ) from None


def trainer(path: Path) -> Family | None:
    """Return the family of what a recipe asks for, if that trains its models by a module of its
    own; nothing else is read of the recipe."""
    try:
        table = bounded.parse_toml(path.read_text(encoding="utf-8"))
        family = register.find(table["model"]["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # whoever reads all of it says what is wrong
    return family if family and family.train else None
