"""What pictures were: pixels that a JPEG decoder made, and of which coefficients."""
