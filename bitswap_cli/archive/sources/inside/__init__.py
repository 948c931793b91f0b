"""What lies inside of files, found, described and named."""
