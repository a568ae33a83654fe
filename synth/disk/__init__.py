"""Directories and files that are held, whole, and known to be undamaged."""
