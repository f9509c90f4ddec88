"""The docstring of every script is a page of the gallery: a title, what is shown, the command."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_SCRIPTS = ("__init__.py", "command_line.py", "activity.py")
SCRIPTS = {
    path.parent.name if path.name == "__main__.py" else path.stem: path
    for pattern in ("models/*.py", "models/*/__main__.py", "models/examples/*.py")
    for path in sorted(ROOT.glob(pattern))
    if path.name not in NOT_SCRIPTS
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_a_page(name):
    path = SCRIPTS[name]
    page = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    title, underline, blank, *rest = page.splitlines()
    assert underline == "=" * len(title)
    assert blank == ""
    package = "models.examples" if path.parent.name == "examples" else "models"
    assert f"    python -m {package}.{name}" in "\n".join(rest)


def test_all_scripts_are_found():
    assert {"brunel_2000", "rossbroich_2022", "perceptual_decision", "tables"} <= set(SCRIPTS)
    assert len(SCRIPTS) >= 24
