"""JPEG: quantized coefficients, and a recipe that gives the file back byte for byte."""
