"""Scoring: the scorer, what it predicts, the bundle, CSV in and out. NumPy and ONNX Runtime only; part of the wheel."""

import os

# From 1.32 on ONNX Runtime writes an identifier of the device to ~/.cache/Microsoft and reports its use to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
