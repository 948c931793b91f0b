"""What the coder refuses, in its own words; whoever decodes an archive makes them its errors.

Misuse is a ValueError, and changes nothing either.
"""


class Damaged(Exception):
    """These words are none that an encoder leaves."""


class Underflow(Damaged):
    """A pop needs more words than the message holds; the message is left as it was."""

    def __init__(self) -> None:
        super().__init__("the compressed data is damaged: it ends before its last symbol")


class NoEngine(Exception):
    """The engine that BITSWAP_ENGINE asks for is not there."""
