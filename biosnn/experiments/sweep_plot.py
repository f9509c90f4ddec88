"""Figures of sweeps: curves of a result against a parameter, and maps over two parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.figures import styles
from ..analysis.places import place
from ..analysis.style import bare, drawing, pt, size
from ..support import checks

#: Ends of names that are units, and how figures write them.
_UNITS = {
    "hz": "Hz",
    "khz": "kHz",
    "s": "s",
    "ms": "ms",
    "us": "µs",
    "mv": "mV",
    "pa": "pA",
    "na": "nA",
    "percent": "%",
}
_FEW = 6  # values of a parameter that are marked one by one
_COLOURS = "cividis"  # that people with any kind of colour vision read alike


def label(name: str) -> str:
    """Return a name as figures show it, with its unit in brackets.

    Examples
    --------
    >>> label("rate_e_hz")
    'rate e (Hz)'
    """
    stem, _, end = name.rpartition("_")
    unit = _UNITS.get(end.lower()) if stem else None
    words = (stem if unit else name).replace("_", " ")
    return f"{words} ({unit})" if unit else words


@drawing
def draw(
    sweep: Any, x: str, y: str, hue: str | None = None, *, ax: Any = None, width: float | None
) -> Any:
    """Draw curves or a map; see `Sweep.plot`."""
    known = (*sweep.parameters, *sweep.results)
    for name, value in (("x", x), ("y", y), ("hue", hue)):
        if value is not None or name != "hue":
            checks.choice(value, name, known)
    mapped = y in sweep.parameters
    if mapped and (hue is None or hue in sweep.parameters):
        raise ValueError(
            f"x and y are parameters, so that this is a map: hue must be the result that colours "
            f"show, one of {', '.join(sweep.results) or '()'}."
        )
    if not mapped and hue is not None and hue not in sweep.parameters:
        checks.refuse("hue", hue, f"a parameter, one of {', '.join(sweep.parameters)}, or None")
    _check_rest(sweep, {x, y, hue})
    where = place(ax, (5.4 if mapped else 4.8, 3.6), width)
    (axis,) = where.axes
    if mapped:
        _map(where.home, axis, sweep, x, y, str(hue))
    else:
        lines, labels = _curves(axis, sweep, x, y, hue)
        if hue:
            where.legend(lines, labels, label(hue))
    axis.set_xlabel(label(x), fontsize=size())
    axis.set_ylabel(label(y), fontsize=size())
    bare(axis)
    return where.done()


def _check_rest(sweep, shown):
    """ValueError where parameters vary that the figure does not show."""
    if not any(name in sweep.parameters for name in shown):
        return  # one result against another: a dot for each point
    for name in sweep.parameters:
        different = list(dict.fromkeys(sweep[name].tolist()))
        if name not in shown and len(different) > 1:
            raise ValueError(
                f"{name} has {len(different)} values, which the figure would mix: choose one, as "
                f"in select({name}={different[0]!r}).plot(…), or show it."
            )


def _numbers(sweep: Any, name: str) -> NDArray[np.float64]:
    """A column as numbers; NaN where a point failed."""
    values = sweep[name]
    if isinstance(values, list) or values.dtype.kind not in "iufb":
        raise ValueError(f"{name} holds no numbers, which a figure could show.")
    return np.where([p.error is None for p in sweep.points], values.astype(float), np.nan)


def _is_log(values):
    """Whether values are spaced by a common factor rather than evenly."""
    different = np.unique(values)
    if different.size < 3 or different[0] <= 0:
        return False
    even, by_factor = np.ptp(np.diff(different)), np.ptp(np.diff(np.log(different)))
    return bool(
        by_factor / np.log(different[-1] / different[0])
        < 0.5 * even / (different[-1] - different[0])
        and different[-1] / different[0] >= 8
    )


# ------------------------------------------------------------------------------------------- curves


def _curves(axis, sweep, x, y, hue):
    """A curve for each value of hue: means over seeds, and a shade of one standard deviation.

    Returns lines and labels for a legend.
    """
    heights, places = _numbers(sweep, y), sweep[x]
    groups = list(dict.fromkeys(sweep[hue].tolist())) if hue else [None]
    texts = x in sweep.parameters and places.dtype.kind not in "iuf"
    names = list(dict.fromkeys(map(str, places.tolist()))) if texts else []
    across = np.array([names.index(str(p)) for p in places]) if texts else _numbers(sweep, x)
    if x in sweep.parameters and not texts:
        across = places.astype(float)  # failed points have a place, too
    lines = []
    for group, style in zip(groups, styles(len(groups))):
        chosen = np.array([g == group for g in sweep[hue].tolist()]) if hue else np.ones(len(sweep))
        lines.append(_curve(axis, across[chosen > 0], heights[chosen > 0], style, x, sweep))
    if texts:
        axis.set_xticks(range(len(names)), names)
    elif _is_log(across):
        axis.set_xscale("log")
    return lines, [_value(group) for group in groups]


def _curve(axis, across, heights, style, x, sweep):
    """One curve: its line."""
    known = np.isfinite(heights) & np.isfinite(across)
    across, heights = across[known], heights[known]
    if x not in sweep.parameters:
        return axis.plot(across, heights, "o", ms=pt(4), color=style["color"])[0]
    at = np.unique(across)
    groups = [heights[across == each] for each in at]
    mean = np.array([each.mean() for each in groups])
    spread = np.array([each.std(ddof=1) if each.size > 1 else 0.0 for each in groups])
    (line,) = axis.plot(at, mean, lw=pt(1.6), ms=pt(4), **_marked(style, at.size))
    if spread.any():
        axis.fill_between(at, mean - spread, mean + spread, color=style["color"], alpha=0.2, lw=0)
    return line


def _marked(style, points):
    """A style with marks where there are few points."""
    return style | ({"marker": style["marker"] or "o"} if points <= 12 else {})


def _value(value):
    """A value of a parameter in a legend."""
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"


# --------------------------------------------------------------------------------------------- maps


def _map(home, axis, sweep, x, y, hue):
    """Colours over two parameters."""
    values = _numbers(sweep, hue)
    for name in (x, y):
        _numbers(sweep, name)
    columns, rows = np.unique(sweep[x].astype(float)), np.unique(sweep[y].astype(float))
    across, up = sweep[x].astype(float), sweep[y].astype(float)
    full = len({*zip(across, up)}) == columns.size * rows.size and min(columns.size, rows.size) > 1
    log_x, log_y = _is_log(across) and full, _is_log(up) and full
    if full:
        image = _mean_map(across, up, values, columns, rows)
        edges = _edges(columns, log_x), _edges(rows, log_y)
        drawn = axis.pcolormesh(*edges, image, cmap=_COLOURS, rasterized=image.size > 10_000)
        axis.set_facecolor("0.85")  # of points that failed or are missing
    else:
        known = np.isfinite(values)
        drawn = axis.scatter(across[known], up[known], c=values[known], cmap=_COLOURS, s=pt(5) ** 2)
    for direction, places, log in (("x", columns, log_x), ("y", rows, log_y)):
        if log:
            axis.set(**{f"{direction}scale": "log"})
        elif full and places.size <= _FEW:
            words = [f"{place:.4g}" for place in places]
            axis.set(**{f"{direction}ticks": places, f"{direction}ticklabels": words})
    bar = home.colorbar(drawn, ax=axis)
    bar.set_label(label(hue), fontsize=size())
    bar.ax.tick_params(labelsize=size(0.9))
    bar.outline.set_visible(False)
    return drawn


def _mean_map(across, up, values, columns, rows):
    """(rows, columns) means over seeds; NaN where there is no value."""
    known = np.isfinite(values)
    at = np.searchsorted(rows, up[known]), np.searchsorted(columns, across[known])
    total, count = np.zeros((rows.size, columns.size)), np.zeros((rows.size, columns.size))
    np.add.at(total, at, values[known])
    np.add.at(count, at, 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _edges(centres, log):
    """Edges of cells around their centres."""
    centres = np.log(centres) if log else centres
    between = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - between[0], 2 * centres[-1] - between[-1]
    edges = np.concatenate([[first], between, [last]])
    return np.exp(edges) if log else edges
