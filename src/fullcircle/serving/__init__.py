"""The service: one bundle, answering over HTTP in the forms that platforms expect (NumPy, ONNX Runtime, Starlette)."""
