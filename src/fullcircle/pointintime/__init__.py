"""Point-in-time columns: what was known of a row at its moment of prediction, of whole tables and row by row."""
