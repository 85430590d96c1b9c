"""Drafting: a problem and its data written down from a table that nobody has seen, every guess with its reason."""
