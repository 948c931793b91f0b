"""Mutants of model files, which begin with JSON, and of texts in TOML."""

import json
import random
import re
import struct
from collections.abc import Sequence

from tests.fuzz.raw import scratched
from tests.fuzz.values import NUMBERS, spoilt

_HEAD = struct.Struct("<Q")
_TOKENS = (
    "0", "1", "-1", "2", "3", "true", "false", '""', "[]", "{}", "1.5", "nan", "inf", "-inf",
    "1e999",
    '"x"', "[1, 2]", "[true]", "[[[[]]]]", "1979-05-27", "'a\\b'", '"\\u0000"', '"../.."', '"/"',
    "[" * 2000, "9" * 5000, '"photos"', '"pixel_vae"', '"resnet_vae"', '"flowpp"', '"jpeg_vae"',
    '"markov_vae"', "8", "16", "64", "4096", "1e-9", "-0.5",
)  # fmt: skip
_KEYS = (
    "kind", "tile", "channels", "latents", "width", "name", "folder", "steps", "batch", "seed",
    "sha256",
    "size", "urls", "base", "fresh", "pool", "share", "bfloat16", "vary", "gray", "crop", "weight",
)  # fmt: skip


def mutant_model(files: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a model file with its header or its tensors spoilt."""
    data = chance.choice(files)
    (length,) = _HEAD.unpack_from(data)
    head, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(chance.choice((1, 1, 1, 2))):
        match chance.randrange(8):
            case 0:
                head = spoilt(head, chance, scratched, forged=False)
            case 1 | 2 | 3:
                head = _other_metadata(head, chance)
            case 4:
                name = chance.choice(sorted(head))
                head = {**head, name: spoilt(head[name], chance, scratched, forged=False)}
            case _:
                tensors = _other_tensors(tensors, chance)
    text = _json(head).encode("utf-8", "replace")
    text += b" " * (-len(text) % 8)
    told = len(text) if chance.random() < 0.97 else chance.choice(NUMBERS) & (1 << 64) - 1
    found = _HEAD.pack(told) + text + tensors
    return found if chance.random() < 0.95 else scratched(found, chance)


def _json(value: object) -> str:
    return json.dumps(value, default=lambda data: data.decode("latin-1"))


def _other_metadata(head: object, chance: random.Random) -> object:
    """Spoil what a file says of itself, within the texts of JSON."""
    if not isinstance(head, dict) or not isinstance(told := head.get("__metadata__"), dict):
        return head
    told = dict(told)
    name = chance.choice(sorted(told))
    if chance.random() < 0.5 and "config" in told:
        name = "config"
    if chance.random() < 0.2:
        name = chance.choice(("name", "sha256", "path", "size", "parameters", "x", "a\nb", "kind"))
    try:
        value = json.loads(told.get(name, "{}"))
        told[name] = _json(spoilt(value, chance, scratched, forged=False))
    except (ValueError, RecursionError):
        told[name] = scratched(str(told[name]).encode(), chance).decode("utf-8", "replace")
    if chance.random() < 0.05:
        told[name] = chance.choice(("[" * 100_000, "NaN", '{"a":' * 5000, "9" * 10_000, "\x1b[2J"))
    return {**head, "__metadata__": told}


def _other_tensors(tensors: bytes, chance: random.Random) -> bytes:
    """Change some weights, to what is near or to the ends of their types."""
    found = bytearray(tensors)
    for _ in range(chance.choice((1, 5, 50)) if found else 0):
        at = chance.randrange(len(found))
        width = chance.choice((1, 4))
        ends = (b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\xff\xff\xff\xff")
        found[at : at + width] = chance.choice((*ends, chance.randbytes(4)))[:width]
    return bytes(found[: len(tensors)])


def mutant_text(files: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a text in TOML with other values, keys or lines."""
    lines = chance.choice(files).decode().split("\n")
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[at]
            case 1:
                lines.insert(chance.randrange(len(lines) + 1), lines[at])
            case 2:
                lines.insert(at, f"{chance.choice(_KEYS)} = {chance.choice(_TOKENS)}")
            case 3:
                lines[at] = re.sub(r"^\w+", chance.choice(_KEYS), lines[at])
            case _:
                token = chance.choice((*_TOKENS, str(chance.choice(NUMBERS))))
                key, equal, _ = lines[at].partition("= ")
                lines[at] = f"{key}{equal}{token}" if equal else key
        lines = lines or [""]
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    return data if chance.random() < 0.95 else scratched(data, chance)
