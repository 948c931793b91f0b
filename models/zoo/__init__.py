"""The zoo: finds a model file by name or by path, and downloads it if it has to.

A name is looked up among the models installed with the package (``zoo/<name>/model.safetensors``;
what gives older versions back lies beside it, for the archives made with them, see older.py), then
in the cache of downloads, then in the registry, whose addresses are tried in order. A file is known
by its SHA-256: an archive names the hash of its model, and no other file will be used for it.

Environment
-----------
BITSWAP_CACHE
    Folder of downloaded models, and of which known answers were reproduced; the operating system's
    cache folder for `bitswap` otherwise.
BITSWAP_REGISTRY
    Path or http(s) address of a registry to use instead of the installed ``registry.toml``.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
import safetensors

from bitswap_cli.errors import ModelError
from bitswap_models.zoo import bounded, download

EMBEDDED = Path(__file__).parent
MODEL_FILE = "model.safetensors"
GOLDEN_ARCHIVE = (
    EMBEDDED / "golden.bsw"
)  # made once with an embedded model; `bitswap doctor` decodes it

# Names become folder names, and archives written by others carry them.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelFile:
    """A model file on this machine, read and hashed once."""

    path: Path
    name: str
    sha256: str
    content: bytes = field(default=b"", repr=False, compare=False)


class RegistryEntry(NamedTuple):
    """A model file that can be downloaded: its hash, its size in bytes, and its addresses."""

    name: str
    sha256: str
    size: int
    urls: tuple[str, ...]


def embedded() -> list[str]:
    """Names of the models installed with the package, sorted."""
    return sorted(path.parent.name for path in EMBEDDED.glob(f"*/{MODEL_FILE}"))


def downloaded() -> list[ModelFile]:
    """Models in the cache whose files are whole, sorted by name."""
    folders = sorted(path.name for path in cache_folder().glob("*") if _NAME.fullmatch(path.name))
    return [file for name in folders for file in _cached(name)]


def cache_folder() -> Path:
    """Folder of downloaded models, ``<name>/<sha256>.safetensors`` each. It may not exist yet."""
    if folder := os.environ.get("BITSWAP_CACHE"):
        return Path(folder)
    return Path(platformdirs.user_cache_dir("bitswap"))


def registry(told: Callable[[str], None] | None = None) -> list[RegistryEntry]:
    """Read the registry.

    Parameters
    ----------
    told : callable, optional
        Called with a line for each entry that is left out because this version cannot read it.

    Raises
    ------
    ModelError
        The registry cannot be read or is not one.
    """
    source = os.environ.get("BITSWAP_REGISTRY") or str(EMBEDDED / "registry.toml")
    try:
        text = download.read_text(source) if _is_url(source) else Path(source).read_text("utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"cannot read the model registry {source}: {reason}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"the model registry {source} is not a text file") from error
    try:
        tables = bounded.parse_toml(text).get("model", [])
    except ValueError as error:
        raise ModelError(f"the model registry {source} is malformed: {error}") from None
    if not isinstance(tables, list):
        raise ModelError(f"the model registry {source} is malformed: it has no list of models")
    entries = []
    for number, table in enumerate(tables, 1):
        try:
            entries.append(_registry_entry(table))
        except (KeyError, TypeError, ValueError) as error:
            if told:
                told(f"entry {number} of the model registry {source} is malformed: {error}")
    return entries


def resolve(name_or_path: str) -> ModelFile:
    """Find the model a user asked for, downloading it if it is known but not here.

    Parameters
    ----------
    name_or_path : str
        A name, or the path of a model file: it holds a slash or ends in ``.safetensors``.

    Raises
    ------
    ModelError
        There is no such model, or its download failed.
    """
    if not _is_path(name_or_path):
        return find(name_or_path)
    path = Path(name_or_path)
    if path.is_dir():
        path /= MODEL_FILE
    name = path.parent.name if path.name == MODEL_FILE else path.stem
    return read(path, re.sub(r"[^A-Za-z0-9_.-]|^[^A-Za-z0-9]", "_", name)[:64] or "model")


def find(name: str, sha256: str | None = None) -> ModelFile:
    """Find a model by name only (never a path), downloading it if it is known but not here.

    Parameters
    ----------
    name : str
        Name of the model.
    sha256 : str, optional
        Hash that its file must have, e.g. the one an archive names; any version if not given.

    Raises
    ------
    ModelError
        There is no such model, none of this hash, or its download failed.
    """
    file = installed(name, sha256)
    if file is not None:
        return file
    left_out: list[str] = []
    entries = [entry for entry in registry(left_out.append) if entry.name == name]
    for entry in entries:
        if sha256 in (None, entry.sha256):
            return fetch(entry)
    if sha256 is not None and (entries or installed(name)):
        raise ModelError(
            f"the model {name!r} here is another version than the one needed"
            f" (SHA-256 {sha256}): give its file with --model PATH"
        )
    also = f" ({'; '.join(left_out)})" if left_out else ""
    raise ModelError(
        f"unknown model {name!r}: give the path of its file, or one of the names that"
        f" `bitswap models list` shows{also}"
    )


def installed(name: str, sha256: str | None = None) -> ModelFile | None:
    """Find a model on this machine, without the network: embedded, or downloaded before.

    Of several downloaded versions it is the one downloaded last, unless a hash is given. Older
    versions of embedded models are found by their hash only.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(f"{name!r} is not the name of a model")
    for file in _on_disk(name):
        if sha256 in (None, file.sha256):
            return file
    return None if sha256 is None else _older(name, sha256)


def fetch(entry: RegistryEntry) -> ModelFile:
    """Download a model into the cache, unless it is there already.

    The addresses are tried in order. A file gets its name in the cache only after its hash has been
    checked.

    Raises
    ------
    ModelError
        No address gave the file; the message has the reason for each.
    """
    folder = cache_folder() / entry.name
    file_name = f"{entry.sha256}.safetensors"
    reasons = []
    for url in entry.urls:
        try:
            path = download.retrieve(url, entry.sha256, entry.size, folder, file_name)
        except download.DownloadError as error:
            reasons.append(f"{url}: {error}")
        else:
            return read(path, entry.name)
    why = "; ".join(reasons) or "the registry gives no http or https address for it"
    raise ModelError(f"cannot fetch the model {entry.name!r}: {why}")


def read(path: Path, name: str) -> ModelFile:
    """Read a model file, whatever it holds; raise ModelError if that cannot be done."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model file {path}: {error.strerror}") from error
    return ModelFile(path, name, hashlib.sha256(content).hexdigest(), content)


def read_metadata(path: Path) -> dict[str, Any]:
    """What a model file says of itself, without loading its weights: values are parsed JSON or str.

    Raises
    ------
    ModelError
        It is not a safetensors file.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"{path} is not a model file: {error}") from error
    return {key: _parse(value) for key, value in sorted(metadata.items())}


def _parse(value: str) -> Any:
    try:
        return bounded.parse(value)
    except ValueError:
        return value


def _on_disk(name: str) -> Iterator[ModelFile]:
    if (path := EMBEDDED / name / MODEL_FILE).is_file():
        yield read(path, name)
    yield from _cached(name)


def _older(name: str, sha256: str) -> ModelFile | None:
    """An older version of an embedded model, rebuilt from what is kept of it."""
    from bitswap_models.zoo import older  # deferred: most calls ask for the newest

    newest = EMBEDDED / name / MODEL_FILE
    kept = newest.with_name(sha256 + older.SUFFIX)
    if not (_SHA256.fullmatch(sha256) and kept.is_file()):
        return None
    return ModelFile(kept, name, sha256, older.rebuild(newest, sha256))


def _cached(name: str) -> Iterator[ModelFile]:
    """Downloaded versions of a model, the last one first."""
    paths = (cache_folder() / name).glob("*.safetensors")
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        file = read(path, name)
        if file.sha256 == path.stem:  # a damaged file in the cache is as good as none
            yield file


def _registry_entry(table: dict[str, object]) -> RegistryEntry:
    name, sha256, size, urls = (table[key] for key in ("name", "sha256", "size", "urls"))
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ValueError(f"name = {name!r}")
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ValueError(f"sha256 of {name} = {sha256!r}")
    if not (type(size) is int and size > 0):
        raise ValueError(f"size of {name} = {size!r}")
    if not (isinstance(urls, list) and all(isinstance(url, str) for url in urls)):
        raise ValueError(f"urls of {name} = {urls!r}")
    # a later version may know other schemes
    return RegistryEntry(name, sha256, size, tuple(url for url in urls if _is_url(url)))


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _is_path(text: str) -> bool:
    return os.sep in text or "/" in text or text.endswith(".safetensors")
