"""A year replayed: the real service, day by day, under three policies of retraining (docs/replay.md)."""
