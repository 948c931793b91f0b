"""Pictures whose colours some program computed from integers of luma and chroma."""
