"""Training pixel VAEs on groups of tiles that share a z_2, fast enough for a GPU."""
