"""
Neuron models are tables of numbers
===================================

Adaptation, AMPA/NMDA/GABA, a bounded membrane, and time constants that are learned::

    python -m models.examples.tables
"""

from typing import Any

import numpy as np

import biosnn as bs


def driven(
    neuron: bs.Neuron, current: float, seconds: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Spike times (s), and the membrane at every step, of one neuron with a constant current."""
    net = bs.Network(dt=1e-3)
    net.population(1, neuron, name="A")
    trace = bs.run(net, duration=seconds, currents={"A": current}, record=["A.U"])
    return trace.spikes["A"].times, trace.states["A.U"][0, :, 0]


def epsp(neuron: bs.Neuron) -> np.ndarray:
    """The membrane, at steps of 1 ms, after one excitatory spike of weight 0.5 at 1 ms."""
    net = bs.Network(dt=1e-3)
    net.connect(net.input(1), net.population(1, neuron, name="A"), weights=[[0.5]])
    spike = bs.SpikeTrains.from_events([1e-3], [0], [0], n_trials=1, n_units=1, duration=0.3)
    return bs.run(net, spike, record=["A.U"]).states["A.U"][0, :, 0]


def readout_network(tau_mem: float, learn: dict[str, str] | None = None) -> bs.Network:
    """A readout of ten inputs with fixed weights."""
    net = bs.Network(dt=1e-3)
    readout = net.readout(1, tau_mem=tau_mem, learn=learn)
    net.connect(net.input(10), readout, weights=np.full((10, 1), 0.2), frozen=True)
    return net


def learned_time_constant() -> float:
    """Let a readout of 40 ms follow one of 60 ms, by its time constant (s) alone."""
    spikes = bs.data.poisson(20.0, n_units=10, duration=0.3, n_trials=20, seed=1)
    student = readout_network(40e-3, learn={"mem": "population"})
    bs.train(
        student,
        spikes,
        bs.run(readout_network(60e-3), spikes).states["readout.U"],
        loss=bs.MeanSquaredError(),
        epochs=100,
        optimizer=bs.Adam(0.05),
        progress=False,
    )
    return float(student.time_constants("readout")["mem"])


def main() -> dict[str, Any]:
    """Print what the tables do."""
    times, _ = driven(bs.adaptive_lif(tau_adapt=100e-3, jump=0.1), current=2.0)
    intervals = np.diff(times)
    first, last = 1e3 * intervals[0], 1e3 * intervals[-1]
    print(f"adaptive LIF: first interval {first:.0f} ms, last {last:.0f} ms")
    fast = epsp(bs.ei_lif(tau_exc=5e-3))
    slow = epsp(bs.ampa_nmda_gaba(tau_ampa=5e-3, tau_nmda=100e-3))
    print("EPSP 150 ms after the spike, share of its peak:")
    print(f"    AMPA {fast[151] / fast.max():.1%}, AMPA and NMDA {slow[151] / slow.max():.1%}")
    lowest = driven(bs.bounded(bs.lif(), low=-0.5), current=-2.0)[1].min()
    unbounded = driven(bs.lif(), current=-2.0)[1].min()
    print("membrane with a current of -2, in thresholds:")
    print(f"    bounded {lowest:.2f}, without bound {unbounded:.2f}")
    tau = learned_time_constant()
    print(f"learned time constant: 40 ms -> {1e3 * tau:.1f} ms (the teacher has 60 ms)")
    return {"intervals": intervals, "fast": fast, "slow": slow, "lowest": lowest, "tau": tau}


if __name__ == "__main__":
    main()
