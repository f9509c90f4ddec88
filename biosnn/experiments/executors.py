"""One way through all executors: batches of points go out, and what comes of them comes back.

Whatever has `submit` is an executor: it returns a future that has `result` and `done`, or calls
back when it is done.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import Any

from ..support import checks
from ..support.optional import optional
from ..support.progress import ThrownAway, at_once
from ..support.threads import checked_threads, default_threads
from . import cores
from .points import Job
from .worker import Compute, Outcome, failure

_LOOK = 0.1  # seconds between looks at Ctrl-C, and at futures that do not call back
_IDLE = 60  # seconds after which workers of our own end
_ORPHANED = 1.0  # seconds between looks whether the process that started a worker is there
_MOST_WORKERS = 1024  # of one machine
_JOBS = 16  # of submitit, for a sweep
_ALLOWED = (
    "None (all processors), a number of workers (1: this process), or an object with a method "
    "submit, such as a Client of dask, an executor of submitit, mpi4py.futures or "
    "concurrent.futures"
)

Batch = tuple[Job, ...]
Pressed = Callable[[], bool]
Look = Callable[[], None]


class Here:
    """The process itself, one point after the other."""

    def outcomes(
        self, compute: Compute, jobs: Sequence[Job], batch: int | None, pressed: Pressed, look: Look
    ) -> Iterator[list[Outcome]]:
        """Yield what comes of points, until Ctrl-C, which ends a point at once."""
        for job in jobs:
            try:
                with at_once():
                    found = compute([job])
            except ThrownAway:
                return
            yield found
            if pressed():
                return


class Own:
    """Processes of joblib's loky. One that dies takes no other point with it."""

    def __init__(self, workers: int, threads: int | None) -> None:
        self._workers = workers
        self._threads = threads or max(1, default_threads() // workers)
        self._pools: Any = optional("joblib.externals.loky", "sweep", "sweep(executor=None)")

    def outcomes(
        self, compute: Compute, jobs: Sequence[Job], batch: int | None, pressed: Pressed, look: Look
    ) -> Iterator[list[Outcome]]:
        """Yield what comes of points, until Ctrl-C; then the workers are ended."""
        sent, waiting = compute.sent(self._threads), _batches(jobs, batch or 1)
        finished = False
        try:
            while waiting and not pressed():
                broken: deque[Batch] = deque()
                window = 2 * self._workers + 1
                yield from _submitted(self._pool(), sent, waiting, pressed, look, window, broken)
                for suspect in broken:  # alone, so that it is clear which one it was
                    yield from self._alone(sent, suspect, compute, pressed, look)
            finished = not pressed()
        finally:
            if not finished:
                self._pool().shutdown(wait=False, kill_workers=True)

    def _alone(self, sent, suspect, compute, pressed, look):
        """Compute a batch that was under way when a worker died, with nothing beside it."""
        for job in suspect:
            died: deque[Batch] = deque()
            if not pressed():
                alone = deque([(job,)])
                yield from _submitted(self._pool(), sent, alone, pressed, look, 1, died)
            if died:
                words = "the process that computed this point ended: out of memory, or a crash"
                yield [compute.kept(job, error=failure("WorkerDied", words))]

    def _pool(self):
        """The workers, started anew where they have ended."""
        return self._pools.get_reusable_executor(
            max_workers=self._workers,
            timeout=_IDLE,
            initializer=_begin_worker,
            initargs=(os.getpid(),),
            env=cores.environment(self._threads),
        )


class Given:
    """An executor of the user."""

    def __init__(self, executor: Any, threads: int | None) -> None:
        self._executor, self._package = executor, type(executor).__module__.partition(".")[0]
        most = getattr(executor, "_max_workers", None)
        self._threads = threads
        if threads is None and (self._is_local() or self._package not in ("mpi4py", "submitit")):
            known = isinstance(most, int) and most > 0
            self._threads = max(1, default_threads() // int(most or 1)) if known else 1

    def _is_local(self):
        """Whether submitit starts its jobs on this machine, all at once."""
        kind = getattr(self._executor, "cluster", type(self._executor).__name__)
        return self._package == "submitit" and kind in ("local", "debug", "LocalExecutor")

    def _size(self, points):
        """How many points go out together: jobs of submitit begin with a new Python."""
        if self._package != "submitit":
            return 1
        return -(-points // (default_threads() if self._is_local() else _JOBS))

    def outcomes(
        self, compute: Compute, jobs: Sequence[Job], batch: int | None, pressed: Pressed, look: Look
    ) -> Iterator[list[Outcome]]:
        """Yield what comes of points, until Ctrl-C; then what has not begun is cancelled."""
        sent, waiting = compute.sent(self._threads), _batches(jobs, batch or self._size(len(jobs)))
        failed: deque[tuple[Batch, BaseException]] = deque()
        for found in _submitted(self, sent, waiting, pressed, look, None, failed):
            yield found
            while failed and not pressed():
                yield self._failures(compute, *failed.popleft())
        while failed and not pressed():
            yield self._failures(compute, *failed.popleft())

    def submit(self, work: Compute, jobs: Batch) -> Any:
        """Submit a batch."""
        options = {"pure": False} if self._package == "distributed" else {}
        return self._executor.submit(work, jobs, **options)

    def together(self) -> Any:
        """Return a context for all submissions: one array of jobs, where there is such a thing."""
        return self._executor.batch() if self._package == "submitit" else nullcontext()

    def _failures(self, compute, batch, error):
        """What the folder has of a batch that failed, and the failure for the rest."""
        told = failure(type(error).__name__, str(error))
        return [compute.stored(job) or compute.kept(job, error=told) for job in batch]


def executor_of(executor: Any, threads: int | None, points: int) -> Here | Own | Given:
    """Return how points are computed.

    Parameters
    ----------
    executor
        As for `sweep`.
    threads
        Of each point; None: a share of the processors.
    points
        How many there are: more workers are of no use.

    Raises
    ------
    ValueError
        If it is not an executor.
    """
    threads = None if threads is None else checked_threads(threads)
    if executor is None:
        return Own(max(1, min(default_threads() // (threads or 1), points)), threads)
    if callable(getattr(executor, "submit", None)) and not isinstance(executor, type):
        return Given(executor, threads)
    try:
        workers = checks.whole(executor, "executor", 1, _MOST_WORKERS)
    except ValueError:
        checks.refuse("executor", executor, _ALLOWED)
    return Here() if workers == 1 else Own(max(1, min(workers, points)), threads)


# ------------------------------------------------------------------------------------------ futures


def _begin_worker(parent):
    """Leave Ctrl-C to the process that started this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent):
    """End this process when another one, its parent, has ended."""
    while os.getppid() == parent:
        time.sleep(_ORPHANED)
    os._exit(1)


def _batches(jobs, size):
    """Points in batches."""
    return deque(tuple(jobs[k : k + size]) for k in range(0, len(jobs), size))


def _submitted(executor, sent, waiting, pressed, look, window, broken):
    """Yield what comes of batches, while at most `window` of them are under way (None: all).

    With a window, the executor is ours: where it breaks this ends, and `broken` gets what was
    under way. Without one, `broken` gets each batch that failed, with its exception.
    """
    flying: dict[Any, Batch] = {}
    ended: SimpleQueue[Any] = SimpleQueue()
    try:
        while (waiting or flying) and not pressed():
            with executor.together() if waiting and not window else nullcontext():
                _submit(executor, sent, waiting, flying, ended, window, broken)
            for future in _ended(flying, ended, look):
                if pressed():
                    break
                found = _result(future, flying.pop(future), window, broken)
                if found is not None:
                    yield found
            if window and broken:
                broken.extend(flying.values())
                flying.clear()
                return
    finally:
        for future in flying:
            with suppress(Exception):
                future.cancel()


def _submit(executor, sent, waiting, flying, ended, window, broken):
    """Submit batches until the window is full."""
    while waiting and (window is None or len(flying) < window):
        batch = waiting.popleft()
        try:
            future = executor.submit(sent, batch)
        except BrokenExecutor as error:
            broken.append(batch if window else (batch, error))
            if window:
                return
        else:
            flying[future] = batch
            if hasattr(future, "add_done_callback"):
                future.add_done_callback(ended.put)


def _result(future, batch, window, broken):
    """What a future holds; None where it failed, which is noted."""
    try:
        return future.result()
    except BaseException as error:  # each executor has its own, also of cancelling
        ours = window and not isinstance(error, BrokenExecutor)
        if ours or (not isinstance(error, Exception) and not _is_of(future, error)):
            raise
        broken.append(batch if window else (batch, error))
    return None


def _is_of(future, error):
    """Whether an exception came from a worker, such as its Ctrl-C, and not from waiting for it."""
    if not isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
        return True  # a future that was cancelled
    with suppress(Exception):
        return future.done() and future.exception() is error
    return False


def _ended(flying, ended, look):
    """Futures that are done by now; waits a little where there are none."""
    if not flying:
        return []
    if hasattr(next(iter(flying)), "add_done_callback"):
        return _called_back(flying, ended)
    done = [future for future in flying if future.done()]
    if not done:
        look()
        time.sleep(_LOOK)
    return done


def _called_back(flying, ended):
    """Futures that have called back."""
    done = []
    with suppress(Empty):
        done.append(ended.get(timeout=_LOOK))
        while True:
            done.append(ended.get_nowait())
    return [future for future in done if future in flying]
