"""Figure of a confusion matrix: which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..support import checks
from .figures import fitted
from .places import place
from .style import drawing, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_WRITTEN = 20  # classes: with more of them numbers have no room


@drawing
def confusion(
    counts: ArrayLike,
    names: Sequence[str] | None = None,
    *,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw a confusion matrix: which share of the trials of a class was taken for which.

    Parameters
    ----------
    counts
        (classes, classes) numbers of trials of each class (row) by predicted class (column):
        `evaluation.confusion()`.
    names
        What the classes are called. Default: their numbers.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Shares of at least half a percent are written into the
    cells, in percent of the trials of the row; rows of classes without trials are empty. The title
    is the accuracy.

    Raises
    ------
    ValueError
        If they are no square matrix of whole numbers, or there is another number of names.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.plot.confusion([[9, 1], [2, 8]]).get_suptitle()
    'accuracy 85.0 % of 20 trials'
    """
    if hasattr(counts, "confusion"):
        why = "an Evaluation has it, plot.confusion(found.confusion())"
        checks.refuse("counts", counts, "the confusion matrix", why)
    counts = checks.wholes(counts, "counts")
    n = len(counts) if counts.ndim else 0
    if counts.shape != (n, n) or not counts.size or counts.min() < 0 or not counts.sum():
        raise ValueError(
            f"counts have shape {counts.shape}; they must be numbers of trials (class, predicted "
            "class), such as evaluation.confusion(), of at least one trial."
        )
    names = list(map(str, range(n))) if names is None else list(checks.texts(names, "names", "'A'"))
    if len(names) != n:
        raise ValueError(
            f"names has {len(names)} entries, and there are classes 0 .. {n - 1}; give one for "
            "each."
        )
    where = place(ax, (5.2, 4.4), width)
    (axis,) = where.axes
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(share, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    if n <= _WRITTEN:
        _write(axis, share)
    _label(axis, names)
    bar = where.home.colorbar(image, ax=axis, fraction=0.06, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=size(0.85))
    bar.set_label("share of the trials of a class (%)", fontsize=size(0.85))
    accuracy = 100 * np.trace(counts) / counts.sum()
    where.title(f"accuracy {accuracy:.1f} % of {counts.sum():,} trials")
    return where.done()


def _write(axis, share):
    """Write the shares into their cells, as large as they fit."""
    inch = axis.bbox.width / axis.get_figure().dpi / len(share)
    points = float(np.clip(72 * inch / 3, 4, size(0.9)))
    for (true, given), value in np.ndenumerate(share):
        if value >= 0.5:
            hue = "black" if value > 50 else "white"
            text = f"{value:.0f}"
            axis.text(given, true, text, ha="center", va="center", fontsize=points, color=hue)


def _label(axis, names):
    """Name the classes, or some of them where there are many."""
    home, step = axis.get_figure(), -(-len(names) // _WRITTEN)
    breadth = axis.bbox.width / home.dpi
    some = [fitted(home, name, 0.25 * breadth, size(0.9)) for name in names[::step]]
    turned = sum(max(map(len, name.split("\n"))) for name in some) * size() > 72 * breadth
    axis.set_xticks(range(0, len(names), step), some, rotation=90 * turned, fontsize=size(0.9))
    axis.set_yticks(range(0, len(names), step), some, fontsize=size(0.9))
    axis.tick_params(length=0)
    axis.set_xlabel("predicted class", fontsize=size())
    axis.set_ylabel("class", fontsize=size())
