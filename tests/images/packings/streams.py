"""An LZW packer with whims: it clears when it likes, and takes shorter strings when it likes."""

import numpy as np


def greedy(
    data: bytes, tiff: bool, least: int, seed: int = 0, whims: float = 0, full: int = 4096
) -> bytes:
    """Pack data, with the code that ends it; clears the table where it is full."""
    rng = np.random.default_rng(seed)
    clear = 1 << least
    codes: list[tuple[int, int]] = []
    table: dict[bytes, int] = {}
    width, following, previous, at = least + 1, clear + 2, b"", 0

    def put(code: int) -> None:
        codes.append((code, width))

    put(clear)
    while at < len(data):
        if following >= full or rng.random() < whims / 20:
            put(clear)
            table, width, following, previous = {}, least + 1, clear + 2, b""
        length = 1
        now = width
        if previous and following < 4096:
            table.setdefault(previous + data[at : at + 1], following)
            following += 1
            if following + tiff == 1 << width and width < 12:
                width += 1
        while at + length < len(data) and data[at : at + length + 1] in table:
            length += 1
        if length > 1 and rng.random() < whims / 2:
            length = int(rng.integers(1, length))
        string = data[at : at + length]
        codes.append((table[string] if length > 1 else string[0], now))
        previous, at = string, at + length
    put(clear + 1)
    text = [format(code, f"0{bits}b") for code, bits in codes]
    if tiff:
        joined = "".join(text)
        joined += "0" * (-len(joined) % 8)
        return int(joined, 2).to_bytes(len(joined) // 8, "big")
    joined = "".join(reversed(text))
    return int(joined, 2).to_bytes(-(-len(joined) // 8), "little")
