"""Retention: which facts a model will know, from how often and how they stand in its corpus."""

from lazy_loader import attach_stub

# Each name is imported when it is first used; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
