"""The training loop of all families, and its data."""
