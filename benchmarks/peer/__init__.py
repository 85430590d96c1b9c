"""The default model after `fullcircle init` against AutoGluon's `medium_quality`: same rows, same time, same judge."""
