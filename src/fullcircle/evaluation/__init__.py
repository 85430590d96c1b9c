"""Evaluation: metrics with intervals, slices, behaviour, baselines and gates. NumPy only."""
