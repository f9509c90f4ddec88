"""
What a run keeps
================

Spikes, counts, states, moments without states, gradients over time; runs that go on from others,
and into files::

    python -m models.examples.recording
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs


def trials() -> bs.Trace:
    """A Dalian network on 20 trials of Poisson spikes."""
    spikes = bs.data.poisson(20.0, n_units=50, duration=0.5, n_trials=20, seed=1)
    net = bs.Network(dt=1e-3)
    E, _ = bs.dalian_layer(net, net.input(50), 40, 10)
    net.connect(E, net.readout(2))
    bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, progress=False)
    return bs.run(net, spikes, record=["E.U", "E.U_star", "E.I_exc", "E.I_inh"], moments=["E.U"])


def in_two_runs(trace: bs.Trace) -> bool:
    """Whether two runs, the second from the state of the first, give the same readout as one."""
    spikes, half = bs.bin_spikes(trace.inputs["input"], trace.dt).dense(), trace.n_steps // 2
    first = bs.run(trace.network, bs.SpikeTrains.from_dense(spikes[:, :half], trace.dt))
    second = bs.run(
        trace.network, bs.SpikeTrains.from_dense(spikes[:, half:], trace.dt), state=first.state
    )
    return np.array_equal(second.states["readout.U"], trace.states["readout.U"][:, half:])


def gradients_over_time(trace: bs.Trace) -> bs.Gradients:
    """Gradients of the readout's end: by E's membranes at every step, and per step of the input."""
    taped = bs.run(trace.network, trace.inputs["input"], tape=True)
    slope = np.zeros_like(taped.states["readout.U"])
    slope[:, -1] = 1
    return bs.gradient(taped, states={"readout.U": slope}, record=["E.U"], per_step=["input->E"])


def in_two_parts(folder: Path) -> tuple[bs.SpikeTrains, list[bs.SpikeTrains], float]:
    """Simulate 0.4 s in one go, and twice 0.2 s into files.

    Returns
    -------
    The spikes of the whole, those of both parts, and the rate (Hz) in the second part.
    """
    net = bs.Network(dt=1e-4)
    net.population(200, bs.lif(threshold=1.0, refractory=2e-3), "excitatory", name="E")
    net.connect("E", "E", delay=1.5e-3, weights=0.02, synapses=bs.Bernoulli(0.1), seed=1)
    files = [folder / "first.spikes", folder / "second.spikes"]
    options: dict[str, Any] = {
        "background": [bs.PoissonInput("E", 2000.0, 0.06)],
        "progress": False,
    }
    whole = bs.simulate(net, 0.4, seed=1, **options)
    first = bs.simulate(net, 0.2, seed=1, out=files[0], **options)
    bs.save_state(first.state, folder / "state.npz")
    state = bs.load_state(folder / "state.npz")
    second = bs.simulate(net, 0.2, state=state, out=files[1], **options)
    parts = [bs.read_spikes(file)["E"] for file in files]
    return whole.spikes["E"], parts, second.mean_rates["E"]


def are_the_same(whole: bs.SpikeTrains, parts: list[bs.SpikeTrains]) -> bool:
    """Whether two parts of 0.2 s hold the spikes of the whole."""
    times = np.concatenate([parts[0].times, parts[1].times + 0.2])
    units = np.concatenate([part.units for part in parts])
    return np.array_equal(whole.units, units) and np.allclose(whole.times, times, atol=1e-9)


def show_trials(trace: bs.Trace) -> float:
    """Print what the trace holds; how far moments kept without values are from those of values."""
    u, spikes = trace.states["E.U"], trace.spikes["E"]
    rate = bs.stats.firing_rates(spikes).mean()
    cv = np.nanmean(bs.stats.isi_cv(spikes))
    print(f"states {', '.join(trace.states)}: arrays (trial, step, neuron) {u.shape}")
    print(f"spikes of E: {spikes}")
    print(f"E: {rate:.1f} Hz, CV of intervals {cv:.2f}")
    print(f"    mean count {trace.counts['E'].mean():.2f} spikes in a trial")
    balance = bs.stats.ei_balance(trace.states["E.I_exc"], trace.states["E.I_inh"])
    print(f"excitation over inhibition {np.mean(balance.ratio):.2f}")
    difference = max(
        np.abs(trace.mean["E.U"] - u.mean(axis=1)).max(),
        np.abs(trace.variance["E.U"] - u.var(axis=1)).max(),
    )
    print(f"mean and variance of E.U over time, kept without its values: {trace.mean['E.U'].shape}")
    print(f"    equal to {difference:.1g}")
    return difference


def main() -> dict[str, Any]:
    """Print what runs keep, and that parts of a run are the run."""
    trace = trials()
    difference = show_trials(trace)
    continued, gradients = in_two_runs(trace), gradients_over_time(trace)
    print(f"two runs, the second from trace.state of the first: the same readout: {continued}")
    norm = np.sqrt(np.sum(gradients.states["E.U"] ** 2, axis=(0, 2), dtype=float))
    words = (f"{norm[-1 - n]:.2g} {n} ms before" for n in (10, 100, 300))
    print(f"norm of the gradient of the readout's end by E.U: {', '.join(words)}")
    with tempfile.TemporaryDirectory() as folder:
        whole, parts, rate = in_two_parts(Path(folder))
    same = are_the_same(whole, parts)
    print("0.2 s and another 0.2 s from its saved state, streamed to files:")
    print(f"    the spikes of 0.4 s: {same} ({rate:.1f} Hz)")
    return {
        "trace": trace,
        "moments_difference": difference,
        "same": same,
        "continued": continued,
        "gradients": gradients,
        "spikes": whole.times.size,
    }


if __name__ == "__main__":
    main()
