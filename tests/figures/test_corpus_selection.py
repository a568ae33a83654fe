import csv
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.corpus import experiment
from factcap.figures.corpus.corpus_selection import corpus_selection
from factcap.figures.corpus.experiment import (
    ORDINARILY,
    PRESETS,
    TEMPLATE_COLUMNS,
    Plan,
    Scheme,
    job,
    material,
)
from factcap.models import Job, TrainConfig, TransformerConfig
from factcap.synth import BadInput, phonebook
from factcap.synth.corpus import made_up
from tests.synth.corpus.mini import write_folder

RESULTS = Path(__file__).parents[2] / "docs" / "results"
PLAN = Plan(
    facts=30,
    documents=90,
    pieces=128,
    draws=3200,
    most_alike=30,
    batch=16,
    schemes=(
        Scheme("random", "nothing", 0.5),
        Scheme("loss_h"),
        Scheme("loss_h", "documents"),
    ),
    first=0.05,
    seeds=(0,),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, seen = tmp_path_factory.mktemp("figure"), {}
    data = write_folder(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "quick", PLAN)
        rows = corpus_selection(
            folder,
            preset="quick",
            data=data,
            progress=lambda run, runs, share: seen.update({run: share}),
        )
        assert seen == dict.fromkeys(range(4), 1.0)
        yield folder, data, rows


@pytest.mark.slow
def test_what_is_known_is_counted_and_costs_no_more_than_ordinary_training(made):
    _, _, rows = made
    assert [row["scheme"] for row in rows] == ["ordinary", "random 50%", "loss_h", "loss_h"]
    assert [row["scored"] for row in rows] == ["nothing", "nothing", "spans", "documents"]
    ordinary, random, spans, documents = rows
    assert ordinary["draws"] == 3200
    assert ordinary["known_ratio"] == 1
    assert ordinary["facts_kept"] == ordinary["facts"] == 30
    assert random["documents_kept"] < 90
    assert random["facts_kept"] < 25
    assert random["scoring_draws"] == 0
    assert spans["scoring_draws"] > 0
    assert documents["scoring_draws"] > 0
    for row in rows:
        assert row["draws"] + row["scoring_draws"] <= 3200
        assert row["known_by_all"] <= row["facts_known"] <= row["facts"]
        assert row["facts_known"] - row["beyond_guess"] <= row["guessable"]
        assert 0 <= row["stored_bits"] <= row["entropy_bits"]


@pytest.mark.slow
def test_runs_are_read_again_and_each_template_is_counted(made):
    folder, data, rows = made
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/outcome.json")}
    assert len(before) == 4
    assert corpus_selection(folder, preset="quick", data=data) == rows
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with (folder / "corpus_selection_templates.csv").open() as file:
        templates = list(csv.DictReader(file))
    assert tuple(templates[0]) == TEMPLATE_COLUMNS
    assert len(templates) == 4 * 5
    for row in rows:
        mine = [
            entry
            for entry in templates
            if (entry["scheme"], entry["scored"]) == (row["scheme"], row["scored"])
        ]
        answered = sum(int(entry["answered"]) for entry in mine)
        asked = sum(int(entry["asked"]) for entry in mine)
        assert row["prompt_accuracy"] == pytest.approx(answered / asked)


def test_guessable_facts_have_the_commonest_value_of_their_relation(tmp_path):
    found = material(PLAN, made_up(30), 0)
    facts = found.corpus.knowledge
    for relation in set(facts.relations):
        here = np.array([name == relation for name in facts.relations])
        values = np.array(facts.values)[here & found.guessable]
        assert len(set(values)) == 1
        times = [facts.values.count(value) for value in set(np.array(facts.values)[here])]
        assert len(values) == max(times)
    one, other = (job(PLAN, found, scheme, 0, tmp_path) for scheme in (ORDINARILY, PLAN.schemes[2]))
    assert one.directory != other.directory
    assert one.training.learning_rate == other.training.learning_rate
    assert one.training.exposures == other.training.exposures


def test_documents_alone_are_scored_whole_each_for_itself(tmp_path):
    found = material(PLAN, made_up(30), 0)
    run = job(PLAN, found, Scheme("loss_h", "alone"), 0, tmp_path)
    assert run.grouping is not None
    assert run.grouping.entropies is None
    assert len(run.grouping) == PLAN.documents
    assert found.grouping("spans") is found.marked


def test_data_and_presets_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        corpus_selection(tmp_path, preset="huge")
    with pytest.raises(BadInput, match="is not a folder"):
        corpus_selection(tmp_path, preset="tiny", data=tmp_path / "no")


def test_the_command_takes_data_for_this_figure_alone(call, tmp_path):
    code, _, err = call("figure", "classical", "--data", tmp_path, "--out", tmp_path)
    assert code == 2
    assert "--data is for one figure that reads facts: corpus_selection" in err


def test_runs_of_one_directory_are_made_once(tmp_path, monkeypatch):
    begun, told = [], []

    def in_order(call, jobs, workers):
        for number, one in enumerate(jobs):
            yield number, begun.append(one.directory.name)

    monkeypatch.setattr(experiment, "in_processes", in_order)
    facts, model = phonebook(5), TransformerConfig(202, width=8, depth=1, heads=1)
    jobs = [Job(facts, model, TrainConfig(), tmp_path / name) for name in "aba"]
    experiment.make_jobs(jobs, workers=2, progress=lambda run, runs, share: told.append(run))
    assert begun == ["a", "b"]
    assert sorted(told) == [0, 1, 2]


def test_on_an_accelerator_runs_of_one_shape_are_members_of_one_program(tmp_path, monkeypatch):
    groups, told = [], []

    def together(jobs, progress):
        groups.append([one.directory.name for one in jobs])
        for number in range(len(jobs)):
            progress(number, 1, 4, {})
            yield number, None

    monkeypatch.setattr(experiment, "make", together)
    monkeypatch.setattr(experiment, "measured", lambda result: result)
    monkeypatch.setattr(experiment, "on_cpu", lambda: False)
    jobs = [
        Job(
            phonebook(5),
            TransformerConfig(202, width=width, depth=1, heads=1),
            TrainConfig(batch=4),
            tmp_path / name,
        )
        for name, width in (("a", 8), ("b", 16), ("c", 8), ("a", 8))
    ]
    experiment.make_jobs(jobs, workers=1, progress=lambda run, _, share: told.append((run, share)))
    assert groups == [["a", "c"], ["b"]]
    assert sorted(told) == [(run, share) for run in range(4) for share in (0.25, 1.0)]


def committed():
    with (RESULTS / "corpus_selection.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {}
    for row in rows:
        numbers = {
            name: float(row[name]) for name in row if name not in ("scheme", "scored", "run")
        }
        found.setdefault((row["scheme"], row["scored"]), []).append(numbers)
    return found


def test_the_committed_runs_know_more_with_selection_at_every_seed():
    found = committed()
    seeds = [row["seed"] for row in found["ordinary", "nothing"]]
    assert seeds == [0, 1, 2, 3, 4]
    for scheme in ("loss_h", "loss_hf", "worth"):
        assert min(row["known_ratio"] for row in found[scheme, "spans"]) >= 1.3
    assert min(row["known_ratio"] for row in found["loss_h", "documents"]) >= 1.3
    for rows in found.values():
        for row in rows:
            assert row["draws"] + row["scoring_draws"] <= PRESETS["laptop"].draws


def mean_and_range(rows, column, digits):
    values = [row[column] for row in rows]
    numbers = (np.mean(values), min(values), max(values))
    mean, least, most = (f"{number:.{digits}f}" for number in numbers)
    return f"{mean} ({least} to {most})"


def test_the_document_says_what_the_committed_runs_say():
    text, found = (RESULTS.parent / "corpus.md").read_text(), committed()
    columns = {"facts_known": 0, "known_ratio": 2, "beyond_ratio": 2, "weighted_accuracy": 2}
    names = {
        ("ordinary", "nothing"): "ordinary training",
        ("random 20%", "nothing"): "`random`, 20 % of the bits",
        ("loss_h", "spans"): "`loss_h`, marked values",
        ("loss_hf", "spans"): "`loss_hf`, marked values",
        ("worth", "spans"): "`worth`, marked values",
        ("loss_h", "documents"): "`loss_h`, unmarked documents",
        ("worth", "documents"): "`worth`, unmarked documents",
    }
    assert set(found) == set(names)
    for which, rows in found.items():
        cells = [mean_and_range(rows, column, digits) for column, digits in columns.items()]
        assert f"| {names[which]} | {' | '.join(cells)} |" in text
    ordinary, spans, documents = (
        np.mean([row["facts_known"] for row in found[which]])
        for which in (("ordinary", "nothing"), ("loss_h", "spans"), ("loss_h", "documents"))
    )
    sentence = (
        f"a model knows {ordinary:.0f} of them, with selection by the losses of marked values "
        f"{spans:.0f}, and of documents that nobody marked {documents:.0f}"
    )
    assert sentence in " ".join((RESULTS.parent / "results.md").read_text().split())


def test_the_page_says_what_a_larger_model_gains():
    with (RESULTS / "corpus_selection_0.2M.csv").open() as file:
        rows = list(csv.DictReader(file))
    text = " ".join((RESULTS.parent / "corpus.md").read_text().split())
    known, ratio = (
        {
            (scheme, scored): [
                float(row[column])
                for row in rows
                if (row["scheme"], row["scored"]) == (scheme, scored)
            ]
            for scheme, scored in {(row["scheme"], row["scored"]) for row in rows}
        }
        for column in ("facts_known", "known_ratio")
    )
    ordinary = [row for row in rows if row["scheme"] == "ordinary"]
    stored = [float(row["stored_bits"]) / float(row["entropy_bits"]) for row in ordinary]
    plan = PRESETS["0.2M"]
    gains = {which: "{:.2f} and {:.2f} times".format(*found) for which, found in ratio.items()}
    for sentence in (
        f"{plan.facts:,} facts of made-up people in {plan.documents:,} documents",
        f"stores {np.mean(stored):.0%} of the bits".replace("%", " %"),
        f"the load is {1 / max(stored):.1f}, and knows "
        f"{np.mean(known['ordinary', 'nothing']):,.0f} facts",
        f"`loss_h` knows {gains['loss_h', 'spans']} as many, `worth` {gains['worth', 'spans']}",
        f"of unmarked documents `loss_h` {gains['loss_h', 'documents']}",
    ):
        assert sentence in text
