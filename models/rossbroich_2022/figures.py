"""Figures of the experiments, from the rows of their results."""

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from .learning import SILENT, Row

# Okabe & Ito's palette without the colours of excitation and inhibition.
_STARTS = {"fluctuation": ("#009E73", "fluctuation-driven"), "kaiming": ("#CC79A7", "Kaiming")}
_BOUNDS = {
    True: ("#56B4E9", "-", "o", "with lower bound"),
    False: ("#E69F00", "--", "s", "without lower bound"),
}
_SEEDS = ("#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_LAYER_COLOURS = "viridis"


def _figure(width: float, height: float, columns: int) -> tuple[Figure, np.ndarray]:
    """A figure and its axes side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, columns))


def _points(axis: Axes, rows: list[Row], key: str, colour: str, **style: Any) -> None:
    """Test accuracy: the mean over seeds as a line, every seed as a small point."""
    values = sorted({r[key] for r in rows})
    means = [100 * np.mean([r["test_accuracy"] for r in rows if r[key] == v]) for v in values]
    axis.plot(values, means, color=colour, **style)
    each = [100 * r["test_accuracy"] for r in rows]
    axis.plot([r[key] for r in rows], each, ".", color=colour, ms=4)


def _by_layer(row: Row, when: str) -> list[float]:
    """Rates of the layers, "before" or "after" training."""
    return [rates[when] for rates in row["rates_hz"].values()]


def _chance(axis: Axes, rows: list[Row]) -> None:
    """The accuracy of guessing."""
    if "classes" in rows[0]:
        axis.axhline(100 / rows[0]["classes"], color="0.6", lw=1, ls=":", label="chance")


def _cases(rows: list[Row]) -> list[tuple[list[Row], str, str, str, str]]:
    """(rows, colour, line, marker, label) of each start, with and without the lower bound."""
    result = []
    for init, (colour, label) in _STARTS.items():
        for lower, (_, line, marker, words) in _BOUNDS.items():
            same = [r for r in rows if (r["init"], r["lower_bound"]) == (init, lower)]
            if same:
                result.append((same, colour, line, marker, f"{label}, {words}"))
    return result


def _rate_axis(axis: Axes, layers: int, title: str) -> None:
    """Logarithmic rates over layers, with the region of silence."""
    axis.axhspan(SILENT / 3, SILENT, color="0.9")
    axis.text(
        0.02,
        SILENT / 1.75,
        "silent (< 0.1 Hz)",
        fontsize=8,
        color="0.35",
        transform=axis.get_yaxis_transform(),
        va="center",
    )
    axis.set(xlabel="hidden layer", ylabel="mean rate (Hz)", yscale="log", title=title)
    axis.set(ylim=(SILENT / 3, 150), xticks=range(1, layers + 1))


# ------------------------------------------------------------------------------- randman and depth


def learning_curves(rows: list[Row], published: float) -> Figure:
    """Accuracy over epochs, training thin and validation heavy, a colour for each seed."""
    figure, (axis,) = _figure(7.5, 4, 1)
    for row, colour in zip(rows, cycle(_SEEDS)):
        epochs = [h["epoch"] for h in row["history"]]
        axis.plot(epochs, [100 * h["accuracy"] for h in row["history"]], color=colour, lw=0.8)
        checks = [h["validation"] for h in row["history"]]
        if None not in checks:
            axis.plot(epochs, 100 * np.array(checks), color=colour, lw=1.8)
        test = 100 * row["test_accuracy"]
        label = f"seed {row['seed']}: test {test:.1f} %"
        axis.plot(epochs[-1:], [test], "o", color=colour, ms=5, label=label)
    axis.axhline(100 * published, color="0.5", ls=":", label=f"published: {100 * published:.1f} %")
    axis.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 101))
    axis.set_title("Randman, 128 LIF neurons (thin: training; heavy: validation)")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=8,
        frameon=False,
        ncols=1 + len(rows) // 16,
    )
    return figure


def depth(rows: list[Row], data: str) -> Figure:
    """Accuracy over the number of hidden layers, and rates by layer of the deepest network."""
    figure, (left, middle, right) = _figure(13, 4, 3)
    for same, colour, line, marker, label in _cases(rows):
        _points(left, same, "layers", colour, ls=line, marker=marker, label=label)
        deep = max(same, key=lambda r: r["layers"])
        for axis, when in ((middle, "before"), (right, "after")):
            drawn = np.maximum(_by_layer(deep, when), SILENT / 2)
            axis.plot(range(1, deep["layers"] + 1), drawn, color=colour, ls=line, marker=marker)
    _chance(left, rows)
    numbers = sorted({r["layers"] for r in rows})
    left.set(xlabel="hidden layers", ylabel="test accuracy (%)", ylim=(0, 101), xticks=numbers)
    left.set_title(f"{data}: accuracy")
    left.legend(fontsize=7)
    for axis, title in ((middle, "as it starts"), (right, "after training")):
        _rate_axis(axis, numbers[-1], f"{numbers[-1]} hidden layers, {title}")
    return figure


# ------------------------------------------------------------------------------------- convolution


def convolution(rows: list[Row], data: str) -> Figure:
    """Accuracy over epochs, rates by layer, and the kernels of the first layer (first row).

    The kernels are those after training, and what training changed.
    """
    figure, (left, middle, *maps) = _figure(15, 4, 4)
    for same, colour, line, marker, label in _cases(rows):
        for row in same:
            curve = [100 * h["accuracy"] for h in row["history"]]
            left.plot(range(1, len(curve) + 1), curve, color=colour, ls=line, lw=1.3)
            left.plot(len(curve) + 0.3, 100 * row["test_accuracy"], marker, color=colour, ms=6)
        left.plot([], [], color=colour, ls=line, marker=marker, label=label)
        for when, style in (("before", {"mfc": "none", "lw": 1}), ("after", {"lw": 1.8})):
            drawn = np.maximum(_by_layer(same[0], when), SILENT / 2)
            layers = range(1, same[0]["layers"] + 1)
            middle.plot(layers, drawn, color=colour, ls=line, marker=marker, **style)
    _chance(left, rows)
    left.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 101))
    left.set_title("training (lines), test (points)")
    left.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=7)
    figure.suptitle(f"recurrent convolutional network on {data}")
    _rate_axis(middle, rows[0]["layers"], "before (open), after training")
    _kernels(figure, maps, rows[0]["kernels"])
    return figure


def _kernels(figure: Figure, axes: list[Axes], kernels: dict[str, list]) -> None:
    """Two maps: kernels after training, and their change."""
    before, after = np.array(kernels["before"]), np.array(kernels["after"])
    titles = ("kernels of layer 1", "change by training")
    for axis, values, title in zip(axes, (after, after - before), titles):
        largest = max(np.abs(values).max(), 1e-9)
        image = axis.imshow(
            values, aspect="auto", cmap="PuOr", vmin=-largest, vmax=largest, interpolation="none"
        )
        axis.set(xlabel="position in the kernel", ylabel="filter", title=title)
        figure.colorbar(image, ax=axis, label="weight (jump of I per spike)", pad=0.02)


# ---------------------------------------------------------------------------------- sigma and alpha


def sigma(rows: list[Row], data: str) -> Figure:
    """Accuracy, rates and initial gradient norms over sigma_U; silent layers are hatched."""
    cases = [lower for lower in (False, True) if any(r["lower_bound"] == lower for r in rows)]
    figure, (accuracy, *maps, gradients) = _figure(8.5 + 3.5 * len(cases), 4, 3 + len(cases))
    sigmas = sorted({r["sigma_u"] for r in rows})
    first = {}
    for lower in cases:
        same = [r for r in rows if r["lower_bound"] == lower]
        first[lower] = [next(r for r in same if r["sigma_u"] == s) for s in sigmas]
        colour, line, marker, words = _BOUNDS[lower]
        _points(accuracy, same, "sigma_u", colour, ls=line, marker=marker, label=words)
    _chance(accuracy, rows)
    accuracy.set(ylabel="test accuracy (%)", title=f"{data}: accuracy", ylim=(0, 101))
    accuracy.set_xscale("log")
    start = first[cases[0]]
    _rates(maps[0], sigmas, [_by_layer(r, "before") for r in start], "mean rates at the start")
    for axis, lower in zip(maps[1:], cases):
        after = [_by_layer(r, "after") for r in first[lower]]
        image = _rates(axis, sigmas, after, f"after training {_BOUNDS[lower][3]}")
    figure.colorbar(image, ax=maps, label="mean rate (Hz); hatched: silent", pad=0.01)
    _gradients(gradients, sigmas, np.array([r["gradient_norms"] for r in start]))
    for axis in (accuracy, gradients):
        axis.set_xlabel("σ_U (threshold = 1)")
        axis.set_xticks(sigmas, [f"{s:g}" for s in sigmas], fontsize=8)
        axis.minorticks_off()
        axis.legend(fontsize=8)
    return figure


def _gradients(axis: Axes, sigmas: list[float], norms: np.ndarray) -> None:
    """Norms of the gradients of every projection from layer to layer."""
    last = norms.shape[1] - 1
    for k in range(norms.shape[1]):
        axis.plot(
            sigmas,
            np.where(norms[:, k] > 0, norms[:, k], np.nan),
            marker="o",
            ms=4,
            label="onto readout" if k == last else f"onto layer {k + 1}",
            color=colormaps[_LAYER_COLOURS](0.9 * k / max(last, 1)),
        )
    axis.set(xscale="log", yscale="log", title="gradients at the start")
    axis.set_ylabel("norm of the gradient (0 is not drawn)")


def _rates(axis: Axes, sigmas: list[float], by_sigma: list[list[float]], title: str) -> AxesImage:
    """A map of rates, layers over sigma_U; hatched where a layer is silent."""
    rates = np.array(by_sigma).T
    image = axis.imshow(
        np.maximum(rates, SILENT),
        origin="lower",
        aspect="auto",
        cmap=_LAYER_COLOURS,
        norm=LogNorm(SILENT, 200),
    )
    silent: dict[str, Any] = {"facecolor": "0.85", "edgecolor": "0.4", "hatch": "////", "lw": 0}
    for (layer, k), rate in np.ndenumerate(rates):
        if rate < SILENT:
            axis.fill_between([k - 0.5, k + 0.5], layer - 0.5, layer + 0.5, **silent)
        else:
            text, colour = f"{rate:.{int(rate < 10)}f}", "k" if rate > 15 else "w"
            axis.text(k, layer, text, ha="center", va="center", fontsize=7, color=colour)
    axis.set_xticks(range(len(sigmas)), [f"{s:g}" for s in sigmas], fontsize=8)
    axis.set_yticks(range(len(rates)), [f"{k + 1}" for k in range(len(rates))])
    axis.set(xlabel="σ_U", ylabel="hidden layer", title=title)
    return image


def alpha(rows: list[Row], data: str) -> Figure:
    """Accuracy and rates over the feed-forward share of the variance."""
    figure, (left, right) = _figure(9, 4, 2)
    label = "mean over seeds" if len({r["seed"] for r in rows}) > 1 else "test"
    _points(left, rows, "alpha", "#000000", marker="o", label=label)
    _chance(left, rows)
    left.set(ylabel="test accuracy (%)", title=f"{data}: accuracy", ylim=(0, 101))
    left.set_xlabel("α, feed-forward share of the variance (1: no recurrence)")
    values = sorted({r["alpha"] for r in rows})
    for when, colour in (("before", "#E69F00"), ("after", "#009E73")):
        means = [
            np.mean([np.mean(_by_layer(r, when)) for r in rows if r["alpha"] == v]) for v in values
        ]
        right.plot(values, means, "o-", color=colour, label=f"{when} training")
    right.set(xlabel="α", ylabel="mean rate of the hidden neurons (Hz)", title="rates")
    right.set_ylim(bottom=0)
    for axis in (left, right):
        axis.legend(fontsize=8)
    return figure
