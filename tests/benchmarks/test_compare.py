import json

import pytest

from benchmarks import compare
from benchmarks.processes import Crew, EngineFailed, usable_cores
from benchmarks.race import (
    LOSS_TOLERANCE,
    PEER_MODES,
    compare_losses,
    machine,
    our_setup,
    peer_setups,
    race,
    started_at_once,
    summarize,
)
from benchmarks.task import Task
from benchmarks.workloads import Workload, choose
from factcap.models.instructions import cpu_flags

TINY = Workload("tiny", "8k", "float32", 16, members=2, batch=8, pairs=2, segment=2)


def test_ratios_are_taken_pair_by_pair():
    summary = summarize([1.0, 2.0, 4.0], [2.0, 6.0, 4.0], 100)
    assert [summary[f"ratio_{name}"] for name in ("min", "median", "max")] == [1.0, 2.0, 3.0]
    assert summary["ours_tokens_per_second"] == 50
    assert summary["peer_tokens_per_second"] == 25


def test_losses_agree_within_the_tolerance_and_three_standard_errors():
    assert compare_losses([1.0, 1.0], [1.0, 1.0 + LOSS_TOLERANCE])["losses_agree"]
    beyond = 1.0 + 2 * LOSS_TOLERANCE
    assert not compare_losses([1.0, 1.0], [beyond, beyond])["losses_agree"]
    assert not compare_losses([1.0], [float("nan")])["losses_agree"]
    spread = compare_losses([1.0, 3.0], [2.0, 2.0])
    # The variance of the mean of two is half of theirs, 2.
    assert spread["loss_tolerance"] == pytest.approx(LOSS_TOLERANCE + 3)


def test_setups_of_the_peer_bind_all_cores():
    setups = list(peer_setups("cpu", [4, 7], 8))
    assert {setup.cores for setup in setups} == {((4, 7),), ((4,), (7,))}
    assert {setup.mode for setup in setups} >= {"eager", "default plain"}
    assert {setup.cores for setup in peer_setups("gpu", [4, 7], 8)} == {((4, 7),)}
    assert our_setup("cpu", [4, 7], 8).cores == ((4,), (7,))
    assert our_setup("gpu", [4, 7], 8).mode == "together"
    assert str(setups[0]) == "eager, 1 x 2 threads"


def test_rows_say_what_they_were_raced_on(monkeypatch):
    monkeypatch.setattr("benchmarks.race.importlib.metadata.version", lambda name: "1")
    found = machine("cpu")
    assert found["cores"] == len(usable_cores())
    assert found["machine"]
    assert set(found["features"]) <= cpu_flags()


def test_bfloat16_is_not_raced_where_it_is_emulated(monkeypatch):
    for has in (True, False):
        monkeypatch.setattr("benchmarks.workloads.cpu_has_bfloat16", lambda has=has: has)
        precisions = {row.precision for row in choose("cpu")}
        assert precisions == ({"float32", "bfloat16"} if has else {"float32"})


def test_a_failing_engine_says_why():
    task = Task(TINY.recipe(), TINY.fact_set(), (0, 1), 2, "float32", "in turn", "cpu")
    with (
        Crew("benchmarks.no_such_engine", [usable_cores()[:1]]) as crew,
        pytest.raises(EngineFailed, match="ModuleNotFoundError: No module named"),
    ):
        crew.start(task)


def test_refuses_in_one_line_without_torch_or_workload(monkeypatch, capsys):
    monkeypatch.setattr(compare, "find_spec", lambda name: None)
    assert compare.main([]) == 2
    monkeypatch.setattr(compare, "find_spec", lambda name: True)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert compare.main(["--workload", "none"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "PyTorch is not installed" in first
    assert "no workload on cpu is called 'none'; there are 29k" in second


def test_on_a_machine_without_the_device_nothing_is_written(monkeypatch, capsys, tmp_path):
    def fail(*_):
        raise EngineFailed("RuntimeError: no GPU")

    monkeypatch.setattr(compare, "find_spec", lambda name: True)
    monkeypatch.setattr("benchmarks.race.race", fail)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    out = tmp_path / "out.json"
    assert compare.main(["--device", "gpu", "--out", str(out)]) == 2
    assert not out.exists()
    lines = capsys.readouterr().err.splitlines()
    assert "29k FAILED: RuntimeError: no GPU" in lines
    assert lines[-1] == "no workload could be run on gpu"


def test_exit_code_and_report_say_that_losses_differ(monkeypatch, capsys, tmp_path):
    entry = {
        "workload": "tiny",
        "parameters": 8000,
        "peer": "eager",
        "peer_failures": {"default": "no compiler"},
        **summarize([1.0], [2.0], 10),
        **compare_losses([1.0], [2.0]),
    }
    monkeypatch.setattr(compare, "find_spec", lambda name: True)
    monkeypatch.setattr("benchmarks.race.race", lambda *arguments: dict(entry))
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    out = tmp_path / "deep" / "out.json"
    assert compare.main(["--workload", "29k", "--out", str(out), "--peak-tflops", "1"]) == 1
    written = json.loads(out.read_text())
    assert written[0]["ratio_median"] == 2
    assert written[0]["ours_mfu"] == pytest.approx(10 * (6 * 8000 + 12 * 2 * 32 * 11) / 1e12)
    assert [path.name for path in out.parent.iterdir()] == ["out.json"]
    printed = capsys.readouterr()
    assert "THE LOSSES DIFFER" in printed.out
    assert "THE FINAL LOSSES DIFFER: tiny" in printed.err
    assert "no compiler" in printed.err


@pytest.mark.slow
def test_a_race_of_both_engines(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("benchmarks.race.PEER_MODES", {"cpu": ("eager",)})
    lines = []
    entry = race(TINY, "cpu", lines.append)
    assert entry["pairs"] == 2
    assert entry["losses_agree"]
    assert entry["parameters"] == TINY.model().parameters
    assert 4.5 < entry["final_loss_ours"] < 5.5
    assert lines[-1] == "tiny: pair 2 of 2"


def test_setups_start_alone_on_cpu_and_beside_each_other_on_a_gpu():
    for device in ("cpu", "gpu"):
        setups = list(peer_setups(device, [4, 7], 8))
        groups = started_at_once(device, setups)
        assert sorted(map(str, setups)) == sorted(str(each) for group in groups for each in group)
        if device == "cpu":
            assert all(len(group) == 1 for group in groups)
        else:  # what tunes its kernels by timing them has the GPU to itself
            assert [str(each).split(",")[0] for each in groups[-1]] == [PEER_MODES["gpu"][-1]]
            assert len(groups) == 2


def test_each_row_is_written_when_it_is_raced(monkeypatch, tmp_path):
    out = tmp_path / "out.json"

    def race_once(workload, *_):
        if out.exists():
            raise KeyboardInterrupt
        losses = compare_losses([1.0], [1.0])
        ratios = summarize([1.0], [2.0], 10)
        names = {"workload": workload.name, "parameters": 1, "peer": "eager", "peer_failures": {}}
        return names | ratios | losses

    monkeypatch.setattr(compare, "find_spec", lambda name: True)
    monkeypatch.setattr("benchmarks.race.race", race_once)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with pytest.raises(KeyboardInterrupt):
        compare.main(["--workload", "0.8M", "29k", "--out", str(out)])
    assert [entry["workload"] for entry in json.loads(out.read_text())] == ["0.8M"]
