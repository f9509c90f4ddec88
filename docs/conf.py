"""How Sphinx builds the documentation: `python -m sphinx -W --keep-going docs docs/_build/html`.

Pages are written by hand, in reStructuredText; tutorials and how-to pages are programs that the
build runs; what README and other files of the repository say already is included from there.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "extensions")]

import annotations  # noqa: E402, F401 (before biosnn, whose signatures it shortens)
from figures import figures  # noqa: E402

import biosnn  # noqa: E402

project = "biosnn"
author = "biosnn developers"
copyright = author
version = release = biosnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "pages",
    "programs",
    "source_links",
]
root_doc = "index"
exclude_patterns = [
    "_build",
    "tutorials",
    "studies",
    "howto",
    "galleries",
    "programs",
    "generated/sources",
]
templates_path = ["_templates"]
default_role = "py:obj"
nitpicky = True
# Only names of biosnn must lead somewhere; those of numpy and others have no pages here.
# Nor need those that are not public, such as `biosnn.network.synapses.Rows` in an annotation.
_NOT_PUBLIC = r"biosnn\.(network|engine|training|initializer|support|analysis|kernels)(\..*)?"
nitpick_ignore_regex = [
    (r"py:.*", r"(?s)(?!biosnn\.).*"),
    (r"py:.*", _NOT_PUBLIC),
    (r"py:.*", r"biosnn\.\w+\.\w+\..*"),
]
suppress_warnings = ["config.cache"]  # functions in the options of sphinx_gallery
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
maximum_signature_line_length = 88
numpydoc_show_class_members = False
viewcode_line_numbers = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

GALLERIES = ("tutorials", "studies", "howto", "examples", "models")
sphinx_gallery_conf = {
    "examples_dirs": [
        "tutorials",
        "studies",
        "howto",
        "generated/sources/examples",
        "generated/sources/models",
    ],
    "gallery_dirs": [f"generated/{name}" for name in GALLERIES],
    "filename_pattern": r"(tutorials|studies|howto|sources/examples)/|tsodyks_markram",
    "ignore_pattern": r"__init__|/_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": (figures,),
    "ignore_repr_types": r"matplotlib|Trace|Figure",
    "doc_module": ("biosnn",),
    "backreferences_dir": "generated/backreferences",
    "default_thumb_file": str(DOCS / "_static" / "thumbnail.png"),
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 5,
    "show_memory": False,
    "write_computation_times": False,
    "plot_gallery": True,
    "parallel": 2,
}

html_theme = "pydata_sphinx_theme"
html_title = "biosnn"
html_static_path = ["_static"]
html_css_files = ["biosnn.css"]
html_show_sourcelink = False
html_sidebars = {
    "index": [],
    "generated/tutorials/plot_0*": [],
    "generated/measured": [],
    "generated/contributing": [],
    "generated/changelog": [],
}
html_theme_options = {
    "github_url": "https://github.com/biosnn/biosnn",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
