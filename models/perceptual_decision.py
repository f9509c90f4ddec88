"""A spiking network that decides: excitatory and inhibitory neurons learn to tell which of two pools of inputs fires more.

    python -m models.perceptual_decision [--epochs 12] [--trials 2000] [--seed 0]

The task is that of Roitman JD, Shadlen MN (2002), Response of neurons in the lateral intraparietal area during a combined visual
discrimination reaction time task, J Neurosci 22, 9475-9489, as input to a circuit (Wang XJ 2002, Neuron 36, 955-968): in the half second of
the stimulus two pools of 20 inputs fire at 40 (1 + c) and 40 (1 - c) Hz, for a signed coherence c; the choice is asked for in the 0.1 s that
follow, in which nothing but a "go" signal comes in. Training networks of excitatory and inhibitory units on it: Song HF, Yang GR, Wang XJ
(2016), PLoS Comput Biol 12, e1004792. How to read a psychometric curve: Gold JI, Shadlen MN (2007), Annu Rev Neurosci 30, 535-574.

80 excitatory and 20 inhibitory LIF neurons that obey Dale's law, all to all, start in the fluctuation-driven regime. Excitation is as slow
as NMDA receptors' (100 ms), inhibition 10 ms, membranes 20 ms. The readout of E has 0.1 s, so the evidence of half a second must be kept by
the circuit. Homeostasis keeps every neuron between 2 and 20 spikes in a trial, and so excitation and inhibition balanced; without it
(--no-homeostasis) the choices are as good, but many neurons fall silent under strong inhibition. Shown are the
psychometric curve beside that of an observer who counts all spikes of both pools (none is better), the rates of neurons that vote for and
against the direction shown, the currents in a trial, and what remains with a part of the inhibitory weights.
"""

import argparse
import time

import numpy as np

import biosnn as bs
from biosnn.analysis import plot, stats
from models import _report as common

N_EXC, N_INH, DT, BATCH, RATE = 80, 20, 2e-3, 50, 2e-3
LOSS, SHARES, BIN = (
    bs.EveryStepCrossEntropy(),
    (1.0, 0.75, 0.5, 0.25, 0.0),
    20e-3,
)  # remaining inhibition; seconds

#: Bounds on the spikes of a trial: of a population's mean, and (homeostasis) of every neuron.
BOUNDS = (bs.upper_bound(0.1, 14),)
HOMEOSTASIS = (bs.lower_bound(0.1, 2, per="neuron"), bs.upper_bound(0.003, 20, per="neuron"))


# ------------------------------------------------------------------------- network and measurements


def build(task):
    """The circuit and its readout of two choices, without weights."""
    net = bs.Network(DT)
    x = net.input(task.spikes.n_units)
    e, _ = bs.dalian_layer(
        net, x, N_EXC, N_INH, neuron=bs.ei_lif(tau_mem=20e-3, tau_exc=100e-3, tau_inh=10e-3)
    )
    net.connect(e, net.readout(task.n_choices, tau_mem=0.1))
    return net


def ideal_observer(coherence, n=20, rate=40.0, background=1.0, seconds=0.5):
    """Probability of choice 0 of who counts all spikes of both pools: Phi(2 n rate T c / sqrt(2 n (rate + background) T)).

    The difference of two Poisson counts, which are large, is Gaussian.
    """
    from scipy.special import ndtr

    return ndtr(
        2
        * n
        * rate
        * seconds
        * np.asarray(coherence)
        / np.sqrt(2 * n * (rate + background) * seconds)
    )


def signed_coherences(task):
    return np.round(task.conditions["coherence"], 6) + 0.0  # -0.0 becomes 0.0


def psychometric(coherence, choices):
    """A row for each signed coherence: trials, the share that chose 0, and its 95 % interval (Wilson)."""
    rows = []
    for c in np.unique(coherence):
        chosen = choices[coherence == c] == 0
        rows.append({"coherence": float(c), "trials": int(chosen.size), **share_of(chosen)})
    return rows


def share_of(outcomes):
    """The share of true outcomes, and its 95 % interval (Wilson)."""
    from scipy.stats import binomtest

    interval = binomtest(int(outcomes.sum()), int(outcomes.size)).proportion_ci(method="wilson")
    return {
        "share": float(outcomes.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
    }


def fit_logistic(coherence, choices):
    """Bias b and slope k of P(choice 0) = 1 / (1 + exp(-(b + k c))) of largest likelihood, and c at which 82 % are right without bias.

    Bounds (|b| <= 20, |k| <= 1000) make the estimate exist where one choice is always made, or all are right.
    """
    from scipy.optimize import minimize

    scale, zero = 10.0, choices == 0  # so that both parameters are of order 1

    def cost(p):
        z = p[0] + scale * p[1] * coherence
        error = 1 / (1 + np.exp(-np.clip(z, -500, 500))) - zero
        return (np.logaddexp(0, z) - zero * z).mean(), np.array(
            [error.mean(), scale * (error * coherence).mean()]
        )

    bias, slope = minimize(
        cost, [0.0, 1.0], jac=True, method="L-BFGS-B", bounds=[(-20, 20), (-100, 100)]
    ).x
    slope *= scale
    return {
        "bias": float(bias),
        "slope": float(slope),
        "threshold": float(np.log(0.82 / 0.18) / slope) if slope > 0 else None,
    }


def measured(net, task, threads):
    """Choices on the trials of a task, and what they and the rates are."""
    done = bs.evaluate(net, task.spikes, mask=task.mask, loss=LOSS, threads=threads)
    coherence, right = signed_coherences(task), done.predictions == task.spikes.labels
    strongest = np.abs(coherence) == np.abs(coherence).max()
    return {
        "accuracy": share_of(right[coherence != 0]),
        "accuracy_strongest": share_of(right[strongest]),
        "rates_hz": done.rates,
        "psychometric": psychometric(coherence, done.predictions),
        "fit": fit_logistic(coherence, done.predictions),
    }


def lesion(net, task, threads):
    """Rows as of `measured`, with a share of every inhibitory weight. The network is left as it was."""
    intact = {
        p.name: net.weights[p.name] for p in net.projections if net[p.pre].sign == "inhibitory"
    }
    rows = []
    for share in SHARES:
        for name, weights in intact.items():
            net.set_weights(name, share * weights)
        rows.append({"inhibition": share, **measured(net, task, threads)})
    for name, weights in intact.items():
        net.set_weights(name, weights)
    return rows


def votes_over_time(trace, task):
    """(|coherence|, bins of BIN), times in s, and rates (Hz) of E neurons voting for, against: arrays (|coherence|, bin).

    A neuron votes for the choice to which its larger readout weight goes. For and against the direction shown (c = 0: the one drawn).
    """
    spikes, labels, weights = (
        trace.spikes["E"],
        task.spikes.labels,
        trace.network.weights["E->readout"],
    )
    strength, vote = np.abs(signed_coherences(task)), weights.argmax(axis=1)
    bins, values = round(trace.duration / BIN), np.unique(strength)
    row = np.searchsorted(values, strength)
    counts = np.zeros((2, values.size, bins))
    when = np.minimum((spikes.times / BIN + 1e-6).astype(int), bins - 1)
    np.add.at(
        counts,
        ((vote[spikes.units] != labels[spikes.trials]).astype(int), row[spikes.trials], when),
        1,
    )
    shown = np.zeros((2, values.size))
    for against in (0, 1):
        np.add.at(shown[against], row, np.bincount(vote, minlength=2)[labels ^ against])
    return values, (np.arange(bins) + 0.5) * BIN, counts / np.maximum(shown, 1)[..., None] / BIN


# ------------------------------------------------------------------------------------------- figure


#: Strong to weak coherence and intact to lesioned: one sequential colour map, safe for the colour-blind.
def _shades(n):
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0.9, 0.0, n))


def _points(axis, x, rows, **style):
    share, low, high = (np.array([row[key] for row in rows]) for key in ("share", "low", "high"))
    axis.errorbar(
        x,
        share,
        (share - low, high - share),
        linestyle="none",
        marker="o",
        ms=4,
        capsize=2,
        lw=1,
        **style,
    )


def _curve(axis, result, colour, label):
    c = np.linspace(-0.55, 0.55, 400)
    fit = result["fit"]
    _points(
        axis,
        [row["coherence"] for row in result["psychometric"]],
        result["psychometric"],
        color=colour,
    )
    axis.plot(
        c,
        1 / (1 + np.exp(-np.clip(fit["bias"] + fit["slope"] * c, -500, 500))),
        color=colour,
        lw=1.2,
        label=label,
    )
    axis.set(
        xlabel="signed coherence (toward choice 0)", ylabel="share of choices 0", ylim=(-0.03, 1.03)
    )


def figure(rows, trace, task, trial):
    """Psychometric curves, votes over time, currents of a trial; what remains without inhibition."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(13, 7), layout="constrained")
    (curve, votes, currents), (lesions, accuracy, rates) = drawing.subplots(2, 3)
    _curve(curve, rows[0], "black", "network: logistic fit")
    c = np.linspace(-0.55, 0.55, 400)
    curve.plot(c, ideal_observer(c), color="0.5", ls=":", lw=1.5, label="counting all input spikes")
    threshold = rows[0]["fit"]["threshold"]
    curve.set_title(
        "choices of the trained network"
        + (f" (82 % right at c = {threshold:.3f})" if threshold else ""),
        fontsize="medium",
    )
    _votes(votes, trace, task)
    _currents(currents, trace, task, trial)
    for row, colour in zip(rows, _shades(len(rows))):
        _curve(lesions, row, colour, f"{100 * row['inhibition']:.0f} %")
    lesions.set_title("with a part of the inhibitory weights", fontsize="medium")
    x = [100 * row["inhibition"] for row in rows]
    for key, style in (
        ("accuracy_strongest", {"color": "black", "label": "strongest coherence"}),
        ("accuracy", {"color": "0.5", "label": "all but c = 0"}),
    ):
        _points(accuracy, x, [row[key] for row in rows], **style)
        accuracy.plot(x, [row[key]["share"] for row in rows], color=style["color"], lw=1)
    accuracy.axhline(0.5, color="black", ls=":", lw=1)
    accuracy.set(
        ylabel="share of right choices",
        ylim=(0.4, 1.03),
        title="lesion of I: accuracy (dotted: chance)",
    )
    for name, colour in (("E", plot.EXCITATORY), ("I", plot.INHIBITORY)):
        rates.plot(x, [row["rates_hz"][name] for row in rows], "o-", ms=4, color=colour, label=name)
    rates.set_yscale("log")
    rates.set_yticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    rates.minorticks_off()
    rates.set(ylabel="mean rate (Hz)", title="lesion of I: rates", ylim=(8, 500))
    for axis in (accuracy, rates):
        axis.set(xlabel="remaining inhibitory weight (%)", xlim=(104, -4))
        axis.title.set_fontsize("medium")
    for axis, place in (
        (curve, "lower right"),
        (lesions, "center left"),
        (accuracy, "center left"),
        (rates, "upper left"),
    ):
        axis.legend(frameon=False, fontsize="small", loc=place)
    for axis in drawing.axes:
        axis.spines[["top", "right"]].set_visible(False)
    return drawing


def _shade_stimulus(axis, task, duration):
    start, stop = (1e3 * edge[0] for edge in task.periods["stimulus"])
    axis.axvspan(start, stop, color="0.93", zorder=0)
    axis.set(xlim=(0, 1e3 * duration), xlabel="time (ms; grey: stimulus)")


def _votes(axis, trace, task):
    values, times, (toward, against) = votes_over_time(trace, task)
    for value, colour, one, other in zip(values, _shades(values.size), toward, against):
        axis.plot(1e3 * times, one, color=colour, lw=1.3, label=f"{value:g}")
        axis.plot(1e3 * times, other, color=colour, lw=1.3, ls="--")
    _shade_stimulus(axis, task, trace.duration)
    axis.set(ylabel="rate of E neurons (Hz)", ylim=(0, None))
    axis.set_title("E voting for (—) and against (- -) what is shown", fontsize="medium")
    axis.legend(
        title="coherence",
        frameon=False,
        fontsize="x-small",
        title_fontsize="x-small",
        loc="upper left",
    )


def _currents(axis, trace, task, trial):
    vote = trace.network.weights["E->readout"].argmax(axis=1)
    for chosen, dashes in (
        (vote == task.spikes.labels[trial], "-"),
        (vote != task.spikes.labels[trial], "--"),
    ):
        exc, inh = (
            trace.states[f"E.{name}"][trial][:, chosen].mean(axis=1) for name in ("I_exc", "I_inh")
        )
        for values, colour, label in (
            (exc, plot.EXCITATORY, "excitatory"),
            (-inh, plot.INHIBITORY, "inhibitory"),
            (exc - inh, "black", "net"),
        ):
            axis.plot(
                1e3 * trace.times,
                values,
                color=colour,
                lw=1.1,
                ls=dashes,
                label=label if dashes == "-" else None,
            )
    axis.axhline(0, color="black", lw=0.6)
    _shade_stimulus(axis, task, trace.duration)
    axis.set(ylabel="mean synaptic current (threshold = 1)")
    axis.set_title(
        f"currents of E for (—) and against (- -), c = {signed_coherences(task)[trial]:g}",
        fontsize="medium",
    )
    axis.legend(frameon=False, fontsize="x-small", loc="lower left")


# ------------------------------------------------------------------------------------- command line


def options(arguments):
    parser = common.parser(
        "perceptual_decision", __doc__, seed="of trials, weights and their order"
    )
    parser.set_defaults(json=None)
    parser.add_argument(
        "--epochs", type=int, default=12, help="passes over the training trials (default 12)"
    )
    parser.add_argument("--trials", type=int, default=2000, help="for training (default 2000)")
    parser.add_argument("--test", type=int, default=2400, help="trials for testing (default 2400)")
    parser.add_argument(
        "--lr",
        type=float,
        default=RATE,
        help=f"learning rate of Adam at the start; it falls as a cosine (default {RATE:g})",
    )
    parser.add_argument(
        "--homeostasis",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="bounds on the spikes of every neuron",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    args = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("trials", BATCH), ("test", 120)):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}; it must be at least {least}.")
    if not (np.isfinite(args.lr) and args.lr > 0):
        parser.error(f"--lr is {args.lr:g}; it must be positive.")
    args.json = args.json or f"{args.out}/result.json"
    return args


def main(arguments=None):
    args = options(arguments)
    training, test = (
        bs.data.perceptual_decision(n, dt=DT, seed=np.random.default_rng([args.seed, k]))
        for k, n in enumerate((args.trials, args.test))
    )
    net = build(training)
    print(
        bs.fluctuation_driven(
            net, training.spikes, sigma_u=1.0, alpha=0.5, seed=args.seed, threads=args.threads
        )
    )
    before, begin = measured(net, test, args.threads), time.perf_counter()
    history = bs.train(
        net,
        training.spikes,
        mask=training.mask,
        epochs=args.epochs,
        loss=LOSS,
        batch=BATCH,
        optimizer=bs.Adam(args.lr),
        schedule=bs.schedules.Cosine(0.05),
        regularizers=BOUNDS + (HOMEOSTASIS if args.homeostasis else ()),
        seed=args.seed,
        out=args.out,
        start="resume" if args.resume else "overwrite",
        threads=args.threads,
    )
    seconds = time.perf_counter() - begin
    rows = lesion(net, test, args.threads)
    shown = test.spikes[:600]
    few = bs.data.Task(
        shown,
        test.mask[:600],
        2,
        DT,
        test.pools,
        {"coherence": test.conditions["coherence"][:600]},
        {name: (start[:600], stop[:600]) for name, (start, stop) in test.periods.items()},
    )
    trace = bs.run(net, shown, record=["E.I_exc", "E.I_inh"], threads=args.threads)
    balance = stats.ei_balance(trace.states["E.I_exc"], trace.states["E.I_inh"])
    trial = int(np.argmax(signed_coherences(few)))
    result = {
        "before": before,
        "lesion": rows,
        "history": history.as_dict(),
        "interrupted": history.interrupted,
        "seconds_training": seconds,
        "ei_ratio": float(np.nanmedian(balance.ratio)),
        "ei_correlation": float(np.nanmedian(balance.correlation)),
        "ideal_accuracy": ideal_accuracy(test),
        "dale_violations": bs.audit(net).violations,
        "seed": args.seed,
        "homeostasis": args.homeostasis,
    }
    report(result)
    common.save(args, lambda: figure(rows, trace, few, trial), "decision.png", result)


def ideal_accuracy(task):
    """Expected share of right choices of the ideal observer, over the trials with c other than 0."""
    coherence = np.abs(signed_coherences(task))
    return float(ideal_observer(coherence[coherence > 0]).mean())


def report(result):
    """Print the psychometric curve, and the table of lesions."""
    intact = result["lesion"][0]
    common.show(
        "Choices of the trained network",
        ("signed coherence", "share of choices 0", "95 % interval", "ideal observer"),
        [
            (
                f"{row['coherence']:g}",
                f"{row['share']:.3f}",
                f"{row['low']:.3f} .. {row['high']:.3f}",
                f"{ideal_observer(row['coherence']):.3f}",
            )
            for row in intact["psychometric"]
        ],
    )
    lines = [
        (
            name,
            f"{100 * row['accuracy']['share']:.1f} %",
            f"{100 * row['accuracy_strongest']['share']:.1f} %",
            *(common.number(row["rates_hz"][p], 1) for p in "EI"),
            common.number(row["fit"]["threshold"], 3),
        )
        for name, row in [("before training", result["before"])]
        + [(f"{100 * row['inhibition']:.0f} % of I", row) for row in result["lesion"]]
    ]
    common.show(
        f"Accuracy and rates; ideal observer {100 * result['ideal_accuracy']:.1f} %; trained for {result['seconds_training']:.0f} s; "
        f"median E/I ratio {common.number(result['ei_ratio']) or '-'}, correlation {common.number(result['ei_correlation']) or '-'}",
        ("", "right", "strongest c", "E (Hz)", "I (Hz)", "82 % at c"),
        lines,
    )


if __name__ == "__main__":
    main()
