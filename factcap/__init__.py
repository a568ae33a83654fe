"""How many facts can a model of a given size know, and how many does it know in fact?"""

import lazy_loader

__version__ = "0.1.0"
__all__ = ["__version__", "capacity", "figures", "models", "synth"]

# A part is imported when it is first used: `import factcap` loads neither JAX nor numpy.
__getattr__, *_ = lazy_loader.attach(__name__, submodules=set(__all__) - {"__version__"})


def __dir__() -> list[str]:
    return list(__all__)
