"""Where the figure of a result is drawn: into a new Figure, or on axes that exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..support import checks
from . import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def drawn(
    draw: Callable[[Axes], None],
    ax: Axes | None,
    width: float | None,
    screen: tuple[float, float] = (6.0, 3.6),
) -> Figure | Axes:
    """Draw on `ax` and return it, or make a figure of one panel and return that.

    Parameters
    ----------
    draw
        Draws on Axes.
    ax
        The Axes, or None for a new figure.
    width
        Width of a new figure on paper in cm, or None for the screen.
    screen
        Inches of a new figure on a screen.

    Raises
    ------
    ValueError
        If `ax` is no Axes, or `width` is given with it.
    """
    if ax is None:
        return _new(draw, width=width, screen=screen)
    from matplotlib.axes import Axes

    checks.instance(ax, "ax", Axes, "the Axes to draw on")
    if width is not None:
        raise ValueError("width is that of a new figure, and ax is in one that exists; give one.")
    draw(ax)
    figures.bare(ax)
    return ax


@figures.for_paper
def _new(draw, *, width, screen):
    """A figure of one panel."""
    home = figures.figure(width, *screen)
    axis = home.subplots()
    draw(axis)
    figures.bare(axis)
    return home


def label(axis: Axes, x: str, y: str) -> None:
    """Label both axes, in lines that fit."""
    home: Any = axis.get_figure()
    across, high = (axis.bbox.width / home.dpi, axis.bbox.height / home.dpi)
    axis.set_xlabel(figures.fitted(home, x, across, figures.size()), fontsize=figures.size())
    axis.set_ylabel(figures.fitted(home, y, high, figures.size()), fontsize=figures.size())
