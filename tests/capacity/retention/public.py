"""Where the figures of public models are, if they are here: they are not ours to copy."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[4] / "shared" / "data"
FOLDER = Path(os.environ.get("FACTCAP_DATA", _BESIDE)) / "retention"

needs_public_models = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no figures of public models; FACTCAP_DATA may name their folder"
)
