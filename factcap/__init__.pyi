from . import capacity, causal_lm, figures, models, synth

__version__: str

__all__ = ["__version__", "capacity", "causal_lm", "figures", "models", "synth"]
