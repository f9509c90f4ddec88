"""Where a figure is drawn: into a new Figure, into a part of one, or on axes that exist.

All figures have one rule. Without `ax` they make a Figure and return it. With `ax` they draw there
and return the axes: one Axes, or an array (panels,) where there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support import checks
from .figures import fitted, side
from .style import bare, checked_width, drawing, size, text_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

    Drawn = Any  # a Figure, Axes or array of Axes, which the caller knows from what was given
    Ax = Axes | Figure | SubFigure | Sequence[Axes] | NDArray[Any]

_ALLOWED = "an Axes, several of them, or a Figure or SubFigure without axes"


@dataclass(frozen=True)
class Place:
    """Panels to draw into, and what the title and the legend belong to.

    Parameters
    ----------
    home
        The Figure or SubFigure of the panels.
    axes
        The panels, row by row.
    columns
        How many of them stand side by side.
    new
        Whether the figure was made for them.
    whole
        Whether nothing else is in `home`, so that its title and legend are those of the panels.
    """

    home: Any
    axes: list[Axes]
    columns: int
    new: bool
    whole: bool

    @property
    def bottom(self) -> list[Axes]:
        """The panels that need a label below: those without another one under them."""
        return self.axes[-self.columns :] if self.whole else self.axes

    @property
    def inches(self) -> float:
        """Width of what the title stands above."""
        return (self.home if self.whole else self.axes[0]).bbox.width / self.home.dpi

    def title(self, text: str) -> None:
        """Write a title above the panels, in as many lines as it needs.

        On axes that exist it is the first line alone, and above the first of them.
        """
        if self.whole:
            said = fitted(self.home, text, 0.96 * self.inches, size())
            self.home.suptitle(said, fontsize=size())
        elif not self.axes[0].get_title():
            said = fitted(self.home, text.split("\n")[0], 0.96 * self.inches, size())
            self.axes[0].set_title(said, fontsize=size())

    def legend(self, handles: Sequence, labels: Sequence[str], heading: str = "") -> None:
        """Add a legend: below the panels, or into the last one where they are not alone."""
        if not handles:
            return
        points, breadth = size(0.85), self.home.bbox.width
        labels = [fitted(self.home, each, 0.8 * self.inches, points) for each in labels]
        look: dict[str, Any] = {
            "fontsize": points,
            "title_fontsize": points,
            "title": heading or None,
        }
        look |= {"labelspacing": 0.3, "handlelength": 2.4, "columnspacing": 1.2, "frameon": False}
        if not self.whole:  # curves may lie behind it
            look |= {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 0.8}
            box = self.axes[-1].legend(handles, ["x"] * len(labels), **look)
            _rename(box, labels)
            return
        look["loc"] = "outside lower center"
        for count in range(min(len(labels), 10), 0, -1):
            box = self.home.legend(handles, ["x"] * len(labels), ncols=count, **look)
            _rename(box, labels)
            extent = box.get_window_extent()
            if count == 1 or extent.width <= 0.96 * breadth:
                break
            box.remove()
        if self.new:
            self.home.set_figheight(self.home.get_figheight() + extent.height / self.home.dpi)

    def done(self) -> Drawn:
        """Return what a plotting function returns."""
        if self.new:
            return self.home
        return self.axes[0] if len(self.axes) == 1 else np.array(self.axes, object)


def place(
    ax: Ax | None,
    screen: tuple[float, float],
    width: float | None,
    *,
    panels: int = 1,
    columns: int = 1,
    **options: Any,
) -> Place:
    """Return where to draw.

    Parameters
    ----------
    ax
        What the user gave, or None for a new figure.
    screen
        Width and height in inches of a new figure on a screen.
    width
        Its width on paper in cm, or None.
    panels, columns
        Number of panels, and how many of them stand side by side.
    **options
        Of `Figure.subplots`.

    Raises
    ------
    ValueError
        If `ax` is something else, holds axes already, or has another number of them.
    """
    from matplotlib.figure import Figure, SubFigure

    rows, new = -(-panels // columns), ax is None
    if new:
        home = _figure(width, *screen)
    elif isinstance(ax, (Figure, SubFigure)):
        home = _empty(ax)
    else:
        axes = _given(ax, panels)
        for name, one in (("sharex", "col"), ("sharey", "row")):
            _join(axes, columns, name, options.get(name), one)
        return Place(axes[0].get_figure(), axes, columns, new=False, whole=False)
    axes = home.subplots(rows, columns, squeeze=False, **options).ravel()
    for axis in axes[panels:]:
        axis.remove()
    return Place(home, list(axes[:panels]), columns, new=new, whole=True)


@drawing
def one_panel(
    draw: Callable[[Axes], None],
    *,
    ax: Ax | None,
    width: float | None,
    screen: tuple[float, float] = (6.0, 3.6),
) -> Drawn:
    """Draw the figure of a result, which has one panel.

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


def beside(width: float | None, panels: int, most: int, least: float = 4.0) -> int:
    """Return how many panels fit side by side, each at least `least` cm wide."""
    fit = most if width is None else max(1, int(checked_width(width) / least))
    return max(1, min(panels, most, fit))


def _figure(width, across, height):
    """A new Figure, of `width` cm or `across` inches; `height` is that on a screen."""
    from matplotlib.figure import Figure  # here: importing biosnn does not import matplotlib

    inches = across if width is None else width / 2.54
    made = Figure(figsize=(inches, height * (1 if width is None else text_scale())))
    _constrain(made)
    return made


def _constrain(figure):
    """Let a figure leave room for all texts and legends."""
    figure.set_layout_engine("constrained")
    figure.get_layout_engine().set(w_pad=0.1 * text_scale(), h_pad=0.05)


def _empty(home):
    """A Figure or SubFigure of the user; ValueError if something is in it."""
    if home.axes or home.subfigs:
        raise ValueError(
            f"ax is a {type(home).__name__} that holds {len(home.axes)} axes already; give "
            "one without axes, such as figure.subfigures(1, 2)[0], or the axes themselves."
        )
    if getattr(home, "get_layout_engine", lambda: True)() is None:
        _constrain(home)
    return home


def _given(ax, panels):
    """The Axes of the user as a list; ValueError unless they are as many as the panels."""
    from matplotlib.axes import Axes

    rows = list(ax) if isinstance(ax, (list, tuple)) else [ax]
    axes = [
        axis for row in rows for axis in (row.ravel() if isinstance(row, np.ndarray) else [row])
    ]
    for axis in axes or [ax]:
        if not isinstance(axis, Axes):
            checks.refuse("ax", axis, _ALLOWED)
    if len(axes) != panels:
        what = "1 Axes" if len(axes) == 1 else f"{len(axes)} Axes"
        raise ValueError(
            f"ax is {what}, and this figure has {panels} panel{'s' * (panels > 1)}; give as many "
            "Axes, or a Figure or SubFigure, in which they are made."
        )
    return axes


def _join(axes, columns, name, how, one):
    """Let axes share their limits as `Figure.subplots` would, unless they share others' already."""
    for k, axis in enumerate(axes):
        first = k % columns if one == "col" else k - k % columns
        other = axes[0] if how is True else axes[first] if how == one else axis
        if other is not axis:
            with suppress(ValueError):
                getattr(axis, name)(other)


def _rename(box, labels):
    """Write the labels of a legend; at first it would leave out those that begin with _."""
    for text, label in zip(box.get_texts(), labels):
        text.set_text(label)
