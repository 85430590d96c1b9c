"""Cleaning: which rows are kept, and what was known of each at its moment of prediction."""
