"""What need not be done again for each mutant: models and words that are what they were."""

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from bitswap_cli.coding.chunk import ChunkCodec
from bitswap_cli.coding.coefficients import CoefficientCodec
from bitswap_models.stored import fitted_model, model_file
from bitswap_models.zoo import ModelFile

_MOST = 200
_found: OrderedDict[Any, Any] = OrderedDict()


def remember() -> None:
    """Let models be loaded and words be decoded once in this process, but for errors."""
    load, changed = model_file.load, fitted_model.decode
    decode, read = ChunkCodec.decode, CoefficientCodec.decode

    def loaded(file: Any, **how: bool) -> Any:
        if not isinstance(file, ModelFile):  # the file of a path may change
            return load(file, **how)
        return _once((file, *how.items()), lambda: load(file, **how))

    def revised(base: Any, *told: Any) -> Any:
        return _once((_Same(base), told), lambda: changed(base, *told))

    def decoded(self: ChunkCodec, words: bytes, sizes: Any, factor: int = 1) -> Any:
        key = (_Same(self.model), self.name, words, sizes.tobytes(), factor)
        tiles, payload = _once(key, lambda: decode(self, words, sizes, factor))
        return np.copy(tiles), payload

    def restored(self: CoefficientCodec, words: bytes, excess: bytes, frames: Any) -> Any:
        key = (_Same(self.model), words, excess, str(frames))
        return deepcopy(_once(key, lambda: read(self, words, excess, frames)))

    homes: list[Any] = [fitted_model, ChunkCodec, CoefficientCodec]
    for home, new in zip(homes, (revised, decoded, restored), strict=True):
        home.decode = new
    model_file.load = loaded


class _Same:
    """Equal to what holds the same object."""

    def __init__(self, own: object) -> None:
        self.own = own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.own is self.own

    def __hash__(self) -> int:
        return id(self.own)


def _once(key: Any, make: Callable[[], Any]) -> Any:
    if key not in _found:
        _found[key] = make()
        if len(_found) > _MOST:
            _found.popitem(last=False)
    _found.move_to_end(key)
    return _found[key]
