"""The hash of the code that decides a run's numbers."""
