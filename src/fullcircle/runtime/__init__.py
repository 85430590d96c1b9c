"""What answers: a packaged model and the checks before it. NumPy, ONNX Runtime and the standard library only.

The room is copied into the model's own wheel, so it imports nothing of the project but `features`,
and that by relative imports.
"""
