from . import capacity, figures, models, synth

__version__: str

__all__ = ["__version__", "capacity", "figures", "models", "synth"]
