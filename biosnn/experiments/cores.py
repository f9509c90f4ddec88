"""Each worker's share of the processors: for biosnn, numba and the linear algebra of numpy."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba

from ..support.threads import at_most

#: What libraries read when they are loaded.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables for a process of this many threads.

    Examples
    --------
    >>> environment(2)["OMP_NUM_THREADS"]
    '2'
    """
    return dict.fromkeys(_VARIABLES, str(threads))


@contextmanager
def limited(threads: int, *, apart: bool = False) -> Iterator[None]:
    """Return a context in which everything takes at most this many threads.

    Parameters
    ----------
    threads
        Their number.
    apart
        Whether this process is there for this alone. BLAS, which knows no limit for one thread
        alone, is then limited for good, where threadpoolctl is installed.
    """
    config: Any = numba.config
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, before if not apart else config.NUMBA_NUM_THREADS))
    if apart:
        _limit_blas(threads)
    try:
        with at_most(threads):
            yield
    finally:
        numba.set_num_threads(before)


@cache
def _limit_blas(threads):
    """Limit the threads of linear algebra and OpenMP in this process."""
    if importlib.util.find_spec("threadpoolctl"):
        importlib.import_module("threadpoolctl").threadpool_limits(threads)
