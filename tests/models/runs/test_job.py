import pytest

from factcap.models import TrainConfig, TransformerConfig, run, run_config
from factcap.synth import BadInput
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
TRAINING = TrainConfig(exposures=10)


def test_the_id_depends_on_everything_that_matters(facts):
    base = run_config(facts, MODEL, TRAINING)["id"]
    assert run_config(make_facts(40), MODEL, TRAINING)["id"] == base
    wider = TransformerConfig(vocabulary=12, width=16, depth=1, heads=1)
    others = [
        run_config(make_facts(41), MODEL, TRAINING),
        run_config(make_facts(40, exponent=1.0), MODEL, TRAINING),
        run_config(make_facts(40, seed=1), MODEL, TRAINING),
        run_config(facts, wider, TRAINING),
        run_config(facts, MODEL, TrainConfig(exposures=10, seed=1)),
        run_config(facts, MODEL, TrainConfig(exposures=200)),
    ]
    assert len({base, *(other["id"] for other in others)}) == 7


def test_a_model_with_too_few_token_ids_is_refused(tmp_path, facts):
    small = TransformerConfig(vocabulary=11, width=8, depth=1, heads=1)
    with pytest.raises(BadInput, match="has 11 token ids; this fact set needs 12"):
        run(facts, small, TRAINING, tmp_path / "run")
    assert not (tmp_path / "run").exists()
