"""The architecture: imports run downward, rooms are small, and the cache knows all kernels."""

import ast
import graphlib
from functools import cache
from pathlib import Path

import numba
import numpy as np

import biosnn as bs
from biosnn.kernels import arrays, jit, trials

#: Folder -> its level. A module imports from lower levels, and from its own folder.
LEVELS = {
    "support": 0,
    "kernels": 1,
    "data": 2,
    "network": 3,
    "analysis": 3,
    "engine": 4,
    "theory": 5,
    "brian": 5,
    "training": 5,
    "interop": 5,
    "initializer": 6,
    "experiments": 7,
    "__init__": 8,
}
PACKAGE = Path(bs.__file__).parent


@cache
def tree_of(path: Path) -> ast.Module:
    """A module as Python reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> set[tuple[str, ...]]:
    """Modules inside the package that a module imports, as parts of their paths."""
    here, found = path.relative_to(PACKAGE).with_suffix("").parts, set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            base += tuple(node.module.split(".")) if node.module else ()
            for alias in node.names:
                inner = base + (alias.name,)
                is_module = PACKAGE.joinpath(*inner).with_suffix(".py").exists()
                found.add(inner if is_module or PACKAGE.joinpath(*inner).is_dir() else base)
    return found


def test_the_library_imports_itself_relatively_so_that_the_tests_below_see_it():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            assert not [n for n in names if n.partition(".")[0] == "biosnn"], (path, node.lineno)


def test_imports_run_downward_by_folder():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts
        wrong += [
            f"{'/'.join(here)} imports {'/'.join(other)}"
            for other in imports_of(path)
            if here[0] != other[0] and LEVELS[other[0]] >= LEVELS[here[0]]
        ]
    assert not sorted(wrong)


def test_no_module_imports_itself_through_others():
    graph = {}
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts
        if here[-1] != "__init__":
            graph[here] = {other for other in imports_of(path) if len(other) > 1}
    graphlib.TopologicalSorter(graph).prepare()  # CycleError where there is no order


def test_kernels_know_kernels_alone():
    allowed = {("support", "code_cache")}
    for path in (PACKAGE / "kernels").glob("*.py"):
        others = {other for other in imports_of(path) if other[0] != "kernels"}
        assert others <= allowed, path.name


def test_the_cache_of_a_kernel_knows_all_files_with_kernels():
    users = {
        path
        for path in PACKAGE.rglob("*.py")
        if any(other == ("kernels", "jit") for other in imports_of(path))
    }
    assert len(users) > 10 and users <= set(jit._SOURCES)
    if not numba.config.DISABLE_JIT:
        cache = trials.forward.for_python()._cache
        assert cache._cache_file._source_stamp[1] == jit._STAMP


def test_fields_of_rows_are_none_of_numpys():
    """Without the compiler, rows are numpy's records: their `size` would come before a field's."""
    rows = {
        name: each
        for name, each in vars(arrays).items()
        if isinstance(each, np.dtype) and each.names
    }
    assert len(rows) > 8
    for name, row in rows.items():
        assert not [field for field in row.names if hasattr(np.record, field)], name


def lines_of_code(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    size = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return size
    return size - (function.body[0].end_lineno - function.body[0].lineno + 1)


def test_rooms_are_small():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        text, here = path.read_text(encoding="utf-8"), path.relative_to(PACKAGE)
        lines = text.splitlines()
        if len(lines) > 400:
            wrong.append(f"{here} has {len(lines)} lines")
        wrong += [f"{here}:{k}: a long line" for k, line in enumerate(lines, 1) if len(line) > 100]
        wrong += [
            f"{here}: {node.name} has {lines_of_code(node)} lines"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef) and lines_of_code(node) > 50
        ]
    assert not wrong


def test_every_room_says_what_it_is_for():
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(tree_of(path)), path
