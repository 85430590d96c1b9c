"""Watches a model in use: what is normal, drift, quality of the rows, outlying rows. NumPy only."""
