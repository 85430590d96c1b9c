"""Base: errors, typed reading, files, columns and their checks. NumPy only; part of the wheel."""
