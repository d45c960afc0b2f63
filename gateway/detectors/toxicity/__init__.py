"""Toxic language: one detector, and the two kinds of model that it can run."""
