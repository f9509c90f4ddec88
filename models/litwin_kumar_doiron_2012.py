"""Litwin-Kumar A, Doiron B (2012). Slow dynamics and high variability in balanced cortical networks with clustered connections.
Nature Neuroscience 15, 1498-1505. https://doi.org/10.1038/nn.3220

    python -m models.litwin_kumar_doiron_2012                  uniform and clustered: rates, Fano factor against the window, rasters
    python -m models.litwin_kumar_doiron_2012 --scale 0.4      fewer and smaller clusters

4000 excitatory and 1000 inhibitory neurons (tau_mem 15 and 10 ms, threshold 1, reset 0, refractory period 5 ms), constant input
between 1.1 and 1.2 (E), 1 and 1.05 (I), no delay; dt = 0.1 ms. A spike of weight J adds J in all to the membrane, in the course
(exp(-t/tau_d) - exp(-t/tau_r)) / (tau_d - tau_r), tau_r = 1 ms and tau_d = 3 ms (E) or 2 ms (I). Pairs are connected with
probability 0.5, excitatory ones with 0.2 on average: uniformly, or in 50 clusters of 80 neurons, with probability
R_EE = 2.5 times as high within a cluster as between clusters and weights 1.9 times as large within.
Weights: J_EE = 0.0236, J_IE = 0.0141 (onto I), J_EI = 0.0453 (onto E), J_II = 0.0566.

As printed in the paper: sizes, probabilities, R_EE and the factor 1.9, time constants, refractory period, inputs, and the weights, which are
rounded there (0.024, 0.014, -0.045, -0.057); here they are the formulas of the simulation code that circulates with it, c / (tau sqrt(K))
with tau in ms, K = p_EE N_E = 800 and c = 10 (EE), 4 (IE), 16 * 1.2 (EI), 16 (II). Chosen here: potentials that start uniform between reset
and threshold, half a second that is not counted, windows, and --scale.

--scale s takes s of the neurons, in 50 sqrt(s) clusters of 80 sqrt(s) neurons; weights grow by 1/sqrt(s). So the variance of a neuron's
input and the mean input within a cluster stay what they were.
"""

import numpy as np

import biosnn as bs
from biosnn.network.neuron import Neuron, Receptor
from models import _report as common

N_EXC, N_INH, CLUSTERS, DT = 4000, 1000, 50, 0.1e-3
TAU_E, TAU_I, RISE, DECAY_EXC, DECAY_INH, REFRACTORY = (
    15e-3,
    10e-3,
    1e-3,
    3e-3,
    2e-3,
    5e-3,
)  # seconds
INPUT_E, INPUT_I = (1.1, 1.2), (1.0, 1.05)  # threshold = 1
P, P_EE, R_EE, STRENGTH = 0.5, 0.2, 2.5, 1.9
J_EE, J_IE, J_EI, J_II = (
    np.array([10 / 15, 4 / 10, 16 * 1.2 / 15, 16 / 10]) / np.sqrt(800)
).tolist()  # J_(post)(pre)
WINDOWS = (0.025, 0.05, 0.1, 0.2, 0.4)  # seconds
WARM_UP = 0.5  # seconds that are not counted
CASES = ("uniform", "clustered")


def neuron(tau):
    """LIF neuron whose currents rise and fall: a chain of two exponentials, R -> I -> U, scaled so that a weight is what U gains in all."""
    return Neuron(
        "lif_two_exponentials",
        {"U": "mem", "I_exc": "exc", "R_exc": "rise", "I_inh": "inh", "R_inh": "rise"},
        {
            ("U", "I_exc"): 1.0,
            ("I_exc", "R_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("I_inh", "R_inh"): 1.0,
        },
        {"exc": Receptor("R_exc", tau / RISE, +1), "inh": Receptor("R_inh", tau / RISE, -1)},
        {"mem": tau, "exc": DECAY_EXC, "inh": DECAY_INH, "rise": RISE},
        1.0,
        0.0,
        REFRACTORY,
    )


def clusters(n, number, seed):
    """`number` clusters of n neurons: pairs and relative weights of clustered excitatory synapses.

    No neuron onto itself. seed: int or numpy Generator.
    """
    member = np.arange(n) // (n // number)
    same = member[:, None] == member
    between = P_EE * n / ((R_EE - 1) * n / number + n)  # so that the mean over all pairs is P_EE
    drawn = np.random.default_rng(seed).random((n, n), np.float32) < np.where(
        same, R_EE * between, between
    )
    np.fill_diagonal(drawn, False)
    pre, post = np.nonzero(drawn)
    return pre, post, np.where(same[pre, post], STRENGTH, 1.0)


def build(case, scale, seed):
    """The network, "uniform" or "clustered", and its constant input. seed: a whole number >= 0."""
    net, rng = bs.Network(DT), np.random.default_rng(seed)
    number, gain = round(CLUSTERS * np.sqrt(scale)), 1 / np.sqrt(scale)
    n = round(N_EXC * scale / number) * number
    e = net.population(n, neuron(TAU_E), "excitatory", name="E")
    i = net.population(round(N_INH * scale), neuron(TAU_I), "inhibitory", name="I")
    if case == "clustered":
        pre, post, relative = clusters(n, number, rng)
        net.connect(e, e, delay=0.0, weights=J_EE * gain * relative, synapses=bs.Pairs(pre, post))
    else:
        net.connect(e, e, delay=0.0, weights=J_EE * gain, synapses=bs.Bernoulli(P_EE), seed=seed)
    for pre, post, weight in ((e, i, J_IE), (i, e, J_EI), (i, i, J_II)):
        net.connect(
            pre, post, delay=0.0, weights=weight * gain, synapses=bs.Bernoulli(P), seed=seed
        )
    return net, [
        bs.Current("E", rng.uniform(*INPUT_E, e.n)),
        bs.Current("I", rng.uniform(*INPUT_I, i.n)),
    ]


def simulate(case, args):
    """The network, "uniform" or "clustered"; None where Ctrl-C came early."""
    net, inputs = build(case, args.scale, args.seed)
    return common.after_warm_up(
        net, WARM_UP, args, inputs, initial={f"{name}.U": bs.Uniform(0, 1) for name in "EI"}
    )


def measured(case, done):
    """A row of results."""
    fano = {
        f"{window:g}": float(np.nanmean(bs.stats.fano_factor(done.spikes["E"], window)))
        for window in WINDOWS
        if window <= done.duration / 4
    }
    return {
        "case": case,
        "rate_i_hz": done.mean_rates["I"],
        "run_s": done.wall,
        "simulated_s": done.duration,
        "fano": fano,
    } | {
        f"{key}_e" if key != "rate_hz" else "rate_e_hz": value
        for key, value in common.population_statistics(done.spikes["E"]).items()
    }


def figure(results):
    """Rasters of 20 clusters (or as many neurons) over 2 s, and the mean Fano factor against the window."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(12, 4.5), layout="constrained")
    *rasters, last = drawing.subplots(1, 3, width_ratios=(3, 3, 2))
    for axis, (row, done) in zip(rasters, results):
        spikes = done.spikes["E"]
        common.raster(
            axis,
            [(spikes, min(1.0, 1600 / spikes.n_units), common.colour("E"))],
            0,
            min(2.0, done.duration),
            1,
        )
        axis.set(title=row["case"], ylabel="excitatory neuron")
    for (row, _), line in zip(results, ("--", "-")):
        last.plot(
            [1e3 * float(window) for window in row["fano"]],
            list(row["fano"].values()),
            line + "o",
            color=common.colour("E"),
            label=row["case"],
        )
    last.axhline(1, color="#8C8C8C", lw=1, zorder=0)
    last.set(xscale="log", xlabel="window (ms)", ylabel="mean Fano factor", ylim=(0, None))
    shown = [1e3 * float(window) for window in results[0][0]["fano"]]
    last.set_xticks(shown, [f"{window:g}" for window in shown])
    last.minorticks_off()
    last.legend(frameon=False)
    return drawing


def main(arguments=None):
    parser = common.parser(
        "litwin_kumar_doiron_2012", __doc__, 5.0, "of the numbers of neurons (default 1)"
    )
    args = parser.parse_args(arguments)
    common.check_options(parser, args, 0.1)
    results = common.until_interrupted(lambda case: simulate(case, args), measured, CASES)
    rows = [row for row, _ in results]
    windows = list(rows[-1]["fano"])  # the last may have been cut short
    common.show(
        f"Litwin-Kumar & Doiron (2012), scale {args.scale:g}, {args.seconds:g} s; F: Fano factor in windows of ms",
        ("", "E (Hz)", "I (Hz)", "CV", *(f"F {1e3 * float(w):g}" for w in windows), "s per s"),
        [
            (
                r["case"],
                common.number(r["rate_e_hz"]),
                common.number(r["rate_i_hz"]),
                common.number(r["cv_e"]),
                *(common.number(r["fano"][w]) for w in windows),
                common.number(r["run_s"] / r["simulated_s"]),
            )
            for r in rows
        ],
    )
    common.save(args, lambda: figure(results), "clusters.png", rows)


if __name__ == "__main__":
    main()
