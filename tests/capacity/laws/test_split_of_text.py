"""The runs of examples/split_text.py: small language models of three kinds of text."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity.laws import best_split, fit_splitting
from factcap.capacity.laws.split_heldout import compute
from factcap.figures.splitting.inputs import read_split_runs

RESULTS = Path(__file__).parents[3] / "docs" / "results"
DOMAINS, LARGE = 3, 34_740


def fine_grid(runs):
    """Shares of the trunk and the loss, the mean over domains, of the large model at its budget."""
    large = {name: each.take(each.parameters == LARGE) for name, each in runs.items()}
    most = {name: compute(each, DOMAINS) for name, each in large.items()}
    large = {name: each.take(most[name] > 0.95 * most[name].max()) for name, each in large.items()}
    one = next(iter(large.values()))
    tokens = compute(one, DOMAINS) / LARGE
    order = np.argsort(one.pretraining_tokens)
    loss = np.mean([each.loss for each in large.values()], axis=0)
    return (one.pretraining_tokens / tokens)[order], loss[order], 6 * LARGE * np.median(tokens)


def test_the_grid_is_of_four_times_the_size_and_budget():
    runs = read_split_runs(RESULTS / "split_text.csv")
    small = {name: each.take(each.parameters < LARGE) for name, each in runs.items()}
    share, loss, budget = fine_grid(runs)
    largest = max(each.parameters.max() for each in small.values())
    most = max(compute(each, DOMAINS).max() for each in small.values())
    assert largest < LARGE / 4
    assert budget / 6 / most == pytest.approx(4, rel=0.02)
    np.testing.assert_allclose(share, np.linspace(0, 1, 11), atol=0.01)
    page = (RESULTS.parent / "splitting.md").read_text()
    rows = [loss[0], loss.min(), loss[-1]]
    assert "from nothing {:.3f}, the best split {:.3f}, one model {:.3f}".format(*rows) in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give one file to write: python examples/split_text.py runs.csv"),
        (["out/small.csv"], "give another name than small.csv: that file is written beside it"),
    ],
)
def test_the_example_says_in_one_line_what_to_give(words, said):
    main = runpy.run_path(str(RESULTS.parents[1] / "examples" / "split_text.py"))["main"]
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == said


@pytest.mark.slow
def test_the_split_chosen_from_small_runs_is_good_for_a_large_one():
    runs = read_split_runs(RESULTS / "split_text.csv")
    small = {name: each.take(each.parameters < LARGE) for name, each in runs.items()}
    share, loss, budget = fine_grid(runs)
    found = fit_splitting(small, rng=np.random.default_rng(0), resamples=2, domains=DOMAINS)
    best = best_split(found, budget, domains=DOMAINS, parameters=LARGE)
    assert np.interp(best.pretraining_share, share, loss) < 1.01 * loss.min()
    # Kaplan's root halves what the held-out runs are missed by.
    error = found.held_out[0].error
    assert error[found.form.name] < 0.6 * min(
        error[name] for name in error if not name.startswith("kaplan")
    )
