"""Settings of the site; `make docs` builds it."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "factcap"
author = "the authors of factcap"
html_title = "factcap"
language = "en"
nitpicky = True

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_design",
    "sphinx_copybutton",
    "docs.extensions.mathml",
    "docs.extensions.docstrings",
    "docs.extensions.signatures",
    "docs.extensions.reference",
    "docs.extensions.commands",
    "docs.extensions.gallery",
    "docs.extensions.explorer",
    "docs.extensions.links",
]
templates_path = ["_templates"]
exclude_patterns = ["extensions", "explore", "_build"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

highlight_language = "text"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
# Summaries are fetched, which a browser does not allow for a site opened from disk.
html_show_search_summary = False
html_show_copyright = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# The reference of causal_lm is made without PyTorch, which is large.
autodoc_mock_imports = ["torch", "transformers", "datasets"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
toc_object_entries_show_parents = "hide"
napoleon_use_ivar = True
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 88
