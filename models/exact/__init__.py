"""What coding computes with: integer layers, distributions and their engines."""
