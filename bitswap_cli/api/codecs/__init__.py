"""From the names of models to the codecs that the archive is handed."""
