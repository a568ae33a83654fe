"""What bfloat16 products cost in stored bits: 36 runs, six minutes on two cores that have them.

factcap sweep examples/sweep_precision.py --out out/precision
factcap results out/precision --csv > precision.csv
"""

from factcap.models import chain, product


def runs():
    """More facts than two models hold, at three exposures, in both precisions, on three seeds."""
    bits = {"generator": "bitstrings", "vocabulary": 256, "length": 7, "key_length": 4}
    shared = {"exposures": [50, 100, 200], "precision": ["float32", "bfloat16"]}
    return chain(
        *(
            product(
                facts=[{**bits, "facts": facts, "seed": seed}],
                model=[model],
                seed=[seed],
                batch=[64],
                **shared,
            )
            for seed in range(3)
            for model, facts in (("8k", 1548), ("29k", 4939))
        )
    )
