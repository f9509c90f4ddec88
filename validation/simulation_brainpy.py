"""CUBA and COBA in BrainPy (its state-based interface), as its examples write them.

These are 103_COBA_2005 and 104_CUBA_2005.

projections
    AlignPostProj: one pair of conductances for each neuron in place of one for each synapse;
    EventFixedProb, an event-driven operator with one weight for all synapses. It draws 80 targets
    for each source, where the others have each pair with p = 0.02.
loop
    brainstate.transform.for_loop under jit, 500 steps a call; compiled before the clock starts.
precision
    Single, its default; exponential Euler, its integrator.
threads
    XLA takes as many as there are processors that the process may use; its scattering of spikes
    has one.

The reset is to a value (`spk_reset="hard"`) as in the other programs; spikes act after a step of
delay, kept in a state of the network.
"""

import os
import time
from typing import Any

import numpy as np

from models import vogels_abbott_2005 as vogels

from .simulation_peers import STEP

CHOSEN = (
    "jit and for_loop over 500 steps a call, AlignPostProj with the event-driven EventFixedProb "
    "(as in its examples CUBA and COBA), float32; compiled before the clock starts"
)
_STEPS = 500  # of a call: WAKE_S


def run(
    model: str, threads: int, seconds: float, scale: float, seed: int
) -> tuple[float, float, float]:
    """Seconds to build and to run, and the mean rate of all neurons."""
    if hasattr(os, "sched_setaffinity"):  # before XLA counts processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import brainstate
    import brainunit as u
    import jax

    begin, n_steps = time.perf_counter(), round(seconds / STEP)
    brainstate.environ.set(dt=1e3 * STEP * u.ms)
    brainstate.random.seed(seed)
    net = _network(model == "cuba", seed)
    calls = np.split(np.arange(n_steps), np.arange(_STEPS, n_steps, _STEPS))
    waking = model == "coba"
    first, rest = (
        brainstate.transform.jit(
            lambda steps, step=step: brainstate.transform.for_loop(step, steps).sum()
        )
        for step in ((net.wake_up if waking else net.update), net.update)
    )
    brainstate.nn.init_all_states(net)
    start = [(state, state.value) for state in net.states().values()]
    for loop, steps in ((first, calls[0]), (rest, calls[0]), (rest, calls[-1])):
        jax.block_until_ready(loop(steps))  # compiles
    for state, value in start:
        state.value = value
    built = time.perf_counter()
    spikes = [first(calls[0]), *map(rest, calls[1:])]
    total = sum(map(int, jax.block_until_ready(spikes)))
    run_s = time.perf_counter() - built
    return built - begin, run_s, total / ((vogels.N_EXC + vogels.N_INH) * seconds)


def _cells() -> Any:
    """The neurons, without their resting potential: keyword arguments of LIFRef."""
    import brainunit as u
    from braintools import init

    millivolt, ms = 1e3 * u.mV, 1e3 * u.ms
    return {
        "V_th": vogels.THRESHOLD * millivolt,
        "V_reset": vogels.RESET * millivolt,
        "tau": vogels.TAU * ms,
        "tau_ref": vogels.REFRACTORY * ms,
        "spk_reset": "hard",
        "V_initializer": init.Uniform(vogels.RESET * millivolt, vogels.THRESHOLD * millivolt),
    }


def _synapses(cuba: bool) -> tuple[Any, Any]:
    """(weight, output) of excitation and of inhibition; weights are over a resistance of 1 ohm."""
    import brainunit as u
    from brainpy import state as bp

    w_exc, w_inh = vogels.weights("CUBA" if cuba else "COBA")
    if cuba:
        out = bp.CUBA.desc(scale=u.volt)
        return (1e3 * w_exc * u.mS, out), (-1e3 * w_inh * u.mS, out)
    millivolt = 1e3 * u.mV
    exc, inh = (bp.COBA.desc(E=e * millivolt) for e in (vogels.E_EXC, vogels.E_INH))
    return (w_exc * u.siemens, exc), (w_inh * u.siemens, inh)


def _network(cuba: bool, seed: int) -> Any:
    """The circuit as a module of BrainPy."""
    import brainstate
    import brainunit as u
    from brainpy import state as bp

    n, n_exc = vogels.N_EXC + vogels.N_INH, vogels.N_EXC
    (w_exc, out_exc), (w_inh, out_inh) = _synapses(cuba)
    rest = vogels.resting_potential("CUBA" if cuba else "COBA") * 1e3 * u.mV

    def projection(cells, n_pre, weight, tau, out, its_seed):
        comm = brainstate.nn.EventFixedProb(n_pre, n, vogels.P, weight, seed=its_seed)
        synapse = bp.Expon.desc(n, tau=tau * 1e3 * u.ms)
        return bp.AlignPostProj(comm=comm, out=out, post=cells, syn=synapse)

    class Circuit(brainstate.nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = bp.LIFRef(n, V_rest=rest, **_cells())
            self.exc = projection(self.cells, n_exc, w_exc, vogels.TAU_EXC, out_exc, seed)
            self.inh = projection(self.cells, n - n_exc, w_inh, vogels.TAU_INH, out_inh, seed + 1)

        def init_state(self, *args, **kwargs):
            self.spikes = brainstate.ShortTermState(u.math.zeros(n, bool))  # of the step before

        def update(self, step):
            """Returns the spikes of a step."""
            with brainstate.environ.context(i=step, t=step * brainstate.environ.get_dt()):
                arriving, self.spikes.value = self.spikes.value, self.cells.get_spike() != 0
                self.exc(arriving[:n_exc])
                self.inh(arriving[n_exc:])
                return self.cells(0 * u.mA) != 0

        def wake_up(self, step):
            """`update` with the Poisson input that wakes COBA."""
            drawn = brainstate.random.poisson(vogels.WAKE_HZ * STEP, n)
            self.exc.syn.g.value += drawn * w_exc
            return self.update(step)

    return Circuit()
