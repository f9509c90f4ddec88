"""What a simulation keeps: spikes (in memory or in a file), counts in bins, and chosen states."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.spike_file import SpikeFile
from ..kernels import arrays
from ..kernels.stream import collect
from ..support import checks, plausible, timegrid
from ..support.checks import several, texts, whole
from ..support.ranges import ranges
from .conditions import find_state
from .recording import (
    Record,
    chosen_neurons,
    chosen_states,
    group_labels,
    group_means,
    group_sizes,
)
from .simulation import Simulation
from .stream_run import StreamRun

_ROOM = 1 << 21  # values of recorded states of one slice of time
_FEWEST_ROWS = 16


class StreamRecording:
    """What is kept of a run, slice by slice.

    Parameters
    ----------
    run
        The run.
    record, every, record_spikes, rate_bin
        As for `simulate`.
    steps
        Number of steps of the whole run.

    Raises
    ------
    ValueError
        If something cannot be recorded.
    """

    def __init__(
        self,
        run: StreamRun,
        record: Record,
        every: int,
        record_spikes: Iterable[str] | None,
        rate_bin: float,
        steps: int,
    ):
        self.run = run
        self.failed = False  # whether the file takes no more
        self.file: SpikeFile | None = None  # of the first process
        self.out: tuple[Any, str] | None = None  # its path, and which run writes it
        self.bin_steps = _bin_steps(rate_bin, run.network.dt, steps)
        self.names = _spiking_names(run.network, record_spikes)
        self.events: dict[str, list] = {name: [] for name in self.names}
        self.binned = _empty_bins(run.network, steps, self.bin_steps)
        self.columns: dict[str, slice] = {}  # of the table
        self.sizes: dict[str, NDArray | None] = {}  # neurons of each group, where means are kept
        self.neurons: dict[str, NDArray[np.int64]] = {}
        chosen = chosen_states(record, means=True)
        self.groups = group_labels(chosen)
        self.table = self._table(chosen, every)
        self.rows: dict[str, list[NDArray]] = {name: [] for name in self.columns}

    def _table(self, record, every):
        """arrays.Record of the chosen states."""
        run, layout = self.run, self.run.layout
        every = whole(every, "every", 1, why="a number of steps")
        element, owner, at = [], [], 0
        for name, chosen in record.items():
            first, n = find_state(layout, name)
            p = layout.number[name.partition(".")[0]]
            units = chosen_neurons(chosen, n, name)
            element.append(first + units)
            owner.append(np.searchsorted(run.parts.bounds[p], units, side="right") - 1)
            self.columns[name] = slice(at, at + units.size)
            self.sizes[name] = group_sizes(chosen, n, name)
            self.neurons[name] = units
            at += units.size
        if at:  # a bounded number of values, however many neurons are looked at
            run.most = min(run.most, every * max(_FEWEST_ROWS, _ROOM // at))
        rows = run.most // every + 1 if self.columns else 0
        parts, n_parts = _joined(owner), run.parts.bounds.shape[1] - 1
        first = run.exchange.others.first
        self.owner = np.searchsorted(first, parts, side="right") - 1  # the process of each column
        order = np.argsort(parts, kind="stable")
        return arrays.Record(
            every=every,
            element=run.large.places.element[_joined(element)[order]],
            column=order,
            first=np.searchsorted(parts[order], np.arange(n_parts + 1)),
            values=np.empty((rows, at), run.network.dtype),
        )

    def open(self, out: str | os.PathLike | None) -> None:
        """Open the file to which spikes go, if there is one: that of the first process."""
        run = self.run

        def opened():
            """Its path, and which run writes it."""
            if out is None:
                return None
            self.file = SpikeFile(out, run.network, self.names, run.first * run.network.dt)
            return self.file.path, self.file.run

        self.out = run.ranks.on_first(opened)

    def keep(self, first: int, last: int) -> None:
        """Take what the steps first .. last - 1 have recorded."""
        run = self.run
        bins, found = (np.arange(first, last) - run.first) // self.bin_steps, {}
        for name, binned in self.binned.items():
            counts, collected = self._spikes(name, first, last)
            np.add.at(binned, bins[: counts.size], counts)
            if name in self.events and counts.any():
                steps, units = collected()
                found[name] = (steps - run.first, units)
        if not self._filed(first - run.first, last - run.first, found):
            for name, spikes in found.items():
                self.events[name].append(spikes)
        every = self.table.every
        n_rows = (last - 1) // every - (first - 1) // every if self.columns else 0
        if n_rows:
            run.ranks.complete(self.table.values[:n_rows], self.owner)
        for name, columns in self.columns.items() if n_rows else ():
            values = self.table.values[:n_rows, columns]
            sizes = self.sizes[name]
            self.rows[name].append(values.copy() if sizes is None else group_means(values, sizes))

    def _filed(self, first, last, found):
        """Whether the file, if there is one, has taken the spikes of a slice."""
        if self.out is None:
            return False
        taken = self.run.ranks.on_first(
            lambda: self.file is not None and self.file.append(first, last, found)
        )
        self.failed = not taken
        return taken

    def _spikes(self, name, first, last):
        """The number of spikes of each step, and what returns the steps and units of them."""
        run, source = self.run, self.run.layout.sources[name]
        n_inputs = run.tables.n_inputs
        if source < n_inputs:
            return _of_input(run.inputs, source, n_inputs, first, last, run.first)
        p = source - n_inputs
        slots = np.arange(first, last) & run.recent.mask
        counts = run.recent.n_spikes[slots, :, p].sum(axis=1)

        def collected():
            """Of all parts."""
            steps, units = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), np.int32)
            collect(run.recent, p, first, last, steps, units)
            return steps, units

        return counts, collected

    def close(self) -> Any:
        """Close the file of spikes, if there is one. Returns what went wrong with it, or None."""
        if self.file is None:
            return None
        self.file.close()
        return self.file.problem

    def result(self, wall: float, interrupted: bool) -> Simulation:
        """Return what the run did, in `wall` seconds of wall time."""
        run, dt, every = self.run, self.run.network.dt, self.table.every
        steps = np.arange(-(-run.first // every) * every, run.step, every) - run.first
        n_bins = -(-run.done // self.bin_steps)
        binned = {name: counts[:n_bins] for name, counts in self.binned.items()}
        return Simulation(
            network=run.network,
            start=run.first * dt,
            duration=run.done * dt,
            counts={name: int(counts.sum()) for name, counts in binned.items()},
            binned=binned,
            rate_bin=self.bin_steps * dt,
            states={name: self._joined_rows(name) for name in self.columns},
            state_times=steps * dt,
            wall=wall,
            interrupted=interrupted,
            state=run.state(),
            groups=self.groups,
            trial=run.trial,
            neurons={k: each for k, each in self.neurons.items() if k not in self.groups},
            _events={name: _events(parts) for name, parts in self.events.items()},
            _out=self.out,
        )

    def _joined_rows(self, name):
        """(times, columns) of what is kept of a state."""
        columns, sizes = self.columns[name], self.sizes[name]
        width = columns.stop - columns.start if sizes is None else sizes.size
        return np.concatenate([np.empty((0, width), self.run.network.dtype), *self.rows[name]])


def _of_input(inputs, source, n_inputs, first, last, begin):
    """As `StreamRecording._spikes`, of an input, whose spikes may end before the run."""
    events, last = inputs.events, min(last, begin + inputs.steps)
    at = (np.arange(first, max(last, first)) - begin + events.before) * n_inputs + source
    starts, ends = events.pointers[0, at], events.pointers[0, at + 1]

    def collected():
        """Their steps and units."""
        steps = np.repeat(np.arange(first, max(last, first)), ends - starts)
        return steps, events.units[ranges(starts, ends - starts)]

    return ends - starts, collected


def _bin_steps(rate_bin, dt, steps):
    """Steps of the bins in which spikes are counted."""
    rate_bin = checks.time(rate_bin, "rate_bin", plausible=max(plausible.BIN, steps * dt))
    bin_steps = timegrid.nearest_steps(rate_bin, dt)
    if bin_steps < 1:
        raise ValueError(f"rate_bin is {rate_bin!r} s; it must be at least one step of {dt:g} s.")
    return bin_steps


def _spiking_names(network, record_spikes):
    """The populations whose spikes are kept."""
    if record_spikes is None:
        return [p.name for p in network.firing]
    example = repr(network.firing[0].name) if network.firing else "'E'"
    given = texts(several(record_spikes, "record_spikes", example), "record_spikes", example)
    names = list(dict.fromkeys(given))
    for name in names:
        if network[name].kind == "readout":
            raise ValueError(f"{name!r} is a readout: it never spikes.")
    return names


def _empty_bins(network, steps, bin_steps):
    """Population -> (bins,) zeros; ValueError if there is no room for them."""
    n_bins = -(-steps // bin_steps)
    try:
        return {p.name: np.zeros(n_bins, np.int64) for p in network.sources}
    except (MemoryError, ValueError):
        raise ValueError(
            f"duration: {steps:,} steps have {n_bins:,} bins of rate_bin = "
            f"{bin_steps * network.dt:g} s, for which there is no room."
        ) from None


def _joined(parts):
    """Whole numbers as one array."""
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)


def _events(parts):
    """(steps, units) of all slices."""
    steps, units = (
        np.concatenate([np.empty(0, kind), *(part[k] for part in parts)])
        for k, kind in enumerate((np.int64, np.int32))
    )
    return steps, units
