"""Stages: one file each, named as in dvc.yaml. Configuration, a pure function, and a main that reads, calls, writes."""
