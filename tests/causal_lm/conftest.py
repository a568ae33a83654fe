import pytest


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny models are quickest on one thread, beside other tests more so."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
