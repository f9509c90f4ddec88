"""Where the figure of a result is drawn: into one panel, by the rule of all figures (places.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .figures import fitted, side
from .places import place
from .style import bare, drawing, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .places import Ax, Drawn


def drawn(
    draw: Callable[[Axes], None],
    ax: Ax | None,
    width: float | None,
    screen: tuple[float, float] = (6.0, 3.6),
) -> Drawn:
    """Draw one panel on `ax`, or in a new figure.

    Parameters
    ----------
    draw
        Draws on Axes.
    ax
        Where to draw, or None for a new figure.
    width
        Width of a new figure on paper in cm, or None for the screen.
    screen
        Inches of a new figure on a screen.

    Returns
    -------
    The figure, or with `ax` the axes.

    Raises
    ------
    ValueError
        If `ax` is something else, or `width` is given with it.
    """
    return _drawn(draw, ax=ax, width=width, screen=screen)


@drawing
def _drawn(draw, *, ax, width, screen):
    """With the sheet that goes with the width."""
    where = place(ax, screen, width)
    (axis,) = where.axes
    draw(axis)
    bare(axis)
    return where.done()


def label(axis: Axes, x: str, y: str) -> None:
    """Label both axes, in lines that fit."""
    home: Any = axis.get_figure()
    axis.set_xlabel(fitted(home, x, axis.bbox.width / home.dpi, size()), fontsize=size())
    side(axis, y)
