"""The figure of what `validation.speed scaling` measured."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from .markdown import Row

_LABELS = {
    "neurons": "neurons (4/5 E, 1/5 I)",
    "steps": "time steps",
    "batch": "trials of a batch",
    "rate": "rate of recurrent neurons (Hz)",
    "threads": "threads",
}
_STYLES = (
    ("SuperSpike", "#000000", "o", "dense SuperSpike"),
    ("TruncatedSuperSpike", "#E69F00", "s", "compact SuperSpike"),
)


def figure(rows: list[Row]) -> Figure:
    """Draw the time of a training step against each quantity; dashed: the floor."""
    panels = list(dict.fromkeys(r["panel"] for r in rows))
    result = Figure(figsize=(9.0, 5.6), layout="constrained")
    axes = result.subplots(2, 3, sharey=True).ravel()
    for panel, axis in zip(panels, axes):
        _panel(axis, panel, [r for r in rows if r["panel"] == panel])
    for axis in axes[::3]:
        axis.set_ylabel("time of a step (s)")
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    axes[-1].legend(
        *axes[0].get_legend_handles_labels(),
        loc="center left",
        frameon=False,
        title=_caption(rows),
        alignment="left",
    )
    return result


def _panel(axis: Axes, panel: str, rows: list[Row]) -> None:
    """Both surrogates against one quantity."""
    for surrogate, colour, mark, label in _STYLES:
        part = [r for r in rows if r["surrogate"] == surrogate]
        x = [r["measured_rate_hz"] if panel == "rate" else r[panel] for r in part]
        axis.plot(x, [r["step_s"] for r in part], f"{mark}-", color=colour, ms=4, label=label)
        floor = [r["floor_s"] for r in part]
        axis.plot(x, floor, "--", color=colour, lw=1, label=f"{label}: floor")
    axis.set_xscale("log", base=2 if panel == "threads" else 10)
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())
    if panel == "threads":
        counts = sorted({r["threads"] for r in rows})
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.minorticks_off()
    axis.set_xlabel(_LABELS[panel])
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)


def _caption(rows: list[Row]) -> str:
    """The base point: what most rows share."""

    def common(key: str) -> Any:
        values = [r[key] for r in rows if r["panel"] != key]
        return max(set(values), key=values.count)

    rate = np.median([r["measured_rate_hz"] for r in rows if r["panel"] == "batch"])
    return (
        f"Elsewhere {common('neurons')} neurons, {common('steps')} steps,\n"
        f"{common('batch')} trials, {common('threads')} threads, {rate:.0f} Hz"
    )
