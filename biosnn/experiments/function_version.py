"""Name and version of a function: when its code changes, what it once computed no longer counts.

The version is a digest of its source, without comments, docstring and layout; of the functions of
the same module that it names, and of those that they name; and of the numbers, texts and arrays
outside that they use.
"""

import ast
import functools
import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from ..support import checks, fingerprint


def described(function: Callable[..., Any], version: Any = None) -> tuple[str, str]:
    """Return the name of a function, and the version of its code.

    Parameters
    ----------
    function
        A function, or a partial of one.
    version
        A text that takes the place of the digest.

    Raises
    ------
    ValueError
        If it cannot be called, or is an object whose code says too little.

    Examples
    --------
    >>> described(lambda g: g, "1")
    ('<lambda>', '1')
    """
    if not callable(function) or isinstance(function, type):
        checks.refuse("function", function, "a function of the parameters of grid")
    inner = _unwrapped(function)
    name = getattr(inner, "__qualname__", type(inner).__name__).rpartition("<locals>.")[2]
    if version is not None:
        if not checks.is_text(version) or not version:
            checks.refuse("version", version, "a text, such as '2'")
        return name, version
    if not inspect.isfunction(inner):
        raise ValueError(
            f"function is {checks.shown(function)}, whose results depend on more than its code: "
            "give version='1', and another text whenever earlier results no longer count."
        )
    return name, fingerprint.digest(_described(function, {}))


def _unwrapped(function):
    """The function within partials."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _described(function, seen):
    """What the results of a function follow from, as JSON can hold it."""
    if isinstance(function, functools.partial):
        inner = _described(function.func, seen)
        return [inner, _constant(function.args), _constant(function.keywords)]
    if id(function) in seen:
        return seen[id(function)]
    seen[id(function)] = function.__qualname__  # a function may name itself
    names = {}
    for name, value in sorted(_outer(function).items()):
        if inspect.isfunction(value) and value.__module__ == function.__module__:
            names[name] = _described(value, seen)
        elif (constant := _constant(value)) is not None:
            names[name] = constant
    return [_source(function), names, _constant(function.__defaults__ or ())]


def _outer(function):
    """What a function takes from outside: name -> value."""
    try:
        found = inspect.getclosurevars(function)
    except (TypeError, ValueError):  # a closure that is not filled yet
        return {}
    inner = {}
    for code in function.__code__.co_consts:  # functions and comprehensions within it
        if inspect.iscode(code):
            inner |= {
                n: function.__globals__[n] for n in code.co_names if n in function.__globals__
            }
    return inner | dict(found.globals) | dict(found.nonlocals)


def _constant(value):
    """A number, text or array, or a list or dict of numbers and texts; None for all else."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        content = hashlib.blake2b(np.ascontiguousarray(value)).hexdigest()
        value = [value.dtype.str, value.shape, content]
    try:
        return json.loads(json.dumps(value, sort_keys=True))
    except (TypeError, ValueError, RecursionError):
        return None


def _source(function):
    """The code of a function, without comments, docstrings and layout."""
    try:
        tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # typed at a prompt, or in the middle of a statement
        return _compiled(function.__code__)
    if function.__name__ == "<lambda>":
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        return ast.unparse(found[0]) if len(found) == 1 else _compiled(function.__code__)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _compiled(code):
    """What the interpreter runs, which differs between versions of Python."""
    constants = [_compiled(c) if inspect.iscode(c) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), constants]
