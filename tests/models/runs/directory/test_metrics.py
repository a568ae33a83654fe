import json

from factcap.models.runs.directory.metrics import MetricsFile


def test_what_comes_after_a_step_is_dropped_and_what_was_cut_off(tmp_path):
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    metrics.drop_after(0)
    assert not metrics.path.exists()
    for step in (100, 200, 300):
        metrics.append({"step": step})
    metrics.close()
    with metrics.path.open("a") as file:
        file.write('{"step": 200')
    metrics.drop_after(200)
    metrics.append({"step": 300, "loss": 1.0})
    metrics.close()
    lines = [json.loads(line) for line in metrics.path.read_text().splitlines()]
    assert lines == [{"step": 100}, {"step": 200}, {"step": 300, "loss": 1.0}]
