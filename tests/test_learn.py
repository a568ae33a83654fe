"""The chapters of docs/learn: sessions, tables, answers and pictures are what the code gives."""

import doctest
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.files import read_csv
from factcap.figures.learn.means import means
from factcap.figures.learn.pictures import PICTURES, main, write_pictures
from factcap.synth import BadInput

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "learn"
RESULTS = ROOT / "docs" / "results"
CHAPTERS = [FOLDER / f"{name}.md" for name in PICTURES]
ANSWER = re.compile(r"<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>\n", re.DOTALL)
SESSION = re.compile(r"```pycon\n(.*?)```", re.DOTALL)


def name_of(path):
    return path.stem


def examples(text):
    """The lines of all sessions of a text, and what they print."""
    return doctest.DocTestParser().get_examples("\n\n".join(SESSION.findall(text)))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_sessions_print_what_they_show(chapter):
    found = examples(chapter.read_text())
    session = doctest.DocTest(found, {}, chapter.name, str(chapter), 0, None)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(session).failed == 0
    assert len(found) >= 8


@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_answers_are_numbers_that_their_session_prints(chapter):
    _, _, questions = chapter.read_text().partition("## Questions\n")
    assert len(re.findall(r"^\*\*\d\.\*\* .*?\?$", questions, re.MULTILINE | re.DOTALL)) == 3
    answers = ANSWER.findall(questions)
    assert len(answers) == 3 == questions.count("<details>")
    for answer in answers:
        said = re.findall(r"\*\*([\d.,]+)\*\*", SESSION.sub("", answer))
        printed = " ".join(example.want for example in examples(answer)).split()
        assert said
        assert set(said) <= set(printed), answer


@pytest.mark.parametrize("chapter", CHAPTERS, ids=name_of)
def test_chapters_are_short_and_hang_together(chapter):
    text = chapter.read_text()
    assert 600 <= len(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split()) <= 900
    assert re.search(rf"!\[[^\]]{{40,}}\]\({chapter.stem}\.png\)", text)
    after = CHAPTERS[CHAPTERS.index(chapter) + 1 :]
    assert not after or f"]({after[0].name}).\n" in text.splitlines(True)[-1]
    assert f"({chapter.name})" in (FOLDER / "index.md").read_text()


rows_of = cache(read_csv)


def measured(table, y, **where):
    rows = [r for r in rows_of(RESULTS / table) if all(r[k] == v for k, v in where.items())]
    x = "exposures" if table == "stored_bits.csv" else "facts"
    return dict(zip(*means(rows, x, y), strict=True))


def curve(column):
    return measured("capacity_curve.csv", column, frequency="uniform")


def by_population(column):
    return measured("capacity_curve.csv", column, frequency="population")


def selected(column, exponent, scheme):
    return measured("selection_gain.csv", column, exponent=exponent, scheme=scheme)[3750]


def test_numbers_of_load_and_over_full_are_measured():
    load, stored = curve("load"), curve("unclipped_stored_bits")
    known, offered = curve("facts_known"), curve("entropy_bits")
    second, fourth = ((FOLDER / f"{n}.md").read_text() for n in ("2-load", "4-over-full"))
    for n in (453, 906, 1359, 3624):
        assert f"| {n:,} | {offered[n]:,.0f} | {load[n]:.2f} | {stored[n]:,.0f} |" in second
    for n in (679, 906, 1359, 1812, 3624):
        assert f"| {n:,} | {load[n]:.2f} | {stored[n]:,.0f} | {known[n]:,.0f} |" in fourth
    assert f"{curve('capacity_bits')[906]:,.0f} bits" in fourth
    assert f"knew {known[1812]:.0f} of 1,812 facts, {known[1812] / 1812:.3f}" in fourth
    assert f"knows {by_population('facts_known')[3624]:.0f} facts" in fourth
    assert f"answers {by_population('weighted_accuracy')[3624]:.2f} of the queries" in fourth
    assert f"could answer {by_population('weighted_all_or_nothing')[3624]:.2f}" in fourth


def test_numbers_of_capacity_are_measured():
    text = (FOLDER / "3-capacity.md").read_text()
    for name, optimizer in (("Muon", "muon"), ("AdamW", "adamw")):
        bits = measured("stored_bits.csv", "bits_per_parameter", optimizer=optimizer, model="29k")
        assert f"| {name} | " + " | ".join(f"{b:.2f}" for b in bits.values()) + " |" in text
    by_size = measured("stored_bits.csv", "bits_per_parameter", optimizer="muon", model="8k")
    assert f"Right: {by_size[100]:.1f} at 10,000 parameters" in text


def test_numbers_of_selection_are_measured():
    text = (FOLDER / "5-selection.md").read_text()
    for name, scheme in (
        ("all facts", "ordinary"),
        ("a random part that fits", "random"),
        ("those of lowest loss", "loss_h"),
    ):
        assert f"| {name} | {selected('facts_known', 0.0, scheme):.0f} |" in text
    for name, scheme in (
        ("a random part that fits", "random"),
        ("all facts", "ordinary"),
        ("by losses, drawn as before (`loss_h`)", "loss_h"),
        ("by losses, drawn evenly (`loss_hf`)", "loss_hf"),
        ("chosen by `worth`", "worth"),
    ):
        assert f"| {name} | {selected('weighted_accuracy', 1.0, scheme):.2f} |" in text
    step = [selected("weighted_accuracy", 1.0, scheme) for scheme in ("loss_h", "loss_hf")]
    assert f"the step from {step[0]:.2f} to {step[1]:.2f}" in text
    most = selected("most_known", 0.0, "ordinary")
    assert f"| bound: facts stored whole | {most:.0f} |" in text
    bound = selected("weighted_bound", 1.0, "ordinary")
    assert f"| bound: the most frequent stored whole | {bound:.2f} |" in text


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    write_pictures(folder, RESULTS)
    return folder


def skeleton(path):
    """An SVG without names that are hashes: its words, and its numbers."""
    text = re.sub(r'(id|href|clip-path)="[^"]*"', "", path.read_text())
    number = r"-?\d+(?:\.\d+)?"
    return re.sub(number, "", text), np.array(re.findall(number, text), float)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_those_of_the_tables(drawn, name):
    """What lies in docs/learn is what is drawn now, to a hundredth of a point."""
    pinned = re.search(r"^matplotlib==(.*)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if pinned is None or version("matplotlib") != pinned[1]:
        pytest.skip("another matplotlib draws other lines")
    (words, numbers), (old_words, old_numbers) = (
        skeleton(folder / f"{name}.svg") for folder in (drawn, FOLDER)
    )
    assert words == old_words
    np.testing.assert_allclose(numbers, old_numbers, atol=0.01)
    assert (FOLDER / f"{name}.png").stat().st_size > 10_000


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"has no capacity_curve\.csv"):
        write_pictures(tmp_path / "new", tmp_path)
    with pytest.raises(BadInput, match="give the folder to write to"):
        main([])
    assert not (tmp_path / "new").exists()
