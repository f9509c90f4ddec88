"""Run one large network, sparse or dense, for as long as you like: simulate(network, duration) -> Simulation.

The step is that of `run` (DESIGN section 2), but there is one trial, threads go over targets, and nothing is stored but spikes and
what was asked for.
"""
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from . import checkpoint, engine, plastic_engine
from .background import Current
from . import network_kernels as kernels
from .events import SpikeTrains
from .past import State
from .progress import graceful_interrupt, progress_bar
from .random_kernels import ORNSTEIN_UHLENBECK
from .trials import bin_inputs
from .spike_file import SpikeFile, read_spikes
from .synapses import is_random
from .threads import checked_threads, default_threads
from .units import listed, seconds

_SLICE = 0.03            # seconds of wall time between looks at the clock and at Ctrl-C
_ROOM = 1 << 22          # neurons times steps of the list of past spikes
_FEW_NEURONS = 1000      # below, one thread is faster than two


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a simulated network did.

    start        seconds that were simulated before this run (in `state`); times below count from there
    duration     seconds of this run; less than asked for where it was `interrupted` before the end
    counts       population -> number of spikes, of inputs and spiking populations
    binned       population -> (bins,) number of spikes in bins of `rate_bin` seconds
    states       "E.U" -> (times, chosen neurons), values at the end of steps; state_times: seconds
    wall         seconds that the run took, without building the network
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
    _out: tuple | None = None     # (path, which run) of a file of spikes

    @cached_property
    def spikes(self):
        """Population -> SpikeTrains of one trial, for the recorded populations; read from the file if they went there."""
        if self._out is not None:
            return read_spikes(*self._out)
        return {name: SpikeTrains(steps * self.network.dt, units, [0, units.size], self.network[name].n, self.duration)
                for name, (steps, units) in self._events.items()}

    @property
    def weights(self):
        """Projection -> weights at the end: those that the run has learned, else those of the network."""
        return self.network.weights | plastic_engine.learned_weights(self.state)

    @property
    def rates(self):
        """Population -> (bins,) mean rate of its neurons in Hz; bins are `rate_bin` seconds long."""
        steps = max(1, round(self.rate_bin / self.network.dt))
        total = max(1, round(self.duration / self.network.dt))
        length = np.minimum(steps, total - steps * np.arange(-(-total // steps))) * self.network.dt
        return {name: count / (self.network[name].n * length) for name, count in self.binned.items()}

    @property
    def mean_rates(self):
        """Population -> mean rate of its neurons in Hz over the run."""
        return {name: count / (self.network[name].n * self.duration) for name, count in self.counts.items()}

    @property
    def real_time_factor(self):
        """Seconds of wall time for one simulated second."""
        return self.wall / self.duration

    def __str__(self):
        lines = [f"{self.duration:g} s simulated in {self.wall:.2f} s ({self.real_time_factor:.2f} s per second)"
                 + (", interrupted" if self.interrupted else "")]
        return "\n".join(lines + [f"  {name}: {rate:.4g} Hz" for name, rate in self.mean_rates.items()])


def simulate(network, duration, spikes=None, *, background=(), record=None, every=1, record_spikes=None, rate_bin=5e-3, initial=None,
             state=None, seed=0, threads=None, progress=True, out=None, merge=True):
    """Simulate one trial of `network` for `duration` seconds. Returns a Simulation.

    spikes         SpikeTrains of one trial for the inputs, or a dict of input name -> such
    background     list of PoissonInput, Current, OrnsteinUhlenbeck
    record         states of chosen neurons: {"E.U": [0, 1, 2], "E.I_exc": slice(5)}, at the end of every `every`-th step
    record_spikes  names of populations; default: all that spike or pool spikes
    rate_bin       seconds, of the bins in which spikes are counted
    initial        {"E.U": number, array (n,), or distribution with draw(rng, size)}: states at the start, instead of 0 and `initial` of
                   the population
    state          of an earlier simulation of this network, to go on from; then initial and seed do not matter. Input spikes count from
                   the start of this run, the times of a background that changes from the start of the first
    seed           int or numpy Generator: of the background and of initial states
    threads        default: all processors, one for a small network. The result is the same, bit for bit
    progress       show the share that is done, the time to the end and the real-time factor
    out            path of an HDF5 file to which spikes go as they come, instead of memory (spike_file.py); what was there is replaced, so
                   give every part of a run that is continued a file of its own
    merge          several spikes of one input unit in one step count once

    Ctrl-C ends the run and returns what was simulated so far; a second one interrupts at once.
    """
    duration = seconds(duration, "duration")
    steps = int(duration / network.dt + 0.5) if np.isfinite(duration) else 0
    if steps < 1:
        raise ValueError(f"duration is {duration!r} s; it must be finite and at least one step of {network.dt:g} s.")
    _check_network(network)
    run = _Run(network, spikes, merge, background, state, seed, initial, _threads(network, threads))
    run.choose(record, every, record_spikes, rate_bin, steps, out)
    begin, interrupted = time.perf_counter(), False
    try:
        with progress_bar(steps, "simulation", progress) as advance, graceful_interrupt() as stop:
            interrupted = run.go(steps, advance, stop)
    finally:
        run.close()
    return run.result(time.perf_counter() - begin, interrupted)


def save_state(state, path):
    """Write the state of a run (trace.state) or simulation (simulation.state) to a file; plain arrays, no pickle."""
    if not isinstance(state, State):
        raise ValueError(f"state is a {type(state).__name__}; it must be the state of a run or simulation: trace.state, simulation.state.")
    checkpoint.write(path, state.arrays, {"fingerprint": state.fingerprint, "step": state.step})


def load_state(path):
    """Read what save_state wrote. `run` and `simulate` check that it belongs to the network."""
    arrays, meta = checkpoint.read(path)
    if "step" not in meta:
        raise OSError(f"{path} holds no state of a run or simulation; it may be a checkpoint of weights (load_weights).")
    return State(meta["fingerprint"], meta["step"], arrays)


def _check_network(network):
    if not network.spiking + network.readouts:
        raise ValueError("the network has no populations to simulate; add one with net.population(...) or net.readout(...).")
    missing = [p.name for p in network.projections if p.name not in network.weights]
    if missing:
        raise ValueError(f"projections without weights: {', '.join(missing)}. Give them to connect or set_weights.")
    if noisy := [p.name for p in network.spiking if p.noise]:
        raise ValueError(f"populations with escape noise: {', '.join(noisy)}. simulate has none of it; use run, or background=[…].")
    for projection in network.projections:      # `network.weights` is open to all: shape, type, Dale's law
        network.set_weights(projection, network.weights[projection.name], copy=False)


def _threads(network, threads):
    if threads is None and sum(p.n for p in network.populations) < _FEW_NEURONS:
        return 1
    return checked_threads(default_threads() if threads is None else threads)


class _Run:
    """The arrays of one call of `simulate`, and the loop over slices of time."""

    def __init__(self, network, spikes, merge, background, state, seed, initial, threads):
        self.network, self.threads, self.place, self.merge = network, threads, engine.Place(network), merge
        self.fingerprint = network.fingerprint()
        if not (state is None or isinstance(state, State)):
            raise ValueError(f"state is a {type(state).__name__}; it must be the state of a simulation, simulation.state.")
        if state is not None and state.fingerprint != self.fingerprint:
            raise ValueError("this state is of another network: sizes, neurons, projections, dt and dtype must agree.")
        if state is not None and "x" not in state.arrays:
            raise ValueError("this is the state of a run; simulate goes on from the state of a simulation (use run).")
        rng = np.random.default_rng(seed)
        key = int(rng.integers(2 ** 64, dtype=np.uint64)) if state is None else int(state.arrays["key"])
        self.cells = engine.pack_cells(self.place, threads)
        self.learned = plastic_engine.starting_weights(network, state)
        self.wires, self.keep = engine.pack_wires(self.place, self.cells, self.learned)
        bias = [Current(p.name, network.bias(p)) for p in network.spiking + network.readouts if p.bias]
        self.noise = engine.pack_noise(self.place, [*listed(background, "background", "PoissonInput('E', 1e3, 0.1)"), *bias], key)
        self.step = self.first = 0 if state is None else state.step
        direct = [network.delay_steps(p) for p in network.projections if p.delay is not None]
        self.longest = max([0, *direct, *(p.neuron.jump_delay_steps(network.dt) for p in network.spiking)])
        self._make_memory(state, initial, rng)
        self._connect_inputs(spikes)
        self._make_history(state)
        self.plastic = plastic_engine.pack_plastic(self.place, threads, self.history)
        if state is not None:
            plastic_engine.restore(self.plastic, self.wires, self.cells, self.history, self._recent_steps(), state)
        self.scratch = [engine.new_scratch(self.place) for _ in range(threads)]

    def _make_memory(self, state, initial, rng):
        place, dtype = self.place, self.network.dtype
        ring = (self.wires.ring_mask + 1) * self.wires.ring_width
        sizes = {"x": place.state_first[-1], "clock": place.neuron_first[-1], "held": place.neuron_first[-1], "ring": ring}
        arrays = {name: engine.aligned(int(size), np.int32 if name == "clock" else dtype) for name, size in sizes.items()}
        for array in arrays.values():
            array[:] = 0
        if state is not None:
            sources = self._noise_sources()
            if state.arrays["ou"].shape != self.noise.ou.shape or not np.array_equal(state.arrays.get("ou_sources", sources), sources):
                raise ValueError("this state was reached with another background: Ornstein-Uhlenbeck sources differ.")
            for name, array in arrays.items():
                array[:] = state.arrays[name]
            self.noise.ou[:] = state.arrays["ou"]
        else:
            for p in self.network.spiking + self.network.readouts:
                first = place.state(p.name, next(iter(p.neuron.states)))
                arrays["x"][first:first + p.n] = p.initial
            for name, values in (initial or {}).items():
                first, n, _ = self._find(name)
                values = values.draw(rng, n) if hasattr(values, "draw") else values(rng, n) if is_random(values) else values
                if np.shape(values) not in ((), (n,)):
                    raise ValueError(f"initial {name!r} has shape {np.shape(values)}; it must be one number, or {n}, one per neuron.")
                arrays["x"][first:first + n] = values
                if not np.all(np.isfinite(arrays["x"][first:first + n])):
                    raise ValueError(f"initial {name!r} has values that are not finite.")
        self.memory = engine.Memory(**arrays)

    def _noise_sources(self):
        """(sources, 2) population and place in the arrays of every Ornstein-Uhlenbeck source."""
        chosen = self.noise.kind == ORNSTEIN_UHLENBECK
        return np.stack([self.noise.population[chosen], self.noise.ou_first[chosen]], axis=1)

    def _find(self, name):
        """(first element, neurons, whether it is a membrane) of a state such as "E.U"."""
        population, _, state = str(name).partition(".")
        p = self.network[population]
        if state not in p.states:
            raise ValueError(f"there is no state {name!r}; {population} has {p.known_states()}.")
        return self.place.state(population, state), p.n, state == p.states[0]

    def _make_history(self, state):
        lists = engine.list_bounds(self.place, self.cells.bounds, self._most_spikes(state))
        size = int(lists[-1, -1])
        self.most = int(np.clip(_ROOM // size, 32, 4096))     # steps of one slice
        shortest = min(self.wires.shortest, self.most)
        slots = 1 << (self.most + self.longest + shortest + 2).bit_length()
        self.history = engine.History(slots - 1, np.ascontiguousarray(lists[:, :-1]), np.empty((slots, size + 1), np.int32),
                                      np.zeros((slots, self.threads, self.place.n.size), np.int32))
        if state is not None:
            for n, p, unit in zip(*(state.arrays[f"recent_{what}"] for what in ("steps", "populations", "units"))):
                slot, t = n & self.history.mask, int(np.searchsorted(self.cells.bounds[p], unit, side="right")) - 1
                self.history.units[slot, self.history.first[p, t] + self.history.count[slot, t, p]] = unit
                self.history.count[slot, t, p] += 1

    def _most_spikes(self, state):
        """(P,) the most spikes that a unit has in one step: several only where spikes of inputs are not merged, now or before `state`."""
        most, inputs = np.ones(self.place.n.size, np.int64), [self.place.number[p.name] for p in self.network.inputs]
        lists = []
        if not self.merge and inputs:
            counts = np.diff(self.drive.pointers)
            step, number = np.divmod(np.repeat(np.arange(counts.size), counts), len(inputs))
            lists += [(step[number == q], p, self.drive.units[number == q]) for q, p in enumerate(inputs)]
        if state is not None:
            steps, populations, units = (state.arrays[f"recent_{what}"] for what in ("steps", "populations", "units"))
            lists += [(steps[populations == p], p, units[populations == p]) for p in inputs]
        for steps, p, units in lists:
            _, times = np.unique(steps * self.place.n[p] + units, return_counts=True)
            most[p] = max(most[p], times.max(initial=1))
        return most

    def _connect_inputs(self, spikes):
        """The spikes of the inputs, by step."""
        inputs = self.network.inputs
        if spikes is None or not inputs:
            if spikes is not None:
                raise ValueError("the network has no inputs: give spikes=None.")
            self.drive = engine.Drive(len(inputs), self.first, 0, np.zeros(1, np.int64), np.empty(0, np.int32))
            return
        events, given = bin_inputs(self.network, spikes, self.merge)
        if events.pointers.shape[0] != 1:
            raise ValueError(f"simulate runs one trial; spikes have {events.pointers.shape[0]}. Choose one: spikes[0].")
        self.drive = engine.Drive(len(inputs), self.first, given, np.ascontiguousarray(events.pointers[0]), events.units)

    def choose(self, record, every, record_spikes, rate_bin, steps, out):
        """What is recorded."""
        rate_bin = seconds(rate_bin, "rate_bin")
        if not (isinstance(rate_bin, (int, float, np.number)) and np.isfinite(rate_bin)):
            raise ValueError(f"rate_bin is {rate_bin!r}; it must be a time in seconds.")
        if not (record is None or isinstance(record, dict)):
            raise ValueError(f"record is {record!r}; it must be a dict of states and their neurons, such as {{'E.U': [0, 1, 2], "
                             "'E.I_exc': slice(5)}.")
        if not isinstance(every, (int, np.integer)) or every < 1:
            raise ValueError(f"every is {every!r}; it must be a whole number of steps >= 1.")
        self.rate_bin, self.bin_steps = rate_bin, int(rate_bin / self.network.dt + 0.5)
        if self.bin_steps < 1:
            raise ValueError(f"rate_bin is {rate_bin!r} s; it must be at least one step of {self.network.dt:g} s.")
        names = [p.name for p in self.network.firing] if record_spikes is None else list(
            dict.fromkeys(listed(record_spikes, "record_spikes", repr(self.network.firing[0].name) if self.network.firing else "'E'")))
        for name in names:
            if self.network[name].kind == "readout":
                raise ValueError(f"{name!r} is a readout: it never spikes.")
        self.events = {name: [] for name in names}
        sources = [p.name for p in self.network.sources]
        self.binned = {name: np.zeros(-(-steps // self.bin_steps), np.int64) for name in sources}
        index, owner, clamped, self.columns, at = [], [], [], {}, 0
        for name, chosen in (record or {}).items():
            first, n, membrane = self._find(name)
            p = self.place.number[name.partition(".")[0]]
            try:
                units = np.atleast_1d(np.arange(n)[chosen])
            except (IndexError, TypeError):
                units = np.empty((0, 0))
            if units.ndim != 1 or chosen is None or isinstance(chosen, (bool, str)):
                raise ValueError(f"record of {name!r} is {chosen!r}; it must be the neurons to record, of 0 .. {n - 1}: a list, or slice(None) "
                                 "for all.")
            index.append(first + units)
            owner.append(np.searchsorted(self.cells.bounds[p], units, side="right") - 1)
            clamped.append(self.place.neuron_first[p] + units if membrane and self.cells.clamped_steps[p] else np.full(units.size, -1))
            self.columns[name], at = slice(at, at + units.size), at + units.size
        joined = [np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64) for parts in (index, owner, clamped)]
        self.record = engine.Record(int(every), *joined, np.empty((self.most // every + 1 if at else 0, at), self.network.dtype))
        self.rows = []
        self.file = None if out is None else SpikeFile(out, self.network, names, self.first * self.network.dt)

    def go(self, steps, advance, stop):
        """All slices of time, or those before Ctrl-C. Returns whether it was pressed."""
        control, size, done, begin = np.zeros(16, np.int64), 4, 0, time.perf_counter()
        with ThreadPoolExecutor(max(1, self.threads - 1)) as pool:
            while done < steps:
                first, last, before = self.step, self.step + min(size, steps - done), time.perf_counter()
                self._slice(pool, control, first, last)
                now = time.perf_counter()
                self._keep(first, last)
                self.step, done = last, done + last - first
                size = min(int(np.clip(size * _SLICE / max(now - before, 1e-6), size / 2, size * 4)) + 1, self.most)
                factor = (now - begin) / (done * self.network.dt)
                advance(last - first, f"{done * self.network.dt:.2f} s simulated, {factor:.2f} s per second")
                if stop():
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
            control[8] = 1   # threads that wait for one that never comes go home
            raise
        for job in jobs:
            job.result()

    def _advance(self, control, t, first, last):
        kernels.advance(self.cells, self.wires, self.plastic, self.noise, self.drive, self.history, self.record, self.memory,
                        self.scratch[t], control, t, first, last)

    def _recent_steps(self):
        """The last steps whose spikes may not have arrived yet."""
        return range(max(0, self.step - self.longest), self.step)

    def _keep(self, first, last):
        """Take what a slice recorded."""
        at = (np.arange(first, last) - self.first) // self.bin_steps
        slots = np.arange(first, last) & self.history.mask
        for name, binned in self.binned.items():
            p = self.place.number[name]
            counts = self.history.count[slots, :, p].sum(axis=1)
            np.add.at(binned, at, counts)
            if name in self.events and counts.any():
                steps, units = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), np.int32)
                kernels.collect(self.history, p, first, last, steps, units)
                if self.file is not None:
                    self.file.append(name, (steps - self.first) * self.network.dt, units)
                else:
                    self.events[name].append((steps - self.first, units))
        if self.file is not None:
            self.file.mark((last - self.first) * self.network.dt)
        every = self.record.every
        if self.columns and (n_rows := (last - 1) // every - (first - 1) // every):
            self.rows.append(self.record.values[:n_rows].copy())

    def close(self):
        if self.file is not None:
            self.file.close()

    def result(self, wall, interrupted):
        dt, every = self.network.dt, self.record.every
        rows = np.concatenate([np.empty((0, self.record.index.size), self.network.dtype), *self.rows])
        steps = np.arange(-(-self.first // every) * every, self.step, every) - self.first
        events = {name: tuple(np.concatenate([np.empty(0, kind), *[part[k] for part in parts]]) for k, kind in
                              enumerate((np.int64, np.int32))) for name, parts in self.events.items()}
        done = self.step - self.first
        binned = {name: counts[:-(-done // self.bin_steps)] for name, counts in self.binned.items()}
        return Simulation(self.network, self.first * dt, done * dt, {name: int(counts.sum()) for name, counts in binned.items()}, binned,
                          self.bin_steps * dt, {name: rows[:, columns] for name, columns in self.columns.items()}, steps * dt, wall,
                          interrupted, self._state(), events, None if self.file is None else (self.file.path, self.file.run))

    def _state(self):
        first = self._recent_steps().start
        recent = [[], [], []]
        for p in range(self.place.n.size):
            slots = np.arange(first, self.step) & self.history.mask
            size = int(self.history.count[slots, :, p].sum())
            steps, units = np.empty(size, np.int64), np.empty(size, np.int32)
            kernels.collect(self.history, p, first, self.step, steps, units)
            for part, values in zip(recent, (steps, np.full(size, p), units)):
                part.append(values)
        arrays = {f"recent_{what}": np.concatenate(parts) for what, parts in zip(("steps", "populations", "units"), recent)}
        arrays |= {name: array.copy() for name, array in self.memory._asdict().items()}
        arrays |= plastic_engine.state_of(self.plastic, self.wires, self.cells, self.history, self._recent_steps(), self.learned)
        arrays |= {"ou": self.noise.ou.copy(), "ou_sources": self._noise_sources(), "key": np.uint64(self.noise.key)}
        return State(self.fingerprint, self.step, arrays)
