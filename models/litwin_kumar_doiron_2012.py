"""
Litwin-Kumar & Doiron (2012): clusters make slow fluctuations
=============================================================

Litwin-Kumar A, Doiron B (2012). Slow dynamics and high variability in balanced cortical networks
with clustered connections. Nature Neuroscience 15, 1498-1505. https://doi.org/10.1038/nn.3220

In a balanced network with clusters of excitatory neurons the rates of clusters wander, and spike
counts vary the more, the longer they are counted; in a uniform network they do not::

    python -m models.litwin_kumar_doiron_2012                 uniform and clustered
    python -m models.litwin_kumar_doiron_2012 --scale 0.4     fewer and smaller clusters

4000 excitatory and 1000 inhibitory neurons (tau_mem 15 and 10 ms, threshold 1, reset 0, refractory
period 5 ms), constant input between 1.1 and 1.2 (E), 1 and 1.05 (I), no delay; dt = 0.1 ms. A spike
of weight J adds J in all to the membrane, in the course
(exp(-t/tau_d) - exp(-t/tau_r)) / (tau_d - tau_r), tau_r = 1 ms and tau_d = 3 ms (E) or 2 ms (I).
Pairs are connected with probability 0.5, excitatory ones with 0.2 on average: uniformly, or in 50
clusters of 80 neurons, with probability R_EE = 2.5 times as high within a cluster as between
clusters and weights 1.9 times as large within. Weights: J_EE = 0.0236, J_IE = 0.0141 (onto I),
J_EI = 0.0453 (onto E), J_II = 0.0566.

As printed in the paper: sizes, probabilities, R_EE and the factor 1.9, time constants, refractory
period, inputs, and the weights, which are rounded there (0.024, 0.014, -0.045, -0.057). Here they
are the formulas of the simulation code that circulates with it, c / (tau sqrt(K)) with tau in ms,
K = p_EE N_E = 800 and c = 10 (EE), 4 (IE), 16 * 1.2 (EI), 16 (II). Chosen here: potentials that
start uniform between reset and threshold, half a second that is not counted, windows, and --scale.

--scale s takes s of the neurons, in 50 sqrt(s) clusters of 80 sqrt(s) neurons; weights grow by
1/sqrt(s). So the variance of a neuron's input and the mean input within a cluster stay what they
were.
"""

import argparse
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs

from . import command_line
from .activity import population_statistics
from .command_line import number

N_EXC, N_INH, CLUSTERS, DT = 4000, 1000, 50, 0.1e-3
TAU_E, TAU_I, REFRACTORY = 15e-3, 10e-3, 5e-3  # seconds
RISE, DECAY_EXC, DECAY_INH = 1e-3, 3e-3, 2e-3  # seconds
INPUT_E, INPUT_I = (1.1, 1.2), (1.0, 1.05)  # threshold = 1
P, P_EE, R_EE, STRENGTH = 0.5, 0.2, 2.5, 1.9
K = P_EE * N_EXC
J_EE, J_IE = 10 / 15 / K**0.5, 4 / 10 / K**0.5  # J_(post)(pre)
J_EI, J_II = 16 * 1.2 / 15 / K**0.5, 16 / 10 / K**0.5
WINDOWS = (0.025, 0.05, 0.1, 0.2, 0.4)  # seconds
WARM_UP = 0.5  # seconds that are not counted
CASES = ("uniform", "clustered")


def neuron(tau: float) -> bs.Neuron:
    """Make a LIF neuron whose currents rise and fall: two exponentials in a chain, R -> I -> U.

    The jump of R is scaled so that a weight is what U gains in all.
    """
    return bs.Neuron(
        model="lif_two_exponentials",
        states={"U": "mem", "I_exc": "exc", "R_exc": "rise", "I_inh": "inh", "R_inh": "rise"},
        gains={
            ("U", "I_exc"): 1.0,
            ("I_exc", "R_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("I_inh", "R_inh"): 1.0,
        },
        receptors={
            "exc": bs.Receptor("R_exc", jump=tau / RISE, sign=+1),
            "inh": bs.Receptor("R_inh", jump=tau / RISE, sign=-1),
        },
        time_constants={"mem": tau, "exc": DECAY_EXC, "inh": DECAY_INH, "rise": RISE},
        threshold=1.0,
        reset=0.0,
        refractory=REFRACTORY,
    )


def clusters(
    n: int, number: int, seed: int | np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the clustered excitatory synapses of n neurons in `number` clusters.

    Returns
    -------
    Presynaptic and postsynaptic neurons, never the same, and relative weights.
    """
    member = np.arange(n) // (n // number)
    same = member[:, None] == member
    between = P_EE * n / ((R_EE - 1) * n / number + n)  # so that the mean over all pairs is P_EE
    chance = np.where(same, R_EE * between, between)
    drawn = np.random.default_rng(seed).random((n, n), np.float32) < chance
    np.fill_diagonal(drawn, False)
    pre, post = np.nonzero(drawn)
    return pre, post, np.where(same[pre, post], STRENGTH, 1.0)


def build(case: str, scale: float, seed: int) -> bs.Network:
    """Build the network, "uniform" or "clustered". seed: >= 0."""
    net, rng = bs.Network(DT), np.random.default_rng(seed)
    groups, gain = round(CLUSTERS * np.sqrt(scale)), 1 / np.sqrt(scale)
    n = round(N_EXC * scale / groups) * groups
    e = net.population(n, neuron(TAU_E), "excitatory", name="E")
    i = net.population(round(N_INH * scale), neuron(TAU_I), "inhibitory", name="I")
    if case == "clustered":
        sources, targets, relative = clusters(n, groups, rng)
        pairs = bs.Pairs(sources, targets)
        net.connect(e, e, delay=0.0, weights=J_EE * gain * relative, synapses=pairs)
    else:
        net.connect(e, e, delay=0.0, weights=J_EE * gain, synapses=bs.Bernoulli(P_EE), seed=seed)
    for pre, post, weight in ((e, i, J_IE), (i, e, J_EI), (i, i, J_II)):
        net.connect(
            pre, post, delay=0.0, weights=weight * gain, synapses=bs.Bernoulli(P), seed=seed
        )
    return net


def background(net: bs.Network, seed: int) -> list[bs.Current]:
    """The constant input of each neuron."""
    rng, ranges = np.random.default_rng([seed, 1]), {"E": INPUT_E, "I": INPUT_I}
    return [bs.Current(name, rng.uniform(*ranges[name], net[name].n)) for name in ranges]


def simulate(case: str, args: argparse.Namespace) -> bs.Simulation | None:
    """Simulate the network, "uniform" or "clustered"; None where Ctrl-C came early."""
    net = build(case, args.scale, args.seed)
    inputs = background(net, args.seed)
    initial = {f"{name}.U": bs.Uniform(0, 1) for name in "EI"}
    return command_line.after_warm_up(net, WARM_UP, args, inputs, initial=initial)


def measured(case: str, done: bs.Simulation) -> dict[str, Any]:
    """A row of results."""
    statistics = population_statistics(done.spikes["E"])
    windows = [window for window in WINDOWS if window <= done.duration / 4]
    fano = {w: float(np.nanmean(bs.stats.fano_factor(done.spikes["E"], w))) for w in windows}
    return {
        "case": case,
        "rate_e_hz": statistics["rate_hz"],
        "rate_i_hz": done.mean_rates["I"],
        "cv_e": statistics["cv"],
        "synchrony_e": statistics["synchrony"],
        "fano": {f"{window:g}": value for window, value in fano.items()},
        "run_s": done.wall,
        "simulated_s": done.duration,
    }


def figure(results: list[tuple[dict[str, Any], bs.Simulation]]) -> Figure:
    """Rasters of excitatory neurons over 2 s, and the mean Fano factor."""
    drawing = Figure(figsize=(12, 4.5), layout="constrained")
    *rasters, last = drawing.subplots(1, 3, width_ratios=(3, 3, 2))
    for axis, (row, done) in zip(rasters, results):
        bs.plot.raster(done, "E", stop=min(2.0, done.duration), ax=axis)
        axis.set(title=row["case"])
    _fano(last, [row for row, _ in results])
    return drawing


def _fano(axis: Axes, rows: list[dict[str, Any]]) -> None:
    """The mean Fano factor against the window."""
    for row, line in zip(rows, ("--", "-")):
        windows = [1e3 * float(window) for window in row["fano"]]
        values = list(row["fano"].values())
        axis.plot(windows, values, f"{line}o", color=bs.plot.EXCITATORY, label=row["case"])
    axis.axhline(1, color="#8C8C8C", lw=1, zorder=0)
    axis.set(xscale="log", xlabel="window (ms)", ylabel="mean Fano factor", ylim=(0, None))
    shown = [1e3 * float(window) for window in rows[0]["fano"]]
    axis.set_xticks(shown, [f"{window:g}" for window in shown])
    axis.minorticks_off()
    axis.legend(frameon=False)


def show(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print the results."""
    windows = list(rows[-1]["fano"])  # the last may have been cut short
    names = [f"F {1e3 * float(window):g}" for window in windows]
    command_line.show(
        f"Litwin-Kumar & Doiron (2012), scale {args.scale:g}, {args.seconds:g} s; "
        "F: Fano factor in windows of ms",
        ("", "E (Hz)", "I (Hz)", "CV", *names, "s per s"),
        [
            (
                r["case"],
                number(r["rate_e_hz"]),
                number(r["rate_i_hz"]),
                number(r["cv_e"]),
                *(number(r["fano"][window]) for window in windows),
                number(r["run_s"] / r["simulated_s"]),
            )
            for r in rows
        ],
    )


def main(arguments: list[str] | None = None) -> None:
    """Run both networks from the command line."""
    name, scale = "litwin_kumar_doiron_2012", "of the numbers of neurons (default 1)"
    parser = command_line.parser(name, __doc__ or "", seconds=5.0, scale=scale)
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args, 0.1)
    results = command_line.until_interrupted(lambda case: simulate(case, args), measured, CASES)
    rows = [row for row, _ in results]
    show(rows, args)
    command_line.save(args, lambda: figure(results), "clusters.png", rows)


if __name__ == "__main__":
    main()
