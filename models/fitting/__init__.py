"""Fitting a model to the pictures that it is to code, and tuning it for many folders."""
