"""The configuration of the site; what it generates at build time is written by generate.py."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import fastneuron  # noqa: E402

project = "fastneuron"
author = "fastneuron developers"
version = release = fastneuron.__version__
extensions = [
    "fastneuron.sphinx",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build", "**/sg_execution_times.rst", "sg_execution_times.rst", "gallery_scripts"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # the docstrings say it, with shapes and units
autodoc_preserve_defaults = True
numpydoc_show_class_members = False  # the class template lists them

sphinx_gallery_conf = {
    "examples_dirs": "gallery_scripts",
    "gallery_dirs": "gallery",
    "filename_pattern": "",
    "within_subsection_order": "FileNameSortKey",
    "matplotlib_animations": False,  # its players ask the network for fonts
    "write_computation_times": False,
    "min_reported_time": 3600,  # pages do not differ from build to build
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "image_scrapers": "generate.scrape",
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "fastneuron"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sphinx = False
html_sidebars = {page: [] for page in ("index", "tutorial", "changelog", "contributing")}
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}

# files above this folder that have a page of their own here
_PAGES = {
    "README.md": "index",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "bench/README.md": "benchmarks",
}


def _link_files_above(app, page, source):
    """Links to files above this folder lead to their pages."""
    link = re.compile(rf"\]\((?:\.\./)+({'|'.join(map(re.escape, _PAGES))})")
    source[0] = link.sub(lambda found: f"](/{_PAGES[found[1]]}.md", source[0])


def _generate(app, config):
    """Write the reference and the gallery before Sphinx looks for pages."""
    config.autosummary_generate = generate.everything(HERE)


def setup(app):
    """Connect what is above."""
    app.connect("config-inited", _generate)
    app.connect("source-read", _link_files_above)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
