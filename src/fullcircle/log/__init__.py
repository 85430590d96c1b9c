"""The prediction log: what was asked and answered, by which bundle, and the outcomes that arrive later."""
