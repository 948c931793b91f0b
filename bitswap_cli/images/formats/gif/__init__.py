"""GIF: the indices of all frames, packed by LZW; everything else verbatim."""
