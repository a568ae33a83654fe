"""Small language models of three kinds of text, branched at many moments: runs to fit a law to.

python examples/split_text.py runs.csv           (some ten minutes on two cores)
factcap split small.csv --budget 3.82e11 --parameters 34740

The text comes with Python: its reference, its modules, the docstrings of NumPy. The last rows are a
fine grid of splits, at four times the size and budget of all others; small.csv is without them.
"""

import ast
import csv
import pydoc_data.topics
import sys
import sysconfig
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from factcap.models import TransformerConfig
from factcap.models.transformer.decoder import Transformer

WIDTHS, LARGE = (8, 10, 12, 16), 36
# Steps of the trunk and of each branch; shares of the large budget that go to the trunk.
TRUNKS, BRANCHES = (200, 400, 800, 1600), (100, 200, 400, 800)
SHARES = np.linspace(0, 1, 11)
BATCH, WINDOW, HELD_OUT, CHUNK = 8, 64, 256, 20
WARMUP, AVERAGED = 50, 0.97
SYMBOLS = 96  # ASCII that is printed; what is not is symbol 0


class State(NamedTuple):
    """A model in training: parameters, their running average, Adam's moments, steps so far."""

    params: Any
    average: Any
    moments: Any
    step: jax.Array


class Text(NamedTuple):
    """The domains' text to train on, and windows of the rest."""

    train_KxC: jax.Array
    held_out_KxBxT: jax.Array


def docstrings(folder: Path) -> str:
    """Those of all modules of a package."""
    found = [
        ast.get_docstring(node) or ""
        for file in sorted(folder.rglob("*.py"))
        if "tests" not in file.parts
        for node in ast.walk(ast.parse(file.read_text(errors="replace")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return "\n".join(found)


def texts() -> dict[str, str]:
    """The text of each domain."""
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    return {
        "reference": "\n".join(pydoc_data.topics.topics.values()),
        "modules": "\n".join(file.read_text(errors="replace") for file in modules),
        "docstrings": docstrings(Path(np.__file__).parent),
    }


def cut(domains: dict[str, str]) -> Text:
    """As much text of each domain, in symbols; every sixteenth block of 2,048 is held out."""
    rng, train, held_out = np.random.default_rng(0), [], []
    for text in domains.values():
        symbols = np.frombuffer(text.encode("ascii", "replace"), np.uint8).astype(np.int32) - 31
        symbols = np.where((symbols < 0) | (symbols >= SYMBOLS), 0, symbols)
        blocks = symbols[: len(symbols) // 2048 * 2048].reshape(-1, 2048)
        row, start = rng.integers([[len(blocks[::16])], [2048 - WINDOW]], size=(2, HELD_OUT))
        held_out.append(blocks[::16][row[:, None], start[:, None] + np.arange(WINDOW + 1)])
        train.append(np.delete(blocks, np.s_[::16], axis=0).ravel())
    length = min(map(len, train))
    return Text(jnp.stack([each[:length] for each in train]), jnp.stack(held_out))


@cache
def model(width: int) -> tuple[Any, int]:
    """How to compute with the parameters of a width, and how many there are."""
    config = TransformerConfig(SYMBOLS, width, 2, 1)
    graph, _ = nnx.split(Transformer(config, rngs=nnx.Rngs(0)), nnx.Param)
    return graph, config.parameters


def optimizer(width: int) -> optax.GradientTransformation:
    """Adam; its rate rises to a constant one."""
    return optax.adam(optax.linear_schedule(0.0, 0.03 / width**0.5, WARMUP), b2=0.98)


def begin(width: int, seed: int) -> State:
    """A model from nothing."""
    config = TransformerConfig(SYMBOLS, width, 2, 1)
    _, params = nnx.split(Transformer(config, rngs=nnx.Rngs(seed)), nnx.Param)
    return State(params, params, optimizer(width).init(params), jnp.asarray(0))


def nats(width: int, params: Any, window_BxT: jax.Array) -> jax.Array:
    """Mean loss of all symbols of some windows but the first."""
    graph, _ = model(width)
    logits = nnx.merge(graph, params)(window_BxT[:, :-1])
    return optax.softmax_cross_entropy_with_integer_labels(logits, window_BxT[:, 1:]).mean()


@partial(jax.jit, static_argnums=0)
def take_steps(width: int, state: State, share_K: jax.Array, train_KxC: jax.Array) -> State:
    """Some steps on windows of the domains, drawn in these shares."""

    def step(state: State, _: None) -> tuple[State, None]:
        which, where = jax.random.split(jax.random.fold_in(jax.random.key(0), state.step))
        domain_B = jax.random.choice(which, len(share_K), (BATCH,), p=share_K)
        start_B = jax.random.randint(where, (BATCH,), 0, train_KxC.shape[1] - WINDOW)
        window = train_KxC[domain_B[:, None], start_B[:, None] + jnp.arange(WINDOW + 1)]
        slope = jax.grad(partial(nats, width))(state.params, window)
        updates, moments = optimizer(width).update(slope, state.moments)
        params = optax.apply_updates(state.params, updates)
        average = optax.incremental_update(params, state.average, 1 - AVERAGED)
        return State(params, average, moments, state.step + 1), None

    return jax.lax.scan(step, state, None, CHUNK)[0]


@partial(jax.jit, static_argnums=0)
def losses(width: int, state: State, held_out_KxBxT: jax.Array) -> jax.Array:
    """The loss on each domain, of the average of the parameters."""
    return jax.lax.map(partial(nats, width, state.average), held_out_KxBxT)


def train(
    width: int, state: State, share: np.ndarray, text: Text, lengths: list[int]
) -> list[tuple[State, np.ndarray]]:
    """The state and the losses after each number of steps."""
    found, done = [], 0
    for steps in lengths:
        for _ in range((steps - done) // CHUNK):
            state = take_steps(width, state, jnp.asarray(share), text.train_KxC)
        done = steps
        found.append((state, np.asarray(losses(width, state, text.held_out_KxBxT))))
    return found


def runs(width: int, text: Text, names: list[str], splits: dict[int, list[int]]) -> list[dict]:
    """A row for each trunk's length, length of its branches and domain."""
    trunks = list(splits)
    domains = len(names)
    rows = []

    def note(trunk: int, branch: int, domain: int, loss_K: np.ndarray) -> None:
        tokens = (trunk * BATCH * WINDOW, branch * BATCH * WINDOW)
        values = (model(width)[1], *tokens, names[domain], round(float(loss_K[domain]), 5))
        rows.append(dict(zip(COLUMNS, values, strict=True)))

    mixture = np.full(domains, 1 / domains)
    made = train(width, begin(width, 0), mixture, text, trunks)
    for trunk, (state, loss_K) in zip(trunks, made, strict=True):
        for domain in range(domains):
            if trunk:
                note(trunk, 0, domain, loss_K)
            lengths = splits[trunk]
            made_of_it = train(width, state, np.eye(domains)[domain], text, lengths)
            for branch, (_, branch_loss_K) in zip(lengths, made_of_it, strict=True):
                note(trunk, branch, domain, branch_loss_K)
    print(f"{rows[0]['parameters']:,} parameters: {len(rows)} runs", flush=True)
    return rows


COLUMNS = ("parameters", "pretraining_tokens", "specialization_tokens", "domain", "loss")


def main(words: list[str]) -> None:
    """Train everything, write the table, and the one without the large model."""
    if len(words) != 1:
        sys.exit("give one file to write: python examples/split_text.py runs.csv")
    path = Path(words[0])
    without_large = path.with_name("small.csv")
    if path == without_large:
        sys.exit("give another name than small.csv: that file is written beside it")
    domains = texts()
    text, names = cut(domains), list(domains)
    small = {trunk: list(BRANCHES) for trunk in (0, *TRUNKS)}
    rows = [row for width in WIDTHS for row in runs(width, text, names, small)]
    most = TRUNKS[-1] + len(names) * BRANCHES[-1]
    steps = 4 * model(WIDTHS[-1])[1] / model(LARGE)[1] * most
    fine = {}
    for share in SHARES:
        trunk = round(share * steps / CHUNK) * CHUNK
        branch = round((steps - trunk) / len(names) / CHUNK) * CHUNK
        fine[trunk] = [branch] if branch else []
    for file, some in (
        (without_large, rows),
        (path, rows + runs(LARGE, text, names, fine)),
    ):
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, COLUMNS)
            writer.writeheader()
            writer.writerows(some)


if __name__ == "__main__":
    main(sys.argv[1:])
