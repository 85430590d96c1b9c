"""Compare the default model after `fullcircle init` with AutoGluon's `medium_quality`: same rows, time and metrics."""
