"""Runs of models whose feed-forward layers are not the usual ones."""

import json

import numpy as np
import pytest

from factcap.models import (
    Job,
    TrainConfig,
    TransformerConfig,
    export_run,
    make_mesh,
    read_run,
    run,
    run_config,
    run_spec,
    train_together,
)
from factcap.models.runs.result import measured
from factcap.synth import BadInput, phonebook, write
from tests.conftest import make_facts

FORMS = {
    "gated": {"feed_forward": "gated"},
    "experts": {"feed_forward": "experts", "experts": 4, "active": 2},
    "masked": {"feed_forward": "masked", "active": 16},
}
FACTS = make_facts(60, keys=(3, 3), values=(2, 2))
SHORT = TrainConfig(exposures=1, fewest_steps=300, batch=16, optimizer="muon")


def some(*quick):
    """The forms, all but these in the slow tests."""
    return [form if form in quick else pytest.param(form, marks=pytest.mark.slow) for form in FORMS]


def model(form):
    return TransformerConfig(vocabulary=12, width=16, depth=2, heads=1, **FORMS[form])


class CutOffError(Exception):
    """Stands for a run that is cut off."""


@pytest.mark.parametrize("form", some("experts"))
def test_it_learns_and_an_interrupted_run_resumes_to_the_same_bits(form, tmp_path):
    whole = run(FACTS, model(form), SHORT, tmp_path / "whole")
    assert whole.stored_bits > 0.2 * FACTS.entropy_bits.sum()
    assert whole.parameters == model(form).parameters

    def cut(done, total, metrics):
        if done == 200:
            raise CutOffError

    folder = tmp_path / "cut"
    with pytest.raises(CutOffError):
        run(FACTS, model(form), SHORT, folder, progress=cut, checkpoint_seconds=0.0)
    resumed = run(FACTS, model(form), SHORT, folder)
    np.testing.assert_array_equal(resumed.nll_bits, whole.nll_bits)
    assert read_run(folder)[0]["model"] == model(form).entry


@pytest.mark.parametrize("form", some("masked"))
def test_trained_together_they_are_what_they_are_alone(form, tmp_path):
    def job(seed, folder):
        training = TrainConfig(exposures=1, fewest_steps=100, batch=16, seed=seed)
        return Job(FACTS, model(form), training, tmp_path / folder / str(seed))

    together = dict(train_together([job(0, "two"), job(1, "two")], slots=2))
    [(_, alone)] = train_together([job(1, "one")])
    np.testing.assert_allclose(measured(together[1]).nll_bits, measured(alone).nll_bits, atol=0.02)


def test_a_usual_model_is_named_as_it_always_was():
    usual = TransformerConfig(vocabulary=12, width=16, depth=2, heads=1)
    sizes = {"width": 16, "depth": 2, "heads": 1, "tied": True}
    assert run_config(FACTS, usual, SHORT)["model"] == {"vocabulary": 12, **sizes}
    facts = {"generator": "phonebook", "facts": 10}
    given = {"width": 16, "depth": 2, "heads": 1, "feed_forward": "gelu", "hidden": 0}
    assert run_spec({"facts": facts, "model": given}).config["model"] == sizes


def test_a_configuration_may_have_any_form():
    facts = {"generator": "phonebook", "facts": 10}
    size = {"width": 16, "depth": 2, "heads": 1}
    for layer in FORMS.values():
        spec = run_spec({"facts": facts, "model": size | layer})
        assert spec.config["model"] == {**size, "tied": True, **layer}
        assert spec.most_flops() > 0
    with pytest.raises(BadInput, match="no feed_forward is called 'maxout'"):
        run_spec({"facts": facts, "model": size | {"feed_forward": "maxout"}})


def test_experts_have_no_mesh(tmp_path):
    mesh = make_mesh("data=2")
    with pytest.raises(BadInput, match="a mixture of experts is not divided over a mesh"):
        run(FACTS, model("experts"), SHORT, tmp_path / "run", mesh=mesh)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["gated", "masked"])
def test_other_forms_have_one(form, tmp_path):
    training = TrainConfig(exposures=1, fewest_steps=100, batch=16)
    alone = run(FACTS, model(form), training, tmp_path / "alone")
    divided = run(FACTS, model(form), training, tmp_path / "mesh", mesh=make_mesh("model=2"))
    np.testing.assert_allclose(divided.nll_bits, alone.nll_bits, atol=0.02)


def test_the_command_trains_them_and_the_export_refuses(tmp_path, call):
    write(phonebook(20), tmp_path / "facts.parquet")
    words = ["train", tmp_path / "facts.parquet", "--model", "8k", "--feed-forward", "experts"]
    mixture = ("--experts", 3, "--active", 1, "--exposures", 1, "--json")
    code, out, err = call(*words, *mixture, "--out", tmp_path / "run")
    assert code == 0
    assert json.loads(out)["parameters"] > 8_000
    assert "of them active for a token" in err
    with pytest.raises(BadInput, match="holds no model that sets active, experts, feed_forward"):
        export_run(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    code, _, err = call(*words, "--experts", 1, "--active", 1, "--out", tmp_path / "other")
    assert (code, err.count("\n")) == (2, 1)
    assert "experts must be at least 2, not 1" in err
