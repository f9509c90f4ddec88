"""What a worker does: it calls the function for some points, and stores what comes of each."""

import hashlib
import importlib.util
import os
import pickle
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..support import code_cache
from ..support.file_format import version
from ..support.progress import graceful_interrupt, quiet
from ..support.show import nbytes
from ..support.threads import own_share
from ..support.warn import warn
from . import cores, point_file
from .points import Job, arguments, seed_arguments

_LARGE = 10_000_000  # bytes of a function


class Outcome(NamedTuple):
    """What came of a point: a head (point_file.py), and arrays, or None where a file has them."""

    head: dict[str, Any]
    arrays: dict[str, np.ndarray] | None


class Compute:
    """A function in a form that every executor can send to a worker, which calls it.

    Parameters
    ----------
    function
        The function.
    described
        Its name and version.
    folder
        Where workers store points; None: they return them.
    threads
        Most threads of a point in this process; None: no limit.
    words
        Whether a worker may say that it compiles.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        described: tuple[str, str],
        folder: Path | None,
        threads: int | None,
        words: bool = True,
    ) -> None:
        self._function: Callable[..., Any] | None = function
        self._payload, self._mark = b"", ""
        self._described, self._folder, self._threads = described, folder, threads
        self._words, self._home = words, os.getpid()

    def sent(self, threads: int | None) -> "Compute":
        """Return it as it goes to other processes: the function as bytes.

        Parameters
        ----------
        threads
            Most threads of a point; None: what the other process finds (`threads.own_share`).
        """
        other = Compute(_none, self._described, self._folder, threads, self._words)
        other._payload = _dumped(self._function, self._described[0])
        other._mark = hashlib.sha256(other._payload).hexdigest()
        other._function = None
        return other

    @property
    def name(self) -> str:
        """Name of the function."""
        return self._described[0]

    __name__ = name  # as dask calls its tasks

    def __call__(self, jobs: Sequence[Job], again: bool = True) -> list[Outcome]:
        """Compute points. Those that are stored by now are not computed again unless `again`."""
        function = self._function or _loaded(self._mark, self._payload)
        accepted, found = seed_arguments(function), []
        for job in jobs:
            done = None if again else self.stored(job)
            found.append(done or self._compute(function, job, accepted))
        return found

    def checkpoint(self, jobs: Sequence[Job], again: bool = True) -> Any:
        """What submitit runs where SLURM has ended a job: the same, without what is stored."""
        helpers = importlib.import_module("submitit.helpers")
        return helpers.DelayedSubmission(self, jobs, self._folder is None)

    def stored(self, job: Job) -> Outcome | None:
        """Return what the folder has of a point, or None: no file, or a damaged one."""
        if self._folder is None:
            return None
        try:
            head, _ = point_file.read(point_file.path_of(self._folder, job.key))
        except OSError:
            return None
        return Outcome(head, None) if head["key"] == job.key else None

    def _compute(self, function, job, accepted):
        """One point: what the function returns, or why it failed."""
        began, kernels = code_cache.clock(), code_cache.compiled()
        try:
            with ExitStack() as stack:
                pressed = stack.enter_context(graceful_interrupt())
                stack.enter_context(quiet())
                if not self._words:
                    stack.enter_context(code_cache.silence())
                stack.enter_context(self._share())
                head, arrays = point_file.pack(function(**arguments(job, accepted)))
            if pressed():  # simulations return what they have by then
                raise KeyboardInterrupt
            error = None
        except (Exception, SystemExit) as failure:  # noqa: BLE001 - of the user's function
            head, arrays = point_file.pack({})
            error = _told(failure)
        return self.kept(job, head, arrays, error, code_cache.clock() - began, kernels)

    def _share(self):
        """A context with this process's share of the processors."""
        if self._function is not None and self._threads is None:
            return nullcontext()
        apart = os.getpid() != self._home
        return cores.limited(self._threads or own_share(), apart=apart)

    def kept(
        self,
        job: Job,
        head: dict[str, Any] | None = None,
        arrays: dict[str, np.ndarray] | None = None,
        error: dict[str, str] | None = None,
        seconds: float = 0.0,
        kernels: int | None = None,
    ) -> Outcome:
        """Return the outcome of a point, stored if there is a folder."""
        head = {
            "format": point_file.FORMAT,
            "key": job.key,
            "function": list(self._described),
            "parameters": job.parameters,
            "seed": job.seed,
            **(point_file.pack({})[0] if head is None else head),
            "error": error,
            "biosnn": version(),
            "seconds": seconds,
            "compiled": 0 if kernels is None else code_cache.compiled() - kernels,
        }
        if self._folder is None:
            return Outcome(head, arrays or {})
        point_file.write(self._folder, head, arrays or {})
        return Outcome(head, None)


def _none():
    """A place for a function."""


def _told(failure):
    """An exception as texts."""
    words = "".join(traceback.format_exception(failure))
    return {
        "type": type(failure).__name__,
        "message": str(failure),
        "traceback": words.encode(errors="replace").decode(),
    }


def failure(kind: str, message: str) -> dict[str, str]:
    """Return what stands for an exception where a worker could not say more."""
    return {"type": kind, "message": message, "traceback": f"{kind}: {message}\n"}


# ------------------------------------------------------------------------------- to other processes


def _dumped(function, name):
    """A function as bytes: by cloudpickle, which also takes those of scripts and notebooks."""
    there = importlib.util.find_spec("cloudpickle") is not None
    pickler = importlib.import_module("cloudpickle" if there else "pickle")
    try:
        payload = pickler.dumps(function)
    except Exception as error:
        raise ValueError(
            f"{name} cannot be sent to other processes ({error}). Put it, and all that it uses, "
            'into a module and import it from there; with pip install "biosnn[sweep]" functions '
            "of scripts and notebooks can be sent, too."
        ) from error
    if len(payload) > _LARGE:
        warn(
            f"{name} carries {nbytes(len(payload))} to every worker: data that it takes from "
            "outside. Let it read or make them itself."
        )
    return payload


_last: dict[str, Callable[..., Any]] = {}


def _loaded(mark, payload):
    """The function of a payload; the last one is kept."""
    if mark not in _last:
        try:
            found = pickle.loads(payload)  # noqa: S301 - sent by the process that started this one
        except Exception as error:
            raise ValueError(
                f"the function of the sweep cannot be loaded in a worker ({error}): each worker "
                "must be able to import what it uses."
            ) from error
        _last.clear()
        _last[mark] = found
    return _last[mark]
