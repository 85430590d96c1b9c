"""Labelling: the target of each row."""
