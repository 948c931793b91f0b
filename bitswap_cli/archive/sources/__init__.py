"""What is to be archived: found, read, decoded and proved once."""
