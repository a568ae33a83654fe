import pytest

from tests.labs.teachers import run_solved


@pytest.mark.slow
def test_the_lab_shows_what_it_says():
    found = run_solved("lab_6_diffusion").values
    assert min(found["best_copies"].values()) > 0.95
    networks = found["networks"]
    copies = {n: network["copies"] for n, network in networks.items()}
    assert copies[8] > 0.9
    assert copies[512] < 0.02
    stored = {n: network["stored"] for n, network in networks.items()}
    assert stored[8] < max(stored.values())
    assert stored[1024] < 0.8 * max(stored.values())
    # Half of the samples are copies about where the network is full.
    full = found["full_at"](list(networks), found["stored_bits"], found["all_bits"])
    assert copies[32] > 0.5 > copies[128]
    assert 32 < full < 128
    assert networks[1024]["error"] < 0.1 < networks[64]["error"]
    memorized, true, claimed, _ = found["of_instruments"].T
    assert list(found["instruments"]) == sorted(found["instruments"])
    assert memorized.argmin() not in (0, len(memorized) - 1)
    assert memorized[0] > 1.2 * memorized.min()
    assert true[0] < 1.01 * true.min()
    assert claimed[0] < 0.3 * memorized[0]
