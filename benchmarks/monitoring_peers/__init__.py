"""The peer of `benchmarks/monitoring.py`, in an environment of its own."""
