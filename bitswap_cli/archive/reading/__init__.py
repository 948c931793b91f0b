"""An archive back into files."""
