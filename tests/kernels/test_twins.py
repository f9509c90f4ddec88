"""A kernel is an ingredient of kernels that call it, and a whole of its own where Python does."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from biosnn.kernels import jit

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def twice(x):
    return 2 * x


@jit.kernel
def one_more(x):
    return x + 1


@jit.kernel
def two_more(x):
    return one_more(one_more(x))


def half(values):
    if values.size == 0:
        raise ValueError("no values")
    return values[0] / 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def caller_of(inner):
    @jit.kernel
    def outer(x):
        return inner(x) + 1

    return outer


def test_python_and_kernels_get_the_same_values(folder):
    """A kernel without wrappers would crash a call from Python."""
    inner = jit.kernel(twice)
    outer = caller_of(inner)
    assert inner(21) == 42 and outer(20) == 41 and inner(1.5) == 3.0 and outer(1.5) == 4.0
    for _ in range(2):  # also once both are there
        assert inner(21) == 42 and inner(np.float32(1.5)) == 3.0 and inner(x=4) == 8


@pytest.mark.parametrize("first", ["python", "kernel"])
def test_whichever_comes_first(folder, first):
    inner = jit.kernel(twice)
    outer = caller_of(inner)
    calls = [lambda: inner(21) == 42, lambda: outer(20) == 41]
    assert all(call() for call in (calls if first == "python" else calls[::-1]))
    assert len(inner.overloads) == 1 and len(inner.for_python().overloads) == 1
    assert not outer.overloads and len(outer.for_python().overloads) == 1


def test_ingredients_have_no_machine_code_and_no_files(folder):
    inner = jit.kernel(twice)
    caller_of(inner)(20)
    (found,) = inner.overloads.values()
    name, engine = found.fndesc.llvm_func_name, found.library.codegen._engine
    assert type(found.library) is jit._Inner and not engine._ee.get_function_address(name)
    assert [path.name.partition("-")[0] for path in folder.rglob("*.nbc")] == [
        "test_twins.caller_of.locals.outer"
    ]


def test_wholes_have_the_code_of_numba(folder):
    outer = caller_of(jit.kernel(twice))
    outer(20)
    (found,) = outer.for_python().overloads.values()
    name, engine = found.fndesc.llvm_func_name, found.library.codegen._engine
    assert type(found.library) is numba.core.codegen.JITCodeLibrary
    assert engine._ee.get_function_address(name)
    assert numba.njit(twice)(3) == 6  # what others compile meanwhile is as ever
    assert numba.core.codegen.JITCPUCodegen._library_class is numba.core.codegen.JITCodeLibrary


def test_options_reach_ingredients_and_wholes(folder):
    for decorate, contracted in ((jit.kernel, False), (jit.reduction, True)):
        inner = decorate(twice)
        for dispatcher in (inner, inner.for_python()):
            options = dispatcher.targetoptions
            assert options["nogil"] and options["error_model"] == "numpy"
            assert ("fastmath" in options) == contracted


def test_errors_of_ingredients_reach_python(folder):
    inner = jit.kernel(half)
    outer = caller_of(inner)
    assert outer(np.array([4.0])) == 3.0
    for kernel in (inner, outer):
        with pytest.raises(ValueError, match="no values"):
            kernel(np.empty(0))
        with pytest.raises(numba.TypingError):
            kernel("no numbers")
    assert numba.core.codegen.JITCPUCodegen._library_class is numba.core.codegen.JITCodeLibrary


CHILD = """
import sys
sys.path.insert(0, {root!r})
from tests.kernels import test_twins
print(test_twins.two_more(40))
print(sum(test_twins.two_more.for_python().stats.cache_hits.values()))
print(len(test_twins.one_more.overloads))
"""


def test_a_second_process_loads_what_the_first_has_compiled(folder):
    code = CHILD.format(root=str(Path(__file__).parents[2]))
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_CACHE_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        for _ in range(2)
    ]
    assert [done.stdout.split() for done in found] == [["42", "0", "1"], ["42", "1", "0"]], found[
        1
    ].stderr
