"""How many facts can a model of a given size know, and how many does it know in fact?"""

import lazy_loader

# The version of the package.
__version__ = "0.1.0"

# A part is imported when it is first used: `import factcap` loads neither JAX nor numpy.
__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __dir__() -> list[str]:
    return sorted(__all__)
