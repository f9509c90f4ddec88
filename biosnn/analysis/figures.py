"""What all figures share: colours, texts that fit, densities and thinned curves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from .protocols import PopulationLike, check
from .style import size, text_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Excitatory and inhibitory have the same colour in every figure (Okabe & Ito's palette, which is
#: safe for the colour-blind).
EXCITATORY, INHIBITORY, UNSIGNED, INPUT = "#D55E00", "#0072B2", "#404040", "#8C8C8C"

#: Classes of a readout, in this order, then again dashed and dotted (Paul Tol's "muted" palette and
#: black).
CLASSES = (
    "#332288",
    "#44AA99",
    "#CC6677",
    "#DDCC77",
    "#88CCEE",
    "#882255",
    "#117733",
    "#AA4499",
    "#999933",
    "#000000",
)
DASHES = ("-", "--", ":", "-.")

#: Target, predicted and measured values; training runs. Neither excitatory nor inhibitory.
KINDS = {"target": "#000000", "predicted": "#E69F00", "measured": "#009E73"}
RUNS = ("#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: Marks of curves beyond the first twenty, which differ in colour and dashes.
_MARKS = ("", "o", "s", "^", "v", "D", "x")

_MOST_POINTS = 20_000  # of a curve: more than any screen or paper has columns for


def colour(population: PopulationLike) -> str:
    """Return the colour of a population, which is that of its sign.

    Parameters
    ----------
    population
        A population of a network, such as `network["E"]`.

    Returns
    -------
    Colour as a hexadecimal text: `EXCITATORY`, `INHIBITORY`, `UNSIGNED`, or `INPUT` for inputs
    without a sign.

    Raises
    ------
    ValueError
        If it is not a population.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> bs.plot.colour(net.population(4, bs.ei_lif(), sign="inhibitory", name="I"))
    '#0072B2'
    """
    check(population, "population", PopulationLike, 'a population, such as network["E"]')
    return sign_colour(population.sign, INPUT if population.kind == "input" else UNSIGNED)


def sign_colour(sign: str, unsigned: str = UNSIGNED) -> str:
    """Return the colour of a sign, or that of what has none."""
    return {"excitatory": EXCITATORY, "inhibitory": INHIBITORY}.get(sign, unsigned)


def styles(n: int) -> list[dict[str, Any]]:
    """Return n styles of curves that differ in colour, dashes or marks."""
    made = [
        {"marker": mark, "linestyle": dashes, "color": hue}
        for mark, dashes, hue in product(_MARKS, DASHES, RUNS)
    ]
    if n > len(made):
        raise ValueError(
            f"there are {n} curves, and {len(made)} that eyes could tell apart; draw fewer, or "
            "give several seeds of one condition as a list, of which the mean is drawn."
        )
    return made[:n]


# -------------------------------------------------------------------------------------------- texts


def fitted(home: Figure, text: str, inches: float, points: float | None = None) -> str:
    """Break a text into lines of at most that many inches in the figure `home`.

    Dollar signs are shown, and begin no formula.
    """
    from matplotlib.text import Text

    lines = [" ".join(line.split()) for line in text.split("\n")]
    broken, probe = lines, Text(0, 0, "", fontsize=points or size())
    probe.set_figure(home)
    letters = max(map(len, lines), default=0)
    while True:
        probe.set_text(_plain("\n".join(broken)))
        width = probe.get_window_extent().width / home.dpi
        if width <= inches or letters <= 4:
            return probe.get_text()
        letters = max(4, min(letters - 1, int(letters * inches / width) + 1))
        broken = [part for line in lines for part in _broken(line, letters)]


def extent(home: Any, text: str, points: float) -> tuple[float, float]:
    """Return the inches that a text takes, across and upwards."""
    from matplotlib.text import Text

    probe = Text(0, 0, text, fontsize=points)
    probe.set_figure(home)
    box = probe.get_window_extent()
    return box.width / home.dpi, box.height / home.dpi


def spaced(middles: np.ndarray, sizes: np.ndarray, end: float) -> np.ndarray:
    """Return places of texts near the middles of what they name, none of which covers another.

    `sizes` are those of the texts, and the axis runs from 0 to `end`.
    """
    places = middles.copy()
    gaps = (sizes[:-1] + sizes[1:]) / 2
    for k, gap in enumerate(gaps, 1):
        places[k] = max(places[k], places[k - 1] + gap)
    places[-1] = min(places[-1], max(end - sizes[-1] / 2, middles[-1]))
    for k in range(places.size - 2, -1, -1):
        places[k] = min(places[k], places[k + 1] - gaps[k])
    return places


def _broken(line, letters):
    """Parts of at most that many letters: broken at blanks, after _ and >, or anywhere."""
    parts = [""]
    for word in re.findall(r"\s+|[^\s_>]*[_>]+|[^\s_>]+", line):
        for piece in [word[k : k + letters] for k in range(0, len(word), letters)]:
            if len((parts[-1] + piece).rstrip()) > letters:
                parts.append("")
            parts[-1] += piece if parts[-1] else piece.lstrip()
    return [part.rstrip() for part in parts]


def _plain(text):
    """As matplotlib shows a text that is no formula."""
    return text.replace("$", r"\$")


def name(axis: Axes, text: str) -> None:
    """Label the vertical axis horizontally, which is readable next to a low panel."""
    home: Any = axis.get_figure()
    axis.set_ylabel(
        fitted(home, text, 0.2 * inches(home)[0], size(0.9)),
        rotation=0,
        ha="right",
        va="center",
        labelpad=10 * text_scale(),
        fontsize=size(0.9),
    )


def inches(home: Any) -> tuple[float, float]:
    """Return width and height of a Figure or SubFigure."""
    return home.bbox.width / home.dpi, home.bbox.height / home.dpi


def side(axis: Axes, text: str) -> None:
    """Label the vertical axis, in as many lines as its height asks for."""
    home: Any = axis.get_figure()
    axis.set_ylabel(fitted(home, text, 0.85 * axis.bbox.height / home.dpi, size()), fontsize=size())


def note(axis: Axes, text: str) -> None:
    """Write a remark into a panel that would look empty."""
    home: Any = axis.get_figure()
    axis.text(
        0.5,
        0.7,
        fitted(home, text, min(0.5 * home.bbox.width, 0.9 * axis.bbox.width) / home.dpi, size()),
        transform=axis.transAxes,
        ha="center",
        va="center",
        fontsize=size(),
        color="0.35",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


# ------------------------------------------------------------------------------------------ numbers


def gaussian(x: Any, mean: float, deviation: float) -> Any:
    """Return the density of a normal distribution at x."""
    return np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))


def density(values: np.ndarray, most: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a histogram as (heights, edges), of at most `most` bins, as a density of all values.

    At most a share `tail` of the values lies beyond either end.
    """
    if not values.size:  # a projection without synapses
        return np.zeros(1), np.array([-0.5, 0.5])
    low = np.quantile(values, tail, method="lower")
    high = np.quantile(values, 1 - tail, method="higher")
    if not high > low:  # (nearly) all equal
        low, high = values.min(), values.max()
    equal = not high - low > 1e-9 * max(abs(low), abs(high))
    if equal:
        low, high = low - 0.5 * max(abs(low), 1e-3), high + 0.5 * max(abs(high), 1e-3)
    if values.min() >= 0 and low < 0.1 * high:
        low = 0.0  # weights that obey Dale's law: show where they end
    # where all are equal, an odd number: it has a bin in the middle
    bins = int(np.clip(np.sqrt(values.size), 8, most)) | int(equal)
    counts, edges = np.histogram(values, bins, (low, high))
    return counts / (values.size * np.diff(edges)), edges


def thinned(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve of at most 20 000 points that looks the same: lows and highs of its parts."""
    if times.size <= _MOST_POINTS:
        return times, values
    parts = np.array_split(np.arange(times.size), _MOST_POINTS // 2)
    first = np.array([part[0] for part in parts])
    low = np.array([part[values[part].argmin()] for part in parts])
    high = np.array([part[values[part].argmax()] for part in parts])
    at = np.unique(np.concatenate([first[:1], low, high, [times.size - 1]]))
    return times[at], values[at]


def check_finite(values: np.ndarray, what: str) -> None:
    """ValueError for values that cannot be drawn."""
    if not np.all(np.isfinite(values)):
        share = np.mean(~np.isfinite(values))
        raise ValueError(
            f"{what} holds values that are not finite ({100 * share:.2g} % of them), which cannot "
            "be drawn."
        )


def listed(names: Iterable[str]) -> str:
    """Join names for a message."""
    return ", ".join(map(str, names)) or "none"
