"""Packaging: the bundle, what its columns looked like in training, and the wheel that needs nothing of this project."""
