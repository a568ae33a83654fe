"""Run by a test twice at once: two processes with a device each train one model."""

import sys

import numpy as np

from factcap.models import TrainConfig, TransformerConfig, make_mesh, run
from factcap.models.training.devices.hosts import join
from tests.conftest import make_facts

# No limit on how long the other takes to start.
A_DAY = 86_400.0

FACTS = make_facts(40)
MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(
    exposures=1e-3, fewest_steps=200, batch=16, optimizer="adamw", learning_rate=0.002
)


def main(port: str, process: int, mesh: str, folder: str) -> None:
    join(f"localhost:{port}", 2, process, wait=A_DAY)
    measurement = run(
        FACTS, MODEL, TRAINING, f"{folder}/run", mesh=make_mesh(mesh), checkpoint_seconds=0.0
    )
    np.save(f"{folder}/nll{process}.npy", measurement.nll_bits)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
