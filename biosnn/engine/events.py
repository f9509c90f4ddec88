"""Events of rows, steps and sources (arrays.Events): parts of them, joined, without some."""

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..support.ranges import ranges


def no_events(n_rows: int, columns: int, dtype: np.dtype, before: int = 0) -> arrays.Events:
    """Return rows without events; columns: steps times sources."""
    pointers = np.zeros((n_rows, columns + 1), np.int64)
    return arrays.Events(pointers, np.empty(0, np.int32), np.empty(0, dtype), before)


def cut(
    events: arrays.Events, rows: NDArray, first: int, last: int
) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """Return events of a range of columns of the pointers, which may begin before the first.

    Returns
    -------
    The number of events of each column (rows, last - first), their units and values.
    """
    missing = max(0, -first)
    pointers = events.pointers[rows, first + missing : last + 1]
    total = pointers[:, -1] - pointers[:, 0]
    at = ranges(pointers[:, 0], total)
    counts = np.diff(pointers, axis=1)
    if missing:
        counts = np.concatenate([np.zeros((len(counts), missing), np.int64), counts], axis=1)
    values = events.values[at] if events.values.size else events.values[:0]
    return counts, events.units[at], values


def row_of(events: arrays.Events, row: int) -> arrays.Events:
    """Return one row alone."""
    pointers = events.pointers[row : row + 1]
    own = slice(pointers[0, 0], pointers[0, -1])
    values = events.values[own] if events.values.size else events.values
    return arrays.Events(pointers - pointers[0, 0], events.units[own], values, events.before)


def between(
    events: arrays.Events, row: int, n: int, n_sources: int, source: int
) -> tuple[int, int]:
    """Return first and last event of a source at step n of a row, as kernels look it up."""
    m = (n + events.before) * n_sources + source
    if m < 0:
        return 0, 0
    return int(events.pointers[row, m]), int(events.pointers[row, m + 1])


def last_steps(
    events: arrays.Events, rows: NDArray, n_sources: int, steps: int, keep: int
) -> arrays.Events:
    """Return the last `keep` of `steps` steps of some rows; all of them come before a run."""
    end = (steps + events.before) * n_sources
    return one_after_other([cut(events, rows, end - keep * n_sources, end)])._replace(before=keep)


def one_after_other(parts: list[tuple]) -> arrays.Events:
    """Return what `cut` returned of some ranges of columns, row by row without gaps."""
    counts = np.concatenate([count for count, *_ in parts], axis=1)
    rows = np.arange(len(counts))
    order = np.argsort(
        np.concatenate([np.repeat(rows, count.sum(axis=1)) for count, *_ in parts]),
        kind="stable",
    )
    units, values = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
    return arrays.Events(
        pointers_of(counts),
        np.ascontiguousarray(units[order], np.int32),
        values[order] if values.size else values,
    )


def after_each_other(earlier: arrays.Events, events: arrays.Events, rows: NDArray) -> arrays.Events:
    """Return some rows of events, with those of `earlier`, row by row, before them."""
    whole = [
        cut(earlier, np.arange(len(rows)), 0, earlier.pointers.shape[1] - 1),
        cut(events, rows, 0, events.pointers.shape[1] - 1),
    ]
    return one_after_other(whole)._replace(before=earlier.before)


def pointers_of(counts: NDArray) -> NDArray[np.int64]:
    """Return pointers of events that lie row by row without gaps."""
    ends = np.cumsum(counts, axis=None).reshape(counts.shape)
    total = counts.sum(axis=1)
    first = np.cumsum(total) - total
    return np.ascontiguousarray(np.concatenate([first[:, None], ends], axis=1), np.int64)


def joined(parts: list[arrays.Events]) -> arrays.Events:
    """Return the rows of several parts of a batch, in their order."""
    ends = np.cumsum([0, *(part.units.size for part in parts)])
    return arrays.Events(
        np.concatenate([part.pointers + end for part, end in zip(parts, ends)]),
        np.concatenate([part.units for part in parts]),
        np.concatenate([part.values for part in parts]),
        parts[0].before,
    )


def without_events(
    events: arrays.Events, n_sources: int, silent: list[tuple[int, NDArray, int, int]]
) -> arrays.Events:
    """Return events without those of some units in some steps.

    Parameters
    ----------
    events
        Of trials that lie one after the other.
    n_sources
        Sources in a step.
    silent
        (source, units, first step, last step + 1) of what is left out.
    """
    trials, columns = np.arange(len(events.pointers)), events.pointers.shape[1] - 1
    counts, units, values = cut(events, trials, 0, columns)
    place = np.repeat(np.tile(np.arange(columns), trials.size), counts.ravel())
    step, source = np.divmod(place, n_sources)
    keep = np.ones(units.size, bool)
    for which, gone, first, last in silent:
        keep &= (source != which) | (step < first) | (step >= last) | ~np.isin(units, gone)
    row = np.repeat(trials, counts.sum(axis=1))
    counts = np.bincount((row * columns + place)[keep], minlength=counts.size).reshape(counts.shape)
    return arrays.Events(pointers_of(counts), units[keep], values[keep] if values.size else values)
