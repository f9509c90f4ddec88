"""The docstring of every script is a page of the gallery: a title, what is shown, the command."""

import ast
import io
import tokenize
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


#: Study -> most lines of code: two thirds of what it took before there was a call for it.
STUDIES = {
    "a_inhibition_stabilized": 23,
    "b_starts_compared": 22,
    "c_own_data": 41,
    "d_ring": 21,
    "e_decision": 21,
    "f_delays_and_time_constants": 22,
    "g_long_run": 22,
}


def lines_of_code(text: str) -> int:
    """Lines that are no comment, no docstring and not blank."""
    tree, found = ast.parse(text), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef)) and ast.get_docstring(node):
            found |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    used = {t.start[0] for t in tokens if t.type not in (*skipped, tokenize.ENDMARKER)}
    return len(used - found)


def test_lines_of_code():
    assert lines_of_code('"""A\npage."""\n\n# why\nx = [\n    1,  # one\n]\n') == 3


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_short(name):
    path = ROOT / "docs" / "studies" / f"plot_{name}.py"
    assert lines_of_code(path.read_text(encoding="utf-8")) <= STUDIES[name]
