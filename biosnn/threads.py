"""How many threads, and work on several of them. Kernels release the interpreter lock."""
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def default_threads():
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_threads(threads):
    """The number of threads to use: all processors if None."""
    threads = default_threads() if threads is None else threads
    if not isinstance(threads, (int, np.integer)) or threads < 1:
        raise ValueError(f"threads is {threads!r}; it must be a whole number >= 1.")
    return int(threads)


def on_threads(work, jobs, threads=None):
    """[work(*job) for job in jobs], on several threads."""
    threads = checked_threads(threads)
    if threads == 1 or len(jobs) == 1:
        return [work(*job) for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return [done.result() for done in [pool.submit(work, *job) for job in jobs]]
