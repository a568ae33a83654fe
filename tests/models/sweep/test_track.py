import json
import sys
import types

import pytest

from factcap.models import Store, run_specs
from factcap.models.sweep.track import Tracking, tracker
from factcap.synth import BadInput


class FakeLibrary(types.ModuleType):
    """The functions that Weights & Biases and trackio have in common."""

    def __init__(self, name):
        super().__init__(name)
        self.begun, self.lines, self.ended = [], [], 0

    def init(self, **named):
        self.begun.append(named)
        return types.SimpleNamespace(
            log=lambda line, step=None: self.lines.append((step, line)), finish=self.finish
        )

    def finish(self):
        self.ended += 1


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_each_line_is_sent_once(tmp_path, monkeypatch, name):
    library = FakeLibrary(name)
    monkeypatch.setitem(sys.modules, name, library)
    store = Store.create(tmp_path / "store")
    [spec] = run_specs([{"facts": {"generator": "phonebook", "facts": 10}}])
    folder = store.directory(spec.id)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(spec.config))
    tracking = Tracking(store, tracker(name, "study"))
    tracking.look([spec.id])
    assert library.begun == []
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 100, "loss": 2.0}\n{"step": 200, "lo')
        file.flush()
        tracking.look([spec.id])
        tracking.look([spec.id])
        file.write('ss": 1.0}\n')
    tracking.look([spec.id])
    tracking.close()
    assert library.lines == [(100, {"loss": 2.0}), (200, {"loss": 1.0})]
    assert library.ended == 1
    [begun] = library.begun
    assert (begun["project"], begun["name"], begun["config"]) == ("study", spec.id, spec.config)
    assert begun.get("id") == (spec.id if name == "wandb" else None)


def test_a_tracker_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(BadInput, match=r"wandb is not installed: pip install wandb"):
        tracker("wandb", "study")
    with pytest.raises(BadInput, match="no tracker is called 'paper'; there are wandb, trackio"):
        tracker("paper", "study")
