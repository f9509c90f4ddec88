"""The one sheet that styles all figures: sizes of texts and lines, on screen and on paper."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..support import checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = TypeVar("Draw", bound=Callable)

_SCREEN = 10.0  # points of ordinary text
_PRINT = 7.0, 6.0  # points on paper: of ordinary and of the smallest text
_WIDE = 25.0  # cm of a figure in which ordinary text has the size that it has on a screen

#: Settings of matplotlib, whatever the width. Texts are relative to "font.size".
_SHEET: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.labelsize": "medium",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.titlesize": "medium",
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


def style(*, width: float | None = None) -> dict[str, Any]:
    """Return the settings of matplotlib with which the figures of `biosnn.plot` are drawn.

    Parameters
    ----------
    width
        Width of the figure on paper in cm. Texts and lines have the size that goes with it.
        Default: the text size that matplotlib is set to, for a screen.

    Returns
    -------
    A dict for `matplotlib.rc_context`, so that axes of your own look like the others.

    Raises
    ------
    ValueError
        If the width is not from 6 to 100 cm.

    Examples
    --------
    >>> import matplotlib
    >>> import biosnn as bs
    >>> with matplotlib.rc_context(bs.plot.style(width=8.5)):
    ...     figure = matplotlib.figure.Figure(
    ...         figsize=(8.5 / 2.54, 2), layout="constrained"
    ...     )
    ...     axis = figure.subplots()
    >>> axis.xaxis.label.get_fontsize()
    7.0
    """
    from matplotlib import rcParams  # here: importing biosnn does not import matplotlib

    if width is None:
        points = rcParams["font.size"]
    else:
        width = checked_width(width)
        points = float(np.clip(_SCREEN * width / _WIDE, _PRINT[0], _SCREEN))
    share = min(points / _SCREEN, 1.0)
    ticks, entries = (max(part * points, min(points, _PRINT[1])) for part in (0.9, 0.85))
    return _SHEET | {
        "axes.linewidth": 0.8 * share,
        "font.size": points,
        "legend.fontsize": entries,
        "legend.title_fontsize": entries,
        "lines.linewidth": 1.5 * share,
        "xtick.labelsize": ticks,
        "ytick.labelsize": ticks,
    }


def checked_width(width: Any) -> float:
    """Return the width of a figure on paper in cm; ValueError for one that no paper has."""
    why = "a column of a journal is 8.5 cm wide, a page 17.5 cm"
    return checks.real(width, "width", 6, 100, unit="cm", why=why)


def drawing(draw: Draw) -> Draw:
    """Decorate a plotting function: it draws with the sheet that goes with its option `width`."""

    @wraps(draw)
    def drawn(*arguments, **options):
        from matplotlib import rc_context

        width = options.get("width")
        if width is not None and options.get("ax") is not None:
            raise ValueError(
                "width is that of a new figure, and ax draws into one that exists; give one of "
                "them. bs.plot.style(width=…) has the text sizes for a figure of your own."
            )
        with rc_context(style(width=width)):
            return draw(*arguments, **options)

    return drawn  # type: ignore[return-value]


def text_scale() -> float:
    """Return the text size, as a share of that on a screen."""
    from matplotlib import rcParams

    return min(rcParams["font.size"] / _SCREEN, 1.0)


def pt(points: float) -> float:
    """Scale the width of a line or the size of a mark with the text size."""
    return points * (0.4 + 0.6 * text_scale())


def size(part: float = 1.0) -> float:
    """Return the points of a text that is a part of ordinary text, and readable on paper."""
    from matplotlib import rcParams

    return max(part * rcParams["font.size"], min(rcParams["font.size"], _PRINT[1]))


def bare(axis: Axes) -> None:
    """Remove the upper and right spine, and fit the texts of the ticks."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=size(0.9))
    for direction in (axis.xaxis, axis.yaxis):
        direction.offsetText.set_fontsize(size(0.8))
