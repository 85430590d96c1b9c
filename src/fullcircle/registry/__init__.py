"""The registry: versions and stages of models as git tags, in the form of GTO."""
