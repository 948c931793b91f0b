"""Which engine codes."""

import os

from bitswap_cli.ans.kernel import engine_name


def is_slow() -> bool:
    """Whether numpy will code though nobody asked for that: no kernel is compiled."""
    return not os.environ.get("BITSWAP_ENGINE") and engine_name() == "reference"
