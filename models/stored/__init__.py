"""Models as files: their integers, proof, growth, differences and sizes."""
