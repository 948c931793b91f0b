"""What sections are made of: objects, blobs, columns, names, times."""
