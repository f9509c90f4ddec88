"""The microcircuit in biosnn, NEST and Brian2: its spikes after a transient, and how fast it runs.

biosnn is `models/potjans_diesmann_2014.py`, in single precision or in double ("biosnn, float64").
NEST is the circuit of simulation_nest.py. Both draw a circuit of their own for each seed. Brian2
gets the synapses, initial potentials and constant currents that biosnn has drawn, through
`bs.brian.to_brian2`, and draws its Poisson input for itself.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

import biosnn as bs
from models import potjans_diesmann_2014 as model

from . import simulation_nest
from .simulation_peers import STEP

TRANSIENT = 0.5  # seconds that are not counted
BRIAN2_MOST = 0.1  # scale above which Brian2 takes an hour and more for a seed
Spikes = dict[str, bs.SpikeTrains]


@dataclass(frozen=True)
class Protocol:
    """What every program does.

    Attributes
    ----------
    scale
        Of the circuit.
    seconds
        Seconds that count, after the transient.
    threads
        Threads of every program.
    """

    scale: float
    seconds: float
    threads: int

    @property
    def steps(self) -> int:
        """Steps that count."""
        return round(self.seconds / STEP)


@dataclass(frozen=True)
class Done:
    """One run: its spikes (none if they were not recorded), seconds of the clock, mean rate."""

    spikes: Spikes
    run_s: float
    rate_hz: float


def absent(program: str, scale: float) -> str | None:
    """Why a program cannot be the reference here, or None."""
    package = {"nest": "nest", "brian2": "brian2", "biosnn": "biosnn"}[program]
    if find_spec(package) is None:
        return f"{package} is not installed"
    if program == "brian2" and scale > BRIAN2_MOST:
        return f"Brian2 takes too long above scale {BRIAN2_MOST:g}"
    return None


# ------------------------------------------------------------------------------------------- biosnn


def in_biosnn(
    protocol: Protocol, seed: int, *, record: bool = True, dtype: Any = np.float32
) -> Done:
    """The circuit of `models/`, the clock starts after the transient."""
    net = model.build(protocol.scale, seed, dtype)
    options: dict[str, Any] = {
        "background": model.background(protocol.scale),
        "threads": protocol.threads,
        "progress": False,
    }
    warm = bs.simulate(
        net, TRANSIENT, initial=model.initial_state(), seed=seed, record_spikes=(), **options
    )
    names = model.NAMES if record else ()
    done = bs.simulate(net, protocol.seconds, state=warm.state, record_spikes=names, **options)
    if done.interrupted:
        raise KeyboardInterrupt
    n = sum(population.n for population in net.spiking)
    return Done(done.spikes, done.wall, sum(done.counts.values()) / (n * done.duration))


# --------------------------------------------------------------------------------------------- NEST


def in_nest(protocol: Protocol, seed: int, *, record: bool = True) -> Done:
    """The circuit of simulation_nest.py; the clock starts after the transient."""
    import nest

    groups = simulation_nest.build(nest, "microcircuit", protocol.threads, protocol.scale, seed)
    recorders = [nest.Create("spike_recorder") for _ in groups] if record else []
    for group, recorder in zip(groups, recorders):
        nest.Connect(group, recorder)
    nest.Prepare()
    nest.Run(1e3 * TRANSIENT)
    begin = time.perf_counter()
    nest.Run(1e3 * protocol.seconds)
    run_s = time.perf_counter() - begin
    n_spikes = nest.local_spike_counter  # of the last Run
    nest.Cleanup()
    spikes = {
        name: trains_of_nest(recorder.events, group[0].global_id, len(group), protocol)
        for name, recorder, group in zip(model.NAMES, recorders, groups)
    }
    return Done(spikes, run_s, n_spikes / (sum(map(len, groups)) * protocol.seconds))


def trains_of_nest(
    events: Mapping[str, Any], first: int, n: int, protocol: Protocol
) -> bs.SpikeTrains:
    """Spikes after the transient, from what a spike_recorder has of a population.

    Parameters
    ----------
    events
        "senders" (numbers of nodes) and "times" (ms) of all spikes, in any order, as threads have
        left them. NEST gives a spike the time of the end of its step, biosnn that of its start.
    first
        The number of the first neuron's node.
    n
        Neurons; their nodes follow each other.
    """
    steps = np.rint(np.asarray(events["times"], float) / (1e3 * STEP)).astype(np.int64) - 1
    return _trains(steps, np.asarray(events["senders"], np.int64) - first, n, protocol)


def _trains(steps: np.ndarray, units: np.ndarray, n: int, protocol: Protocol) -> bs.SpikeTrains:
    """Spikes that count; steps: from the start of the transient."""
    steps = steps - round(TRANSIENT / STEP)
    counted = (steps >= 0) & (steps < protocol.steps)
    return bs.SpikeTrains.from_events(
        steps[counted] * STEP,
        units[counted],
        np.zeros(np.count_nonzero(counted), np.int64),
        n_trials=1,
        n_units=n,
        duration=protocol.steps * STEP,
    )


# ------------------------------------------------------------------------------------------- Brian2


def in_brian2(protocol: Protocol, seed: int, *, record: bool = True) -> Done:
    """The circuit that biosnn draws, handed over to Brian2, which draws the Poisson input.

    It records spikes in any case, and has one thread.
    """
    b2 = bs.brian.require_brian2()
    net, background = model.build(protocol.scale, seed), model.background(protocol.scale)
    currents = {
        each.population: np.full((1, 1), each.values)
        for each in background
        if isinstance(each, bs.Current)
    }
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"  # 61 projections to compile
    try:
        b2.seed(seed)
        copy = bs.brian.to_brian2(
            net,
            duration=TRANSIENT + protocol.seconds,
            currents=currents,
            initial=model.initial_state(),
            seed=seed,
        )
        for each in background:
            if isinstance(each, bs.PoissonInput):
                group = copy.populations[each.population]
                drawn = f"I += {each.weight!r}*poisson({each.rate * net.dt!r})"
                group.run_regularly(drawn, clock=group.clock, when="synapses")
        copy.network.run(TRANSIENT * b2.second)
        begin = time.perf_counter()
        copy.network.run(protocol.seconds * b2.second)
        run_s = time.perf_counter() - begin
    finally:
        b2.prefs.codegen.target = before
    spikes = {name: _of_brian2(copy.spikes[name], net[name].n, protocol) for name in model.NAMES}
    n_spikes = sum(each.times.size for each in spikes.values())
    n = sum(each.n_units for each in spikes.values())
    return Done(spikes if record else {}, run_s, n_spikes / (n * protocol.seconds))


def _of_brian2(monitor: Any, n: int, protocol: Protocol) -> bs.SpikeTrains:
    """Spikes that count, from a monitor."""
    steps = np.rint(np.asarray(monitor.t) / STEP).astype(np.int64)
    return _trains(steps, np.asarray(monitor.i, np.int64), n, protocol)


#: Reference -> (its name, how it runs).
REFERENCES: dict[str, tuple[str, Any]] = {
    "nest": ("NEST", in_nest),
    "brian2": ("Brian2", in_brian2),
    "biosnn": ("biosnn, float64", partial(in_biosnn, dtype=np.float64)),
}
