"""Neuron models are tables of numbers: adaptation, AMPA/NMDA/GABA, a bounded membrane, and time constants that are learned.

python -m models.examples.tables
"""

import numpy as np

import biosnn as bs


def driven(neuron, current, seconds=0.5):
    """Spike times (s) and membrane (step,) of one neuron with a constant current."""
    net = bs.Network(dt=1e-3)
    net.population(1, neuron, name="A")
    trace = bs.run(net, duration=seconds, currents={"A": current}, record=["A.U"])
    return trace.spikes["A"].times, trace.states["A.U"][0, :, 0]


def epsp(neuron):
    """The membrane after one excitatory spike of weight 0.5 at 1 ms, (step,) of 1 ms."""
    net = bs.Network(dt=1e-3)
    net.connect(net.input(1), net.population(1, neuron, name="A"), weights=[[0.5]])
    spike = bs.SpikeTrains.from_events([1e-3], [0], [0], n_trials=1, n_units=1, duration=0.3)
    return bs.run(net, spike, record=["A.U"]).states["A.U"][0, :, 0]


def learned_time_constant():
    """Seconds: a readout of 40 ms learns to follow one of 60 ms, by its time constant alone."""
    spikes = bs.data.poisson(20.0, n_units=10, duration=0.3, n_trials=20, seed=1)
    nets = []
    for tau, learn in ((60e-3, None), (40e-3, {"mem": "population"})):
        net = bs.Network(dt=1e-3)
        net.connect(
            net.input(10),
            net.readout(1, tau_mem=tau, learn=learn),
            weights=np.full((10, 1), 0.2),
            frozen=True,
        )
        nets.append(net)
    teacher, student = nets
    target = bs.run(teacher, spikes).states["readout.U"]
    bs.train(
        student,
        spikes,
        target,
        loss=bs.MeanSquaredError(),
        epochs=100,
        optimizer=bs.Adam(0.05),
        progress=False,
    )
    return float(student.time_constants("readout")["mem"])


def main():
    times, _ = driven(bs.adaptive_lif(tau_adapt=100e-3, jump=0.1), current=2.0)
    intervals = np.diff(times)
    print(
        f"adaptive LIF: first interval {1e3 * intervals[0]:.0f} ms, last {1e3 * intervals[-1]:.0f} ms"
    )
    fast, slow = (
        epsp(bs.ei_lif(tau_exc=5e-3)),
        epsp(bs.ampa_nmda_gaba(tau_ampa=5e-3, tau_nmda=100e-3)),
    )
    print(
        f"EPSP 150 ms after the spike, share of its peak: AMPA {fast[151] / fast.max():.1%}, AMPA and NMDA {slow[151] / slow.max():.1%}"
    )
    lowest = driven(bs.bounded(bs.lif(), low=-0.5), current=-2.0)[1].min()
    print(
        f"membrane with a current of -2: bounded {lowest:.2f}, without bound {driven(bs.lif(), current=-2.0)[1].min():.2f} thresholds"
    )
    tau = learned_time_constant()
    print(f"learned time constant: 40 ms -> {1e3 * tau:.1f} ms (the teacher has 60 ms)")
    return {"intervals": intervals, "fast": fast, "slow": slow, "lowest": lowest, "tau": tau}


if __name__ == "__main__":
    main()
