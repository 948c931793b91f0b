"""The engine that codes: the compiled kernel where there is one, else the numpy reference."""

from types import ModuleType

from bitswap_cli.ans import reference


def engine() -> ModuleType:
    """The engine in use."""
    return reference


def engine_name() -> str:
    """Name of the engine in use: "c" or "reference"."""
    return str(engine().NAME)
