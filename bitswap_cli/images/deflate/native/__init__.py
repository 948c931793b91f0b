"""C sources of the deflate kernel, built as ``bitswap_cli.images.deflate._kernel``."""
