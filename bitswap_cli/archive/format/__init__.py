"""The layout of an archive: sections, header, tables, index and chunks (docs/format.md)."""
