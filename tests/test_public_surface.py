"""Every public name is annotated and documented, and what its docstring shows is what happens."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import biosnn as bs

#: Public modules, with the names that they list in __all__.
MODULES = {"bs": bs} | {
    f"bs.{name}": getattr(bs, name)
    for name in bs.__all__
    if isinstance(getattr(bs, name), types.ModuleType)
}
#: Compiled code and the program of a child process have no examples.
WITHOUT_EXAMPLES = ("biosnn.kernels.", "biosnn.support.hdf5_child")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
#: Numpydoc sections that show how a thing is used, or say where that is shown.
SHOWN = ("Examples", "See Also")


def public() -> Iterator[tuple[str, Any]]:
    """Names of functions and classes, such as "bs.stats.isi_cv", with what they stand for."""
    for prefix, module in MODULES.items():
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                yield f"{prefix}.{name}", thing


def functions() -> Iterator[tuple[str, Any]]:
    """Public functions, and the public methods that public classes define themselves."""
    for name, thing in public():
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            for method, value in vars(thing).items():
                function = getattr(value, "__func__", value)
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{method}", function


def sections(docstring: str) -> dict[str, str]:
    """The sections of a numpydoc docstring: heading -> text."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(docstring), flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def described(found: dict[str, str]) -> set[str]:
    """Names of parameters and attributes that have an entry."""
    entries = set()
    for heading in ("Parameters", "Other Parameters", "Attributes"):
        for line in found.get(heading, "").splitlines():
            if line and not line[0].isspace():
                names = line.split(" :")[0].split(",")
                entries |= {name.strip().lstrip("*") for name in names}
    return entries


def arguments(function: Any) -> dict[str, inspect.Parameter]:
    """The arguments that a user writes."""
    if getattr(function, "_is_protocol", False):
        return {}
    given = inspect.signature(function).parameters
    return {n: p for n, p in given.items() if n not in ("self", "cls") and not n.startswith("_")}


@pytest.mark.parametrize("prefix", MODULES)
def test_all_lists_what_is_there_and_once(prefix):
    names = MODULES[prefix].__all__
    assert len(set(names)) == len(names) and all(hasattr(MODULES[prefix], name) for name in names)
    assert MODULES[prefix].__doc__


def test_all_lists_everything_but_the_folders():
    left = {name for name in vars(bs) if not name.startswith("_")} - set(bs.__all__)
    assert all(isinstance(getattr(bs, name), types.ModuleType) for name in left), left


@pytest.mark.parametrize("name, thing", list(public()), ids=[name for name, _ in public()])
def test_a_public_name_has_a_docstring_with_sections(name, thing):
    found = sections(thing.__doc__ or "")
    assert found[""].strip(), f"{name} has no summary"
    assert len(found[""].strip().splitlines()[0]) <= 100, name
    protocol = getattr(thing, "_is_protocol", False)  # nobody calls it
    if not protocol and (not isinstance(thing, type) or not issubclass(thing, Warning)):
        missing = set(arguments(thing)) - described(found)
        assert not missing, f"{name}: no entry for {', '.join(sorted(missing))}"
        assert any(heading in found for heading in SHOWN), (
            f"{name} has no example, nor a link to one"
        )
    if inspect.isfunction(thing):
        silent = inspect.signature(thing).return_annotation in (None, "None")
        assert silent or "Returns" in found or "Yields" in found, f"{name}: no section Returns"


@pytest.mark.parametrize("name, function", list(functions()), ids=[name for name, _ in functions()])
def test_public_functions_and_methods_are_annotated(name, function):
    signature = inspect.signature(function)
    bare = [n for n, p in arguments(function).items() if p.annotation is inspect.Parameter.empty]
    assert not bare, f"{name}: no annotation of {', '.join(bare)}"
    assert signature.return_annotation is not inspect.Signature.empty, f"{name}: returns what?"
    assert function.__doc__, f"{name} has no docstring"


#: What the library makes itself, and nobody writes by position.
RECORDS = (bs.History, bs.InitializerReport, bs.Population, bs.Projection)


def test_a_flag_is_never_given_by_position():
    """Nobody can tell what `FixedInDegree(100, False)` means."""
    flags = [
        f"{name}: {parameter.name}"
        for name, thing in [*public(), *functions()]
        if thing not in RECORDS and not (inspect.isclass(thing) and issubclass(thing, Warning))
        for parameter in inspect.signature(thing).parameters.values()
        if isinstance(parameter.default, bool) and parameter.kind is not parameter.KEYWORD_ONLY
    ]
    assert not flags


def documented_modules() -> list[str]:
    found = [m.name for m in pkgutil.walk_packages(bs.__path__, "biosnn.")]
    return [name for name in found if not name.startswith(WITHOUT_EXAMPLES)]


#: Extra -> the package without which examples that name the extra are left out.
EXTRAS = {
    "pandas": "pandas",
    "xarray": "xarray",
    "neo": "neo",
    "nwb": "pynwb",
    "nir": "nir",
    "sweep": "joblib",
}


def can_run(example: doctest.DocTest) -> bool:
    """Whether the extras that a docstring names, as in biosnn[neo], are there."""
    named = re.findall(r"biosnn\[(\w+)\]", example.docstring or "")
    return all(importlib.util.find_spec(EXTRAS.get(name, "os")) for name in named)


@pytest.mark.parametrize("name", documented_modules())
def test_examples_in_docstrings(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    module = importlib.import_module(name)
    with np.printoptions(legacy=False):
        for example in doctest.DocTestFinder().find(module, extraglobs={"bs": bs, "np": np}):
            if can_run(example):
                runner.run(example)
    assert runner.summarize().failed == 0
