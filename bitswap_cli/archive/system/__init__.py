"""What file systems tell of entries beside their bytes, and take."""
