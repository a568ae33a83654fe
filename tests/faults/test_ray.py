import importlib
import socket

import pytest

from factcap.models import Store, run_specs, run_sweep
from factcap.models.sweep.file import configurations
from factcap.synth import BadInput
from tests.faults.sweeps import attempts, numbers, write_sweep

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster():
    ray = pytest.importorskip("ray", reason="needs the extra `cluster`")
    utilities = importlib.import_module("ray.cluster_utils")
    both = utilities.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield both
    ray.shutdown()
    both.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_a_node_that_dies_changes_nothing(tmp_path, cluster):
    from factcap.models.sweep.engines.cluster import RayEngine

    specs = run_specs(configurations(write_sweep(tmp_path / "sweep.py", 8, steps=3000)))
    alone = Store.create(tmp_path / "alone")
    assert run_sweep(specs, alone, workers=1).failed == {}

    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    store, lost = Store.create(tmp_path / "cluster"), []

    def lose_a_node():
        begun = [
            run for run in store.runs() if list(store.directory(run).glob("checkpoint/*.json"))
        ]
        if not lost and len(begun) >= 4:
            lost.append(node)
            cluster.remove_node(node, allow_graceful=False)

    ended = run_sweep(
        specs,
        store,
        engine=lambda: RayEngine(cluster.address),
        progress=lose_a_node,
        checkpoint_seconds=0.2,
    )
    assert lost
    assert ended.failed == {}
    assert numbers(store.root) == numbers(alone.root)
    assert sum(map(len, attempts(store.root).values())) > len(specs)  # one went on elsewhere


def test_an_address_that_does_not_answer_is_one_line():
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    from factcap.models.sweep.engines.cluster import RayEngine

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(BadInput, match=f"no Ray cluster is reached at 127.0.0.1:{port}"):
        RayEngine(f"127.0.0.1:{port}")
    with pytest.raises(BadInput, match="a Ray address is auto or host:port, not 'nowhere'"):
        RayEngine("nowhere")


def test_a_cluster_that_does_not_answer_changes_nothing_on_disk(tmp_path, call):
    pytest.importorskip("ray", reason="needs the extra `cluster`")
    file = write_sweep(tmp_path / "sweep.py", 2)
    words = ("--engine", "ray", "--address", "localhost:1", "--out", tmp_path / "store")
    code, out, err = call("sweep", file, *words)
    assert (code, out) == (2, "")
    assert err.startswith("factcap: no Ray cluster is reached at localhost:1")
    assert err.count("\n") == 1
    assert not (tmp_path / "store").exists()
