"""
Rosenbaum et al. (2017): correlations in a spatial network
==========================================================

Rosenbaum R, Smith MA, Kohn A, Rubin JE, Doiron B (2017). The spatial structure of correlated
neuronal variability. Nature Neuroscience 20, 107-114. https://doi.org/10.1038/nn.4433

A plane of exponential integrate-and-fire neurons receives Poisson spikes from a plane of other
neurons. If recurrent connections reach less far than those of the input (sigma = 0.05 and 0.1 of
the side of the plane), neurons are asynchronous. If they reach farther (0.25), nearby neurons are
correlated, those at intermediate distances anticorrelated, and distant ones hardly either::

    python -m models.rosenbaum_2017              a quarter of the neurons, and of synapses of each
    python -m models.rosenbaum_2017 --scale 1    as published: 186 million synapses

200 x 200 excitatory, 100 x 100 inhibitory and 75 x 75 input neurons lie on a unit square with
periodic edges. Each neuron of population b makes p_ab N_a synapses onto population a, with
targets at a distance from a wrapped Gaussian, drawn with replacement: p = 0.05, but 0.25 from the
input onto excitatory and 0.08 onto inhibitory neurons. A spike adds j_ab / sqrt(N) mV in all, N the
number of recurrent neurons: j = 40 (EE), 120 (onto I from E), 400 (onto E from I), 400 (II), 120
from the input, with currents that decay in 6 ms (E), 5 ms (I) and 7 ms (input). Input neurons fire
at 5 Hz. tau_mem = 15 and 10 ms (E and I), slope 2 and 0.5 mV, rest -60 mV, onset -50 mV, peak
-10 mV, reset -65 mV, refractory period 1.5 and 0.5 ms; dt = 0.1 ms, forward Euler, no delay.

All numbers are those of the authors' program for their figures 3 and 4. Left out is its lower bound
of -100 mV. Correlations are those of spike counts in 250 ms of excitatory neurons above 1 Hz. The
lines of theory are linear response (their equation S.49) for the size that is simulated, with the
gains that they fitted for the published one, 0.0122 (E) and 0.0174 (I) per mV.
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

SIDE_E, SIDE_I, SIDE_F, DT = 200, 100, 75, 0.1e-3
REST, ONSET, PEAK, RESET = -60e-3, -50e-3, -10e-3, -65e-3  # volts
TAU = {"E": 15e-3, "I": 10e-3}  # seconds, as all that follow
SLOPE = {"E": 2e-3, "I": 0.5e-3}  # volts
REFRACTORY = {"E": 1.5e-3, "I": 0.5e-3}
TAU_EXC, TAU_INH, TAU_INPUT = 6e-3, 5e-3, 7e-3
#: (onto, from) -> weight in volts times the square root of the number of neurons.
J = {
    ("E", "E"): 40e-3,
    ("I", "E"): 120e-3,
    ("E", "I"): 400e-3,
    ("I", "I"): 400e-3,
    ("E", "input"): 120e-3,
    ("I", "input"): 120e-3,
}
#: (onto, from) -> share of the neurons onto which one projects.
P = dict.fromkeys(J, 0.05) | {("E", "input"): 0.25, ("I", "input"): 0.08}
RATE, SIGMA_INPUT = 5.0, 0.1
GAIN = {"E": 12.2, "I": 17.4}  # hertz per (volt per second) of mean input
CASES = {"asynchronous": 0.05, "correlated": 0.25}  # sigma of recurrent connections
WARM_UP, WINDOW, SNAPSHOT = 0.5, 0.25, 0.02  # seconds: not counted; of spike counts; of a picture
SHORTEST = 4 * WINDOW  # of an interrupted simulation that is enough for correlations
SAMPLE, LEAST_RATE = 2000, 1.0  # excitatory neurons whose correlations are measured; hertz
EDGES = np.arange(0, 0.46, 0.025)  # of distances


def neuron(name: str) -> bs.Neuron:
    """The neuron of population E or I; potentials in volts from rest.

    The jumps of currents are scaled so that a weight is what U gains in all.
    """
    taus = {"mem": TAU[name], "exc": TAU_EXC, "inh": TAU_INH, "input": TAU_INPUT}
    jump = {kind: TAU[name] / tau for kind, tau in taus.items()}
    shape = bs.adex(slope=SLOPE[name], onset=ONSET - REST, peak=PEAK - REST)
    return bs.Neuron(
        model="eif",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh", "I_input": "input"},
        gains={("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0, ("U", "I_input"): 1.0},
        receptors={
            "exc": bs.Receptor("I_exc", jump=jump["exc"], sign=+1),
            "inh": bs.Receptor("I_inh", jump=jump["inh"], sign=-1),
            "input": bs.Receptor("I_input", jump=jump["input"], sign=+1),
        },
        time_constants=taus,
        threshold=PEAK - REST,
        reset=RESET - REST,
        refractory=REFRACTORY[name],
        integrator="euler",
        nonlinear_drive=shape.nonlinear_drive,
    )


def plane(side: int, scale: float) -> bs.space.Positions:
    """A unit square of side^2 neurons, or of the share `scale` of them."""
    n = round(side * np.sqrt(scale))
    return bs.space.torus((n, n))


def build(sigma: float, scale: float, seed: int) -> bs.Network:
    """Build the network.

    Parameters
    ----------
    sigma
        Width of the recurrent connections, as a share of the side of the plane.
    scale
        Of the numbers of neurons and of synapses of each.
    seed
        Of the connections, >= 0.
    """
    net = bs.Network(DT)
    sheets = {"E": plane(SIDE_E, scale), "I": plane(SIDE_I, scale), "input": plane(SIDE_F, scale)}
    signs = {"E": "excitatory", "I": "inhibitory"}
    for name, sign in signs.items():
        net.population(sheets[name].n, neuron(name), sign, name=name, positions=sheets[name])
    net.input(sheets["input"].n, sign="excitatory", positions=sheets["input"])
    n = net["E"].n + net["I"].n
    for (post, pre), weight in J.items():
        width = SIGMA_INPUT if pre == "input" else sigma
        net.connect(
            pre,
            post,
            receptor={"E": "exc", "I": "inh"}.get(pre, "input"),
            weights=weight / np.sqrt(n),
            synapses=bs.space.FixedOutDegree(
                round(P[post, pre] * net[post].n), bs.space.Gaussian(width, wrapped=True)
            ),
            seed=seed,
        )
    return net


def simulate(case: str, args: argparse.Namespace) -> bs.Simulation | None:
    """Simulate the network, "asynchronous" or "correlated"; None where Ctrl-C came early."""
    net = build(CASES[case], args.scale, args.seed)
    initial = {f"{name}.U": bs.Uniform(RESET - REST, ONSET - REST) for name in "EI"}
    rng = np.random.default_rng(args.seed)
    state = None
    for seconds in (WARM_UP, args.seconds):
        done = bs.simulate(
            net,
            seconds,
            bs.data.poisson(RATE, net["input"].n, seconds, seed=rng),
            initial=None if state else initial,
            state=state,
            seed=None if state else args.seed,
            threads=args.threads,
            progress=state is not None,
        )
        if done.interrupted and done.duration < SHORTEST:
            return None
        state = done.state
    return done


def correlations(positions: bs.space.Positions, spikes: bs.SpikeTrains) -> list[float]:
    """Mean correlation of spike counts of the pairs in each bin of distances."""
    windows = int(spikes.duration / WINDOW)
    window = (spikes.times / WINDOW).astype(int)
    counts = np.zeros((windows, spikes.n_units))
    inside = window < windows
    np.add.at(counts, (window[inside], spikes.units[inside]), 1)
    active = np.flatnonzero(counts.mean(axis=0) > LEAST_RATE * WINDOW)
    chosen = np.random.default_rng(0).permutation(active)[:SAMPLE]
    where = np.asarray(positions.coordinates)[chosen].T
    away = where[:, :, None] - where[:, None, :]
    away -= np.rint(away)
    pairs = np.triu_indices(chosen.size, 1)
    found = np.corrcoef(counts[:, chosen].T)[pairs]
    bins = np.digitize(np.hypot(*away)[pairs], EDGES)
    return [float(found[bins == k].mean()) for k in range(1, EDGES.size)]


def theory(sigma: float, n: int, rate: float) -> np.ndarray:
    """Correlations of spike counts between excitatory neurons, by linear response.

    Parameters
    ----------
    sigma
        Width of the recurrent connections.
    n
        Number of recurrent neurons.
    rate
        Of excitatory neurons (Hz), in whose units variances are.

    Returns
    -------
    One for the middle of each bin of distances, along the diagonal of the plane.

    Notes
    -----
    With the gains L on a diagonal and the mean connections W(k) at the spatial frequencies k, the
    cross-spectrum of spikes at the temporal frequency 0 is A F A^T, A = (1 / L - sqrt(n) W)^-1,
    where F is that of the input currents.
    """
    share = {"E": 0.8, "I": 0.2, "input": SIDE_F**2 / (SIDE_E**2 + SIDE_I**2)}
    mean = {ends: J[ends] * P[ends] * share[ends[1]] for ends in J}
    recurrent = np.array([[mean[post, "E"], -mean[post, "I"]] for post in "EI"])
    feed = np.array([mean[post, "input"] for post in "EI"]) / np.sqrt(share["input"])
    k = np.arange(-20, 21)
    square = (k[:, None] ** 2 + k**2)[:, :, None, None]
    around = np.sqrt(n) * recurrent * np.exp(-2 * np.pi**2 * square * sigma**2)
    response = np.linalg.inv(np.diag([1 / GAIN[name] for name in "EI"]) - around)
    shared = RATE * np.outer(feed, feed) * np.exp(-4 * np.pi**2 * square * SIGMA_INPUT**2)
    spectrum = (response @ shared @ np.swapaxes(response, -1, -2))[:, :, 0, 0]
    wave = np.cos(2 * np.pi * np.outer(centres() / np.sqrt(2), k))
    return np.einsum("dk,kl,dl->d", wave, spectrum, wave) / rate


def centres() -> np.ndarray:
    """The middles of the bins of distances."""
    return (EDGES[1:] + EDGES[:-1]) / 2


def measured(case: str, done: bs.Simulation) -> dict[str, Any]:
    """A row of results."""
    statistics = population_statistics(done.spikes["E"])
    excitatory = done.network["E"]
    found = np.array(correlations(excitatory.positions, done.spikes["E"]))
    distance = centres()
    n = excitatory.n + done.network["I"].n
    return {
        "case": case,
        "rate_e_hz": statistics["rate_hz"],
        "rate_i_hz": done.mean_rates["I"],
        "cv_e": statistics["cv"],
        "near": float(found[distance < 0.1].mean()),
        "intermediate": float(found[(distance > 0.25) & (distance < 0.4)].mean()),
        "distances": distance.tolist(),
        "correlations": found.tolist(),
        "theory": theory(CASES[case], n, statistics["rate_hz"] or np.nan).tolist(),
        "run_s": done.wall,
        "simulated_s": done.duration,
    }


def figure(results: list[tuple[dict[str, Any], bs.Simulation]]) -> Figure:
    """Spikes in the plane, three times for each case, and correlations against distance."""
    drawing = Figure(figsize=(12, 5.2), layout="constrained")
    left, right = drawing.subfigures(1, 2, width_ratios=(3, 2))
    frames = left.subplots(len(results), 3, squeeze=False)
    for row, (numbers, done) in zip(frames, results):
        _snapshots(row, numbers["case"], done)
    left.suptitle(f"excitatory spikes within {1e3 * SNAPSHOT:g} ms", fontsize=10)
    _distances(right.subplots(), [row for row, _ in results])
    return drawing


def _snapshots(axes: Any, case: str, done: bs.Simulation) -> None:
    """All excitatory spikes within 20 ms, three times."""
    spikes = done.spikes["E"]
    where = np.asarray(done.network["E"].positions.coordinates)
    for axis, share in zip(axes, (0.25, 0.5, 0.75)):
        start = share * done.duration
        units = spikes.units[(spikes.times >= start) & (spikes.times < start + SNAPSHOT)]
        axis.plot(*where[units].T, ".", ms=2.5, mew=0, color=bs.plot.EXCITATORY, rasterized=True)
        axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(), yticks=())
        axis.set_title(f"{start:.2f} s", fontsize=9)
    axes[0].set_ylabel(case)


def _distances(axis: Axes, rows: list[dict[str, Any]]) -> None:
    """Correlation against distance, and theory as lines."""
    for row, mark, hue in zip(rows, ("s", "o"), ("#000000", "#009E73")):
        axis.plot(row["distances"], row["correlations"], mark, ms=5, color=hue, label=row["case"])
        axis.plot(row["distances"], row["theory"], "-", lw=1, color=hue)
    axis.plot([], [], "-", lw=1, color="#8C8C8C", label="linear response")
    axis.axhline(0, color="#8C8C8C", lw=0.5, zorder=0)
    axis.set(xlabel="distance (sides of the plane)", ylabel="correlation of spike counts")
    axis.set_xlim(0, EDGES[-1])
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)


def show(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print the results."""
    command_line.show(
        f"Rosenbaum et al. (2017), scale {args.scale:g}, {args.seconds:g} s; correlations of "
        "excitatory neurons closer than 0.1, and 0.25 to 0.4 apart",
        ("", "E (Hz)", "I (Hz)", "CV", "near", "apart", "s per s"),
        [
            (
                r["case"],
                number(r["rate_e_hz"]),
                number(r["rate_i_hz"]),
                number(r["cv_e"]),
                number(r["near"], 4),
                number(r["intermediate"], 4),
                number(r["run_s"] / r["simulated_s"]),
            )
            for r in rows
        ],
    )


def main(arguments: list[str] | None = None) -> None:
    """Run both networks from the command line."""
    scale = "of the numbers of neurons and of synapses of each (default 0.25)"
    parser = command_line.parser("rosenbaum_2017", __doc__ or "", seconds=6.0, scale=scale)
    parser.set_defaults(scale=0.25)
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args, 4 * WINDOW)
    results = command_line.until_interrupted(lambda case: simulate(case, args), measured, CASES)
    rows = [row for row, _ in results]
    show(rows, args)
    command_line.save(args, lambda: figure(results), "correlations.png", rows)


if __name__ == "__main__":
    main()
