"""What a run keeps: spikes, counts, states, moments without states, gradients over time; runs go on from others, and into files.

python -m models.examples.recording
"""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs


def trials():
    """A Dalian network on 20 trials of Poisson spikes."""
    spikes = bs.data.poisson(20.0, n_units=50, duration=0.5, n_trials=20, seed=1)
    net = bs.Network(dt=1e-3)
    E, I = bs.dalian_layer(net, net.input(50), 40, 10)
    net.connect(E, net.readout(2))
    bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, progress=False)
    return bs.run(net, spikes, record=["E.U", "E.U_star", "E.I_exc", "E.I_inh"], moments=["E.U"])


def in_two_runs(trace):
    """The trials of a trace once more, in two runs, the second from the state of the first: whether the readout is the same."""
    spikes, half = bs.bin_spikes(trace.inputs["input"], trace.dt).dense(), trace.n_steps // 2
    first = bs.run(trace.network, bs.from_dense(spikes[:, :half], trace.dt))
    second = bs.run(trace.network, bs.from_dense(spikes[:, half:], trace.dt), state=first.state)
    return np.array_equal(second.states["readout.U"], trace.states["readout.U"][:, half:])


def gradients_over_time(trace):
    """Of the readout's end: by the membranes of E at every step, and what each step adds to the gradient by the input's weights."""
    taped = bs.run(trace.network, trace.inputs["input"], tape=True)
    slope = np.zeros_like(taped.states["readout.U"])
    slope[:, -1] = 1
    return bs.gradient(taped, states={"readout.U": slope}, record=["E.U"], per_step=["input->E"])


def in_two_parts(folder):
    """Spikes of 0.4 s in one go (in memory), and of twice 0.2 s (streamed to files, the second from the state of the first)."""
    net = bs.Network(dt=1e-4)
    net.population(200, bs.lif(threshold=1.0, refractory=2e-3), "excitatory", name="E")
    net.connect("E", "E", delay=1.5e-3, weights=0.02, synapses=bs.Bernoulli(0.1), seed=1)
    options = {"background": [bs.PoissonInput("E", 2000.0, 0.06)], "progress": False}
    whole = bs.simulate(net, 0.4, seed=1, **options)
    first = bs.simulate(net, 0.2, seed=1, out=folder / "first.spikes", **options)
    bs.save_state(first.state, folder / "state.npz")
    second = bs.simulate(
        net, 0.2, state=bs.load_state(folder / "state.npz"), out=folder / "second.spikes", **options
    )
    return (
        whole.spikes["E"],
        [bs.read_spikes(folder / f"{name}.spikes")["E"] for name in ("first", "second")],
        second.mean_rates["E"],
    )


def main():
    trace = trials()
    u, rates = trace.states["E.U"], bs.stats.firing_rates(trace.spikes["E"])
    print(
        f"states {', '.join(trace.states)}: arrays (trial, step, neuron) {u.shape}; spikes of E: {trace.spikes['E']}"
    )
    print(
        f"E: {rates.mean():.1f} Hz, CV of intervals {np.nanmean(bs.stats.isi_cv(trace.spikes['E'])):.2f}, mean count "
        f"{trace.counts['E'].mean():.2f} spikes in a trial"
    )
    difference = max(
        np.abs(trace.mean["E.U"] - u.mean(axis=1)).max(),
        np.abs(trace.variance["E.U"] - u.var(axis=1)).max(),
    )
    print(
        f"mean and variance of E.U over time, kept without its values: {trace.mean['E.U'].shape}, equal to {difference:.1g}"
    )
    balance = bs.stats.ei_balance(trace.states["E.I_exc"], trace.states["E.I_inh"])
    print(f"excitation over inhibition {np.mean(balance.ratio):.2f}")
    continued, gradients = in_two_runs(trace), gradients_over_time(trace)
    norm = np.sqrt(np.sum(gradients.states["E.U"] ** 2, axis=(0, 2), dtype=float))
    print(
        f"the same trials in two runs, the second from trace.state of the first: the same readout: {continued}"
    )
    print(
        "norm of the gradient of the readout's end by E.U: "
        + ", ".join(f"{norm[-1 - n]:.2g} {n} ms before" for n in (10, 100, 300))
    )
    with tempfile.TemporaryDirectory() as folder:
        whole, parts, rate = in_two_parts(Path(folder))
    joined = np.concatenate([parts[0].times, parts[1].times + 0.2])
    same = np.array_equal(whole.units, np.concatenate([p.units for p in parts])) and np.allclose(
        whole.times, joined, atol=1e-9
    )
    print(
        f"0.2 s and another 0.2 s from its saved state, streamed to files: the spikes of 0.4 s: {same} ({rate:.1f} Hz)"
    )
    return {
        "trace": trace,
        "rates": rates,
        "moments_difference": difference,
        "same": same,
        "continued": continued,
        "gradients": gradients,
        "spikes": whole.times.size,
    }


if __name__ == "__main__":
    main()
