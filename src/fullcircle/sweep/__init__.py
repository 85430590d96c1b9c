"""Sweeps: a Hydra file defines the search, and every trial is a DVC experiment."""
