"""Scoring: the scorer, what it predicts, the bundle, CSV in and out. NumPy and ONNX Runtime only; part of the wheel."""
