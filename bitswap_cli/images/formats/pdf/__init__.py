"""Images of PDF files: what their dictionaries tell is read here, and in descriptions."""
