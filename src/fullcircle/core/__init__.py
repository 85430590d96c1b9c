"""Core: what every stage stands on: paths, configuration, the problem typed, tables, threads, and how it runs."""
