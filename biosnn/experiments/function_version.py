"""Name and version of a function: when its code changes, what it once computed no longer counts.

The version is a digest of its source, without comments, docstring and layout; of the functions and
classes of the same module that it names, and of those that they name; and of what it takes from
outside, as a global, a default or an argument of a partial: numbers, texts, arrays, networks, spike
trains, and lists, dicts and dataclasses of them.
"""

import ast
import functools
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..network.network import Network
from ..support import checks, fingerprint
from ..support.warn import warn

_PASSING = {"tape", "wall", "seconds"}  # fields of runs with addresses, and times that they took
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # in words that say nothing of what an object holds


def described(
    function: Callable[..., Any], version: Any = None, *, kept: bool = False
) -> tuple[str, str]:
    """Return the name of a function, and the version of its code.

    Parameters
    ----------
    function
        A function, or a partial of one.
    version
        A text that takes the place of the digest.
    kept
        Whether results are stored: a warning then names what the digest says nothing of.

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
    found = _Contents(inner.__module__)
    digest = fingerprint.digest(found.of_function(function))
    if kept and found.unknown:
        warn(
            f"{name} uses {', '.join(found.unknown)}, and nobody can tell whether that is as it "
            "was when results were stored. Let the function make such things itself, or give "
            "version='1', and another text whenever earlier results no longer count."
        )
    return name, digest


def _unwrapped(function):
    """The function within partials."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


class _Contents:
    """What things hold, as JSON can hold it; each of them is looked at once.

    Parameters
    ----------
    module
        Name of the module whose functions and classes are looked into.
    """

    def __init__(self, module: str):
        self.unknown: list[str] = []  # what it can say nothing of
        self._module = module
        self._seen: dict[int, tuple[Any, Any]] = {}  # with the things, whose addresses must last

    def of_function(self, function: Any) -> Any:
        """Return what the results of a function follow from."""
        if isinstance(function, functools.partial):
            given = function.args, function.keywords
            return [
                self.of_function(function.func),
                *(self.of(each, "an argument") for each in given),
            ]
        if id(function) in self._seen:
            return self._seen[id(function)][1]
        self._seen[id(function)] = function, function.__qualname__  # a function may name itself
        outer = {name: self.of(value, name) for name, value in sorted(_outer(function).items())}
        defaults = [function.__defaults__, function.__kwdefaults__]
        return [_source(function), outer, self.of(defaults, "a default")]

    def of(self, value: Any, name: str) -> Any:
        """Return what a thing holds that has this name."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if hasattr(type(value), "__array__"):  # of numpy, pandas, torch and others
            return self._of_array(np.asarray(value), name)
        if callable(value):
            value = inspect.unwrap(getattr(value, "py_func", value))  # py_func: of numba
        if inspect.isfunction(value) or isinstance(value, functools.partial):
            return self._of_code(value)
        if isinstance(value, type):
            return self._of_class(value)
        if isinstance(value, ModuleType) or (callable(value) and not hasattr(value, "__dict__")):
            return getattr(value, "__name__", type(value).__name__)
        if id(value) not in self._seen:
            self._seen[id(value)] = value, type(value).__qualname__  # it may hold itself
            self._seen[id(value)] = value, self._of_object(value, name)
        return self._seen[id(value)][1]

    def _of_code(self, function):
        """A function: all of it in the same module, the name of others."""
        inner = _unwrapped(function)
        if not inspect.isfunction(inner) or inner.__module__ != self._module:
            own = getattr(inner, "__qualname__", type(inner).__qualname__)
            if function is inner:
                return own
            return [own, *(self.of(each, own) for each in (function.args, function.keywords))]
        return self.of_function(function)

    def _of_class(self, kind):
        """A class: what stands in it in the same module, the name of others."""
        if kind.__module__ != self._module or id(kind) in self._seen:
            return kind.__qualname__
        self._seen[id(kind)] = kind, kind.__qualname__
        own = () if is_dataclass(kind) else ("__init__", "__call__")
        inside = {k: v for k, v in sorted(vars(kind).items()) if k in own or k[:2] != "__"}
        return [kind.__qualname__, {k: self._member(v, k) for k, v in inside.items()}]

    def _member(self, value, name):
        """What a name in a class stands for."""
        for inner in ("__func__", "fget", "func"):  # of methods and properties
            value = getattr(value, inner, value)
        return type(value).__name__ if inspect.isdatadescriptor(value) else self.of(value, name)

    def _of_array(self, array, name):
        """Type, shape and digest of an array."""
        if array.dtype.kind == "O":
            return [str(array.shape), self.of(array.tolist(), name)]
        content = hashlib.blake2b(np.ascontiguousarray(array)).hexdigest()
        return [array.dtype.str, list(array.shape), content]

    def _of_object(self, value, name):
        """A network, a collection, a dataclass, or an object of a class of the module."""
        kind = type(value).__qualname__
        if isinstance(value, Network):
            training = [[p.frozen, p.gradient_to_source] for p in value.projections]
            learned = self.of([value.weights, value.parameters], name)
            return [kind, value.fingerprint(), learned, training]
        if isinstance(value, Mapping):
            by_key = sorted(
                ((f"{k!r}", each) for k, each in value.items()), key=lambda pair: pair[0]
            )
            return [kind, [[key, self.of(each, name)] for key, each in by_key]]
        if isinstance(value, (list, tuple)):
            return [self.of(each, name) for each in value]
        if is_dataclass(value):
            names = {each.name for each in fields(value)} - _PASSING
            parts = {each: getattr(value, each) for each in names}
            if isinstance(value, Trace):
                parts["spikes"] = value.spikes  # which its tape has
            return [self._of_class(type(value)), self.of(parts, name)]
        if type(value).__module__ == self._module and hasattr(value, "__dict__"):
            return [self._of_class(type(value)), self.of(vars(value), name)]
        if hasattr(value, "tocoo"):  # a sparse matrix of scipy
            sparse = value.tocoo()
            return [kind, list(value.shape), self.of([sparse.row, sparse.col, sparse.data], name)]
        return self._of_words(value, name)

    def _of_words(self, value, name):
        """What an object prints, if that says more than where it is."""
        words = (
            repr(sorted(map(repr, value))) if isinstance(value, (set, frozenset)) else repr(value)
        )
        if _ADDRESS.search(words):
            self.unknown.append(f"{name} ({type(value).__name__})")
            return type(value).__qualname__
        return words


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
