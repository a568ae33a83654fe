"""Real fact sets, where they are here: they are not ours to copy.

They lie in `shared/data` beside the checkout, or where FACTCAP_DATA says.
"""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "data"
DATA = Path(os.environ.get("FACTCAP_DATA", _BESIDE))
PUBLIC_MODELS = DATA / "retention"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real fact sets are not here; FACTCAP_DATA may name their folder"
)
needs_public_models = pytest.mark.skipif(
    not PUBLIC_MODELS.is_dir(),
    reason="the figures of public models are not here; FACTCAP_DATA may name the folder above",
)
