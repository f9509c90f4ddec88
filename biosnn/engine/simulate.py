"""Run one large network, sparse or dense, for as long as you like: simulate(network, duration) -> Simulation.

The step is that of `run` (DESIGN section 2), but there is one trial, threads go over targets, and nothing is stored but spikes and
what was asked for.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..data.spike_file import SpikeFile, read_spikes
from ..data.spike_trains import SpikeTrains
from ..kernels import stream as kernels
from ..kernels.random import ORNSTEIN_UHLENBECK
from ..network import weight_file as checkpoint
from ..network.drawing import draw, is_random
from ..network.network import Network
from ..support import checks, plausible, timegrid
from ..support.checks import (
    as_array,
    flag,
    instance,
    reals,
    refuse,
    several,
    shown,
    texts,
    whole,
    wholes,
)
from ..support.code_cache import clock, ready, silence
from ..support.progress import graceful_interrupt, progress_bar
from ..support.seeds import stream, whole_seed
from ..support.threads import checked_threads, default_threads
from ..support.warn import warn
from . import plasticity as plastic_engine
from . import stream_state as simulation_state
from . import stream_tables as engine
from .background import Current
from .finite import check_slice
from .run import bin_inputs
from .state import State, check_state

_SLICE = 0.03  # seconds of wall time between looks at the clock and at Ctrl-C
_ROOM = 1 << 22  # neurons times steps of the list of past spikes
_FEW_NEURONS = 1000  # below, one thread is faster than two


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a simulated network did.

    start        seconds that were simulated before this run (in `state`); times below count from there
    duration     seconds of this run; less than asked for where it was `interrupted` before the end
    counts       population -> number of spikes, of inputs and spiking populations
    binned       population -> (bins,) number of spikes in bins of `rate_bin` seconds
    states       "E.U" -> (times, chosen neurons), values at the end of steps; state_times: seconds
    wall         seconds that the run took, without building the network or compiling
    state        where it stands, to continue
    """

    network: object
    start: float
    duration: float
    counts: dict
    binned: dict
    rate_bin: float
    states: dict
    state_times: np.ndarray
    wall: float
    interrupted: bool
    state: State
    _events: dict = field(repr=False)
    _out: tuple | None = None  # (path, which run) of a file of spikes

    @cached_property
    def spikes(self):
        """Population -> SpikeTrains of one trial, for the recorded populations; read from the file if they went there.

        What did not fit into the file any more is there too.
        """
        trains = {
            name: SpikeTrains(
                steps * self.network.dt, units, [0, units.size], self.network[name].n, self.duration
            )
            for name, (steps, units) in self._events.items()
        }
        if self._out is None:
            return trains
        filed = read_spikes(*self._out)
        return {
            name: filed[name]
            if filed[name].duration == self.duration
            else _joined(filed[name], rest)
            for name, rest in trains.items()
        }

    @property
    def weights(self):
        """Projection -> weights at the end: those that the run has learned, else those of the network."""
        learned = plastic_engine.learned_weights(self.state)
        return self.network.weights | {
            name: self.network.synapses[name].in_order_of_weights(each)
            for name, each in learned.items()
        }

    @property
    def rates(self):
        """Population -> (bins,) mean rate of its neurons in Hz; bins are `rate_bin` seconds long."""
        steps, total = (
            max(1, timegrid.nearest_steps(t, self.network.dt))
            for t in (self.rate_bin, self.duration)
        )
        length = np.minimum(steps, total - steps * np.arange(-(-total // steps))) * self.network.dt
        return {
            name: count / (self.network[name].n * length) for name, count in self.binned.items()
        }

    @property
    def mean_rates(self):
        """Population -> mean rate of its neurons in Hz over the run."""
        return {
            name: count / (self.network[name].n * self.duration)
            for name, count in self.counts.items()
        }

    @property
    def real_time_factor(self):
        """Seconds of wall time for one simulated second."""
        return self.wall / self.duration

    def __str__(self):
        lines = [
            f"{self.duration:g} s simulated in {self.wall:.2f} s ({self.real_time_factor:.2f} s per second)"
            + (", interrupted" if self.interrupted else "")
        ]
        return "\n".join(
            lines + [f"  {name}: {rate:.4g} Hz" for name, rate in self.mean_rates.items()]
        )


def simulate(
    network,
    duration,
    spikes=None,
    *,
    background=(),
    record=None,
    every=1,
    record_spikes=None,
    rate_bin=5e-3,
    initial=None,
    state=None,
    seed=None,
    threads=None,
    progress=True,
    out=None,
    merge=True,
):
    """Simulate one trial of `network` for `duration` seconds. Returns a Simulation.

    duration       as many steps as cover it are simulated (10.4 ms are 11 steps of 1 ms), which simulation.duration shows
    spikes         SpikeTrains of one trial for the inputs, or a dict of input name -> such
    background     list of PoissonInput, Current, OrnsteinUhlenbeck
    record         states of chosen neurons: {"E.U": [0, 1, 2], "E.I_exc": slice(5)}, at the end of every `every`-th step
    record_spikes  names of populations; default: all that spike or pool spikes
    rate_bin       seconds, of the bins in which spikes are counted: the nearest number of steps, which simulation.rate_bin shows
    initial        {"E.U": number, array (n,), or distribution with draw(rng, size)}: states at the start, instead of 0 and `initial` of
                   the population
    state          of an earlier simulation of this network, to go on from, in place of `initial`. Input spikes count from the start of
                   this run, the times of a background that changes from the start of the first
    seed           a whole number >= 0 or a numpy Generator: of the background and of initial states, each population with random numbers
                   of its own. Default: 0, or with a `state` None, the random numbers of the run before: the two then have the bits of one
                   long run. With a state *and* a seed, a branch: other random numbers from here on, one future of this state for each seed
    threads        default: all processors, one for a small network. The result is the same, bit for bit
    progress       show the share that is done, the time to the end and the real-time factor
    out            path of a file to which spikes go as they come, instead of memory, and from which `read_spikes` reads them, also while
                   the run goes on and after it was killed (spike_file.py). What was there is replaced, so give every part of a run that is
                   continued a file of its own. When the disk is full the run ends, with a warning, as after Ctrl-C
    merge          several spikes of one input unit in one step count once

    Ctrl-C ends the run and returns what was simulated so far: `interrupted` is then True, and a script that simulates in a loop leaves it
    with `if done.interrupted: break`. A second Ctrl-C within three seconds, in this run or the next, is a KeyboardInterrupt.
    """
    instance(network, "network", Network, "a Network")
    merge, progress = flag(merge, "merge"), flag(progress, "progress")
    steps = timegrid.covering_steps(checks.time(duration, "duration", above=0), network.dt)
    _check_network(network)
    run = _Run(
        network, spikes, merge, background, state, seed, initial, _threads(network, threads), steps
    )
    try:
        run.choose(record, every, record_spikes, rate_bin, steps, out)
        with nullcontext() if progress else silence():
            run.compile()
        begin = clock()
        with progress_bar(steps, "simulation", progress) as advance, graceful_interrupt() as stop:
            interrupted = run.go(steps, advance, stop)
    finally:
        problem = run.close()
    result = run.result(clock() - begin, interrupted or run.done < steps)
    if problem:
        warn(
            f"{problem}. "
            + (
                f"The run ended at {result.duration:g} s; all spikes until then are in `spikes` of the result, and it can go on from "
                "`state` with another file."
                if run.done < steps
                else ""
            )
        )
    return result


def save_state(state, path):
    """Write the state of a run (trace.state) or simulation (simulation.state) to a file; plain arrays, no pickle."""
    if not isinstance(state, State):
        raise ValueError(
            f"state is a {type(state).__name__}; it must be the state of a run or simulation: trace.state, simulation.state."
        )
    checkpoint.write(
        path,
        state.arrays,
        {
            "kind": "simulation" if "x" in state.arrays else "run",
            "fingerprint": state.fingerprint,
            "step": int(state.step),
        },
    )


def load_state(path):
    """Read what save_state wrote: OSError if it is another file or damaged, ValueError if it holds what cannot be.

    `run` and `simulate` check that it belongs to the network.
    """
    arrays, meta = checkpoint.read(path, "run", "simulation")
    (check_state if meta["kind"] == "run" else simulation_state.check_any)(
        arrays, meta["step"], str(path)
    )
    return State(meta["fingerprint"], meta["step"], arrays)


def _joined(first, rest):
    """The spikes of two parts of a run of one trial, the first of which have gone to a file."""
    times, units = (
        np.concatenate([getattr(part, name) for part in (first, rest)])
        for name in ("times", "units")
    )
    return SpikeTrains(times, units, [0, units.size], rest.n_units, rest.duration)


def _check_network(network):
    if not network.spiking + network.readouts:
        raise ValueError(
            "the network has no populations to simulate; add one with net.population(...) or net.readout(...)."
        )
    missing = [p.name for p in network.projections if p.name not in network.weights]
    if missing:
        raise ValueError(
            f"projections without weights: {', '.join(missing)}. Give them to connect or set_weights."
        )
    if noisy := [p.name for p in network.spiking if p.noise]:
        raise ValueError(
            f"populations with escape noise: {', '.join(noisy)}. simulate has none of it; use run, or background=[…]."
        )
    for (
        projection
    ) in network.projections:  # `network.weights` is open to all: shape, type, Dale's law
        network.set_weights(projection, network.weights[projection.name], copy=False)


def _threads(network, threads):
    if threads is None and sum(p.n for p in network.populations) < _FEW_NEURONS:
        return 1
    return checked_threads(default_threads() if threads is None else threads)


def _neurons(chosen, n, state):
    """Numbers of the neurons whose state is recorded: of a slice, a number, a list of them, or a mask."""
    if isinstance(chosen, slice):
        ends = [
            None if end is None else whole(end, f"record of {state!r}: the slice")
            for end in (chosen.start, chosen.stop, chosen.step)
        ]
        return (
            np.arange(n)[slice(*ends)]
            if ends[2] != 0
            else refuse(f"record of {state!r}", chosen, "a slice with a step")
        )
    array = as_array(
        chosen, f"record of {state!r}", f"neurons 0 .. {n - 1}; for all give slice(None)"
    )
    if array.dtype == bool and array.shape == (n,):
        return np.flatnonzero(array)
    if (
        array.ndim > 1
        or array.dtype.kind not in "iu"
        and array.size
        or np.any((array < -n) | (array >= n))
    ):
        raise ValueError(
            f"record of {state!r} is {shown(chosen)}; it must be the neurons to record, of 0 .. {n - 1}: a list, or slice(None) "
            "for all."
        )
    return np.atleast_1d(wholes(array, f"record of {state!r}")) % n


def _names(names, what, example):
    """A tuple of texts; not a single one."""
    return texts(several(names, what, example), what, example)


class _Run:
    """The arrays of one call of `simulate`, and the loop over slices of time."""

    def __init__(self, network, spikes, merge, background, state, seed, initial, threads, steps):
        self.network, self.threads, self.place, self.merge = (
            network,
            threads,
            engine.Place(network),
            merge,
        )
        self.fingerprint = network.fingerprint()
        if not (state is None or isinstance(state, State)):
            raise ValueError(
                f"state is a {type(state).__name__}; it must be the state of a simulation, simulation.state."
            )
        if state is not None and state.fingerprint != self.fingerprint:
            raise ValueError(
                "this state is of another network: sizes, neurons, projections, dt and dtype must agree."
            )
        if state is not None and "x" not in state.arrays:
            raise ValueError(
                "this is the state of a run; simulate goes on from the state of a simulation (use run)."
            )
        direct = [network.delay_steps(p) for p in network.projections if p.delay is not None]
        self.longest = max(
            [0, *direct, *(p.neuron.jump_delay_steps(network.dt) for p in network.spiking)]
        )
        if state is not None:
            simulation_state.check_spikes(state, self.place, self.longest)
        seed = self._seed(seed, state, initial)
        rng = (
            np.random.default_rng(seed)
            if state is None
            else stream(seed or 0, "branch", str(state.step))
        )
        key = (
            int(state.arrays["key"]) if seed is None else int(rng.integers(2**64, dtype=np.uint64))
        )
        self.cells = engine.pack_cells(self.place, threads)
        self.learned = plastic_engine.starting_weights(network, state)
        self.wires, self.keep = engine.pack_wires(self.place, self.cells, self.learned)
        bias = [
            Current(p.name, network.bias(p)) for p in network.spiking + network.readouts if p.bias
        ]
        self.noise = engine.pack_noise(
            self.place,
            [*several(background, "background", "PoissonInput('E', 1e3, 0.1)"), *bias],
            key,
        )
        self.step = self.first = 0 if state is None else state.step
        self._make_memory(state, initial, seed)
        self._connect_inputs(spikes, steps)
        self._make_history(state)
        self.plastic = plastic_engine.pack_plastic(self.place, threads, self.recent)
        if state is not None:
            plastic_engine.restore(
                self.plastic, self.wires, self.cells, self.recent, self._recent_steps(), state
            )
        self.scratch = [engine.new_scratch(self.place) for _ in range(threads)]
        self.file = None

    @staticmethod
    def _seed(seed, state, initial):
        """A whole seed, or None where the random numbers go on from `state`."""
        if state is not None and initial is not None:
            raise ValueError(
                "give initial or state, not both: the state says where every neuron stands."
            )
        return (
            None if seed is None and state is not None else whole_seed(0 if seed is None else seed)
        )

    def _make_memory(self, state, initial, seed):
        place, dtype = self.place, self.network.dtype
        ring = (self.wires.ring_mask + 1) * self.wires.ring_width
        sizes = {
            "x": place.state_first[-1],
            "clock": place.neuron_first[-1],
            "held": place.neuron_first[-1],
            "ring": ring,
        }
        arrays = {
            name: engine.aligned(int(size), np.int32 if name == "clock" else dtype)
            for name, size in sizes.items()
        }
        for array in arrays.values():
            array[:] = 0
        if state is not None:
            limits = np.repeat(self.cells.clamped_steps + 1, place.room)
            simulation_state.check_memory(
                state, arrays, limits, self.noise.ou, self._noise_sources()
            )
            for name, array in arrays.items():
                array[:] = state.arrays[name]
            self.noise.ou[:] = state.arrays["ou"]
        else:
            for p in self.network.spiking + self.network.readouts:
                first = place.state(p.name, next(iter(p.neuron.states)))
                arrays["x"][first : first + p.n] = p.initial
            instance(
                {} if initial is None else initial,
                "initial",
                dict,
                "a dict of states, such as {'E.U': 0.5}",
            )
            for name, values in (initial or {}).items():
                first, n, _ = self._find(name)
                if is_random(values):
                    values = draw(values, stream(seed, name, "initial"), n)
                values = reals(values, f"initial {name!r}", dtype=dtype)
                if values.shape not in ((), (n,)):
                    raise ValueError(
                        f"initial {name!r} has shape {values.shape}; it must be one number, or {n}, one per neuron."
                    )
                arrays["x"][first : first + n] = values
        self.memory = engine.Memory(**arrays)

    def _noise_sources(self):
        """(sources, 2) population and place in the arrays of every Ornstein-Uhlenbeck source."""
        chosen = self.noise.kind == ORNSTEIN_UHLENBECK
        return np.stack([self.noise.population[chosen], self.noise.ou_first[chosen]], axis=1)

    def _find(self, name):
        """(first element, neurons, whether it is a membrane) of a state such as "E.U"."""
        population, _, state = instance(name, "a state", str, "a text, such as 'E.U'").partition(
            "."
        )
        p = self.network[population]
        if state not in p.states:
            raise ValueError(f"there is no state {name!r}; {population} has {p.known_states()}.")
        return self.place.state(population, state), p.n, state == p.states[0]

    def _make_history(self, state):
        lists = engine.list_bounds(self.place, self.cells.bounds, self._most_spikes(state))
        size = int(lists[-1, -1])
        self.most = int(np.clip(_ROOM // size, 32, 4096))  # steps of one slice
        shortest = min(self.wires.shortest, self.most)
        slots = 1 << (self.most + self.longest + shortest + 2).bit_length()
        self.recent = engine.RecentSpikes(
            slots - 1,
            np.ascontiguousarray(lists[:, :-1]),
            np.empty((slots, size + 1), np.int32),
            np.zeros((slots, self.threads, self.place.n.size), np.int32),
        )
        if state is not None:
            for n, p, unit in zip(
                *(state.arrays[f"recent_{what}"] for what in ("steps", "populations", "units"))
            ):
                slot, t = (
                    n & self.recent.mask,
                    int(np.searchsorted(self.cells.bounds[p], unit, side="right")) - 1,
                )
                self.recent.units[
                    slot, self.recent.first[p, t] + self.recent.count[slot, t, p]
                ] = unit
                self.recent.count[slot, t, p] += 1

    def _most_spikes(self, state):
        """(P,) the most spikes that a unit has in one step: several only where spikes of inputs are not merged, now or before `state`."""
        most, inputs = (
            np.ones(self.place.n.size, np.int64),
            [self.place.number[p.name] for p in self.network.inputs],
        )
        lists = []
        if not self.merge and inputs:
            counts = np.diff(self.drive.pointers)
            step, number = np.divmod(np.repeat(np.arange(counts.size), counts), len(inputs))
            lists += [
                (step[number == q], p, self.drive.units[number == q]) for q, p in enumerate(inputs)
            ]
        if state is not None:
            steps, populations, units = (
                state.arrays[f"recent_{what}"] for what in ("steps", "populations", "units")
            )
            lists += [(steps[populations == p], p, units[populations == p]) for p in inputs]
        for steps, p, units in lists:
            _, times = np.unique(steps * self.place.n[p] + units, return_counts=True)
            most[p] = max(most[p], times.max(initial=1))
        return most

    def _connect_inputs(self, spikes, steps):
        """The spikes of the inputs, by step, as far as the run goes."""
        inputs = self.network.inputs
        if spikes is None or not inputs:
            if spikes is not None:
                raise ValueError("the network has no inputs: give spikes=None.")
            self.drive = engine.Drive(
                len(inputs), self.first, 0, np.zeros(1, np.int64), np.empty(0, np.int32)
            )
            return
        events, given = bin_inputs(self.network, spikes, self.merge, steps)
        if events.pointers.shape[0] != 1:
            raise ValueError(
                f"simulate runs one trial; spikes have {events.pointers.shape[0]}. Choose one: spikes[0]."
            )
        self.drive = engine.Drive(
            len(inputs), self.first, given, np.ascontiguousarray(events.pointers[0]), events.units
        )

    def choose(self, record, every, record_spikes, rate_bin, steps, out):
        """What is recorded."""
        rate_bin = checks.time(
            rate_bin, "rate_bin", plausible=max(plausible.BIN, steps * self.network.dt)
        )
        if not (record is None or isinstance(record, dict)):
            raise ValueError(
                f"record is {shown(record)}; it must be a dict of states and their neurons, such as {{'E.U': [0, 1, 2], "
                "'E.I_exc': slice(5)}."
            )
        every = whole(every, "every", 1, why="a number of steps")
        self.bin_steps = timegrid.nearest_steps(rate_bin, self.network.dt)
        if self.bin_steps < 1:
            raise ValueError(
                f"rate_bin is {rate_bin!r} s; it must be at least one step of {self.network.dt:g} s."
            )
        names = (
            [p.name for p in self.network.firing]
            if record_spikes is None
            else list(
                dict.fromkeys(
                    _names(
                        record_spikes,
                        "record_spikes",
                        repr(self.network.firing[0].name) if self.network.firing else "'E'",
                    )
                )
            )
        )
        for name in names:
            if self.network[name].kind == "readout":
                raise ValueError(f"{name!r} is a readout: it never spikes.")
        self.events = {name: [] for name in names}
        sources = [p.name for p in self.network.sources]
        try:
            self.binned = {
                name: np.zeros(-(-steps // self.bin_steps), np.int64) for name in sources
            }
        except (MemoryError, ValueError):
            raise ValueError(
                f"duration: {steps:,} steps have {-(-steps // self.bin_steps):,} bins of rate_bin = {rate_bin:g} s, for which there "
                "is no room."
            ) from None
        index, owner, clamped, self.columns, at = [], [], [], {}, 0
        for name, chosen in (record or {}).items():
            first, n, membrane = self._find(name)
            p = self.place.number[name.partition(".")[0]]
            units = _neurons(chosen, n, name)
            index.append(first + units)
            owner.append(np.searchsorted(self.cells.bounds[p], units, side="right") - 1)
            clamped.append(
                self.place.neuron_first[p] + units
                if membrane and self.cells.clamped_steps[p]
                else np.full(units.size, -1)
            )
            self.columns[name], at = slice(at, at + units.size), at + units.size
        joined = [
            np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
            for parts in (index, owner, clamped)
        ]
        self.record = engine.Record(
            every, *joined, np.empty((self.most // every + 1 if at else 0, at), self.network.dtype)
        )
        self.rows = []
        self.file = (
            None
            if out is None
            else SpikeFile(out, self.network, names, self.first * self.network.dt)
        )

    def go(self, steps, advance, stop):
        """All slices of time, or those before Ctrl-C. Returns whether it was pressed."""
        control, size, done, begin = np.zeros(16, np.int64), 4, 0, clock()
        with ThreadPoolExecutor(max(1, self.threads - 1)) as pool:
            while done < steps:
                first, last, before = self.step, self.step + min(size, steps - done), clock()
                self._slice(pool, control, first, last)
                now = clock()
                check_slice(self.network, self.place, self.memory.x, first, last)
                self._keep(first, last)
                self.step, done = last, done + last - first
                size = min(
                    int(np.clip(size * _SLICE / max(now - before, 1e-6), size / 2, size * 4)) + 1,
                    self.most,
                )
                factor = (now - begin) / (done * self.network.dt)
                advance(
                    last - first,
                    f"{done * self.network.dt:.2f} s simulated, {factor:.2f} s per second",
                )
                if stop() or self.file is not None and self.file.problem:
                    break
        return bool(stop())

    def _slice(self, pool, control, first, last):
        control[:] = 0
        jobs = []
        try:
            for t in range(1, self.threads):
                jobs.append(pool.submit(self._advance, control, t, first, last))
            self._advance(control, 0, first, last)
        except BaseException:
            control[8] = 1
            raise
        for job in jobs:
            job.result()

    def _advance(self, control, t, first, last):
        try:
            kernels.advance(*self._arguments(control, t, first, last))
        except BaseException:
            control[8] = 1  # threads that wait for one that never comes go home
            raise

    def _arguments(self, control, t, first, last):
        return (
            self.cells,
            self.wires,
            self.plastic,
            self.noise,
            self.drive,
            self.recent,
            self.record,
            self.memory,
            self.scratch[t],
            control,
            t,
            first,
            last,
        )

    def compile(self):
        """All that a slice needs, so that the clock sees none of it."""
        ready(kernels.advance, *self._arguments(np.zeros(16, np.int64), 0, 0, 0))
        ready(kernels.collect, self.recent, 0, 0, 0, np.empty(0, np.int64), np.empty(0, np.int32))

    def _recent_steps(self):
        """The last steps whose spikes may not have arrived yet."""
        return range(max(0, self.step - self.longest), self.step)

    def _keep(self, first, last):
        """Take what a slice recorded."""
        at = (np.arange(first, last) - self.first) // self.bin_steps
        slots, found = np.arange(first, last) & self.recent.mask, {}
        for name, binned in self.binned.items():
            p = self.place.number[name]
            counts = self.recent.count[slots, :, p].sum(axis=1)
            np.add.at(binned, at, counts)
            if name in self.events and counts.any():
                steps, units = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), np.int32)
                kernels.collect(self.recent, p, first, last, steps, units)
                found[name] = (steps - self.first, units)
        if self.file is None or not self.file.append(first - self.first, last - self.first, found):
            for name, spikes in found.items():
                self.events[name].append(spikes)
        every = self.record.every
        if self.columns and (n_rows := (last - 1) // every - (first - 1) // every):
            self.rows.append(self.record.values[:n_rows].copy())

    @property
    def done(self):
        """Steps of this run so far."""
        return self.step - self.first

    def close(self):
        """Close the file of spikes, if there is one. Returns what went wrong with it, or None."""
        if self.file is None:
            return None
        self.file.close()
        return self.file.problem

    def result(self, wall, interrupted):
        dt, every = self.network.dt, self.record.every
        rows = np.concatenate(
            [np.empty((0, self.record.index.size), self.network.dtype), *self.rows]
        )
        steps = np.arange(-(-self.first // every) * every, self.step, every) - self.first
        events = {
            name: tuple(
                np.concatenate([np.empty(0, kind), *[part[k] for part in parts]])
                for k, kind in enumerate((np.int64, np.int32))
            )
            for name, parts in self.events.items()
        }
        done = self.done
        binned = {
            name: counts[: -(-done // self.bin_steps)] for name, counts in self.binned.items()
        }
        return Simulation(
            self.network,
            self.first * dt,
            done * dt,
            {name: int(counts.sum()) for name, counts in binned.items()},
            binned,
            self.bin_steps * dt,
            {name: rows[:, columns] for name, columns in self.columns.items()},
            steps * dt,
            wall,
            interrupted,
            self._state(),
            events,
            None if self.file is None else (self.file.path, self.file.run),
        )

    def _state(self):
        first = self._recent_steps().start
        recent = [[], [], []]
        for p in range(self.place.n.size):
            slots = np.arange(first, self.step) & self.recent.mask
            size = int(self.recent.count[slots, :, p].sum())
            steps, units = np.empty(size, np.int64), np.empty(size, np.int32)
            kernels.collect(self.recent, p, first, self.step, steps, units)
            for part, values in zip(recent, (steps, np.full(size, p), units)):
                part.append(values)
        arrays = {
            f"recent_{what}": np.concatenate(parts)
            for what, parts in zip(("steps", "populations", "units"), recent)
        }
        arrays |= {name: array.copy() for name, array in self.memory._asdict().items()}
        arrays |= plastic_engine.state_of(
            self.plastic, self.wires, self.cells, self.recent, self._recent_steps(), self.learned
        )
        arrays |= {
            "ou": self.noise.ou.copy(),
            "ou_sources": self._noise_sources(),
            "key": np.uint64(self.noise.key),
        }
        return State(self.fingerprint, self.step, arrays)
