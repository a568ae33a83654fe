"""Figures of theory alone: no model is trained."""
