"""
Wang (2002): a decision by slow reverberation
=============================================

Wang XJ (2002). Probabilistic decision making by slow reverberation in cortical circuits. Neuron 36,
955-968. https://doi.org/10.1016/S0896-6273(02)01092-9 ::

    python -m models.wang_2002                   a decision in detail, and the psychometric curve
    python -m models.wang_2002 --quick           two coherences, three trials each
    python -m models.wang_2002 --trials 50       trials of each coherence (default 10)

1600 excitatory and 400 inhibitory neurons, all connected with all (Brunel & Wang 2001). Groups A
and B, 15 % of the excitatory neurons each, prefer one direction of moving dots. Excitation within a
group is 1.7 times the mean, and that onto it from outside a little less. A stimulus of coherence c
brings Poisson events at 40 (1 + c) Hz to each neuron of A and 40 (1 - c) Hz to those of B, with a
deviation of 4 Hz that is drawn anew every 50 ms. NMDA receptors sum it up, the groups compete
through common inhibition, and one of them wins. It keeps firing when the stimulus has gone.

tau_mem = 20 and 10 ms (E and I), rest -70 mV, threshold -50 mV, reset -55 mV, refractory period 2
and 1 ms; reversal potentials 0 and -70 mV; AMPA decays in 2 ms, NMDA in 100, GABA in 5 ms. Synapses
have a delay of 0.5 ms; each neuron has a background of 2400 events a second; dt = 0.1 ms.

In the paper the open share s of NMDA receptors of a presynaptic neuron follows ::

    ds/dt = -s / tau_nmda + alpha x (1 - s)    dx/dt = -x / tau_rise    at a spike x += 1

with alpha = 0.5 per ms and tau_rise = 2 ms. Here s += share (1 - s) at a spike, where the share is
1 - exp(-alpha tau_rise) = 0.632, and weights are larger by 1 %, so that a spike carries the same
charge (`bs.SaturatingGating`). ``python -m validation.wang`` runs both forms in Brian2.
"""

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

import biosnn as bs

from . import command_line
from .command_line import number
from .perceptual_decision.choices import fit_logistic, psychometric

#: Numbers of the paper, as in Brunel & Wang (2001).
N_EXC, N_INH, SELECTIVE = 1600, 400, 0.15
GROUPS = ("A", "B", "N")  # excitatory: two that are selective, and the others
DT, DELAY = 0.1e-3, 0.5e-3  # seconds
REST, THRESHOLD, RESET, E_EXC, E_INH = -70e-3, -50e-3, -55e-3, 0.0, -70e-3  # volts
CAPACITANCE = {"E": 0.5e-9, "I": 0.2e-9}  # farads
LEAK = {"E": 25e-9, "I": 20e-9}  # siemens, as the conductances below, onto E and onto I
REFRACTORY = {"E": 2e-3, "I": 1e-3}  # seconds
TAU_AMPA, TAU_NMDA, TAU_GABA, TAU_RISE = 2e-3, 100e-3, 5e-3, 2e-3
ALPHA, BACKGROUND = 500.0, 2400.0  # hertz
G_BACKGROUND = {"E": 2.1e-9, "I": 1.62e-9}
G_AMPA = {"E": 0.05e-9, "I": 0.04e-9}
G_NMDA = {"E": 0.165e-9, "I": 0.13e-9}
G_GABA = {"E": 1.3e-9, "I": 1.0e-9}
GATING = bs.SaturatingGating(alpha=ALPHA, tau_rise=TAU_RISE, tau_decay=TAU_NMDA)
STRONGER = 1.7  # excitation within a group, relative to the mean
STIMULUS, DEVIATION, HOLD = 40.0, 4.0, 50e-3  # hertz, hertz, seconds
#: Seconds: the stimulus; when the choice is read; when it is over; of the run without stimulus.
ONSET, OFFSET, READ, END, WARM_UP = 0.5, 2.5, 2.6, 2.8, 0.5
COHERENCES = (0.032, 0.064, 0.128, 0.256, 0.512)
DECIDED, BIN = 20.0, 20e-3  # hertz, seconds: a group that fires faster has won

Row = dict[str, Any]
#: Times at which rates change (s), and rates of A and B from then on (Hz).
Stimulus = tuple[np.ndarray, dict[str, np.ndarray]]


def sizes(scale: float = 1.0) -> dict[str, int]:
    """Numbers of neurons of A, B, N and I."""
    selective, excitatory = round(SELECTIVE * N_EXC * scale), round(N_EXC * scale)
    rest = excitatory - 2 * selective
    return {"A": selective, "B": selective, "N": rest, "I": round(N_INH * scale)}


def kind(name: str) -> str:
    """E or I, for what all groups of excitatory neurons share."""
    return "I" if name == "I" else "E"


def relative_weights(stronger: float = STRONGER) -> np.ndarray:
    """Strength of excitation from group (row) to group (column), of A, B and N.

    Its mean over the sources of a neuron is 1.
    """
    result = np.ones((3, 3))
    result[:, :2] = (1 - SELECTIVE * stronger) / (1 - SELECTIVE)
    result[[0, 1], [0, 1]] = stronger
    return result


def neuron(name: str) -> bs.Neuron:
    """The neuron of a population; potentials in volts from rest.

    Conductances take forward Euler steps, so that each spike has its charge: with exact steps of
    0.1 ms AMPA would have 2.5 % more, and rates would be a tenth higher.
    """
    own = kind(name)
    table = bs.nmda_lif(
        tau_mem=CAPACITANCE[own] / LEAK[own],
        tau_ampa=TAU_AMPA,
        tau_nmda=TAU_NMDA,
        tau_gaba=TAU_GABA,
        reversal_exc=E_EXC - REST,
        reversal_inh=E_INH - REST,
        threshold=THRESHOLD - REST,
        reset=RESET - REST,
        refractory=REFRACTORY[own],
        rest=REST,
    )
    return replace(table, integrator="euler")


def build(scale: float = 1.0, stronger: float = STRONGER) -> bs.Network:
    """Build the network.

    Parameters
    ----------
    scale
        Of the numbers of neurons; recurrent weights grow by its inverse.
    stronger
        Excitation within a selective group, relative to the mean; 1: there are no groups.
    """
    net = bs.Network(DT)
    for name, n in sizes(scale).items():
        sign = "inhibitory" if name == "I" else "excitatory"
        net.population(n, neuron(name), sign, name=name)
    strength = dict(zip(GROUPS, relative_weights(stronger)))
    for post in net.spiking:
        unit = 1 / (scale * LEAK[kind(post.name)])
        slow = GATING.correction * G_NMDA[kind(post.name)] * unit
        for pre in GROUPS:
            share = 1.0 if post.name == "I" else strength[pre][GROUPS.index(post.name)]
            _all_to_all(net, pre, post, share * G_AMPA[kind(post.name)] * unit)
            _all_to_all(net, pre, post, share * slow, receptor="nmda", plasticity=GATING)
        _all_to_all(net, "I", post, G_GABA[kind(post.name)] * unit)
    return net


def _all_to_all(
    net: bs.Network, pre: str, post: bs.Population, weight: float, **options: Any
) -> None:
    """Connect all neurons of two populations with one weight."""
    name = f"{pre}->{post.name}" + (" nmda" if options else "")
    weights = np.full((net[pre].n, post.n), weight)
    net.connect(pre, post, weights=weights, delay=DELAY, name=name, **options)


def stimulus(coherence: ArrayLike, rng: np.random.Generator, *, onset: float = ONSET) -> Stimulus:
    """Draw the rates of a stimulus of two seconds; a negative coherence is in favour of B.

    Of several coherences they are (trials, pieces).
    """
    c = np.asarray(coherence)[..., None]
    times = onset + HOLD * np.arange(round((OFFSET - ONSET) / HOLD) + 1)
    drawn, silence = {}, np.zeros(c.shape)
    for name, sign in (("A", 1), ("B", -1)):
        noise = DEVIATION * rng.standard_normal((*c.shape[:-1], times.size - 1))
        rates = np.maximum(STIMULUS * (1 + sign * c) + noise, 0)
        drawn[name] = np.concatenate([silence, rates, silence], axis=-1)
    return np.concatenate([[0.0], times]), drawn


def background(shown: Stimulus | None = None) -> list[bs.PoissonInput]:
    """The input of all populations: what is always there, and a stimulus of A and B."""
    times, rates = shown or (np.zeros(1), {})
    extra = {name: r[..., None] if r.ndim > 1 else r for name, r in rates.items()}
    return [
        bs.PoissonInput(
            name,
            (times, BACKGROUND + extra[name]) if name in extra else BACKGROUND,
            G_BACKGROUND[kind(name)] / LEAK[kind(name)],
        )
        for name in (*GROUPS, "I")
    ]


def initial_state() -> dict[str, bs.Uniform]:
    """Potentials between reset and threshold."""
    return {f"{name}.U": bs.Uniform(RESET - REST, THRESHOLD - REST) for name in (*GROUPS, "I")}


def decide(
    net: bs.Network,
    coherences: ArrayLike,
    args: argparse.Namespace,
    *,
    seconds: float = END,
    onset: float = ONSET,
) -> list[bs.Simulation]:
    """Simulate a trial for each coherence side by side; after Ctrl-C, those that were finished.

    Each has a stimulus, an initial state and noise of its own.
    """
    coherences = np.atleast_1d(coherences)
    drawn = stimulus(coherences, np.random.default_rng(args.seed), onset=onset)
    return bs.simulate(
        net,
        seconds,
        background=background(drawn),
        initial=initial_state(),
        seed=args.seed,
        threads=args.threads,
        trials=coherences.size,
        rate_bin=BIN,
    )


def rate(done: bs.Simulation, names: str, start: float, stop: float) -> float:
    """The mean rate (Hz) of the neurons of several populations in a part of the time."""
    counts = sum(done.spikes[name].select(start=start, stop=stop).times.size for name in names)
    return counts / (sum(done.network[name].n for name in names) * (stop - start))


def measured(coherence: float, done: bs.Simulation) -> Row:
    """What happened in a trial; choice 0 is that of A.

    The decision is the time from the onset on at which one group fires faster than `DECIDED` and
    twice as fast as the other, in bins of 20 ms.
    """
    a, b = (rate(done, name, READ, END) for name in "AB")
    one, other = done.rates["A"], done.rates["B"]
    high, low = np.maximum(one, other), np.minimum(one, other)
    won = np.flatnonzero(
        (high > DECIDED) & (high > 2 * low) & (np.arange(high.size) >= ONSET / BIN)
    )
    return {
        "coherence": float(coherence),
        "choice": int(b > a),
        "rate_a_hz": a,
        "rate_b_hz": b,
        "decision_s": float((won[0] + 1) * BIN - ONSET) if won.size else None,
    }


def spontaneous(net: bs.Network, args: argparse.Namespace) -> Row:
    """Rates (Hz) without a stimulus, of all excitatory neurons and of the inhibitory ones."""
    done = bs.simulate(
        net,
        WARM_UP + args.seconds,
        background=background(),
        initial=initial_state(),
        seed=args.seed,
        threads=args.threads,
    )
    if done.duration < WARM_UP + command_line.SHORTEST:
        raise SystemExit("interrupted before there was enough for statistics; nothing was written.")
    return {
        "rate_e_hz": rate(done, "ABN", WARM_UP, done.duration),
        "rate_i_hz": rate(done, "I", WARM_UP, done.duration),
        "simulated_s": done.duration,
        "run_s": done.wall,
    }


# ------------------------------------------------------------------------------------------ figure


def figure(shown: bs.Simulation, coherence: float, rows: list[Row], fit: Row) -> Figure:
    """Spikes and rates of one trial, the psychometric curve, and times of decisions."""
    drawing = Figure(figsize=(11, 6), layout="constrained")
    parts: Any = drawing.subfigures(1, 2, width_ratios=(3, 2))
    left, right = parts
    spikes, rates = left.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    bs.plot.raster(shown, ["A", "B"], units=80, ax=spikes)
    bs.plot.rates(shown, ["A", "B", "I"], rate_bin=2 * BIN, ax=rates)
    rates.legend(rates.lines, ["A", "B", "I"], frameon=False, loc="upper left")
    for axis in (spikes, rates):
        axis.axvspan(1e3 * ONSET, 1e3 * OFFSET, color="0.93", zorder=0)
    spikes.set_xlabel("")
    spikes.set_title(f"one trial, coherence {100 * coherence:g} % (grey: stimulus)")
    curve, times = right.subplots(2, 1, sharex=True)
    _choices(curve, rows, fit)
    _times(times, rows)
    return drawing


def _choices(axis: Axes, rows: list[Row], fit: Row) -> None:
    """The share of trials that A wins, with 95 % intervals, and its logistic fit."""
    points = psychometric(*_columns(rows))
    x, share, low, high = (
        100 * np.array([row[key] for row in points])
        for key in ("coherence", "share", "low", "high")
    )
    error = (share - low, high - share)
    axis.errorbar(x, share, error, fmt="ko", ms=4, capsize=2, lw=1, label="95 % intervals")
    c = np.linspace(x[0], x[-1], 300)
    exponent = np.clip(fit["bias"] + fit["slope"] * c / 100, -500, 500)
    axis.plot(c, 100 / (1 + np.exp(-exponent)), "k-", lw=1, label="logistic fit")
    axis.axhline(50, color="0.55", lw=0.5, zorder=0)
    axis.set(ylabel="A wins (% of trials)", ylim=(-3, 103))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right")


def _times(axis: Axes, rows: list[Row]) -> None:
    """Times of decisions: each trial, and medians."""
    decided = [(r["coherence"], r["decision_s"]) for r in rows if r["decision_s"] is not None]
    x, y = np.reshape(decided, (-1, 2)).T * [[100], [1e3]]
    axis.plot(x, y, "o", ms=3, mew=0, color="0.7", label="trials")
    medians = [np.median(y[x == value]) for value in np.unique(x)]
    axis.plot(np.unique(x), medians, "ko-", ms=4, lw=1, label="median")
    axis.set(xlabel="coherence (%, positive: in favour of A)", ylabel="time of decision (ms)")
    axis.set_ylim(0, None)
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def _columns(rows: list[Row]) -> list[np.ndarray]:
    """Coherences and choices of trials."""
    return [np.array([row[key] for row in rows]) for key in ("coherence", "choice")]


def show(resting: Row, shown: Row, rows: list[Row], fit: Row) -> None:
    """Print rates without a stimulus and in the trial that is shown, and the curve."""
    command_line.show(
        "Wang (2002): rates (Hz)",
        ("", "E", "I", "A", "B"),
        [
            ("no stimulus", number(resting["rate_e_hz"]), number(resting["rate_i_hz"]), "", ""),
            ("after it", "", "", number(shown["rate_a_hz"]), number(shown["rate_b_hz"])),
        ],
    )
    lines = []
    for row in psychometric(*_columns(rows)):
        c = row["coherence"]
        times = [r["decision_s"] for r in rows if r["coherence"] == c and r["decision_s"]]
        median = number(float(np.median(times)), 3) if times else ""
        interval = f"{row['low']:.2f} .. {row['high']:.2f}"
        lines.append((f"{100 * c:g}", str(row["trials"]), number(row["share"]), interval, median))
    command_line.show(
        f"Choices; 82 % right at a coherence of {number(fit['threshold'], 3) or '-'} without bias",
        ("coherence (%)", "trials", "share of A", "95 % interval", "decision (s)"),
        lines,
    )


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    scale = "of the numbers of neurons, at least 0.1 (default 1)"
    parser = command_line.parser("wang_2002", __doc__ or "", seconds=2.0, scale=scale)
    text = "trials of each coherence, in favour of A and of B (default 10)"
    parser.add_argument("--trials", type=int, default=10, help=text)
    text = "of the trial that is shown, -1 .. 1 (default 0.128)"
    parser.add_argument("--coherence", type=float, default=0.128, help=text)
    text = "two coherences, three trials each: to see that it works"
    parser.add_argument("--quick", action="store_true", help=text)
    args = parser.parse_args(arguments)
    command_line.check_options(parser, args, command_line.SHORTEST)
    if not (args.scale >= 0.1 and args.trials >= 1 and abs(args.coherence) <= 1):
        parser.error("--scale must be at least 0.1, --trials at least 1, --coherence in -1 .. 1.")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Simulate decisions from the command line."""
    args = options(arguments)
    net = build(args.scale)
    favours_a = np.array([0.512] if args.quick else [0.0, *COHERENCES])
    both = np.union1d(favours_a, -favours_a) + 0.0  # -0 is 0
    coherences = np.repeat(both, 3 if args.quick else args.trials)
    resting = spontaneous(net, args)
    longer = decide(net, args.coherence, args, seconds=OFFSET + 1.0)
    done = decide(net, coherences, args) if longer else []
    if not done:
        raise SystemExit("interrupted before the first trial was over; nothing was written.")
    if len(done) < coherences.size:
        print(f"interrupted: {len(done)} of {coherences.size} trials.")
    rows = [measured(coherences[each.trial], each) for each in done]
    fit = fit_logistic(*_columns(rows))
    shown = measured(args.coherence, longer[0])
    show(resting, shown, rows, fit)
    numbers = {"spontaneous": resting, "shown": shown, "fit": fit, "trials": rows}
    command_line.save(
        args, lambda: figure(longer[0], args.coherence, rows, fit), "decision.png", numbers
    )


if __name__ == "__main__":
    main()
