"""Which models there are, where they are, what they say of themselves; and new ones."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bitswap_cli.api.arguments import Notes, PathLike, check_new, ignore
from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_cli.errors import InputError, ModelError
from bitswap_cli.images.formats.jpeg.codec import split
from bitswap_cli.images.formats.jpeg.outline import outline
from bitswap_models import zoo
from bitswap_models.zoo import ModelFile

if TYPE_CHECKING:
    from bitswap_models.families.family import Family


class Listed(NamedTuple):
    """A model that is here, or known to the registry."""

    name: str
    sha256: str
    state: str
    """'installed', 'downloaded' or 'to download'."""
    size: int
    """Bytes."""


def listed(notes: Notes = ignore) -> list[Listed]:
    """Return the models that are installed, downloaded, or known to the registry.

    `notes` is called with a line if the registry, or an entry of it, cannot be read.
    """
    found: dict[str, Listed] = {}
    for name in zoo.embedded():
        file = zoo.find(name)
        found[file.sha256] = Listed(name, file.sha256, "installed", file.path.stat().st_size)
    for file in zoo.downloaded():
        size = file.path.stat().st_size
        found.setdefault(file.sha256, Listed(file.name, file.sha256, "downloaded", size))
    try:
        entries = zoo.registry(notes)
    except ModelError as error:
        notes(f"only models that are here are listed: {error}")
        entries = []
    for entry in entries:
        known = Listed(entry.name, entry.sha256, "to download", entry.size)
        found.setdefault(entry.sha256, known)
    return list(found.values())


def fetch(name: str) -> ModelFile:
    """Return the current version of a model, downloaded unless it is here already.

    Raises
    ------
    ModelError
        If there is no such model, or its download failed. Where the registry cannot be read, one
        that is here is current.
    """
    try:
        current = next((e.sha256 for e in zoo.registry() if e.name == name), None)
    except ModelError:
        if zoo.installed(name) is None:
            raise
        current = None
    return zoo.find(name, current)


def locate(name_or_path: str) -> ModelFile:
    """Return the file of a model, downloaded if need be; raises as `fetch` does."""
    return zoo.resolve(name_or_path)


def describe(name_or_path: str) -> dict[str, Any]:
    """Return a model's sizes in bytes, and what its file says of itself.

    Keys and values are those of ``bitswap models info --json`` (docs/scripting.md). Raises as
    `fetch` does.
    """
    from bitswap_models.stored import model_file
    from bitswap_models.stored.sizes import sizes

    file = zoo.resolve(name_or_path)
    codes = model_file.family_in(file).codes
    counted = sizes(model_file.load(file) if codes else model_file.load_network(file))
    own = {
        "name": file.name,
        "sha256": file.sha256,
        "path": str(file.path),
        "size": file.path.stat().st_size,
        "parameters": counted.parameters,
        "binary_share": round(counted.binary_share, 4),
        "packed_bytes": counted.packed_bytes,
        "float32_bytes": counted.float32_bytes,
    }
    return {**own, **zoo.read_metadata(file.path), **own}  # it cannot say what it is not asked


def train(
    recipe: PathLike,
    data: PathLike,
    output: PathLike,
    *,
    resume: bool = False,
    seconds: float | None = None,
    threads: int = 1,
    force: bool = False,
    progress: Callable[[str], None],
) -> None:
    """Train a model on a folder of images as a recipe says.

    A recipe that names a base starts from that model. One with a table ``[tuning]`` or ``[groups]``
    instead of ``[training]`` is run in one go: by the loop that fits models to pictures, which
    `threads` are for, or on groups of tiles, for pixel VAEs on a GPU.

    Parameters
    ----------
    recipe, data, output : path
        TOML file, folder that holds the recipe's folders, model file to write.
    resume : bool
        Go on from where the last run to `output` stopped.
    seconds : float, optional
        Stop after this long, and save.
    threads : int
    force : bool
        Replace what is there.
    progress : callable
        Called with a line now and then.

    Raises
    ------
    InputError
        If recipe or folder are not there, or the model cannot be written.
    ModelError
        If the recipe cannot be followed, or PyTorch is not installed.
    """
    recipe, data, output = Path(recipe), Path(data), Path(output)
    if not recipe.is_file():
        raise InputError(f"there is no recipe {recipe}")
    if not data.is_dir():
        raise InputError(f"there is no folder {data}")
    check_new(output, "-o, --resume", force=force or resume)
    from bitswap_models.families.family import need_torch
    from bitswap_models.training.recipe import trainer

    family = trainer(recipe)
    if family is not None:
        _check_whole(recipe, resume, seconds)
        _train_own(family, recipe, data, output, progress)
        return
    need_torch("training")
    from bitswap_models.training import loop

    if not _train_whole(recipe, data, output, resume, seconds, threads, progress):
        loop.train(recipe, data, output, resume=resume, seconds=seconds, progress=progress)


def _train_whole(
    recipe: Path,
    data: Path,
    output: Path,
    resume: bool,
    seconds: float | None,
    threads: int,
    progress: Callable[[str], None],
) -> bool:
    """Run a recipe with a table [tuning] or [groups] in one go; returns whether it has one."""
    from bitswap_models.fitting import tuning
    from bitswap_models.training.groups import run as groups
    from bitswap_models.training.tables import has_table

    in_groups = has_table(recipe, "groups")
    if not (in_groups or has_table(recipe, "tuning")):
        return False
    _check_whole(recipe, resume, seconds)
    if in_groups:
        groups.train(recipe, data, output, progress=progress)
    else:
        tuning.tune(recipe, data, output, threads=threads, progress=progress)
    return True


def _train_own(
    family: "Family", recipe: Path, data: Path, output: Path, progress: Callable[[str], None]
) -> None:
    """Train a model by its family's own module."""
    from bitswap_models.families.family import need_torch

    if family.subject == "coefficients":
        need_torch("training")
        own = family.training()
        own.train(recipe, data, output, split=_first_picture, progress=progress)
    else:
        family.training().train(recipe, data, output, progress)


def _first_picture(data: bytes) -> tuple[Frame, Coefficients] | None:
    """Return what a model of coefficients sees of a JPEG file, if it can be coded."""
    jpeg = split(data)
    if jpeg is None:
        return None
    first = jpeg.pictures[0]
    return outline(first.frame, first.quantization), first.coefficients


def _check_whole(recipe: Path, resume: bool, seconds: float | None) -> None:
    """Refuse to go on with, or to end early, what cannot be cut in parts."""
    if resume or seconds:
        raise InputError(f"{recipe} is run in one go: no --resume, no --seconds")
