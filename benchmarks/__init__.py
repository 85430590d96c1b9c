"""Benchmarks: each prints a ratio to a bare script or another tool, both measured in one run."""
