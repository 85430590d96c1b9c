"""The report: what the files of a run say, as a page for people and as a model card."""
