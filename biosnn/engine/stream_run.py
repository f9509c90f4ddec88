"""One run of a large network: its tables and memory, and the loop over slices of time."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from ..kernels import stream
from ..support.checks import several
from ..support.code_cache import clock, ready
from .background import Current
from .background_tables import pack_noise
from .finite import check_slice
from .inputs import Inputs
from .perturbed import Perturbed
from .perturbed_stream import Holds, stimuli
from .plasticity import pack_plastic, restore, starting_weights, state_of
from .state import State
from .stream_layout import StreamLayout, list_bounds
from .stream_neurons import pack_cells
from .stream_projections import pack_wires
from .stream_start import (
    check_start,
    input_drive,
    most_spikes,
    new_memory,
    new_recent_spikes,
    noise_sources,
    random_key,
)
from .stream_tables import new_scratch

_SLICE = 0.03  # seconds of wall time between looks at the clock and at Ctrl-C
_ROOM = 1 << 22  # neurons times steps of the list of recent spikes
_CONTROL = 16  # numbers in `control`, which threads meet by
_HOME = 8  # of these, what sends all threads home


class Recorder(Protocol):
    """What takes the records of a run (stream_recording.py)."""

    table: Any

    @property
    def failed(self) -> bool:
        """Whether nothing more can be kept."""

    def keep(self, first: int, last: int) -> None:
        """Take what the steps first .. last - 1 have recorded."""


class StreamRun:
    """The arrays of one call of `simulate`, and the loop over slices of time.

    Parameters
    ----------
    change
        The network, and what is done to it.
    spikes, merge, background, state, seed, initial
        As for `simulate`.
    threads
        Number of threads.
    steps
        Steps for which input spikes are needed.

    Raises
    ------
    ValueError
        If something given does not fit the network.
    """

    def __init__(
        self,
        change: Perturbed,
        spikes: Inputs | None,
        merge: bool,
        background: Any,
        state: State | None,
        seed: Any,
        initial: Mapping[str, Any] | None,
        threads: int,
        steps: int,
    ):
        network, state = change.network, change.started_from(state)
        self.network, self.threads, self.layout = network, threads, StreamLayout(network)
        self.fingerprint, self.longest = network.fingerprint(), _longest_delay(network)
        check_start(network, self.layout, state, initial, self.longest)
        seed, key = random_key(seed, state)
        self.cells = pack_cells(self.layout, threads)
        self.learned = starting_weights(network, state)
        self.wires, self.keep_alive = pack_wires(self.layout, self.cells, self.learned)
        self.step = self.first = 0 if state is None else state.step
        schedule = change.schedule(steps)
        currents = stimuli(schedule, self.layout, self.first)
        self.noise = pack_noise(self.layout, [*_with_bias(network, background), *currents], key)
        self.memory = new_memory(
            self.layout, self.cells, self.wires, self.noise, state, initial, seed
        )
        self.holds = Holds(schedule, self.layout, self.cells, self.memory, self.first)
        self.cells = self.holds.holding(self.cells)
        self.drive = input_drive(network, spikes, merge, self.first, steps, schedule.inputs)
        lists = list_bounds(
            self.layout, self.cells.bounds, most_spikes(self.layout, self.drive, merge, state)
        )
        self.most = int(np.clip(_ROOM // int(lists[-1, -1]), 32, 4096))  # steps of one slice
        shortest = min(self.wires.shortest, self.most)
        slots = 1 << (self.most + self.longest + shortest + 2).bit_length()
        self.recent = new_recent_spikes(self.layout, self.cells, lists, slots, state)
        self.plastic = pack_plastic(self.layout, threads, self.recent)
        if state is not None:
            restore(self.plastic, self.wires, self.cells, self.recent, self._recent_steps(), state)
        self.scratch = [new_scratch(self.layout) for _ in range(threads)]

    @property
    def done(self) -> int:
        """Steps of this run so far."""
        return self.step - self.first

    def compile(self, recorder: Recorder) -> None:
        """Compile all that a slice needs, so that the clock sees none of it."""
        control = np.zeros(_CONTROL, np.int64)
        ready(stream.advance, *self._arguments(recorder, control, 0, 0, 0))
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
        control, size, begin = np.zeros(_CONTROL, np.int64), 4, clock()
        end = self.first + steps
        with ThreadPoolExecutor(max(1, self.threads - 1)) as pool:
            while self.step < end:
                first, before = self.step, clock()
                last = min(first + size, self.holds.take(first), end)
                self._slice(pool, recorder, control, first, last)
                now = clock()
                check_slice(self.network, self.layout, self.memory.x, first, last)
                recorder.keep(first, last)
                self.step = last
                fitting = int(np.clip(size * _SLICE / max(now - before, 1e-6), size / 2, size * 4))
                size = min(fitting + 1, self.most)
                seconds = self.done * self.network.dt
                factor = (now - begin) / seconds
                words = f"{seconds:.2f} s simulated, {factor:.2f} s per second"
                advance(last - first, words)
                if stop() or recorder.failed:
                    break
        self.holds.let_go()
        return bool(stop())

    def _slice(self, pool, recorder, control, first, last):
        """Steps first .. last - 1, on all threads."""
        control[:] = 0
        jobs = []
        try:
            jobs += [
                pool.submit(self._advance, recorder, control, t, first, last)
                for t in range(1, self.threads)
            ]
            self._advance(recorder, control, 0, first, last)
        except BaseException:
            control[_HOME] = 1
            raise
        for job in jobs:
            job.result()

    def _advance(self, recorder, control, t, first, last):
        """Steps first .. last - 1 of the part that belongs to thread t."""
        try:
            stream.advance(*self._arguments(recorder, control, t, first, last))
        except BaseException:
            control[_HOME] = 1  # threads that wait for one that never comes go home
            raise

    def _arguments(self, recorder, control, t, first, last):
        """What the kernel of a slice takes."""
        return (
            self.cells,
            self.wires,
            self.plastic,
            self.noise,
            self.drive,
            self.recent,
            recorder.table,
            self.memory,
            self.scratch[t],
            control,
            t,
            first,
            last,
        )

    def _recent_steps(self):
        """The last steps whose spikes may not have arrived yet."""
        return range(max(0, self.step - self.longest), self.step)

    def state(self) -> State:
        """Return where the run stands, to go on from."""
        arrays = self._recent_arrays()
        arrays |= {name: array.copy() for name, array in self.memory._asdict().items()}
        arrays |= state_of(
            self.plastic, self.wires, self.cells, self.recent, self._recent_steps(), self.learned
        )
        arrays["ou"] = self.noise.ou.copy()
        arrays["ou_sources"] = noise_sources(self.noise)
        arrays["key"] = np.uint64(self.noise.key)
        return State(self.fingerprint, self.step, arrays)

    def _recent_arrays(self):
        """The spikes that may not have arrived yet: steps, populations and units."""
        first = self._recent_steps().start
        slots = np.arange(first, self.step) & self.recent.mask
        steps, populations, units = [], [], []
        for p in range(self.layout.n.size):
            size = int(self.recent.n_spikes[slots, :, p].sum())
            steps.append(np.empty(size, np.int64))
            populations.append(np.full(size, p))
            units.append(np.empty(size, np.int32))
            stream.collect(self.recent, p, first, self.step, steps[-1], units[-1])
        return {
            "recent_steps": np.concatenate(steps),
            "recent_populations": np.concatenate(populations),
            "recent_units": np.concatenate(units),
        }


def _longest_delay(network):
    """Steps that a spike may be on its way, but for projections with a delay for each synapse."""
    direct = [network.delay_steps(p) for p in network.projections if p.delay is not None]
    jumps = [p.neuron.jump_delay_steps(network.dt) for p in network.spiking]
    return max([0, *direct, *jumps])


def _with_bias(network, background):
    """The background, and the biases of populations as currents."""
    biased = [p for p in network.spiking + network.readouts if p.bias]
    given = several(background, "background", "PoissonInput('E', 1e3, 0.1)")
    return [*given, *(Current(p.name, network.bias(p)) for p in biased)]
