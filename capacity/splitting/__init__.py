"""Splitting: one model for all domains or one for each, and when to branch."""

from lazy_loader import attach_stub

# Each name is imported when it is first used; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
