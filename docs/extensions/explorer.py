"""The explorer goes into the site as it is: it opens from disk and needs nothing of the pages."""

import shutil

from sphinx.application import Sphinx


def _copy(app: Sphinx, error: Exception | None) -> None:
    source = app.srcdir / "explore"
    if error is None and app.builder.format == "html" and source.is_dir():
        left_out = shutil.ignore_patterns("*.py", "__pycache__", "tsconfig.json")
        shutil.copytree(source, app.outdir / "explore", ignore=left_out, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy docs/explore when the pages are written."""
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
