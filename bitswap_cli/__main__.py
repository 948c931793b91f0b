"""``python -m bitswap_cli`` is ``bitswap``."""

from bitswap_cli.cli.main import main

main()
