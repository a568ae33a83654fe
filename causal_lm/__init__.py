"""Any causal language model of `transformers`: what it knows, and what to train it on."""

from lazy_loader import attach_stub

# Each name is imported when it is first used; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
