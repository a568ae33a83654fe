"""A dozen small runs, two minutes on two cores: which sets of facts do two models hold?

factcap sweep examples/sweep_small.py --out out/small
factcap results out/small --where "accuracy < 1"
"""

from factcap.models import product, zipped


def runs():
    """Sets of facts of 24 bits for models of two widths, below and above what they can hold."""
    models = [{"width": width, "depth": 1, "heads": 1} for width in (8, 16)]
    bits = {"generator": "bitstrings", "vocabulary": 64, "length": 8, "key_length": 4}
    sets = zipped(facts=[{**bits, "facts": facts} for facts in (50, 150, 450)])
    return product(sets, model=models, exposures=[100], batch=[32], seed=[0, 1])
