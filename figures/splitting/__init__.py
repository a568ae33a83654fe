"""Splitting: the best split of a budget, from a table of runs, and the study of when to branch."""
