"""Configurations from products, zips and chains: plain lists of dictionaries."""

from collections.abc import Iterable, Mapping
from itertools import product as _product
from typing import Any

from factcap.synth.errors import require

Config = dict[str, Any]


def product(*parts: Iterable[Mapping[str, Any]], **axes: Iterable[Any]) -> list[Config]:
    """Every combination of the parts and the axes; the last one varies fastest.

    Args:
        parts: lists of configurations, as `zipped` or `product` make them.
        axes: name and values.

    Raises:
        BadInput: if a name occurs in two of them.

    >>> product(model=["8k", "29k"], seed=[0, 1])[1]
    {'model': '8k', 'seed': 1}
    >>> len(product(zipped(model=["8k", "29k"], batch=[64, 128]), seed=range(3)))
    6
    """
    lists = [*(list(part) for part in parts), *(zipped(**{k: v}) for k, v in axes.items())]
    return [_joined(chosen) for chosen in _product(*lists)]


def zipped(**axes: Iterable[Any]) -> list[Config]:
    """The first values of all axes together, then the second, and so on.

    Raises:
        BadInput: if the axes are not of one length.

    >>> zipped(model=["8k", "29k"], batch=[64, 128])
    [{'model': '8k', 'batch': 64}, {'model': '29k', 'batch': 128}]
    """
    values = {name: list(axis) for name, axis in axes.items()}
    lengths = {name: len(axis) for name, axis in values.items()}
    require(
        len(set(lengths.values())) <= 1,
        f"axes zipped together must have one length, not {lengths}",
    )
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def chain(*parts: Iterable[Mapping[str, Any]]) -> list[Config]:
    """The configurations of all parts, one part after the other.

    >>> chain(product(seed=[0, 1]), [{"seed": 7}])
    [{'seed': 0}, {'seed': 1}, {'seed': 7}]
    """
    return [dict(config) for part in parts for config in part]


def _joined(parts: Iterable[Mapping[str, Any]]) -> Config:
    joined: Config = {}
    for part in parts:
        twice = sorted(set(joined) & set(part))
        require(not twice, f"{', '.join(twice)} is given by two parts of a product")
        joined.update(part)
    return joined
