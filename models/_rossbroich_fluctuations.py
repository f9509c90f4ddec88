"""Membranes in the fluctuation-driven regime: the first figure of rossbroich_2022.py's paper."""

import json
from pathlib import Path

import numpy as np

import biosnn as bs
from biosnn.theory import psp_integrals

from ._report import show


def fluctuations(args):
    """5000 Poisson inputs at 3 Hz onto a neuron, with and without threshold, for xi = 1, 2, 3 (their figure 1)."""
    n, rate, duration, dt, neurons = 5000, 3.0, 10.0, 1e-3, 20
    spikes = bs.data.poisson(rate, n, duration, seed=args.seed)
    rng, neuron, rows = np.random.default_rng(args.seed), bs.lif(tau_mem=20e-3, tau_syn=10e-3), []
    _, eps_hat = psp_integrals(neuron, dt, "syn")
    traces = {}
    for xi in (1.0, 2.0, 3.0):
        sigma_w = 1 / xi / np.sqrt(n * rate * (1 - rate * dt) * eps_hat)
        weights = rng.normal(0, sigma_w, (n, neurons))
        net = bs.Network(dt=dt)
        x = net.input(n)
        for name, model in (
            ("free", bs.lif(tau_mem=20e-3, tau_syn=10e-3, threshold=1e9)),
            ("spiking", neuron),
        ):
            net.connect(x, net.population(neurons, model, name=name), weights=weights)
        trace = bs.run(net, spikes, record=["free.U", "spiking.U"], threads=args.threads)
        traces[xi] = (trace, sigma_w, weights)
        free = trace.states["free.U"][0, 200:]
        rows.append(
            {
                "xi": xi,
                "sigma_w": float(sigma_w),
                "sigma_u_theory": 1 / xi,
                "sigma_u": float(np.sqrt(free.var(axis=0).mean())),
                "rate_hz": float(trace.counts["spiking"].mean() / duration),
            }
        )
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for path in [out / "result.json"] + ([Path(args.json)] if args.json else []):
        path.write_text(json.dumps({"rows": rows, "seed": args.seed}, indent=1))
    fluctuations_figure(traces).savefig(out / "fluctuations.png", dpi=120)
    show(
        "Fluctuation-driven membranes: 5000 Poisson inputs at 3 Hz",
        ("xi", "sd of weights", "sd of U, theory", "sd of U, measured", "rate (Hz)"),
        [
            (
                f"{row['xi']:g}",
                *(f"{row[key]:.4f}" for key in ("sigma_w", "sigma_u_theory", "sigma_u")),
                f"{row['rate_hz']:.2f}",
            )
            for row in rows
        ],
    )
    print(f"result and figure: {out}/")


def fluctuations_figure(traces):
    """Rows: xi. Columns: weights, membrane without and with spikes, their histograms; theory in black."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    axes = figure.subplots(3, 4, width_ratios=(1, 2, 1, 1))

    def gaussian(x, sigma):
        return np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))

    for row, (xi, (trace, sigma_w, weights)) in zip(axes, traces.items()):
        grid = np.linspace(-4 * sigma_w, 4 * sigma_w, 200)
        row[0].hist(weights.ravel(), 60, density=True, color="0.7")
        row[0].plot(grid, gaussian(grid, sigma_w), "k")
        row[0].set(xlabel="weight", ylabel="density", title=f"ξ = {xi:g}, weights")
        shown = slice(0, 1000)
        row[1].plot(
            1e3 * trace.times[shown],
            trace.states["free.U"][0, shown, 0],
            color="0.6",
            label="no threshold",
        )
        row[1].plot(
            1e3 * trace.times[shown],
            trace.states["spiking.U"][0, shown, 0],
            color="#56B4E9",
            lw=0.9,
            label="spiking",
        )
        row[1].axhline(1, color="k", ls=":", lw=1)
        row[1].set(
            xlabel="time (ms)",
            ylabel="membrane U\n(threshold = 1)",
            title="membrane",
            ylim=(-3.2, 2.5),
        )
        u = np.linspace(-3.5, 3.5, 300)
        for axis, name, title in (
            (row[2], "free", "U without threshold"),
            (row[3], "spiking", "U with spikes"),
        ):
            axis.hist(
                trace.states[f"{name}.U"][0, 200:].ravel(),
                80,
                range=(-3.5, 3.5),
                density=True,
                color="0.7" if name == "free" else "#56B4E9",
            )
            axis.plot(u, gaussian(u, 1 / xi), "k", label="theory")
            axis.axvline(1, color="k", ls=":", lw=1)
            axis.set(xlabel="membrane U", ylabel="density", title=title)
    axes[0, 1].legend(loc="lower right", fontsize=8, ncols=2)
    axes[0, 2].set_ylim(top=1.4 * axes[0, 2].get_ylim()[1])  # room for the legend
    axes[0, 2].legend(loc="upper left", fontsize=8)
    return figure
