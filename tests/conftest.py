"""Small networks take batches in as many chunks as large ones: tests see sums over chunks."""

import functools
import gc
import signal
import sys

import pytest

from biosnn.engine import chunks

# A shell starts what it runs in the background with SIGINT ignored; tests of Ctrl-C need it to act,
# and Brian2 keeps the handler that it finds when it is imported.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = (
    ["fuzz"] if sys.platform == "win32" else []
)  # campaigns limit their child processes by means of POSIX


@pytest.fixture(autouse=True, scope="module")
def little_to_collect():
    """What is there before a file of tests stays, and no collection of garbage looks at it.

    Every run of Brian2 makes one, and took most of its time for what was imported.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def one_solution_for_equal_equations():
    """Brian2 asks sympy for the exponential of a matrix, which takes a second, for each run."""
    if "brian2" not in sys.modules:
        yield
        return
    from sympy import ImmutableMatrix

    owner = next(kind for kind in ImmutableMatrix.__mro__ if "exp" in vars(kind))
    exponential = functools.cache(owner.exp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "exp", lambda matrix: exponential(ImmutableMatrix(matrix)))
        yield


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch, request):
    if "real_chunks" not in request.keywords:
        monkeypatch.setattr(chunks, "_LEAST_WORK", 0)
