"""Full Circle: tabular data through the whole machine-learning life cycle, every turn reproducible."""
