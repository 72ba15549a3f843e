"""Settings of the documentation site: `make docs` builds it in docs/_build.

The pages are plain Markdown that a code host shows as well. `index.rst` has the navigation around `README.md`, and
`api/*.rst` the reference, which is made from docstrings.
"""

import re
import sys
from importlib import import_module
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))
PACKAGES = (
    "twelvelabs_core",
    "langchain_twelvelabs",
    "llama_index_twelvelabs",
    "daft_twelvelabs",
    "twelvelabs_sandbox",
)
for package in map(import_module, PACKAGES):
    for name in package.__all__:
        getattr(
            package, name
        )  # names are lazy; autodoc would import them with TYPE_CHECKING set, which pydantic refuses

project = "twelvelabs-rag"
version = release = version_of(project)
copyright = "The twelvelabs-rag authors, MIT licence"  # noqa: A001  # Sphinx's name for it
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "README.md"]  # index.rst includes README.md
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
myst_heading_anchors = 3

# Docstrings: Google's sections, Markdown inside. Types and defaults are in the signature, one parameter a line.
default_role = "code"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init, kind, to_wire"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [
    "Setup",
    ("Embedding params", "params_style"),
    ("Client params", "params_style"),
    "Instantiate",
    "Load",
    "Async load",
    "Async",
    "Embed single text",
    "Embed multiple texts",
]

# Names of other packages have no page here; every name of this project that a signature shows must have one.
nitpick_ignore_regex = [("py:.*", r"(?!(twelvelabs|langchain_twelvelabs|llama_index_twelvelabs|daft_twelvelabs)).*")]

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def as_restructured_text(
    _app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Write the fenced code blocks of a docstring as reStructuredText does.

    Napoleon accepts no hyphen in the title of a section, and reads the words before a colon in the first line of a
    property as its type; an empty line prevents it.
    """

    def directive(found: re.Match[str]) -> str:
        indent, language, code = found.groups()
        body = "\n".join(f"   {line}" if line else line for line in code.splitlines())
        return f"\n{indent}.. code-block:: {language}\n\n{body}\n"

    lines[:] = FENCE.sub(directive, "\n".join(lines)).replace("Key init args - ", "").split("\n")
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")


def setup(app: Sphinx) -> None:
    """Read docstrings before napoleon does."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)
