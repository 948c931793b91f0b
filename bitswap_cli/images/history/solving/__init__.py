"""The way from pixels to the coefficients that they were made of."""
