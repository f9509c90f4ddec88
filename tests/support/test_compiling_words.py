"""What the screen says of compiling: words, rounded guesses that learn, how long it took."""

import re
from contextlib import nullcontext
from pathlib import Path

import numba
import numpy as np
import pytest

from biosnn import kernels
from biosnn.support import code_cache, compiling


@pytest.fixture
def told(monkeypatch):
    """A machine like the one of the table, with a clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(compiling, "_slowness", lambda: 1.0)
    monkeypatch.setattr(compiling.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(compiling, "_LONG", {"a": ("A", 20.0), "b": ("B", 40.0), "c": ("C", 1.0)})
    result = compiling.Told()
    result.now = now
    return result


def compile_within(told, name, seconds, silent=False, failed=False):
    told.begin(name, "once", silent)
    told.begin("b", "once", silent)  # which it calls
    told.now[0] += seconds
    told.end(False)
    told.end(failed)


def test_the_next_kernel_takes_as_many_times_as_long_as_the_first_one(told, capsys):
    compile_within(told, "a", 30.0)
    compile_within(told, "b", 0.0)
    compile_within(told, "a", 1e3)
    compile_within(told, "b", 0.0)
    assert capsys.readouterr().err.splitlines() == [
        "compiling A, about 20 s, once",
        "compiled A in 30 s",
        "compiling B, about a minute, once",
        "compiled B in 0 s",
        "compiling A, about 10 s, once",  # B was quick because its parts were there: half at most
        "compiled A in 1000 s",
        "compiling B, about 3 minutes, once",
        "compiled B in 0 s",
    ]


def test_nothing_is_said_of_what_is_quick_unknown_or_failed(told, capsys):
    compile_within(told, "c", 1.0)
    compile_within(told, "somebody's", 50.0)
    compile_within(told, "a", 20.0, silent=True)
    assert capsys.readouterr().err == ""
    compile_within(told, "a", 1.0, failed=True)
    assert capsys.readouterr().err == "compiling A, about 20 s, once\n"
    compile_within(told, "a", 20.0)  # what has failed says nothing of how long others take
    assert "about 20 s" in capsys.readouterr().err


def test_a_guess_is_rounded_to_what_is_known_of_it():
    for seconds in np.geomspace(3, 2000, 200):
        number, unit = compiling.about(seconds).replace("a ", "1 ").split()
        guess = float(number) * (1 if unit == "s" else 60)
        assert abs(guess - seconds) <= max(2.5, 0.34 * seconds), seconds


def test_kernels_with_words_are_kernels():
    found = {
        name
        for path in Path(kernels.__file__).parent.glob("*.py")
        for name in re.findall(r"^def (\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert set(compiling._LONG) <= found


def wanted(x):
    return 2 * x


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("silent", [False, True])
def test_who_waits_for_another_process_is_told_so(tmp_path, monkeypatch, capsys, silent):
    def taken(path):
        raise BlockingIOError

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "_LONG", {"wanted": ("the simulator", 10.0)})
    monkeypatch.setattr(code_cache, "_LOOK", 1e-3)
    monkeypatch.setattr(code_cache, "_LONGEST_TURN", 0.05)
    monkeypatch.setattr(code_cache, "lock_file", taken)
    kernel = numba.njit(wanted)
    kernel._cache = code_cache.cache_of(wanted, "1")
    with code_cache.silence() if silent else nullcontext():
        assert kernel(21) == 42
    said = "" if silent else "waiting for another process, which is compiling the simulator\n"
    assert capsys.readouterr().err == said
