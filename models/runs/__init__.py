"""Runs: what they are, the directories that keep them, and many of them side by side."""
