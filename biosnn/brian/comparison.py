"""biosnn beside Brian2: both run the same trials in float64, and a report says where they agree."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..analysis import stats
from ..data.spike_trains import SpikeTrains
from ..engine.background import Current
from ..engine.run import run
from ..engine.simulate import simulate
from ..network.network import Network
from ..network.step_matrix import linear_step, nonlinear_step, step_matrix
from ..support import checks, timegrid
from ..support.seeds import whole_seed
from .description import (
    check_arguments,
    checked_trial,
    current_values,
    driven_by,
    in_double,
    realized,
    require_brian2,
)
from .objects import recorded, to_brian2
from .report import AGREE, Comparison, Divergence

#: Brian2's default flags without those that reorder or fuse floating-point operations.
_FLAGS = ["-w", "-O3", "-ffp-contract=off", "-march=native", "-std=c++11"]


# ------------------------------------------------------------------------------------------ the run


def compare(
    network,
    spikes=None,
    *,
    record=None,
    currents=None,
    duration=None,
    progress=True,
    against=None,
    target="numpy",
    background=(),
    initial=None,
    seed=0,
):
    """Run `network` in biosnn and in Brian2 on every trial of `spikes`, both in float64. Returns a Comparison.

    record     states to compare; default: all of them
    currents, duration   as for `to_brian2`
    against    the network that Brian2 gets; default `network` itself. A changed copy shows what the change does to the spikes
    target     how Brian2 computes: "numpy", or "cython", which compiles first (here without -ffast-math) and pays for long runs
    background, initial, seed   as for `simulate`: Brian2 gets the same random numbers (see `to_brian2`). Trial b has those of seed + b

    The Comparison is true only if spikes and states agree: neither where they differ, nor where nothing happened.
    """
    from ..support.progress import progress_bar

    background, progress = (
        check_arguments(network, spikes, record or (), currents, background, initial),
        checks.flag(progress, "progress"),
    )
    seed, double = whole_seed(seed), in_double(network)
    other = (
        double
        if against is None
        else in_double(checks.instance(against, "against", Network, "a Network, or None"))
    )
    record = (
        [f"{p.name}.{s}" for p in double.spiking + double.readouts for s in p.neuron.states]
        if record is None
        else list(record)
    )
    n_trials = _number_of_trials(spikes, currents)
    trials = [
        _Trial(*_trial(spikes, currents, b), duration, background, initial, seed + b)
        for b in range(n_trials)
    ]
    ours, theirs = [], []
    with _brian2_computes(target):
        with progress_bar(n_trials, "Brian2", progress) as advance:
            for trial in trials:
                ours.append(_our_trace(double, trial, record))
                theirs.append(_their_trace(other, trial, record))
                advance(1, "")
        return _report(double, other, trials, ours, theirs, record)


@dataclass(frozen=True, eq=False)
class _Trial:
    """What both programs are given."""

    spikes: object
    currents: dict
    duration: float | None
    background: tuple
    initial: dict | None
    seed: int

    def in_brian2(self, network, record):
        return to_brian2(
            network,
            self.spikes,
            record=record,
            currents=self.currents,
            duration=self.duration,
            background=self.background,
            initial=self.initial,
            seed=self.seed,
        )


@contextmanager
def _brian2_computes(target):
    """Brian2's preferences for a comparison, and back. Compiled code lies in a folder of its own: Brian2's key lacks the flags."""
    checks.choice(target, "target", ("numpy", "cython"))
    prefs = require_brian2().prefs
    wanted = {"codegen.target": target}
    if target == "cython":
        from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir

        wanted |= {
            "codegen.cpp.extra_compile_args_gcc": _FLAGS,
            "codegen.runtime.cython.cache_dir": get_cython_cache_dir() + "_ieee",
        }
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
    n_trials = (
        max(of.values(), default=1)
        if spikes is None
        else len(next(iter(spikes.values())) if isinstance(spikes, dict) else spikes)
    )
    if n_trials == 0:
        raise ValueError("there are no trials: spikes are empty, so there is nothing to compare.")
    for name, n in of.items():
        if n not in (1, n_trials):
            raise ValueError(
                f"currents for {name!r} have {n} trials, but there are {n_trials}; give (trial, step, neuron) for all of them, or "
                "(step, neuron) for every trial alike."
            )
    return n_trials


def _trial(spikes, currents, b):
    """Input and currents of one trial."""
    trial = (
        None
        if spikes is None
        else {name: s[b] for name, s in spikes.items()}
        if isinstance(spikes, dict)
        else spikes[b]
    )
    current = {name: np.asarray(value, float) for name, value in (currents or {}).items()}
    return trial, {
        name: value[b % len(value)] if value.ndim == 3 else value for name, value in current.items()
    }


@dataclass(frozen=True, eq=False)
class _Trace:
    """What `run` would have recorded."""

    dt: float
    n_steps: int
    spikes: dict
    states: dict


def _our_trace(network, trial, record, neurons=slice(None)):
    if _needs_engine(network, trial):
        steps = checked_trial(network, trial.spikes, trial.duration)
        times, currents = (
            np.arange(steps) * network.dt,
            current_values(network, trial.currents, steps),
        )
        more = [
            Current(name, value[0] if len(value) == 1 else (times, value))
            for name, value in currents.items()
        ]
        done = simulate(
            network,
            steps * network.dt,
            trial.spikes,
            record={name: neurons for name in record},
            initial=trial.initial,
            background=[*trial.background, *more],
            seed=trial.seed,
            progress=False,
        )
        return _Trace(
            network.dt,
            steps,
            done.spikes,
            {name: value[None] for name, value in done.states.items()},
        )
    currents = {
        name: value[None] if value.ndim == 2 else value for name, value in trial.currents.items()
    }
    return run(
        network, trial.spikes, record=record, currents=currents, duration=trial.duration, threads=1
    )


def _needs_engine(network, trial):
    """Whether `run` does not take all of it; the engine runs one trial of any network."""
    neurons = [p.neuron for p in network.spiking]
    return (
        trial.background
        or trial.initial
        or any(p.plasticity for p in network.projections)
        or any(n.nonlinear_drive or n.has_delta_synapses for n in neurons)
    )


def _their_trace(network, trial, record):
    """(population -> set of (step, neuron), state -> (step, neuron)) of Brian2."""
    reference = trial.in_brian2(network, record)
    reference.run()
    spikes = {
        name: set(
            zip(
                timegrid.nearest_steps(np.asarray(monitor.t), network.dt).tolist(),
                np.asarray(monitor.i).tolist(),
            )
        )
        for name, monitor in reference.spikes.items()
    }
    return spikes, {name: recorded(monitor, name) for name, monitor in reference.states.items()}


def _our_spikes(trace, name):
    spikes = trace.spikes[name]
    return set(zip(timegrid.nearest_steps(spikes.times, trace.dt).tolist(), spikes.units.tolist()))


def _report(network, other, trials, ours, theirs, record):
    names, steps, dt = [p.name for p in network.spiking], ours[0].n_steps, network.dt
    states, pairs, parted, moved = (
        {name: (0.0, 0.0) for name in record},
        {name: ([], []) for name in names},
        [],
        False,
    )
    for b, (trace, (spikes, values)) in enumerate(zip(ours, theirs)):
        first = []
        for order, name in enumerate(names):
            mine = _our_spikes(trace, name)
            pairs[name][0].append(mine)
            pairs[name][1].append(spikes[name])
            first += [
                (step, order, neuron, "biosnn" if (step, neuron) in mine else "Brian2")
                for step, neuron in mine ^ spikes[name]
            ]
        parted += [(min(first)[0], b, *min(first)[1:])] if first else []
        until = min(first)[0] if first else steps
        for name in record:
            mine, others = trace.states[name][0, :until], values[name][:until]
            moved = moved or _moved(network, name, mine) or _moved(other, name, others)
            if mine.size:
                gap = float(np.abs(mine - others).max())
                states[name] = (
                    max(states[name][0], np.inf if np.isnan(gap) else gap),
                    max(states[name][1], float(np.abs(others).max())),
                )
    divergence = _divergence(network, other, trials, min(parted)) if parted else None
    trains = {
        name: tuple(_trains(side, network[name].n, steps, dt) for side in pairs[name])
        for name in names
    }
    shown, spiked = (
        0 if divergence is None else divergence.trial,
        any(t.times.size for both in trains.values() for t in both),
    )
    agree = all(difference <= AGREE * scale for difference, scale in states.values())
    return Comparison(
        not parted and bool(spiked or moved and agree),
        bool(spiked or moved),
        divergence,
        states,
        {name: tuple(int(t.times.size) for t in both) for name, both in trains.items()},
        {name: _statistics(*both) for name, both in trains.items()},
        steps * dt,
        len(ours),
        dt,
        {name: (ours[shown].states[name][0], theirs[shown][1][name]) for name in record},
        trains,
    )


def _moved(network, name, values):
    """Whether a state ever differs from where it rests at the start of a trial."""
    population, _, state = name.partition(".")
    return bool(
        np.any(values != (network[population].initial if state in ("U", "U_star") else 0.0))
    )


def _divergence(network, other, trials, parted):
    """Both programs once more, up to the step where they part, for the membranes there."""
    step, b, order, neuron, only_in = parted
    population, trial = network.spiking[order], trials[b]
    name = f"{population.name}.U_star"
    mine = _membrane(network, population, trial, step, neuron, only_in == "biosnn")
    reference = trial.in_brian2(other, [name])
    reference.run((step + 1) * network.dt)
    theirs = recorded(reference.states[name], name)[step, neuron]
    return Divergence(
        b,
        step,
        population.name,
        neuron,
        float(mine),
        float(theirs),
        float(population.neuron.threshold),
        only_in,
    )


def _membrane(network, population, trial, step, neuron, spiked):
    """U of a neuron of biosnn in a step, before threshold and reset."""
    if not _needs_engine(network, trial):
        name = f"{population.name}.U_star"
        return _our_trace(network, trial, [name]).states[name][0, step, neuron]
    # The engine records ends of steps: without a spike U is still there; with one, it follows from the step before.
    states = population.neuron.states
    trace = _our_trace(network, trial, [f"{population.name}.{state}" for state in states], [neuron])
    values = np.array([trace.states[f"{population.name}.{state}"][0, :, 0] for state in states])
    if not spiked and not any(
        receptor.state == "U" for receptor in population.neuron.receptors.values()
    ):
        return values[0, step]
    given = realized(network, step + 1, trial.background, trial.initial, trial.seed)
    starts = [given.initial.get(f"{population.name}.{state}") for state in states]
    before = (
        values[:, step - 1]
        if step
        else np.array([0.0 if start is None else start[neuron] for start in starts])
    )
    if not step and starts[0] is None:
        before[0] = population.initial
    matrix, drive = step_matrix(population.neuron, network.dt, network.time_constants(population))
    matrix, drive = (matrix[neuron], drive[neuron]) if matrix.ndim == 3 else (matrix, drive)
    currents = {
        name: np.broadcast_to(value, (trace.n_steps, value.shape[-1]))[: step + 1]
        for name, value in current_values(network, trial.currents, trace.n_steps).items()
    }
    current = driven_by(network, currents, given.currents).get(
        population.name, np.zeros((1, population.n))
    )
    current = current[min(step, len(current) - 1), neuron]
    if population.neuron.reversal:
        g = {state: before[list(states).index(state)] for state in population.neuron.reversal}
        rate = np.broadcast_to(
            linear_step(population.neuron, network.dt, network.time_constants(population))[2][
                ..., 0
            ],
            population.n,
        )[neuron]
        total, inflow = (
            1 + sum(g.values()),
            current
            + sum(g[state] * potential for state, potential in population.neuron.reversal.items()),
        )
        return np.clip(
            inflow / total + (before[0] - inflow / total) * np.exp(-rate * total),
            population.neuron.low,
            population.neuron.high,
        )
    nonlinear = np.broadcast_to(
        nonlinear_step(population.neuron, network.dt, before[0]), population.n
    )[neuron]
    return np.clip(
        matrix[0] @ before + drive[0] * current + nonlinear,
        population.neuron.low,
        population.neuron.high,
    )


def _trains(trials, n, steps, dt):
    events = [(b, step, unit) for b, trial in enumerate(trials) for step, unit in trial]
    b, step, unit = np.array(events, np.int64).reshape(-1, 3).T
    return SpikeTrains.from_events(
        step * dt, unit, b, n_trials=len(trials), n_units=n, duration=steps * dt
    )


def _statistics(ours, theirs):
    """Rates, ISI CVs and pairwise correlations of both: (mean, mean, Kolmogorov-Smirnov distance)."""
    sides = [distributions(spikes) for spikes in (ours, theirs)]
    return {
        key: (_mean(sides[0][key]), _mean(sides[1][key]), distance(sides[0][key], sides[1][key]))
        for key in sides[0]
    }


def distributions(spikes):
    """Over neurons (or pairs): "rate" (Hz), "cv" of the intervals, "correlation" of counts in 20 ms; without undefined values."""
    width = min(20e-3, spikes.duration / 2)
    values = {
        "rate": stats.firing_rates(spikes),
        "cv": stats.isi_cv(spikes),
        "correlation": stats.correlations(spikes, width),
    }
    return {key: value[np.isfinite(value)] for key, value in values.items()}


def distance(ours, theirs):
    """The Kolmogorov-Smirnov distance of two samples; nan if one is empty."""
    from scipy.stats import ks_2samp

    return float(ks_2samp(ours, theirs).statistic) if ours.size and theirs.size else np.nan


def _mean(values):
    return float(values.mean()) if values.size else np.nan
