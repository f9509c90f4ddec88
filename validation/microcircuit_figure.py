"""The figure of `validation.microcircuit`: cumulative distributions in both programs."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

import biosnn as bs

LABELS = {"rate": "rate (Hz)", "cv": "CV of the intervals", "correlation": "correlation"}
TAIL = 0.005  # the share of values on each side that is left out

Distributions = dict[str, dict[str, np.ndarray]]


def figure(ours: list[Distributions], theirs: list[Distributions], reference: str) -> Figure:
    """Draw a row of panels for each quantity; ours, theirs: of every seed."""
    names = list(ours[0])
    result = Figure(figsize=(13, 6), layout="constrained")
    axes = result.subplots(len(LABELS), len(names), squeeze=False, sharey=True)
    for row, (quantity, label) in zip(axes, LABELS.items()):
        for axis, name in zip(row, names):
            colour = bs.plot.EXCITATORY if name.endswith("E") else bs.plot.INHIBITORY
            values = ([run[name][quantity] for run in side] for side in (ours, theirs))
            _panel(axis, *values, colour)
            axis.set_xlabel(label, fontsize="small")
        row[0].set_ylabel("share of neurons" if quantity != "correlation" else "share of pairs")
    for axis, name in zip(axes[0], names):
        axis.set_title(name, fontsize="medium")
    result.legend(handles=_legend(reference), loc="outside upper center", ncols=4, frameon=False)
    return result


def _panel(axis: Axes, ours: list[np.ndarray], theirs: list[np.ndarray], colour: str) -> None:
    """biosnn as one broad line over all seeds, the reference as a thin line for each seed."""
    every = np.concatenate(ours + theirs)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize="small")
    axis.set_ylim(0, 1)
    axis.xaxis.set_major_locator(MaxNLocator(3))
    looks = [(np.concatenate(ours), {"color": colour, "linewidth": 4, "alpha": 0.55})]
    looks += [(values, {"color": "black", "linewidth": 0.7}) for values in theirs]
    for values, look in looks:
        if values.size:
            axis.ecdf(values, **look)
    if not every.size:
        return
    low, high = np.quantile(every, [TAIL, 1 - TAIL])
    if high > low:
        axis.set_xlim(low, high)


def _legend(reference: str) -> list[Any]:
    """What colours and lines are."""
    return [
        Line2D([], [], color=colour, linewidth=4, alpha=0.55, label=f"biosnn, {sign}")
        for colour, sign in ((bs.plot.EXCITATORY, "excitatory"), (bs.plot.INHIBITORY, "inhibitory"))
    ] + [
        Line2D([], [], color="black", linewidth=0.7, label=f"{reference}, each seed"),
    ]
