"""biosnn and Brian2 run the same trials in float64, and a report says where they agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.spike_trains import SpikeTrains
from ..engine.background import of_trials
from ..network.network import Network
from ..support import checks
from ..support.progress import progress_bar
from ..support.seeds import whole_seed
from .description import require_brian2
from .distributions import statistics
from .divergence import FirstDifference, explained
from .report import AGREE, Comparison
from .trial_input import check_arguments, in_double
from .trials import (
    Trial,
    currents_of_trial,
    initial_of_trial,
    number_of_trials,
    our_spikes,
    our_trace,
    spikes_of_trial,
    their_trace,
)

#: Brian2's default flags without those that reorder or fuse floating-point operations.
_FLAGS = ["-w", "-O3", "-ffp-contract=off", "-march=native", "-std=c++11"]


def compare(
    network: Network,
    spikes: SpikeTrains | Mapping[str, SpikeTrains] | None = None,
    *,
    record: Iterable[str] | None = None,
    currents: Mapping[str, ArrayLike] | None = None,
    duration: float | None = None,
    background: Sequence = (),
    initial: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
    against: Network | None = None,
    target: str = "numpy",
    progress: bool = True,
) -> Comparison:
    """Run a network in biosnn and in Brian2 on every trial, both in float64.

    Parameters
    ----------
    network
        A network with weights.
    spikes
        Spike trains, or a dict of input name -> spike trains. Default: a network without inputs;
        give `duration`.
    record
        States to compare. Default: all of them.
    currents, duration
        As for `to_brian2`; currents may also be (trial, step, neuron).
    background, initial, seed
        As for `biosnn.run`. Brian2 gets the same random numbers. Trial b has those of seed + b.
    against
        The network that Brian2 gets. Default: `network` itself. A changed copy shows what the
        change does to the spikes.
    target
        How Brian2 computes: "numpy", or "cython", which compiles first (here without -ffast-math)
        and pays for long runs.
    progress
        Whether to show a bar.

    Returns
    -------
    A `Comparison`. It is true only if spikes and states agree: neither where they differ, nor where
    nothing happened.

    Raises
    ------
    ImportError
        Without Brian2.
    ValueError
        If there is something that Brian2 cannot express; it is named.

    See Also
    --------
    biosnn.perturb.apply : a network with lesions and other synapses, for both programs. A stimulus
        goes to both as `currents`.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> spikes = bs.data.poisson(20.0, 20, 0.1, 2, seed=1)
    >>> bs.brian.compare(net, spikes, progress=False).verdict  # doctest: +SKIP
    'identical'
    """
    background = check_arguments(network, spikes, record or (), currents, background, initial)
    progress = checks.flag(progress, "progress")
    seed, double = whole_seed(seed), in_double(network)
    other = double
    if against is not None:
        other = in_double(checks.instance(against, "against", Network, "a Network, or None"))
    wanted = _all_states(double) if record is None else list(record)

    def of_trial(source, b):
        """A source with the values of one trial."""
        return of_trials(source, lambda values: values[b])

    trials = [
        Trial(
            spikes=spikes_of_trial(spikes, b),
            currents=currents_of_trial(currents, b),
            duration=duration,
            background=tuple(of_trial(source, b) for source in background),
            initial=initial_of_trial(initial, b),
            seed=seed + b,
        )
        for b in range(number_of_trials(spikes, currents, background, initial))
    ]
    ours, theirs = [], []
    with _brian2_computes(target):
        with progress_bar(len(trials), "Brian2", progress) as advance:
            for trial in trials:
                ours.append(our_trace(double, trial, wanted))
                theirs.append(their_trace(other, trial, wanted))
                advance(1, "")
        return _report(double, other, trials, ours, theirs, wanted)


def _all_states(network):
    """Full names of the states of spiking neurons and readouts."""
    return [f"{p.name}.{s}" for p in network.spiking + network.readouts for s in p.neuron.states]


@contextmanager
def _brian2_computes(target: str) -> Iterator[None]:
    """Set Brian2's preferences for a comparison, and put them back.

    Compiled code lies in a folder of its own: Brian2's key lacks the flags.
    """
    checks.choice(target, "target", ("numpy", "cython"))
    prefs = require_brian2().prefs
    wanted: dict[str, Any] = {"codegen.target": target}
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


# ------------------------------------------------------------------------------------------- report


def _report(network, other, trials, ours, theirs, record):
    """The Comparison of all trials."""
    names, dt = [p.name for p in network.spiking], network.dt
    steps = [trace.n_steps for trace in ours]
    pairs = {
        name: ([our_spikes(trace, name) for trace in ours], [spikes[name] for spikes, _ in theirs])
        for name in names
    }
    firsts = [_first_difference(pairs, b) for b in range(len(trials))]
    until = [end if first is None else first.step for end, first in zip(steps, firsts)]
    parted = [first for first in firsts if first is not None]
    states = {name: _state_difference(name, ours, theirs, until) for name in record}
    moved = any(_moves(network, other, name, ours, theirs, until) for name in record)
    trains = {
        name: tuple(_trains(side, network[name].n, steps, dt) for side in pairs[name])
        for name in names
    }
    spiked = any(t.times.size for both in trains.values() for t in both)
    agree = all(difference <= AGREE * scale for difference, scale in states.values())
    divergence = explained(network, other, trials, min(parted)) if parted else None
    shown = 0 if divergence is None else divergence.trial
    return Comparison(
        identical=not parted and bool(spiked or (moved and agree)),
        happened=bool(spiked or moved),
        divergence=divergence,
        states=states,
        spike_counts={
            name: tuple(int(t.times.size) for t in both) for name, both in trains.items()
        },
        statistics={name: statistics(*both) for name, both in trains.items()},
        duration=max(steps) * dt,
        n_trials=len(ours),
        dt=dt,
        traces={name: (ours[shown].states[name][0], theirs[shown][1][name]) for name in record},
        rasters=trains,
    )


def _first_difference(pairs, b):
    """The first spike of trial b that only one program has, or None."""
    found = []
    for order, (mine, others) in enumerate(pairs.values()):
        for step, neuron in mine[b] ^ others[b]:
            only_in = "biosnn" if (step, neuron) in mine[b] else "Brian2"
            found.append(FirstDifference(step, b, order, neuron, only_in))
    return min(found, default=None)


def _state_difference(name, ours, theirs, until):
    """(largest absolute difference, largest absolute value) before the programs part."""
    difference, scale = 0.0, 0.0
    for trace, (_, values), end in zip(ours, theirs, until):
        mine, others = trace.states[name][0, :end], values[name][:end]
        if mine.size:
            gap = float(np.abs(mine - others).max())
            difference = max(difference, np.inf if np.isnan(gap) else gap)
            scale = max(scale, float(np.abs(others).max()))
    return difference, scale


def _moves(network, other, name, ours, theirs, until):
    """Whether a state ever differs from where it rests at the start of a trial."""
    population, _, state = name.partition(".")
    membrane = state in ("U", "U_star")
    rests = [each[population].initial if membrane else 0.0 for each in (network, other)]
    return any(
        np.any(trace.states[name][0, :end] != rests[0]) or np.any(values[name][:end] != rests[1])
        for trace, (_, values), end in zip(ours, theirs, until)
    )


def _trains(trials, n, steps, dt):
    """SpikeTrains of the sets of pairs (step, neuron) of all trials, with so many steps each."""
    events = [(b, step, unit) for b, trial in enumerate(trials) for step, unit in trial]
    b, step, unit = np.array(events, np.int64).reshape(-1, 3).T
    return SpikeTrains.from_events(
        step * dt, unit, b, n_trials=len(trials), n_units=n, ends=np.array(steps) * dt
    )
