"""Figures of theory, some with learners solved exactly beside it: no network is trained."""
