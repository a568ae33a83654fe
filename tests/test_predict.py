import csv
import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from factcap.capacity.retention import fit_published, held_out, r_squared
from factcap.figures.retention.boosting import boosting_predictor
from factcap.figures.retention.inputs import read_models
from factcap.figures.retention.predictors import PREDICTORS
from factcap.figures.retention.study import trials
from tests.capacity.retention.simulated import answered, counted
from tests.real_data import PUBLIC_MODELS, needs_public_models

SCORES = {"model", "predictor", "split", "r2", "r2_bins", "log_loss", "brier", "calibration_error"}


def write_public_form(path, facts):
    """A file as the public repository has them, with names that stand in each other as they say."""
    entries = []
    for number in range(len(facts)):
        answer = str(facts.object[number])
        standing = facts.names is not None and facts.names.standing[number]
        pair, subject = int(facts.pair_count[number]), int(facts.subject_count[number])
        entry = {
            "idx": number,
            "subj": f"{'of ' + answer if standing else 'thing'} {number}",
            "rel": str(facts.relation[number]),
            "obj": answer,
            "qus": "?",
            "time_seqs": int(facts.documents),
            "time_subj": subject,
            "time_obj": int(facts.object_count[number]),
            "time_s1j1": pair,
            "time_s1j0": subject - pair,
            "time_s0j1": int(facts.object_count[number]) - pair,
            "time_s0j0": 0,
            "acc": float(facts.accuracy[number]),
            "mi": 0.0,
        }
        entries.append(entry)
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for name, known in (("small-100m", -10.0), ("large-1b", -8.0)):
        facts, _ = answered(counted(400, relations=4), known=known)
        paths.append(write_public_form(folder / f"{name}.json", facts))
    return paths


def test_json_has_the_promised_shape(call, files, tmp_path):
    predictors = ["cooccurrence", "mi", "smi", "all_or_nothing", "rate_distortion", "law"]
    words = ("predict", *files, "--size", "10e9", "--json", "--out", tmp_path / "out")
    words += ("--predictors", *predictors)
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {"law", "scores"} <= set(found)
    assert all(set(row) == SCORES for row in found["scores"])
    rows = {(row["model"], row["predictor"], row["split"]) for row in found["scores"]}
    wanted = {
        (model, predictor, split)
        for predictor in predictors
        for model in ("small-100m", "large-1b")
        for split in ("facts", "objects", "relations", "models")
        if (model, split) != ("small-100m", "models")
    }
    assert rows == wanted
    for row in found["scores"]:
        assert row["r2"] <= 1
        assert row["brier"] >= 0
    for name in ("small-100m", "large-1b", "small-100m + large-1b"):
        pair = found["law"][name]["known.pair"]
        assert pair["low"] < pair["estimate"] < pair["high"]
    assert "known.size" in found["law"]["small-100m + large-1b"]
    assert "known.size" not in found["law"]["large-1b"]
    [size] = found["sizes"]
    assert 0 < size["low"] < size["accuracy"] < size["high"] < 1
    [large] = [row for row in found["models"] if row["model"] == "large-1b"]
    assert large["facts"] == 400
    assert 0.9 < large["noise_ceiling"] < 1

    predictions = pq.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    mine = [row for row in predictions if (row["model"], row["split"]) == ("large-1b", "facts")]
    accuracy, told = (np.array([row[name] for row in mine]) for name in ("accuracy", "predicted"))
    [score] = [
        row["r2"]
        for row in found["scores"]
        if (row["model"], row["predictor"], row["split"]) == ("large-1b", "law", "facts")
    ]
    assert r_squared(accuracy, told) == pytest.approx(score)
    assert all(row["low"] <= row["predicted"] <= row["high"] for row in mine)
    beyond = [row for row in predictions if row["split"] == "size"]
    assert len(beyond) == 400
    assert {row["accuracy"] for row in beyond} == {None}
    with (tmp_path / "out" / "scores.csv").open() as file:
        written = list(csv.DictReader(file))
    assert len(written) == len(rows)
    code, _, err = call(*words)
    assert code == 2
    assert "exists; choose another folder" in err


@pytest.mark.slow
def test_all_that_can_be_is_compared_and_the_flexible_ceiling_stands_beside(call, files):
    code, out, _ = call("predict", files[1], "--json")
    assert code == 0
    found = json.loads(out)
    assert {row["predictor"] for row in found["scores"]} == set(PREDICTORS)
    assert {row["split"] for row in found["scores"]} == {"facts", "objects", "relations"}
    r2 = {(row["predictor"], row["split"]): row["r2"] for row in found["scores"]}
    for row in found["details"]:
        share = r2[row["predictor"], row["split"]] / r2["boosting", row["split"]]
        assert row["r2_of_flexible"] == pytest.approx(share)


def test_text_and_figure(call, files, tmp_path):
    figure = tmp_path / "retention.png"
    words = ("--predictors", "law", "mi", "--splits", "facts", "--figure", figure)
    code, out, err = call("predict", files[1], *words)
    assert (code, err) == (0, "")
    assert "large-1b: 400 facts, accuracy" in out
    assert "held-out facts" in out
    assert "known.pair" in out
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_one_model_tells_little_of_size_and_says_so(call, files):
    words = ("--predictors", "law", "--splits", "facts", "--size", "70e9", "--json")
    code, out, err = call("predict", files[1], *words)
    assert code == 0
    assert err.startswith("one model of a corpus tells nothing of size")
    [size] = json.loads(out)["sizes"]
    assert size["high"] - size["low"] > 0.1


def test_without_scikit_learn_boosting_is_left_out_or_refused(call, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    code, out, err = call("predict", files[1], "--splits", "facts", "--json")
    assert code == 0
    assert "boosting, the flexible ceiling, is left out: pip install 'factcap[predict]'" in err
    assert "boosting" not in {row["predictor"] for row in json.loads(out)["scores"]}
    code, out, err = call("predict", files[1], "--predictors", "boosting")
    assert code == 2
    assert err.count("\n") == 1
    assert "pip install 'factcap[predict]'" in err


def test_boosting_learns_what_there_is_and_sees_no_answer():
    facts, truth = answered(counted(2000))
    told = held_out(facts, boosting_predictor, "facts")
    assert r_squared(truth, told) > 0.8
    predict = boosting_predictor([facts])
    np.testing.assert_array_equal(predict(facts), predict(facts.blind()))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give at least one file of facts"),
        (["absent.json"], "absent.json does not exist"),
        (["{large}", "--splits", "models"], "needs a smaller and a larger one of one corpus"),
        (["{large}", "--splits", "people"], "no split is called 'people'"),
        (["{large}", "--predictors", "oracle"], "no predictor is called 'oracle'"),
        (["{large}", "{large}"], "two files are of the model large-1b"),
        (["{large}", "--size", "0"], "--size must be a number of parameters"),
        (["{large}", "--size", "big"], "--size"),
        (["{large}", "--seed", "-1"], "--seed must be at least 0"),
        (["{large}", "--figure", "f.svg"], "--figure must be a .png"),
        (["{large}", "--figure", "f.png", "--predictors", "mi"], "name law too"),
        (["{large}", "--out", "{large}"], "is a file; --out is a folder"),
        (["{unsized}", "--size", "1e9"], "--size needs the size of unsized"),
        (["{unsized}", "--predictors", "smi"], "SMI needs the model's size"),
        (["{one}", "--splits", "relations"], "holding out relations needs two at least"),
        (["{alone}"], "too few facts"),
    ],
)
def test_bad_input_gets_one_line(call, files, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    entries = json.loads(files[1].read_text())
    one = [entry for entry in entries if entry["rel"] == entries[0]["rel"]]
    made = {"large": entries, "unsized": entries, "one": one, "alone": entries[:1]}
    paths = {name: tmp_path / f"{name}.json" for name in made}
    for name, some in made.items():
        paths[name].write_text(json.dumps(some))
    paths["large"] = files[1]
    code, out, err = call("predict", *(word.format(**paths) for word in words))
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


@needs_public_models
@pytest.mark.slow
def test_the_law_reaches_its_numbers_on_public_models():
    several = read_models(sorted(PUBLIC_MODELS.glob("*.parquet")))
    found = {
        (trial.model, trial.split): trial
        for trial in trials(several, ["law"], ["facts", "objects", "relations", "models"])
    }
    for facts in several:
        if facts.size > 1e9:
            held = found[facts.model, "facts"]
            assert held.scores.r2 > 0.8
            assert held.r2_memory > 0.5
            assert held.scores.calibration_error < 0.01
            assert found[facts.model, "objects"].scores.r2 > 0.75
            assert found[facts.model, "relations"].scores.r2 > 0.7
            published = fit_published(facts, "smi").predict(facts)
            assert r_squared(facts.accuracy, published) < 0.15
    larger = [trial.scores.r2 for (_, split), trial in found.items() if split == "models"]
    assert len(larger) == 2
    assert min(larger) > 0.75
