"""Training of models of JPEG coefficients: files drawn from photographs, their blocks, the loop."""
