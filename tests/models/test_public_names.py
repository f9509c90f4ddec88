"""Models, examples and comparisons use public names of biosnn alone."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

import biosnn as bs

ROOT = Path(__file__).parents[2]
FILES = {
    str(path.relative_to(ROOT)): path
    for folder in ("models", "validation")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "internals.py"
}


def imports_that_are_not_public(tree: ast.AST) -> list[str]:
    """All of biosnn but the package itself, and names with an underscore from anywhere."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.startswith("biosnn.")]
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inside = module.split(".")[0] == "biosnn"
            found += [f"{module}.{a.name}" for a in node.names if inside or a.name[0] == "_"]
    return found


def attributes_that_are_not_public(tree: ast.AST) -> list[str]:
    """Names that `bs` and its modules do not list, and attributes with an underscore of others."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value
        if node.attr.startswith("_") and not node.attr.startswith("__"):
            found += [] if ast.unparse(owner) in ("self", "super()") else [node.attr]
        if isinstance(owner, ast.Name) and owner.id == "bs":
            found += [] if node.attr in bs.__all__ or node.attr == "__version__" else [node.attr]
        if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name):
            module = getattr(bs, owner.attr, None) if owner.value.id == "bs" else None
            if isinstance(module, ModuleType):
                listed = getattr(module, "__all__", dir(module))
                found += [] if node.attr in listed else [f"{owner.attr}.{node.attr}"]
    return found


@pytest.mark.parametrize("name", FILES)
def test_scripts_use_public_names(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    assert imports_that_are_not_public(tree) + attributes_that_are_not_public(tree) == []


def test_names_that_are_not_public_are_found():
    text = "from biosnn.training.train import _Session\nimport biosnn.kernels\nbs.secret\nnet._x"
    tree = ast.parse(text + "\nbs.data.secret\nself._mine\nbs.data.randman\nfrom .report import _t")
    assert len(imports_that_are_not_public(tree)) == 3
    assert sorted(attributes_that_are_not_public(tree)) == ["_x", "data.secret", "secret"]


def test_models_know_nothing_of_validation():
    for name, path in FILES.items():
        if name.startswith("models"):
            assert "import validation" not in path.read_text(encoding="utf-8"), name
            assert "from validation" not in path.read_text(encoding="utf-8"), name
