"""How the site is built: ``sphinx-build docs docs/_build/html``, with ``pip install ".[docs]"``.

Nothing is listed here that grows with the package: pages come by globs, the reference from what modules offer, the
gallery from ``examples/``. No page needs a network: formulas are MathML, search and fonts lie beside the pages.
"""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx_gallery.sorting import FileNameSortKey

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
os.environ["MPLBACKEND"] = "Agg"

project = "sknn"
author = "The sknn developers"
copyright = author
release = version = version_of("sknn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "reference",
    "docstrings",
    "mathml",
    "hand",
    "live_study",
]
exclude_patterns = ["_build", "_templates", "extensions"]
templates_path = ["_templates"]
default_role = "literal"  # `name` in docstrings
nitpicky = True
nitpick_ignore = [("py:class", "sknn.autodiff.tape.Fused")]  # its public name is `op`
nitpick_ignore_regex = [("py:.*", r"sklearn\..*")]  # named, not linked: no page needs a network
suppress_warnings = ["config.cache"]  # the gallery has a function among its settings, which cannot be pickled

# ------------------------------------------------------------------------------------------------------------- pages

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"  # prompts and output are not copied

# --------------------------------------------------------------------------------------------------------- reference

autosummary_generate = True
autosummary_generate_overwrite = True
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 90
autodoc_typehints = "none"  # docstrings say more
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the template has them
numpydoc_class_members_toctree = False

# ----------------------------------------------------------------------------------------------------------- gallery

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",  # all of them are run
    "reset_argv": lambda conf, script: ["output"],  # the folder of pictures; an example runs in its own
    "within_subsection_order": FileNameSortKey,
    "reset_modules": ("matplotlib", "hand.draw_so"),
    "doc_module": ("sknn",),
    "backreferences_dir": "reference/examples",
    "image_srcset": ["2x"],
    "abort_on_example_error": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "download_all_examples": False,
}

# -------------------------------------------------------------------------------------------------------------- HTML

html_theme = "pydata_sphinx_theme"
html_title = "sknn"
html_static_path = ["_static"]
html_extra_path = ["_live"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the reader has it
ALONE = ("index", "choose", "differences", "contribute", "changes")  # pages that have none below them
html_sidebars = {name: [] for name in ALONE}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 8,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
