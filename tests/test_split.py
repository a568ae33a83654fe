import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factcap.capacity.laws.split_heldout import compute
from tests.capacity.laws.simulated import grid, law, table

COLUMNS = ("parameters", "pretraining_tokens", "specialization_tokens", "domain", "loss")


def rows_of(runs):
    return [
        dict(
            zip(
                COLUMNS,
                (
                    float(one.parameters[row]),
                    float(one.pretraining_tokens[row]),
                    float(one.specialization_tokens[row]),
                    domain,
                    float(one.loss[row]),
                ),
                strict=True,
            )
        )
        for domain, one in runs.items()
        for row in range(len(one))
    ]


def write(path, rows, columns=COLUMNS):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def runs():
    return table("joint", domains=2, noise=0.004)


@pytest.fixture
def results(tmp_path, runs):
    return write(tmp_path / "runs.csv", rows_of(runs))


@pytest.mark.slow
def test_the_split_is_told_with_an_interval(call, results, tmp_path, runs):
    size = 4 * 3e7
    budget = 6 * 4 * max(compute(one, 2).max() for one in runs.values())
    picture = tmp_path / "split.png"
    words = ("--budget", budget, "--parameters", size, "--json", "--figure", picture)
    code, out, err = call("split", results, *words)
    assert (code, err) == (0, "")
    found = json.loads(out)
    share = np.linspace(0.01, 0.99, 197)
    tokens = budget / 6 / size
    truth = 1.025 * law("joint", size, share * tokens, (1 - share) * tokens / 2)
    chosen = found["pretraining_share"]
    assert found["interval"][0] <= chosen <= found["interval"][1]
    spent = found["pretraining_tokens"] + 2 * found["specialization_tokens"]
    assert chosen == pytest.approx(found["pretraining_tokens"] / spent)
    reached = 1.025 * law("joint", size, chosen * tokens, (1 - chosen) * tokens / 2)
    assert reached < 1.01 * truth.min()
    assert found["predicted_loss"] == pytest.approx(reached, rel=0.02)
    gain = found["no_split_loss"] - found["predicted_loss"]
    assert found["gain_over_no_split"] == pytest.approx(gain)
    assert found["gain_over_from_nothing"] > 0
    assert found["law"]["name"] == "joint"
    assert found["law"]["domains"]["domain 0"]["estimate"]["E"] == pytest.approx(1.5, rel=0.1)
    assert any("is an extrapolation" in text for text in found["warnings"])
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert call("split", results, *words)[1] == out  # the same seed, the same numbers


@pytest.mark.slow
def test_the_text_says_the_same(call, results):
    code, out, _ = call("split", results, "--budget", "1e17", "--parameters", "1e7")
    assert code == 0
    for text in (
        "pretraining share",
        "held out",
        "no split",
        "k from nothing",
        "joint: E + A N^-a",
    ):
        assert text in out
    assert "warning" not in out


@pytest.mark.slow
def test_parquet_other_columns_and_seeds_do(call, runs, tmp_path):
    rows = [row | {"seed": seed, "note": None} for row in rows_of(runs) for seed in (0, 1)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "runs.parquet")
    words = ("--budget", "2e17", "--parameters", "1e7", "--json")
    code, out, _ = call("split", tmp_path / "runs.parquet", *words)
    assert code == 0
    one = json.loads(call("split", write(tmp_path / "once.csv", rows_of(runs)), *words)[1])
    assert json.loads(out)["pretraining_share"] == pytest.approx(one["pretraining_share"], abs=0.03)


def test_a_table_of_one_domain_needs_to_know_how_many(call, runs, tmp_path):
    rows = rows_of({"a": runs["domain 0"]})
    bare = write(tmp_path / "bare.csv", rows, [name for name in COLUMNS if name != "domain"])
    code, _, err = call("split", bare, "--budget", "2e17")
    assert code == 2
    assert "say by --domains how many" in err
    words = ("--budget", "2e17", "--parameters", "1e7", "--domains", "4", "--json")
    code, out, _ = call("split", bare, *words)
    assert (code, json.loads(out)["domains"]) == (0, 4)


def changed(row, **values):
    def change(rows):
        rows[row] |= values
        return rows

    return change


def only(keep):
    return lambda rows: [row for row in rows if keep(row)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(3, loss=-1.0), "loss in row 4 must be a number above 0, not '-1.0'"),
        (changed(3, loss=0), "loss in row 4 must be a number above 0"),
        (changed(0, loss=None), "loss in row 1 must be a number above 0, not nothing"),
        (changed(1, parameters="many"), "parameters in row 2 must be a number above 0, not 'many'"),
        (changed(1, pretraining_tokens="nan"), "pretraining_tokens in row 2 must be a number of"),
        (changed(2, domain=None), "row 3 has no domain"),
        (
            changed(2, pretraining_tokens=0, specialization_tokens=0),
            "row 3 has no tokens, neither of pretraining nor",
        ),
        (
            only(lambda row: row["parameters"] < 1e7),
            "too few sizes to fit the exponent a of the parameters N: 2; give 3",
        ),
        (
            only(lambda row: row["specialization_tokens"] == 0),
            "too few numbers of specialization tokens to fit the exponent s of the specialization "
            "tokens D': 1; give 3",
        ),
        (
            only(lambda row: row["pretraining_tokens"] in (0, 2e8)),
            "too few numbers of pretraining tokens to fit the exponent b",
        ),
        (
            lambda rows: [row | {"loss": 2.0} for row in rows],
            "is not identified and the exponent s of the specialization tokens D' is not",
        ),
        (lambda rows: [], "has no runs"),
    ],
)
def test_bad_tables_get_one_line(call, runs, tmp_path, change, message):
    path = write(tmp_path / "runs.csv", change(rows_of(runs)))
    code, out, err = call("split", path, "--budget", "1e18")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_tokens_that_rise_together_are_refused_by_name(call, tmp_path):
    n, d, _ = grid(zeros=False)
    path = write(tmp_path / "runs.csv", rows_of(table("joint", where=(n, d, d / 10))))
    code, _, err = call("split", path, "--budget", "1e18")
    assert code == 2
    assert "the exponent s of the specialization tokens D' is not identified" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--budget", "0"), "the budget must be a positive number of FLOP"),
        (("--budget", "-1e18"), "the budget must be a positive number of FLOP"),
        (("--budget", "nan"), "the budget must be a positive number of FLOP"),
        (
            ("--budget", "1e18", "--parameters", "0"),
            "the parameters must be a number of at least 1",
        ),
        (("--budget", "1e18", "--parameters", "0.5"), "at least 1, as in 1e8, not 0.5"),
        (("--budget", "1e18", "--parameters", "nan"), "at least 1, as in 1e8, not nan"),
        (("--budget", "inf"), "the budget must be a positive number of FLOP"),
        (("--budget", "1e18", "--domains", "0"), "domains must be at least 1"),
        (("--budget", "1e18", "--figure", "a.txt"), "--figure must be a .png"),
        (("--budget", "1e18", "--seed", "-1"), "--seed must be at least 0"),
        ((), "budget"),
    ],
)
def test_bad_options_get_one_line(call, results, words, message):
    code, out, err = call("split", results, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_files_that_are_no_tables_get_one_line(call, tmp_path):
    (tmp_path / "runs.csv").write_text("loss,parameters\n1,2\n")
    (tmp_path / "runs.doc").write_text("x")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "none.csv").write_text(",".join(COLUMNS) + "\n")
    (tmp_path / "twice.csv").write_text(",".join((*COLUMNS, "loss")) + "\n1,1,1,a,1,2\n")
    (tmp_path / "empty.parquet").write_text("")
    for name, message in {
        "runs.csv": "has no column pretraining_tokens, specialization_tokens",
        "runs.doc": "the suffix must be",
        "empty.csv": "cannot be read (Empty CSV file)",
        "none.csv": "has no runs",
        "twice.csv": "has more than one column loss",
        "empty.parquet": "cannot be read",
        "absent.csv": "does not exist",
        ".": "is a folder; give a table of runs",
    }.items():
        code, _, err = call("split", tmp_path / name, "--budget", "1e18")
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
