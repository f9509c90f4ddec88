"""Figures of histories of trainings, and of a comparison with Brian2."""

from typing import Any

import numpy as np

from ..support import checks
from ..training.history import History
from . import figures
from .figures import (
    DASHES,
    RUNS,
    bare,
    columns,
    for_paper,
    legend,
    listed,
    name,
    note,
    pt,
    size,
    styles,
    title,
)

# ------------------------------------------------------------------------------------------ history


@for_paper
def history(runs: Any, *, width: float | None = None) -> Any:
    """Loss and accuracy against epoch, training (thin) and validation (heavy), and the regularizer
    if there was one.

    runs    a History; a list of them, which are seeds of one condition; or a dict of label ->
            History or list of Histories, conditions to compare: {"fluctuation-driven": [one, two,
            three], "naive": naive}
    width   cm of the figure on paper; None: for the screen

    Of several seeds the mean is drawn, and one standard deviation (of the seeds, n - 1 in its
    denominator) to either side, up to the last epoch that all of them have. Conditions differ in
    colour, then in dashes, then in marks.
    """
    conditions = _conditions(runs)
    every = [run for seeds in conditions.values() for run in seeds]
    score = (
        "accuracy"
        if all(np.all(_finite(run.score) >= 0) for run in every)
        else "score (negative error)"
    )
    panels = [
        (quantity, words)
        for quantity, words in (
            ("loss", "loss"),
            ("score", score),
        )  # primed networks have neither
        if any(_finite(getattr(run, quantity)).size for run in every)
    ]
    if not panels or any(np.any(_finite(run.regularizer) != 0) for run in every):
        panels.append(("regularizer", "regularizer"))
    across, many = columns(width, len(panels), 3), len(conditions) > 5
    rows = -(-len(panels) // across)
    home = figures.figure(width, 4.2 * across, (3.8 if many else 3.0) * rows)
    axes = home.subplots(rows, across, squeeze=False).ravel()
    chosen = dict(zip(conditions, styles(len(conditions))))
    validated = any(
        _finite(getattr(run, f"validation_{quantity}")).size
        for run in every
        for quantity in ("loss", "score")
    )
    lines = (
        {"": 0.8, "validation_": 1.5 if many else 2.2} if validated else {"": 1.5}
    )  # points: thin and heavy
    for axis in axes[len(panels) :]:
        axis.remove()
    for axis, (quantity, words) in zip(axes, panels):
        for label, seeds in conditions.items():
            for source, points in lines.items():
                if hasattr(seeds[0], source + quantity):
                    pale = 0.5 if many and validated and not source else 1.0
                    _curve(
                        axis,
                        [getattr(run, source + quantity) for run in seeds],
                        pt(points),
                        chosen[label] | {"alpha": pale},
                        len(conditions) == 1,
                    )
        _history_axes(axis, words)
    legend(home, *_entries(conditions, chosen, lines))
    return home


def _finite(values):
    return values[np.isfinite(values)]


def _conditions(runs):
    """label -> list of Histories, whatever was given."""
    given = runs if isinstance(runs, dict) else {"": runs}
    if not given:
        raise ValueError("runs is an empty dict, so there is nothing to draw.")
    conditions = {}
    for label, seeds in given.items():
        place = f"runs[{label!r}]" if isinstance(runs, dict) else "runs"
        seeds = [seeds] if isinstance(seeds, History) else checks.several(seeds, place, "history")
        for run in seeds:
            checks.instance(
                run, place, History, "a History, or a list of them, or a dict of label -> these"
            )
        if not seeds or any(run.loss.size == 0 for run in seeds):
            raise ValueError(
                f"{place} has "
                + ("a History without epochs" if seeds else "no History")
                + ", so there is nothing to draw."
            )
        conditions[str(label)] = seeds
    return conditions


def _curve(axis, series, points, style, alone):
    """Mean and spread of one quantity of one condition; epochs count from 1."""
    epochs = min(values.size for values in series)
    values = np.array([each[:epochs] for each in series], float)
    values[~np.isfinite(values)] = np.nan
    if np.all(np.isnan(values)):
        return
    at, mean = np.arange(1, epochs + 1), values.mean(axis=0)
    mark = style["marker"] or ("." if epochs <= 30 and alone or epochs == 1 else "")
    axis.plot(
        at,
        mean,
        **style | {"marker": mark},
        linewidth=points,
        markersize=(1 + (epochs == 1)) * (points + pt(2)),
        markevery=max(1, epochs // 12) if style["marker"] else None,
    )
    if len(values) > 1:
        spread = values.std(axis=0, ddof=1)
        axis.fill_between(
            at, mean - spread, mean + spread, color=style["color"], alpha=0.15, linewidth=0
        )


def _history_axes(axis, words):
    axis.set_xlabel("epoch", fontsize=size())
    axis.set_ylabel(words, fontsize=size())
    last = max((line.get_xdata()[-1] for line in axis.lines), default=1)
    axis.set_xlim(1 - 0.02 * last if last > 1 else 0.5, 1.02 * last if last > 1 else 1.5)
    axis.xaxis.get_major_locator().set_params(integer=True)
    if last == 1:
        axis.set_xticks([1])
    low, high = axis.get_ylim()
    if words == "accuracy":
        axis.set_ylim(0, max(1.02, high))
    elif words != "score (negative error)" and all(
        np.nanmin(line.get_ydata(), initial=0) >= 0 for line in axis.lines
    ):
        axis.set_ylim(0, 1.03 * high if high > 0 else 1)
    bare(axis)


def _entries(conditions, chosen, lines):
    """Of the legend: conditions, then thin and heavy lines. lines: source -> points."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    alone, heavy, handles, labels = len(conditions) == 1, pt(max(lines.values())), [], []
    for label, seeds in conditions.items():
        what = _remarks(seeds)
        shade = Patch(color=chosen[label]["color"], alpha=0.25, linewidth=0)
        line = Line2D([], [], **chosen[label], linewidth=heavy, markersize=heavy + pt(2))
        if label or what:
            named = (shade, line) if len(seeds) > 1 else line
            handles.append(shade if alone and not label and len(seeds) > 1 else named)
            labels.append(f"{label} ({what})" if label and what else label or what)
    hue = chosen[next(iter(chosen))]["color"] if alone else "0.5"
    for source, points in lines.items():
        handles.append(Line2D([], [], color=hue, linewidth=pt(points)))
        labels.append("validation" if source else "training")
    return handles, labels


def _remarks(seeds):
    """What is to be said of a condition: what its shade is, and what is not drawn."""
    epochs, remarks = {run.loss.size for run in seeds}, []
    if len(seeds) > 1:
        remarks.append(f"mean ± sd of {len(seeds)} seeds")
    if len(epochs) > 1:
        remarks.append(f"first {min(epochs)} epochs")
    broken = [
        int(np.argmin(np.isfinite(run.loss)))
        for run in seeds
        if _finite(run.loss).size and not np.all(np.isfinite(run.loss))
    ]
    if broken:
        remarks.append(f"loss not finite from epoch {min(broken) + 1}")
    return ", ".join(remarks)


# --------------------------------------------------------------------------------------- comparison


@for_paper
def comparison(
    report: Any, population: Any = None, neuron: int = 0, *, width: float | None = None
) -> Any:
    """biosnn beside Brian2: spikes of one trial (report.trial) in both, U of one neuron in both,
    their difference.

    report       a Comparison, from bs.brian.compare(…)
    population   which, itself or its name; default the first that spikes. neuron: which
    width        cm of the figure on paper; None: for the screen

    ValueError if its U was not recorded.
    """
    if isinstance(report, type) or not (hasattr(report, "rasters") and hasattr(report, "traces")):
        checks.refuse("report", report, "the Comparison that bs.brian.compare(…) returns")
    known = [key for key in report.rasters if f"{key}.U" in report.traces]
    wanted = (
        next(iter(report.rasters), None)
        if population is None
        else getattr(population, "name", population)
    )
    if wanted is not None and wanted not in known and isinstance(wanted, str):
        raise ValueError(
            f'the comparison holds no {wanted}.U; compare(..., record=["{wanted}.U"]). '
            f"It holds {listed(report.traces)}."
        )
    wanted = checks.choice(wanted, "population", known)
    mine, other = report.traces[f"{wanted}.U"]
    neuron = checks.whole(neuron, "neuron", 0, mine.shape[1] - 1)
    home = figures.figure(width, 8.0, 6.0)
    raster, trace, gap = home.subplots(3, 1, sharex=True, height_ratios=(2.0, 1.5, 1.0))
    handles = _both_rasters(raster, report, wanted)
    raster.set_ylim(-0.5, mine.shape[1] - 0.5)
    raster.set_yticks(np.unique([0, mine.shape[1] - 1]))
    times = 1e3 * report.dt * np.arange(len(mine))
    trace.plot(times, mine[:, neuron], color=RUNS[3], linewidth=pt(2.6))
    trace.plot(times, other[:, neuron], color=RUNS[0], linewidth=pt(0.8), linestyle=DASHES[1])
    gap.plot(times, np.abs(mine - other).max(axis=1), color=RUNS[0], linewidth=pt(0.9))
    gap.set_yscale("symlog", linthresh=1e-16)
    gap.set_yticks([0, 1e-12, 1e-8, 1e-4, 1], ["0", *(f"$10^{{{k}}}$" for k in (-12, -8, -4)), "1"])
    gap.set_yticks([], minor=True)
    for axis, words in (
        (raster, f"{wanted}\nneuron"),
        (trace, f"U of\nneuron {neuron}"),
        (gap, "largest |difference|\nof U, any neuron"),
    ):
        name(axis, words)
        bare(axis)
    gap.set_xlabel("time (ms)", fontsize=size())
    labels = ["biosnn", "Brian2"]
    if report.divergence is not None:
        at = 1e3 * report.dt * report.divergence.step
        handles.append(
            [axis.axvline(at, color=RUNS[2], linewidth=pt(1.5)) for axis in (raster, trace, gap)][0]
        )
        labels.append(f"spikes differ from {at:g} ms on")
    title(home, f"trial {report.trial}")
    legend(home, handles, labels)
    return home


def _both_rasters(axis, report, population):
    """Spikes of one trial in both programs; returns their marks."""
    handles = []
    for spikes, marker, hue in zip(report.rasters[population], ("o", "|"), (RUNS[3], RUNS[0])):
        one = spikes[report.trial]
        handles += axis.plot(
            1e3 * one.times,
            one.units,
            linestyle="none",
            marker=marker,
            markersize=pt(5),
            markerfacecolor="none",
            color=hue,
            markeredgewidth=pt(0.8),
            rasterized=True,
        )
    if not any(line.get_xdata().size for line in handles):
        note(axis, "no spikes in either program")
    return handles
