"""Fitting the plan on training rows, and checking that the problem's features may be used."""
