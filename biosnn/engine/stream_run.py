"""One run of a large network: its tables and memory, and the loop over slices of time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ..kernels import arrays, stream
from ..kernels.meeting import CONTROL, HOME, SLICES
from ..support.code_cache import clock, ready
from . import standing
from .finite import check_slice
from .part_tables import local_rows, ou_places
from .perturbed_stream import Holds
from .plasticity import learning_projections, pack_plastic, restore, state_of
from .state import State
from .stream_memory import (
    ended,
    new_memory,
    new_recent,
    new_scratch,
    put_spikes,
)
from .stream_ranks import Exchange, complete, complete_learned, owners_of
from .stream_setting import Setting

_SLICE = 0.03  # seconds of wall time between looks at the clock and at Ctrl-C
_ROOM = 1 << 23  # neurons times steps of the list of recent spikes, and as much for rounding …
_FEWEST, _MOST = 32, 480  # … and its steps, whatever the number of neurons


class Recorder(Protocol):
    """What takes the records of a run (stream_recording.py)."""

    table: Any

    @property
    def failed(self) -> bool:
        """Whether nothing more can be kept."""

    def keep(self, first: int, last: int) -> None:
        """Take what the steps first .. last - 1 have recorded."""


class StreamRun:
    """The arrays of one trial of a call of `simulate`, and the loop over slices of time.

    Parameters
    ----------
    setting
        What all trials share.
    trial
        Which of them it is.

    Raises
    ------
    ValueError
        If something given does not fit the network.
    """

    def __init__(self, setting: Setting, trial: int = 0):
        network, earlier = setting.network, setting.earlier(trial)
        self.network, self.trial, self.background = network, trial, setting.background
        self.ranks = setting.ranks
        self.large = setting.large(trial)
        self.layout, self.parts = self.large.layout, self.large.parts
        n_parts = self.parts.bounds.shape[1] - 1
        self.whose = network.later_fingerprint()
        self.step = self.first = setting.first
        self.key = setting.keys[trial]
        start = setting.start(trial) if earlier is None else earlier.standing
        sources = self.background.table.sources
        ou = ou_places(sources, self.background.n_ou, self.parts.bounds)
        self.inputs = setting.inputs_of(trial)
        self.standpoint = new_memory(
            self.layout, start, self.parts, self.large.places, ou, self.inputs.events
        )
        self.holds = Holds(setting.schedule, self.large, self.standpoint, self.first)
        own = local_rows(self.holds.tables, sources, self.large.places, ou)
        self.parts = self.parts._replace(**own)
        self._make_room(earlier, setting.steps)
        begin, end = self.exchange.others.first[self.ranks.rank : self.ranks.rank + 2]
        self._own = self.standpoint.memory.x[slice(*self.large.places.part[[begin, end]])]
        self.threads = min(setting.threads, end - begin)
        learning = [p.name for p in learning_projections(network)]
        self.plastic = pack_plastic(network, learning, n_parts)
        state = setting.state(trial)
        if state is not None:
            restore(self.plastic, state)
        self.scratch = [new_scratch(self.layout, self.tables) for _ in range(self.threads)]

    def _make_room(self, earlier, steps):
        """The lists of recent spikes, with those of an earlier run."""
        width, longest = max(self.layout.n_firing, 1), self.layout.longest_delay
        fitting = _ROOM // (width * self.ranks.size)  # every process lists the spikes of all
        most = min(int(np.clip(fitting, _FEWEST, _MOST)), max(steps, 32))
        self.shortest = min(self.large.wires.shortest, most)  # steps between two meetings
        others = longest + self.shortest + 2
        slots = 1 << (most + others).bit_length()
        self.most = slots - others  # steps of one slice
        self.recent, self.tables = new_recent(
            self.layout, self.holds.tables, self.parts.bounds, slots, self.inputs.events
        )
        if earlier is not None:
            put_spikes(self.recent, self.tables, self.parts.bounds, earlier, self.inputs.events)
        self.exchange = Exchange(
            self.ranks, self.tables, self.parts.bounds, self.shortest + 1, self.network.dtype
        )

    @property
    def done(self) -> int:
        """Steps of this run so far."""
        return self.step - self.first

    def compile(self, recorder: Recorder) -> None:
        """Compile all that a slice needs, so that the clock sees none of it."""
        control = np.zeros(CONTROL, np.int64)
        ready(stream.advance, *self._arguments(recorder, control, 0))
        ready(stream.collect, self.recent, 0, 0, 0, np.empty(0, np.int64), np.empty(0, np.int32))

    def go(
        self, recorder: Recorder, steps: int, advance: Callable, stop: Callable[[], bool]
    ) -> bool:
        """Run all slices of time, or those before Ctrl-C. Returns whether it was pressed.

        Parameters
        ----------
        recorder
            Takes what is recorded.
        steps
            Number of steps of the run.
        advance
            (steps, words) shows the progress.
        stop
            Says whether to end the run.
        """
        control, size, begin = np.zeros(CONTROL, np.int64), 4, clock()
        end = self.first + steps
        with self._helpers(recorder, control) as helpers:
            while self.step < end:
                first, before = self.step, clock()
                last = min(first + size, self.holds.take(first), end)
                control[SLICES + 1 : SLICES + 3] = first, last
                stream.advance(*self._arguments(recorder, control, 0))
                self._check(control, helpers)
                now = clock()
                self._check_finite(first, last)
                fitting = int(np.clip(size * _SLICE / max(now - before, 1e-6), size / 2, size * 4))
                size = self.ranks.exchange(min(fitting + 1, self.most))[0]
                recorder.keep(first, last)
                self.step = last
                seconds = self.done * self.network.dt
                factor = (now - begin) / seconds
                words = f"{seconds:.2f} s simulated, {factor:.2f} s per second"
                advance(last - first, words)
                if stop() or recorder.failed:
                    break
        self.holds.let_go()
        return bool(stop())

    def _check_finite(self, first, last):
        """Raise NotFinite if states of this process are not finite after a slice of time."""
        with np.errstate(all="ignore"):
            total = self._own.sum()
        if not np.isfinite(total):  # it may be too large; only then look at all neurons
            check_slice(self.network, self.layout, self.standpoint.x, first, last)

    @contextmanager
    def _helpers(self, recorder, control):
        """The other threads, which run all slices with the first one and wait for it in between."""
        with ThreadPoolExecutor(max(1, self.threads - 1)) as pool:
            try:
                yield [
                    pool.submit(self._help, recorder, control, t) for t in range(1, self.threads)
                ]
            finally:
                control[HOME] = 1

    def _help(self, recorder, control, t):
        """All slices of the parts that belong to thread t."""
        try:
            stream.advance(*self._arguments(recorder, control, t))
        except BaseException:
            control[HOME] = 1  # threads that wait for one that never comes go home
            raise

    def _check(self, control, helpers):
        """Raise what has ended a slice of time, if anything has."""
        if control[HOME]:
            for helper in helpers:
                helper.result()
        self.exchange.check()

    def _arguments(self, recorder, control, t):
        """What the kernel takes."""
        span = arrays.Span(
            begin=self.first,
            input_steps=self.inputs.steps,
            shortest=self.shortest,
            trial=self.trial,
        )
        run = arrays.Stream(
            tables=self.tables,
            background=self.background.table,
            key=self.key,
            plastic=self.plastic,
            inputs=self.inputs.events,
            recent=self.recent,
            parts=self.parts,
            others=self.exchange.others,
            span=span,
            record=recorder.table,
            memory=self.standpoint.memory,
        )
        return run, self.scratch[t], control, t, self.threads

    def state(self) -> State:
        """Return where the run stands, to go on from; all processes call it, and get the same."""
        bounds, ranks, sources = self.parts.bounds, self.ranks, self.background.table.sources
        earlier = ended(
            self.layout,
            self.large.wires,
            self.tables,
            self.standpoint,
            self.recent,
            bounds,
            self.inputs,
            self.first,
            self.step,
        )
        own = {
            "key": np.array(self.key, np.uint64),
            "ou_sources": self.background.ou_sources,
        }
        owners = owners_of(self.layout, self.tables, sources, earlier.standing, bounds, ranks)
        complete(earlier, owners, ranks)
        part = self.exchange.others.first[ranks.rank]
        learned = state_of(self.plastic, self.large.learned, part)
        complete_learned(self.layout, learned, bounds, ranks)
        found = standing.as_arrays(earlier) | learned | own
        return State(self.whose, self.step, found)
