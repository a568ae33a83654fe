"""What is memorized: transformers, their training, and the measurement of what they know."""

import lazy_loader

# A name is imported when it is first used, so that a table of results is read without JAX.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
