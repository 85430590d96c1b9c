"""Benchmarks: each prints a ratio against a peer or a bare script, both measured in one run."""
