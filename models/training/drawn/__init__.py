"""Training of models of drawn pictures."""
