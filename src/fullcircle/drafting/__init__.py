"""Drafting: a table -> the configuration of a problem and its data, with a reason for every guess."""
