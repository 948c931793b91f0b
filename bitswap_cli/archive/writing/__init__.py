"""Files into an archive."""
