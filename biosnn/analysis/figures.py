"""What all figures share: colours, sizes for screen and paper, texts and legends that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..support import checks
from .protocols import PopulationLike, check

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = TypeVar("Draw", bound=Callable)

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

_SCREEN = 10.0  # points of ordinary text
_PRINT = 7.0, 6.0  # points on paper: of ordinary and of the smallest text
_WIDE = 25.0  # cm of a figure in which ordinary text has the size that it has on a screen


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
    unsigned = INPUT if population.kind == "input" else UNSIGNED
    return {"excitatory": EXCITATORY, "inhibitory": INHIBITORY}.get(population.sign, unsigned)


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


# -------------------------------------------------------------------------------------------- sizes


def for_paper(draw: Draw) -> Draw:
    """Decorate a plotting function: its texts get the size that goes with its option `width`."""

    @wraps(draw)
    def drawn(*arguments, **options):
        if options.get("width") is None:
            return draw(*arguments, **options)
        width = checks.real(
            options["width"],
            "width",
            6,
            100,
            unit="cm",
            why="a column of a journal is 8.5 cm wide, a page 17.5 cm",
        )
        from matplotlib import rc_context

        points = float(np.clip(_SCREEN * width / _WIDE, _PRINT[0], _SCREEN))
        with rc_context({"font.size": points}):
            return draw(*arguments, **options | {"width": width})

    return drawn  # type: ignore[return-value]


def figure(width: float | None, screen: float, height: float) -> Figure:
    """Make a figure of `width` cm, or of `screen` inches; `height` in inches on the screen."""
    from matplotlib.figure import Figure  # here: importing biosnn does not import matplotlib

    inches = screen if width is None else width / 2.54
    size = inches, height * (1 if width is None else _share())
    made = Figure(figsize=size, layout="constrained")
    engine: Any = made.get_layout_engine()
    engine.set(w_pad=0.1 * _share(), h_pad=0.05)
    return made


def columns(width: float | None, panels: int, most: int, least: float = 4.0) -> int:
    """Return how many panels fit side by side, each at least `least` cm wide."""
    fit = most if width is None else max(1, int(width / least))
    return max(1, min(panels, most, fit))


def _share():
    """The text size, as a share of that on a screen."""
    from matplotlib import rcParams

    return min(rcParams["font.size"] / _SCREEN, 1.0)


def pt(points: float) -> float:
    """Scale the width of a line or the size of a mark with the text size."""
    return points * (0.4 + 0.6 * _share())


def size(share: float = 1.0) -> float:
    """Return the points of a text that is a share of ordinary text, and readable on paper."""
    from matplotlib import rcParams

    return max(share * rcParams["font.size"], min(rcParams["font.size"], _PRINT[1]))


def bare(axis: Axes) -> None:
    """Remove the upper and right spine, and fit the texts of the ticks."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=size(0.9))
    for direction in (axis.xaxis, axis.yaxis):
        direction.offsetText.set_fontsize(size(0.8))


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


def title(home: Figure, text: str) -> None:
    """Write a title above the figure, in as many lines as it needs."""
    home.suptitle(fitted(home, text, 0.96 * home.get_figwidth(), size()), fontsize=size())


def name(axis: Axes, text: str) -> None:
    """Label the vertical axis horizontally, which is readable next to a low panel."""
    home: Any = axis.get_figure()
    axis.set_ylabel(
        fitted(home, text, 0.2 * home.get_figwidth(), size(0.9)),
        rotation=0,
        ha="right",
        va="center",
        labelpad=10 * _share(),
        fontsize=size(0.9),
    )


def time_axis(axis: Axes, trace: Any) -> None:
    """Let an axis show the duration of a trial in milliseconds."""
    axis.set_xlim(0, trace.duration * 1e3)
    axis.set_xlabel(
        "time (ms)" if not trace.start else f"time (ms) from {trace.start:g} s on", fontsize=size()
    )


def note(axis: Axes, text: str) -> None:
    """Write a remark into a panel that would look empty."""
    home: Any = axis.get_figure()
    axis.text(
        0.5,
        0.7,
        fitted(home, text, 0.5 * home.get_figwidth(), size()),
        transform=axis.transAxes,
        ha="center",
        va="center",
        fontsize=size(),
        color="0.35",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


def legend(home: Figure, handles: Sequence, labels: Sequence[str], heading: str = "") -> None:
    """Add a legend below the panels, in as many columns as fit; the figure grows by its height."""
    if not handles:
        return
    points = size(0.85)
    labels = [fitted(home, label, 0.8 * home.get_figwidth(), points) for label in labels]
    for count in range(min(len(labels), 10), 0, -1):
        box = home.legend(
            handles,
            ["x"] * len(labels),
            loc="outside lower center",
            ncols=count,
            frameon=False,
            fontsize=points,
            title=heading or None,
            title_fontsize=points,
            labelspacing=0.3,
            handlelength=2.4,
            columnspacing=1.2,
        )
        for text, label in zip(box.get_texts(), labels):
            text.set_text(label)  # now, because a legend leaves out labels that begin with _
        extent = box.get_window_extent()
        if count == 1 or extent.width <= 0.96 * home.bbox.width:
            break
        box.remove()
    home.set_figheight(home.get_figheight() + extent.height / home.dpi)


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
