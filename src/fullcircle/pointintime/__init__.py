"""Point-in-time columns: what was known of a row at its moment of prediction. NumPy only; part of the wheel."""
