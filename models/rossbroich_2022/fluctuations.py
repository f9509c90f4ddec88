"""Membranes in the fluctuation-driven regime: the paper's first figure."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs

from ..command_line import show
from .learning import Row, write

N_INPUTS, RATE, DURATION, DT, N_NEURONS = 5000, 3.0, 10.0, 1e-3, 20  # Hz, seconds
XI = (1.0, 2.0, 3.0)
SETTLED = 200  # steps that are not counted
SPIKING = "#56B4E9"


def fluctuations(args: argparse.Namespace) -> None:
    """5000 Poisson inputs at 3 Hz onto a neuron, with and without threshold."""
    spikes = bs.data.poisson(RATE, N_INPUTS, DURATION, seed=args.seed)
    rng = np.random.default_rng(args.seed)
    traces, weights = {}, {}
    for xi in XI:
        weights[xi] = rng.normal(0, sd_of_weights(xi), (N_INPUTS, N_NEURONS))
        net = network(weights[xi])
        traces[xi] = bs.run(net, spikes, record=["free.U", "spiking.U"], threads=args.threads)
    rows = [measured(xi, trace) for xi, trace in traces.items()]
    Path(args.out).mkdir(parents=True, exist_ok=True)
    write(args, {"rows": rows, "seed": args.seed})
    figure(traces, weights).savefig(Path(args.out, "fluctuations.png"), dpi=120)
    keys = ("sigma_w", "sigma_u_theory", "sigma_u")
    show(
        "Fluctuation-driven membranes: 5000 Poisson inputs at 3 Hz",
        ("xi", "sd of weights", "sd of U, theory", "sd of U, measured", "rate (Hz)"),
        [
            (f"{row['xi']:g}", *(f"{row[key]:.4f}" for key in keys), f"{row['rate_hz']:.2f}")
            for row in rows
        ],
    )
    print(f"result and figure: {args.out}/")


def sd_of_weights(xi: float) -> float:
    """The standard deviation of weights of mean 0 with which sigma_U is 1 / xi.

    An input has at most one spike in a bin, so its variance is RATE dt (1 - RATE dt).
    """
    _, squared = bs.theory.psp_integrals(bs.lif(tau_mem=20e-3, tau_syn=10e-3), DT, "syn")
    return float(1 / xi / np.sqrt(N_INPUTS * RATE * (1 - RATE * DT) * squared))


def network(weights: np.ndarray) -> bs.Network:
    """The inputs onto neurons with a threshold, and onto the same ones without."""
    net = bs.Network(dt=DT)
    inputs = net.input(N_INPUTS)
    for name, threshold in (("free", 1e9), ("spiking", 1.0)):
        neuron = bs.lif(tau_mem=20e-3, tau_syn=10e-3, threshold=threshold)
        net.connect(inputs, net.population(N_NEURONS, neuron, name=name), weights=weights)
    return net


def measured(xi: float, trace: bs.Trace) -> Row:
    """A row of results."""
    free = trace.states["free.U"][0, SETTLED:]
    return {
        "xi": xi,
        "sigma_w": sd_of_weights(xi),
        "sigma_u_theory": 1 / xi,
        "sigma_u": float(np.sqrt(free.var(axis=0).mean())),
        "rate_hz": float(trace.counts["spiking"].mean() / DURATION),
    }


def gaussian(x: np.ndarray, sigma: float) -> np.ndarray:
    """The density of a normal distribution of mean 0."""
    return np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))


def figure(traces: dict[float, bs.Trace], weights: dict[float, np.ndarray]) -> Figure:
    """Rows: xi. Columns: weights, membrane without and with spikes, their histograms."""
    result = Figure(figsize=(11, 7.5), layout="constrained")
    axes = result.subplots(3, 4, width_ratios=(1, 2, 1, 1))
    for row, (xi, trace) in zip(axes, traces.items()):
        _weights(row[0], weights[xi], xi)
        _membranes(row[1], trace)
        _histogram(row[2], trace.states["free.U"], 1 / xi, "0.7")
        _histogram(row[3], trace.states["spiking.U"], 1 / xi, SPIKING)
        row[2].set_title("U without threshold")
        row[3].set_title("U with spikes")
    axes[0, 1].legend(loc="lower right", fontsize=8, ncols=2)
    axes[0, 2].set_ylim(top=1.4 * axes[0, 2].get_ylim()[1])  # room for the legend
    axes[0, 2].legend(loc="upper left", fontsize=8)
    return result


def _weights(axis: Axes, weights: np.ndarray, xi: float) -> None:
    """Their histogram, and the density that they were drawn from."""
    grid = np.linspace(-4, 4, 200) * sd_of_weights(xi)
    axis.hist(weights.ravel(), 60, density=True, color="0.7")
    axis.plot(grid, gaussian(grid, sd_of_weights(xi)), "k")
    axis.set(xlabel="weight", ylabel="density", title=f"ξ = {xi:g}, weights")


def _membranes(axis: Axes, trace: bs.Trace) -> None:
    """One neuron for a second."""
    times, shown = 1e3 * trace.times[:1000], slice(0, 1000)
    axis.plot(times, trace.states["free.U"][0, shown, 0], color="0.6", label="no threshold")
    axis.plot(times, trace.states["spiking.U"][0, shown, 0], color=SPIKING, lw=0.9, label="spiking")
    axis.axhline(1, color="k", ls=":", lw=1)
    axis.set(xlabel="time (ms)", ylabel="membrane U\n(threshold = 1)", title="membrane")
    axis.set_ylim(-3.2, 2.5)


def _histogram(axis: Axes, u: np.ndarray, sigma: float, colour: str) -> None:
    """Histogram of a membrane, next to the theory of a free one."""
    grid = np.linspace(-3.5, 3.5, 300)
    axis.hist(u[0, SETTLED:].ravel(), 80, range=(-3.5, 3.5), density=True, color=colour)
    axis.plot(grid, gaussian(grid, sigma), "k", label="theory")
    axis.axvline(1, color="k", ls=":", lw=1)
    axis.set(xlabel="membrane U", ylabel="density")
