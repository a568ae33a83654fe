"""Where the runs of a sweep lie, and the table of their results."""
