"""Figure of trainings: learning curves of one run, of several seeds, or of several conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..support import checks
from .figures import styles
from .places import beside, place
from .protocols import HistoryLike, check, looks_like
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

    Seeds = HistoryLike | Sequence[HistoryLike]

_MANY = 5  # conditions: beyond, training curves are pale


@drawing
def history(
    runs: Seeds | Mapping[str, Seeds], *, ax: Ax | None = None, width: float | None = None
) -> Drawn:
    """Draw loss, score and regularizer against the epoch.

    Parameters
    ----------
    runs
        A `History`; a list of them, which are seeds of one condition; or a dict of labels and
        Histories or lists of them, which are conditions to compare:
        `{"fluctuation-driven": [one, two, three], "naive": naive}`.
    ax
        Where to draw: a Figure or SubFigure without axes, or an Axes for each panel (loss, score
        and, if it is not 0, the regularizer). Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: one panel per quantity. Training curves are thin, those of
    validation heavy. For several seeds the mean is drawn, with a shade of one standard deviation to
    either side, up to the last epoch that all of them have. (The standard deviation over seeds has
    n - 1 in its denominator.) Conditions differ in colour, then in dashes, then in marks.

    Raises
    ------
    ValueError
        If there is nothing to draw, or there are more conditions than eyes can tell apart.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> curves = [np.linspace(1, 0, 5)] * 7
    >>> figure = bs.plot.history(
    ...     {"one": bs.History(*curves), "two": bs.History(*curves)}
    ... )
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['loss', 'accuracy', 'regularizer']
    """
    conditions = _conditions(runs)
    panels = _panels([run for seeds in conditions.values() for run in seeds])
    across, many = beside(width, len(panels), 3), len(conditions) > _MANY
    rows = -(-len(panels) // across)
    screen = 4.2 * across, (3.8 if many else 3.0) * rows
    where = place(ax, screen, width, panels=len(panels), columns=across)
    chosen = dict(zip(conditions, styles(len(conditions))))
    lines = _lines(conditions)
    for axis, (quantity, words) in zip(where.axes, panels):
        _panel(axis, conditions, chosen, lines, quantity)
        _limits(axis, words)
    where.legend(*_entries(conditions, chosen, lines))
    return where.done()


# ------------------------------------------------------------------------------------- what to draw


def _conditions(runs):
    """Label -> list of Histories, whatever was given."""
    given = runs if isinstance(runs, dict) else {"": runs}
    if not given:
        raise ValueError("runs is an empty dict, so there is nothing to draw.")
    what = "a History, or a list of them, or a dict of label -> these"
    conditions = {}
    for label, seeds in given.items():
        place = f"runs[{label!r}]" if isinstance(runs, dict) else "runs"
        alone = looks_like(seeds, HistoryLike)
        seeds = [seeds] if alone else checks.several(seeds, place, "history")
        for run in seeds:
            check(run, place, HistoryLike, what)
        if not seeds or any(run.loss.size == 0 for run in seeds):
            missing = "a History without epochs" if seeds else "no History"
            raise ValueError(f"{place} has {missing}, so there is nothing to draw.")
        conditions[str(label)] = seeds
    return conditions


def _panels(every):
    """Pairs (quantity, label of its axis) of what the runs have; primed networks have no loss."""
    names = {run.score_name for run in every}
    score = names.pop() if len(names) == 1 else "score"
    panels = [
        (quantity, words)
        for quantity, words in (("loss", "loss"), ("score", score))
        if any(_finite(getattr(run, quantity)).size for run in every)
    ]
    if not panels or any(np.any(_finite(run.regularizer) != 0) for run in every):
        panels.append(("regularizer", "regularizer"))
    return panels


def _lines(conditions):
    """Source of a curve -> points of its line: training thin, validation heavy."""
    validated = any(
        _finite(getattr(run, f"validation_{quantity}")).size
        for seeds in conditions.values()
        for run in seeds
        for quantity in ("loss", "score")
    )
    if not validated:
        return {"": 1.5}
    return {"": 0.8, "validation_": 1.5 if len(conditions) > _MANY else 2.2}


def _finite(values):
    """Those values that are finite."""
    return values[np.isfinite(values)]


# ------------------------------------------------------------------------------------------- curves


def _panel(axis, conditions, chosen, lines, quantity):
    """Draw a quantity of all conditions, of training and validation."""
    pale = len(conditions) > _MANY and len(lines) > 1
    for label, seeds in conditions.items():
        for source, points in lines.items():
            if hasattr(seeds[0], source + quantity):
                alpha = {"alpha": 0.5 if pale and not source else 1.0}
                series = [getattr(run, source + quantity) for run in seeds]
                _curve(axis, series, pt(points), chosen[label] | alpha, len(conditions) == 1)


def _curve(axis, series, points, style, alone):
    """Draw mean and spread of one quantity of one condition; epochs count from 1."""
    epochs = min(values.size for values in series)
    values = np.array([each[:epochs] for each in series], float)
    values[~np.isfinite(values)] = np.nan
    if np.all(np.isnan(values)):
        return
    at, mean = np.arange(1, epochs + 1), values.mean(axis=0)
    mark = style["marker"] or ("." if (epochs <= 30 and alone) or epochs == 1 else "")
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


def _limits(axis, words):
    """Label the axes, and let them begin where the quantity does."""
    axis.set_xlabel("epoch", fontsize=size())
    axis.set_ylabel(words, fontsize=size())
    last = max((line.get_xdata()[-1] for line in axis.lines), default=1)
    axis.set_xlim(1 - 0.02 * last if last > 1 else 0.5, 1.02 * last if last > 1 else 1.5)
    axis.xaxis.get_major_locator().set_params(integer=True)
    if last == 1:
        axis.set_xticks([1])
    _low, high = axis.get_ylim()
    positive = all(np.nanmin(line.get_ydata(), initial=0) >= 0 for line in axis.lines)
    if words == "accuracy":
        axis.set_ylim(0, max(1.02, high))
    elif positive and words in ("loss", "regularizer"):
        axis.set_ylim(0, 1.03 * high if high > 0 else 1)
    bare(axis)


# ------------------------------------------------------------------------------------------- legend


def _entries(conditions, chosen, lines):
    """Handles and labels of the legend: conditions, then thin and heavy lines."""
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
    """What must be said of a condition: what its shade is, and what is not drawn."""
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
