"""Sweeps: a Hydra file defines the search, every trial is a DVC experiment."""
