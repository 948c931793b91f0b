"""What is trained, by torch: a network of each family, in floats that hold a model's integers."""
