"""The role `source`: a link to a file of the repository, or to a function in it.

    :source:`biosnn/network/step_matrix.py`
    :source:`biosnn/network/step_matrix.py:step_matrix`

A file or function that does not exist is a warning, so that pages cannot fall behind the code.
"""

import ast
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/biosnn/biosnn/blob/main/"
LOG = logging.getLogger(__name__)


def line_of(path: Path, name: str) -> int | None:
    """The line where a function, class or method ("Class.method") or constant begins."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = None
    for part in name.split("."):
        found = next((node for node in body if part in _names(node)), None)
        if found is None:
            return None
        body = getattr(found, "body", [])
    return found.lineno


def _names(node: ast.stmt) -> list[str]:
    """What a statement defines."""
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [getattr(node, "name", "")]


def source(
    _role: str, rawtext: str, text: str, lineno: int, inliner: Inliner, *_: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Make the link."""
    file, _, name = text.partition(":")
    path = ROOT / file
    target = REPOSITORY + file
    if not path.exists():
        return [nodes.literal(text, text)], [
            inliner.reporter.warning(f"no file {file}", line=lineno)
        ]
    if name:
        line = line_of(path, name)
        if line is None:
            message = inliner.reporter.warning(f"nothing called {name} in {file}", line=lineno)
            return [nodes.literal(text, text)], [message]
        target += f"#L{line}"
    shown = file.removeprefix("biosnn/") + (f": {name}" if name else "")
    link = nodes.reference(rawtext, "", refuri=target)
    link += nodes.literal(shown, shown)
    return [link], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the role."""
    app.add_role("source", source)
    return {"parallel_read_safe": True}
