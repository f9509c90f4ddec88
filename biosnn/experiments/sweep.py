"""Sweeps: one function at many points, on any executor, with the same bits everywhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..support import checks
from ..support.progress import graceful_interrupt, progress_bar
from ..support.show import plural
from ..support.warn import warn
from . import sweep_folder
from .executors import executor_of
from .function_version import described
from .point import point_of
from .point_file import path_of
from .points import Job, combinations, jobs
from .results import Sweep
from .worker import Compute, Outcome


def sweep(
    function: Callable[..., Any],
    grid: Any,
    *,
    seeds: int | Sequence[int] = 1,
    executor: Any = None,
    out: str | os.PathLike | None = None,
    start: str = "resume",
    retry: bool = True,
    version: str | None = None,
    seed: int = 0,
    paired: bool = True,
    threads: int | None = None,
    batch: int | None = None,
    progress: bool = True,
) -> Sweep:
    """Call a function of named parameters at many points, and collect what it returns.

    Parameters
    ----------
    function
        It is called with the parameters as keywords and, where it has arguments of these names,
        with `seed` (a whole number) or `rng` (a numpy Generator of this seed; with both
        arguments one whose numbers are independent of it). It returns a dict of name -> number or
        text (columns of the table), array, SpikeTrains, Trace or Simulation; or one of them, which
        is then called "result". A Trace or Simulation is kept as a `data.Recording`, with arrays
        such as "run.rates.E" of a Simulation.
    grid
        A dict of name -> values, of which every combination is taken; or a list of dicts, one for
        each point, as `bs.experiments.design` makes them.
    seeds
        How often each combination is computed, each time with the stream of (seed, index); or a
        list of seeds, which the function then gets as they are.
    executor
        None: processes of joblib's loky on all processors. An integer: that many of them; 1: this
        process. Or anything with `submit`: a Client of dask, an executor of submitit,
        mpi4py.futures or concurrent.futures.
    out
        Folder in which each point is stored as soon as it is done. All workers must see it.
        Default: results are kept in memory.

    Other Parameters
    ----------------
    start
        "resume": what the folder has of this sweep is not computed again. "overwrite": it is.
    retry
        Whether points that failed are computed again on resuming.
    version
        A text in place of the digest of the function's code. As long as it stays the same, what
        the folder has counts, whatever has changed in the function.
    seed
        Root of the streams.
    paired
        Whether all combinations get the same seeds, so that differences between them have less
        noise. False: each has seeds of its own.
    threads
        Largest number of threads of a point. Default: the processors, divided by the workers of a
        machine.
    batch
        Points that are submitted together. Default 1; for submitit, as many as give 16 jobs, or
        one for each processor where its jobs run on this machine.
    progress
        Show a bar with the time that remains.

    Returns
    -------
    The results, with a table (`to_frame`) and a figure (`plot`). After Ctrl-C those of the points
    that were done; the same call with the same folder goes on.

    Raises
    ------
    ValueError
        If the function cannot be called with these parameters, or an argument makes no sense.
    ImportError
        If joblib is missing: pip install "biosnn[sweep]" brings it.
    OSError
        If the folder cannot be written to.

    Notes
    -----
    Points depend on their parameters and seeds alone: every executor, order and number of workers
    gives the same bits, and the same `Sweep.digest`.

    A point is known by the function's name, its version, the parameters and the seed. The version
    is a digest of the function's code, without comments and layout, of functions and classes in the
    same module that it uses, and of numbers, arrays, networks, spike trains and the like that it
    takes from outside. When any of these changes, points are computed anew. The code of other
    modules and files are not looked at: after a change there, give another `version`.

    A function that raises is a point with an `error`; the others go on. What one worker compiles
    the others wait for, and read.

    See Also
    --------
    bs.experiments.design : Random and quasi-random points.
    bs.experiments.load_sweep : Results without the function.

    Examples
    --------
    >>> import biosnn as bs
    >>> def rate(drive, seed):
    ...     net = bs.Network(dt=1e-3)
    ...     net.population(50, bs.lif_delta(threshold=1.0), "excitatory", name="E")
    ...     noise = bs.PoissonInput("E", drive, 0.1)
    ...     done = bs.simulate(net, 0.5, background=[noise], seed=seed, progress=False)
    ...     return {"rate_hz": done.mean_rates["E"]}
    >>> result = bs.sweep(
    ...     rate, {"drive": [400.0, 800.0]}, seeds=2, executor=1, progress=False
    ... )
    >>> result["drive"]
    array([400., 400., 800., 800.])
    >>> bool(result["rate_hz"][:2].mean() < result["rate_hz"][2:].mean())
    True
    """
    checks.choice(start, "start", ("resume", "overwrite"))
    retry, progress = checks.flag(retry, "retry"), checks.flag(progress, "progress")
    batch = None if batch is None else checks.whole(batch, "batch", 1)
    known = described(function, version, kept=out is not None)
    wanted = jobs(function, known, combinations(grid), seeds, seed, paired)
    home = None if out is None else checks.path(out, "out").absolute()
    workers = executor_of(executor, threads, len(wanted))
    compute = Compute(function, known, home, threads, progress)
    if home is not None:
        sweep_folder.begin(home, known, wanted, start == "overwrite")
    found = _stored(compute, wanted, retry)
    before = len(found)
    left = [job for job in wanted if job.key not in found]
    with graceful_interrupt() as pressed:
        if left:
            outcomes = workers.outcomes
            _compute(outcomes, compute, left, batch, pressed, found, before, home, progress)
        interrupted = pressed()
    if interrupted:  # the folder may have points that did not come back any more
        found |= _stored(compute, [job for job in left if job.key not in found], retry)
    return _results(known[0], wanted, found, before, home, interrupted)


def _stored(compute, wanted, retry):
    """Key -> outcome of points that the folder has."""
    found = {}
    for job in wanted:
        outcome = compute.stored(job)
        if outcome is not None and not (retry and outcome.head["error"]):
            found[job.key] = outcome
    return found


def _compute(outcomes, compute, left, batch, pressed, found, before, home, progress):
    """Compute what is left, and put it into `found`."""
    with progress_bar(before + len(left), compute.name, progress, before) as advance:
        tally = _Tally(advance, home, {job.key for job in left})
        for several in outcomes(compute, left, batch, pressed, tally.look):
            for outcome in several:
                found[outcome.head["key"]] = outcome
                tally.done(outcome)


class _Tally:
    """Counts points that are done: those that came back, and files that appeared."""

    def __init__(self, advance, home, left):
        self._advance, self._home, self._left = advance, home, left
        self._failed, self._last = 0, time.monotonic()

    def done(self, outcome: Outcome) -> None:
        """Count a point that came back."""
        self._failed += outcome.head["error"] is not None
        note = plural(self._failed, "failure") if self._failed else ""
        self._advance(int(outcome.head["key"] in self._left), note)
        self._left.discard(outcome.head["key"])

    def look(self) -> None:
        """Count the files of points whose batch is still under way."""
        if self._home is None or time.monotonic() - self._last < 1:
            return
        new = [key for key in self._left if path_of(self._home, key).exists()]
        self._left.difference_update(new)
        if new:
            self._advance(len(new))
        self._last = time.monotonic()


def _results(
    name: str,
    wanted: list[Job],
    found: dict[str, Outcome],
    before: int,
    home: Path | None,
    interrupted: bool,
) -> Sweep:
    """What is there, in the order of the grid; a warning where points failed."""
    there = [point_of(found[job.key], home) for job in wanted if job.key in found]
    failed = [point.error for point in there if point.error is not None]
    if failed:
        warn(
            f"{len(failed)} of {plural(len(there), 'point')} failed, the first with "
            f"{failed[0].strip().splitlines()[-1]!r}. The attribute failures has them, each with "
            "its traceback."
        )
    return Sweep(name, tuple(there), len(wanted), len(there) - before, interrupted)
