"""The figure of the decision: choices, votes, currents, and what lesions do."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs

from .choices import Row, ideal_observer, signed_coherences, votes_over_time

_COHERENCES = np.linspace(-0.55, 0.55, 400)


def figure(rows: list[Row], trace: bs.Trace, task: bs.data.Task, trial: int) -> Figure:
    """Draw the figure.

    Parameters
    ----------
    rows
        Of `choices.lesion`, the intact network first.
    trace, task
        Trials, and their task.
    trial
        The one whose currents are drawn.
    """
    drawing = Figure(figsize=(13, 7), layout="constrained")
    (curve, votes, currents), (lesions, accuracy, rates) = drawing.subplots(2, 3)
    _choices(curve, rows[0])
    _votes(votes, trace, task)
    _currents(currents, trace, task, trial)
    for row, colour in zip(rows, _shades(len(rows))):
        _curve(lesions, row, colour, f"{100 * row['inhibition']:.0f} %")
    lesions.set_title("with a part of the inhibitory weights", fontsize="medium")
    lesions.legend(frameon=False, fontsize="small", loc="center left")
    _accuracy_by_lesion(accuracy, rows)
    _rates_by_lesion(rates, rows)
    for axis in drawing.axes:
        axis.spines[["top", "right"]].set_visible(False)
    return drawing


def _shades(n: int) -> np.ndarray:
    """Of strong to weak coherence, and of intact to lesioned; safe for the colour-blind."""
    return colormaps["viridis"](np.linspace(0.9, 0.0, n))


def _points(axis: Axes, x: list[float], rows: list[Row], **style: Any) -> None:
    """Shares with their intervals."""
    share, low, high = (np.array([row[key] for row in rows]) for key in ("share", "low", "high"))
    marks: Row = {"linestyle": "none", "marker": "o", "ms": 4, "capsize": 2, "lw": 1}
    axis.errorbar(x, share, (share - low, high - share), **marks, **style)


def _curve(axis: Axes, result: Row, colour: Any, label: str) -> None:
    """A psychometric curve and its logistic fit."""
    rows, fit = result["psychometric"], result["fit"]
    _points(axis, [row["coherence"] for row in rows], rows, color=colour)
    exponent = np.clip(fit["bias"] + fit["slope"] * _COHERENCES, -500, 500)
    axis.plot(_COHERENCES, 1 / (1 + np.exp(-exponent)), color=colour, lw=1.2, label=label)
    axis.set(xlabel="signed coherence (toward choice 0)", ylabel="share of choices 0")
    axis.set_ylim(-0.03, 1.03)


def _choices(axis: Axes, intact: Row) -> None:
    """The trained network next to the ideal observer."""
    _curve(axis, intact, "black", "network: logistic fit")
    ideal = ideal_observer(_COHERENCES)
    axis.plot(_COHERENCES, ideal, color="0.5", ls=":", lw=1.5, label="counting all input spikes")
    threshold = intact["fit"]["threshold"]
    words = f" (82 % right at c = {threshold:.3f})" if threshold else ""
    axis.set_title(f"choices of the trained network{words}", fontsize="medium")
    axis.legend(frameon=False, fontsize="small", loc="lower right")


def _shade_stimulus(axis: Axes, task: bs.data.Task, duration: float) -> None:
    """Grey where the stimulus is shown; duration: of the trial (s)."""
    start, stop = (1e3 * edge[0] for edge in task.periods["stimulus"])
    axis.axvspan(start, stop, color="0.93", zorder=0)
    axis.set(xlim=(0, 1e3 * duration), xlabel="time (ms; grey: stimulus)")


def _votes(axis: Axes, trace: bs.Trace, task: bs.data.Task) -> None:
    """Rates of the neurons that vote for and against."""
    values, times, (toward, against) = votes_over_time(trace, task)
    for value, colour, one, other in zip(values, _shades(values.size), toward, against):
        axis.plot(1e3 * times, one, color=colour, lw=1.3, label=f"{value:g}")
        axis.plot(1e3 * times, other, color=colour, lw=1.3, ls="--")
    _shade_stimulus(axis, task, trace.duration)
    axis.set(ylabel="rate of E neurons (Hz)", ylim=(0, None))
    axis.set_title("E voting for (—) and against (- -) what is shown", fontsize="medium")
    small: Row = {"fontsize": "x-small", "title_fontsize": "x-small", "frameon": False}
    axis.legend(title="coherence", loc="upper left", **small)


def _currents(axis: Axes, trace: bs.Trace, task: bs.data.Task, trial: int) -> None:
    """Mean currents of the neurons that vote for (solid) and against (dashed)."""
    vote = trace.network.weights["E->readout"].argmax(axis=1)
    right, times = vote == np.asarray(task.spikes.labels)[trial], 1e3 * trace.times
    for chosen, dashes in ((right, "-"), (~right, "--")):
        exc, inh = (
            trace.states[f"E.{name}"][trial][:, chosen].mean(axis=1) for name in ("I_exc", "I_inh")
        )
        for values, colour, label in (
            (exc, bs.plot.EXCITATORY, "excitatory"),
            (-inh, bs.plot.INHIBITORY, "inhibitory"),
            (exc - inh, "black", "net"),
        ):
            label = label if dashes == "-" else "_"  # not in the legend
            axis.plot(times, values, color=colour, lw=1.1, ls=dashes, label=label)
    axis.axhline(0, color="black", lw=0.6)
    _shade_stimulus(axis, task, trace.duration)
    axis.set_ylabel("mean synaptic current (threshold = 1)")
    coherence = signed_coherences(task)[trial]
    title = f"currents of E for (—) and against (- -), c = {coherence:g}"
    axis.set_title(title, fontsize="medium")
    axis.legend(frameon=False, fontsize="x-small", loc="lower left")


def _accuracy_by_lesion(axis: Axes, rows: list[Row]) -> None:
    """The share of right choices with less and less inhibition."""
    x = [100 * row["inhibition"] for row in rows]
    for key, colour, label in (
        ("accuracy_strongest", "black", "strongest coherence"),
        ("accuracy", "0.5", "all but c = 0"),
    ):
        _points(axis, x, [row[key] for row in rows], color=colour, label=label)
        axis.plot(x, [row[key]["share"] for row in rows], color=colour, lw=1)
    axis.axhline(0.5, color="black", ls=":", lw=1)
    axis.set(ylabel="share of right choices", ylim=(0.4, 1.03))
    _lesion_axis(axis, "lesion of I: accuracy (dotted: chance)", "center left")


def _rates_by_lesion(axis: Axes, rows: list[Row]) -> None:
    """Rates with less and less inhibition."""
    x = [100 * row["inhibition"] for row in rows]
    for name, colour in (("E", bs.plot.EXCITATORY), ("I", bs.plot.INHIBITORY)):
        axis.plot(x, [row["rates_hz"][name] for row in rows], "o-", ms=4, color=colour, label=name)
    axis.set_yscale("log")
    axis.set_yticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    axis.minorticks_off()
    axis.set(ylabel="mean rate (Hz)", ylim=(8, 500))
    _lesion_axis(axis, "lesion of I: rates", "upper left")


def _lesion_axis(axis: Axes, title: str, place: Any) -> None:
    """From intact on the left to nothing on the right."""
    axis.set(xlabel="remaining inhibitory weight (%)", xlim=(104, -4))
    axis.set_title(title, fontsize="medium")
    axis.legend(frameon=False, fontsize="small", loc=place)
