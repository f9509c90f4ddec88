"""biosnn beside Brian2: both run the same trials in float64, and a report says where they agree."""
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import numpy as np
from rich.console import Group
from rich.text import Text

from .. import stats
from ..background import Current
from ..events import SpikeTrains
from ..neuron import linear_step, step_matrix, surge_step
from ..support import timegrid
from ..trials import run
from ..simulation import simulate
from ..support.tables import Table, printed
from .description import checked_trial, current_values, in_double, require_brian2
from .objects import recorded, to_brian2

#: Brian2's default flags without those that reorder or fuse floating-point operations.
_FLAGS = ["-w", "-O3", "-ffp-contract=off", "-march=native", "-std=c++11"]


@dataclass(frozen=True)
class Divergence:
    """The first spike that only one program has.

    trial, step, population, neuron   where; of several in one step the first neuron of the first population
    ours, theirs   U of that neuron there before threshold and reset, in biosnn and in Brian2
    threshold      of that population
    only_in        "biosnn" or "Brian2", the program that has the spike
    """
    trial: int
    step: int
    population: str
    neuron: int
    ours: float
    theirs: float
    threshold: float
    only_in: str

    @property
    def difference(self):
        """Brian2's membrane minus that of biosnn."""
        return self.theirs - self.ours

    @property
    def margin(self):
        """The membrane of biosnn minus the threshold."""
        return self.ours - self.threshold


@dataclass(frozen=True, eq=False)
class Comparison:
    """biosnn beside Brian2. `print` it for tables; `as_dict` for JSON; `figure()` to look at.

    identical     all spikes of all trials agree
    divergence    the first spike that only one program has (earliest over trials), or None
    states        "E.U" -> (largest absolute difference, largest absolute value), of each trial before its first such spike
    spike_counts  population -> (biosnn, Brian2)
    statistics    population -> {"rate" (Hz), "cv", "correlation"} -> (mean of biosnn, mean of Brian2, Kolmogorov-Smirnov distance)
    trial         the one that traces and the figure show: that of the divergence, or 0
    traces        of that trial: state -> (biosnn, Brian2), arrays (step, neuron)
    rasters       population -> (SpikeTrains of biosnn, of Brian2)
    duration      of a trial, in seconds
    """
    identical: bool
    divergence: Divergence | None
    states: dict
    spike_counts: dict
    statistics: dict
    duration: float
    n_trials: int
    dt: float
    traces: dict = field(repr=False, default_factory=dict)
    rasters: dict = field(repr=False, default_factory=dict)

    @property
    def trial(self):
        return 0 if self.divergence is None else self.divergence.trial

    @property
    def identical_for(self):
        """Seconds from the start in which all spikes agree."""
        return self.duration if self.divergence is None else self.divergence.step * self.dt

    @property
    def worst_state(self):
        """The largest difference of any state, relative to the largest value of that state; 0 if none was recorded."""
        return max((difference / scale if scale else np.inf for difference, scale in self.states.values() if difference), default=0.0)

    def as_dict(self):
        """For JSON."""
        parted = None if self.divergence is None else asdict(self.divergence) | {"difference": self.divergence.difference}
        return {"identical": self.identical, "divergence": parted, "states": self.states, "spike_counts": self.spike_counts,
                "statistics": self.statistics, "duration_s": self.duration, "n_trials": self.n_trials}

    def _parts(self):
        return [self._title(), _population_table(self), *([_state_table(self)] if self.states else [])]

    def __rich__(self):
        return Group(*(Text(part) if isinstance(part, str) else part for part in self._parts()))

    def _title(self):
        what = (f"biosnn beside Brian2: {self.n_trials} {'trial' if self.n_trials == 1 else 'trials'} of {self.duration:g} s, "
                f"dt {1e3 * self.dt:g} ms. ")
        if self.identical:
            return what + "All spikes are identical."
        d = self.divergence
        return what + (f"Spikes differ from {1e3 * d.step * self.dt:g} ms on: in trial {d.trial}, step {d.step}, neuron {d.neuron} of "
                       f"{d.population} spikes only in {d.only_in}. Before threshold and reset its U is {d.ours:.9g} in biosnn and {d.theirs:.9g} "
                       f"in Brian2, which is {d.difference:+.1e}; the threshold is {d.threshold:g}.")

    def __str__(self):
        return printed(*self._parts())

    def figure(self, population=None, neuron=0):
        """Rasters of both programs in one trial (that of the divergence, or the first), the membrane of one neuron in both, and their difference."""
        from ..plot import comparison
        return comparison(self, population, neuron)


def _population_table(report):
    rows = []
    for name, (ours, theirs) in report.spike_counts.items():
        rows.append([name, f"{ours} {theirs}"])
        for key, digits in (("rate", 2), ("cv", 3), ("correlation", 3)):
            *sides, distance = report.statistics[name][key]
            rows[-1] += [" ".join(_short(side, digits) for side in sides), _short(distance, 3)]
    return Table("spikes: each number in biosnn, in Brian2, and the Kolmogorov-Smirnov distance over neurons (or pairs)",
                 ("population", "spikes", "rate (Hz)", "KS", "CV of intervals", "KS", "correlation", "KS"), rows)


def _state_table(report):
    rows = [(name, f"{difference:.1e}", f"{scale:.3g}", f"{difference / scale:.1e}" if scale else "")
            for name, (difference, scale) in report.states.items()]
    return Table("states before the first spike that differs", ("state", "largest |difference|", "largest |value|", "ratio"), rows)


def _short(value, digits):
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


# ---------------------------------------------------------------------------------------------- the run

def compare(network, spikes=None, record=None, currents=None, duration=None, progress=True, against=None, target="numpy"):
    """Run `network` in biosnn and in Brian2 on every trial of `spikes`, both in float64. Returns a Comparison.

    record     states to compare; default: all of them
    currents, duration   as for `to_brian2`
    against    the network that Brian2 gets; default `network` itself. A changed copy shows what the change does to the spikes
    target     how Brian2 computes: "numpy", or "cython", which compiles first (here without -ffast-math) and pays for long runs
    """
    from ..progress import progress_bar
    double = in_double(network)
    other = double if against is None else in_double(against)
    record = [f"{p.name}.{s}" for p in double.spiking + double.readouts for s in p.neuron.states] if record is None else list(record)
    n_trials = _number_of_trials(spikes, currents)
    trials, ours, theirs = [_trial(spikes, currents, b) for b in range(n_trials)], [], []
    with _brian2_computes(target):
        with progress_bar(n_trials, "Brian2", progress) as advance:
            for trial, current in trials:
                ours.append(_our_trace(double, trial, record, current, duration))
                theirs.append(_their_trace(other, trial, record, current, duration))
                advance(1, "")
        return _report(double, other, trials, ours, theirs, record, duration)


@contextmanager
def _brian2_computes(target):
    """Brian2's preferences for a comparison, and back. Compiled code lies in a folder of its own: Brian2's key lacks the flags."""
    if target not in ("numpy", "cython"):
        raise ValueError(f"target is {target!r}; Brian2 can compute with 'numpy' or 'cython'.")
    prefs = require_brian2().prefs
    wanted = {"codegen.target": target}
    if target == "cython":
        from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir
        wanted |= {"codegen.cpp.extra_compile_args_gcc": _FLAGS, "codegen.runtime.cython.cache_dir": get_cython_cache_dir() + "_ieee"}
    before = {key: prefs[key] for key in wanted}
    try:
        for key, value in wanted.items():
            prefs[key] = value
        yield
    finally:
        for key, value in before.items():
            prefs[key] = value


def _number_of_trials(spikes, currents):
    """Of the input, which currents must share or not have; without input, of the currents."""
    of = {name: len(value) for name, value in (currents or {}).items() if np.ndim(value) == 3}
    n_trials = max(of.values(), default=1) if spikes is None else len(next(iter(spikes.values())) if isinstance(spikes, dict) else spikes)
    if n_trials == 0:
        raise ValueError("there are no trials: spikes are empty, so there is nothing to compare.")
    for name, n in of.items():
        if n not in (1, n_trials):
            raise ValueError(f"currents for {name!r} have {n} trials, but there are {n_trials}; give (trial, step, neuron) for all of them, or "
                             "(step, neuron) for every trial alike.")
    return n_trials


def _trial(spikes, currents, b):
    """Input and currents of one trial."""
    trial = None if spikes is None else {name: s[b] for name, s in spikes.items()} if isinstance(spikes, dict) else spikes[b]
    current = {name: np.asarray(value, float) for name, value in (currents or {}).items()}
    return trial, {name: value[b % len(value)] if value.ndim == 3 else value for name, value in current.items()}


@dataclass(frozen=True, eq=False)
class _Trace:
    """What `run` would have recorded."""
    dt: float
    n_steps: int
    spikes: dict
    states: dict


def _our_trace(network, trial, record, currents, duration, neurons=slice(None)):
    if _needs_engine(network):
        steps = checked_trial(network, trial, duration)
        times, currents = np.arange(steps) * network.dt, current_values(network, currents, steps)
        done = simulate(network, steps * network.dt, trial, record={name: neurons for name in record},
                        background=[Current(name, value[0] if len(value) == 1 else (times, value)) for name, value in currents.items()],
                        progress=False)
        return _Trace(network.dt, steps, done.spikes, {name: value[None] for name, value in done.states.items()})
    return run(network, trial, record=record, currents={name: value[None] if value.ndim == 2 else value for name, value in currents.items()},
               duration=duration, threads=1)


def _needs_engine(network):
    """Whether `run` does not take all of it; the engine runs one trial of any network."""
    neurons = [p.neuron for p in network.spiking]
    return any(p.plasticity for p in network.projections) or any(n.surge or n.has_delta_synapses for n in neurons)


def _their_trace(network, trial, record, currents, duration):
    """(population -> set of (step, neuron), state -> (step, neuron)) of Brian2."""
    reference = to_brian2(network, trial, record, currents, duration)
    reference.run()
    spikes = {name: set(zip(timegrid.nearest_steps(np.asarray(monitor.t), network.dt).tolist(), np.asarray(monitor.i).tolist()))
              for name, monitor in reference.spikes.items()}
    return spikes, {name: recorded(monitor, name) for name, monitor in reference.states.items()}


def _our_spikes(trace, name):
    spikes = trace.spikes[name]
    return set(zip(timegrid.nearest_steps(spikes.times, trace.dt).tolist(), spikes.units.tolist()))


def _report(network, other, trials, ours, theirs, record, duration):
    names, steps, dt = [p.name for p in network.spiking], ours[0].n_steps, network.dt
    states, pairs, parted = {name: (0.0, 0.0) for name in record}, {name: ([], []) for name in names}, []
    for b, (trace, (spikes, values)) in enumerate(zip(ours, theirs)):
        first = []
        for order, name in enumerate(names):
            mine = _our_spikes(trace, name)
            pairs[name][0].append(mine)
            pairs[name][1].append(spikes[name])
            first += [(step, order, neuron, "biosnn" if (step, neuron) in mine else "Brian2") for step, neuron in mine ^ spikes[name]]
        parted += [(min(first)[0], b, *min(first)[1:])] if first else []
        until = min(first)[0] if first else steps
        for name in record:
            mine, others = trace.states[name][0, :until], values[name][:until]
            if mine.size:
                gap = float(np.abs(mine - others).max())
                states[name] = (max(states[name][0], np.inf if np.isnan(gap) else gap), max(states[name][1], float(np.abs(others).max())))
    divergence = _divergence(network, other, trials, min(parted), duration) if parted else None
    trains = {name: tuple(_trains(side, network[name].n, steps, dt) for side in pairs[name]) for name in names}
    shown = 0 if divergence is None else divergence.trial
    return Comparison(not parted, divergence, states, {name: tuple(int(t.times.size) for t in both) for name, both in trains.items()},
                      {name: _statistics(*both) for name, both in trains.items()}, steps * dt, len(ours), dt,
                      {name: (ours[shown].states[name][0], theirs[shown][1][name]) for name in record}, trains)


def _divergence(network, other, trials, parted, duration):
    """Both programs once more, up to the step where they part, for the membranes there."""
    step, b, order, neuron, only_in = parted
    population, (trial, currents) = network.spiking[order], trials[b]
    name = f"{population.name}.U_star"
    mine = _membrane(network, population, trial, currents, duration, step, neuron, only_in == "biosnn")
    reference = to_brian2(other, trial, [name], currents, duration)
    reference.run((step + 1) * network.dt)
    theirs = recorded(reference.states[name], name)[step, neuron]
    return Divergence(b, step, population.name, neuron, float(mine), float(theirs), float(population.neuron.threshold), only_in)


def _membrane(network, population, trial, currents, duration, step, neuron, spiked):
    """U of a neuron of biosnn in a step, before threshold and reset."""
    if not _needs_engine(network):
        name = f"{population.name}.U_star"
        return _our_trace(network, trial, [name], currents, duration).states[name][0, step, neuron]
    # The engine records ends of steps: without a spike U is still there; with one, it follows from the step before.
    states = population.neuron.states
    trace = _our_trace(network, trial, [f"{population.name}.{state}" for state in states], currents, duration, [neuron])
    values = np.array([trace.states[f"{population.name}.{state}"][0, :, 0] for state in states])
    if not spiked and not any(receptor.state == "U" for receptor in population.neuron.receptors.values()):
        return values[0, step]
    before = values[:, step - 1] if step else np.array([population.initial] + [0.0] * (len(states) - 1))
    matrix, drive = step_matrix(population.neuron, network.dt, network.time_constants(population))
    matrix, drive = (matrix[neuron], drive[neuron]) if matrix.ndim == 3 else (matrix, drive)
    current = np.broadcast_to(currents.get(population.name, 0.0), (trace.n_steps, population.n))[step, neuron]
    if population.neuron.reversal:
        g = {state: before[list(states).index(state)] for state in population.neuron.reversal}
        rate = np.broadcast_to(linear_step(population.neuron, network.dt, network.time_constants(population))[2][..., 0], population.n)[neuron]
        total, inflow = 1 + sum(g.values()), current + sum(g[state] * potential for state, potential in population.neuron.reversal.items())
        return np.clip(inflow / total + (before[0] - inflow / total) * np.exp(-rate * total), population.neuron.low, population.neuron.high)
    surge = np.broadcast_to(surge_step(population.neuron, network.dt, before[0]), population.n)[neuron]
    return np.clip(matrix[0] @ before + drive[0] * current + surge, population.neuron.low, population.neuron.high)


def _trains(trials, n, steps, dt):
    events = [(b, step, unit) for b, trial in enumerate(trials) for step, unit in trial]
    b, step, unit = np.array(events, np.int64).reshape(-1, 3).T
    return SpikeTrains.from_events(step * dt, unit, b, len(trials), n, steps * dt)


def _statistics(ours, theirs):
    """Rates, ISI CVs and pairwise correlations of both: (mean, mean, Kolmogorov-Smirnov distance)."""
    sides = [distributions(spikes) for spikes in (ours, theirs)]
    return {key: (_mean(sides[0][key]), _mean(sides[1][key]), distance(sides[0][key], sides[1][key])) for key in sides[0]}


def distributions(spikes):
    """Over neurons (or pairs): "rate" (Hz), "cv" of the intervals, "correlation" of counts in 20 ms; without undefined values."""
    width = min(20e-3, spikes.duration / 2)
    values = {"rate": stats.firing_rates(spikes), "cv": stats.isi_cv(spikes), "correlation": stats.correlations(spikes, width)}
    return {key: value[np.isfinite(value)] for key, value in values.items()}


def distance(ours, theirs):
    """The Kolmogorov-Smirnov distance of two samples; nan if one is empty."""
    from scipy.stats import ks_2samp
    return float(ks_2samp(ours, theirs).statistic) if ours.size and theirs.size else np.nan


def _mean(values):
    return float(values.mean()) if values.size else np.nan
