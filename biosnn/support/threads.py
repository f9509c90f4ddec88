"""How many threads, and work on several of them. Kernels release the interpreter lock."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from .checks import whole
from .warn import warn

#: Seconds between looks at Ctrl-C, where waiting for a thread cannot be interrupted (Windows).
_LOOK = 0.1
#: In which MPI says how many processes it has started on a machine.
_NEIGHBOURS = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
_PATIENCE = 0.2  # seconds in which threads that were told to stop do so, unless they are compiling


def default_threads() -> int:
    """Return the number of processors that this process may use.

    It follows from the machine, the affinity of the process, and the quotas of its control groups,
    rounded down; and from `at_most`.
    """
    if hasattr(os, "process_cpu_count"):
        given = os.process_cpu_count()
    else:
        given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, int(min(given or 1, _quota(), _share.get())))


def own_share() -> int:
    """Return the processors of this process, where MPI has started others on the same machine.

    A process that is bound to some of the processors has those; processes that all may use all
    share them.
    """
    mine = default_threads()
    started = next((os.environ[name] for name in _NEIGHBOURS if name in os.environ), "1")
    bound = mine < (os.cpu_count() or 1)
    return mine if bound or not started.isdigit() else max(1, mine // max(1, int(started)))


_share: ContextVar[float] = ContextVar("share of the processors", default=np.inf)


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """Return a context in which what this thread calls takes no more processors than `threads`.

    Parameters
    ----------
    threads
        Their number.

    Examples
    --------
    >>> with at_most(1):
    ...     default_threads()
    1
    """
    before = _share.set(threads)
    try:
        yield
    finally:
        _share.reset(before)


def checked_threads(threads: int | None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    threads
        Their number; None: all processors. More threads than processors give one warning.
    """
    if threads is None:
        return default_threads()
    threads, most = whole(threads, "threads", 1), default_threads()
    if threads > most:
        _warn_once(threads, most)
    return threads


@cache
def _quota():
    """The processors that control groups leave to this process."""
    return processors_of_groups(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))


def processors_of_groups(own: Path, mounted: Path) -> float:
    """Return the smallest quota of the control groups of a process (Linux, version 1 or 2).

    There may be a quota at every level. In a container the path may be that of the machine, of
    which only the end or the root is visible.

    Parameters
    ----------
    own
        The file that lists the groups.
    mounted
        The folder of all groups.

    Returns
    -------
    Processors; infinite without a quota.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return np.inf
    least = np.inf
    for line in lines:
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        folders = {"": [mounted, mounted / "unified"]}.get(
            controllers, [mounted / controllers, mounted / "cpu"]
        )
        if not controllers or "cpu" in controllers.split(","):
            parts = [part for part in path.split("/") if part not in ("", "..")]
            least = min(
                [
                    least,
                    *(
                        _quota_of(folder.joinpath(*parts[:k]))
                        for folder in folders
                        for k in range(len(parts) + 1)
                    ),
                ]
            )
    return least


def _quota_of(group):
    """The processors that one group has."""
    try:
        if (group / "cpu.max").exists():
            most, period = (group / "cpu.max").read_text().split()
        else:
            most, period = (
                (group / f"cpu.cfs_{what}_us").read_text() for what in ("quota", "period")
            )
        return float(most) / float(period) if float(most) > 0 else np.inf
    except (OSError, ValueError, ZeroDivisionError):  # none, "max", or something new
        return np.inf


_warned: list[bool] = []


def _warn_once(threads, most):
    """Warn of more threads than processors, once in a process."""
    if not _warned:
        _warned.append(True)
        warn(
            f"threads is {threads}, and this process may use {most} processor{'s' * (most > 1)}: "
            "more threads than processors wait for each other, which can take many times as long. "
            "Leave threads out to use all processors."
        )


# --------------------------------------------------------------------------------------------- work


class _Team:
    """Threads that take one job after the other."""

    def __init__(self, work, jobs):
        self.work, self.jobs = work, deque(enumerate(jobs))
        self.results, self.error, self._ended = [None] * len(jobs), None, SimpleQueue()

    def serve(self):
        """Take jobs until there are none."""
        try:
            while True:
                try:
                    k, job = self.jobs.popleft()
                except IndexError:
                    return
                self.results[k] = self.work(*job)
        except BaseException as error:  # noqa: BLE001 - raised anew where the work was ordered
            self.error = self.error or error
            self.jobs.clear()
        finally:
            self._ended.put(True)

    def wait_for_one(self, seconds):
        """Wait until a thread has ended.

        Not by Thread.join, which takes a thread for ended where Ctrl-C interrupts it (Python 3.11).
        """
        last = time.monotonic() + seconds
        while True:
            try:
                return self._ended.get(timeout=min(_LOOK, max(0.0, last - time.monotonic())))
            except Empty:
                if time.monotonic() >= last:
                    return False


def on_threads(
    work: Callable[..., Any],
    jobs: Sequence[Any],
    threads: int | None = None,
    stop: np.ndarray | None = None,
) -> list[Any]:
    """Return [work(*job) for job in jobs], done by several threads.

    The main thread never works itself, so that Ctrl-C reaches it at once. KeyboardInterrupt ends
    the work between two jobs or, where kernels look at it, by stop[0] = 1. What a thread still
    compiles goes on behind the scenes.

    Parameters
    ----------
    work
        A function. Threads help only while it releases the lock of the interpreter.
    jobs
        Tuples of its arguments.
    threads
        Their number; None: all processors.
    stop
        An array that kernels look at.

    Examples
    --------
    >>> on_threads(lambda a, b: a + b, [(1, 2), (3, 4)])
    [3, 7]
    """
    threads, team = min(checked_threads(threads), len(jobs)), _Team(work, jobs)
    if threads <= 1 and threading.current_thread() is not threading.main_thread():
        return [work(*job) for job in jobs]
    members = [threading.Thread(target=team.serve, daemon=True) for _ in range(threads)]
    try:
        for member in members:
            member.start()
        for _ in members:
            team.wait_for_one(np.inf)
        if team.error is not None:
            raise team.error
    except BaseException:
        team.jobs.clear()
        if stop is not None:
            stop[0] = 1
        last = time.monotonic() + _PATIENCE
        while any(member.is_alive() for member in members) and team.wait_for_one(
            last - time.monotonic()
        ):
            pass
        raise
    return team.results
