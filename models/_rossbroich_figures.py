"""Figures of the experiments of rossbroich_2022.py, from the rows of their results."""

import numpy as np

from biosnn.analysis.figures import styles

from ._rossbroich import SILENT

# Okabe & Ito's palette without the colours of excitation and inhibition: fluctuation-driven start, Kaiming's; with and without the lower bound
_STARTS = {"fluctuation": ("#009E73", "fluctuation-driven"), "kaiming": ("#CC79A7", "Kaiming")}
_BOUNDS = {
    True: ("#56B4E9", "-", "o", "with lower bound"),
    False: ("#E69F00", "--", "s", "without lower bound"),
}
_LAYER_COLOURS = "viridis"


def _figure(width, height, columns):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, columns))


def _points(axis, rows, key, colour, **style):
    """Mean over seeds as a line, every seed as a small point."""
    values = sorted({r[key] for r in rows})
    axis.plot(
        values,
        [100 * np.mean([r["test_accuracy"] for r in rows if r[key] == v]) for v in values],
        color=colour,
        **style,
    )
    axis.plot(
        [r[key] for r in rows], [100 * r["test_accuracy"] for r in rows], ".", color=colour, ms=4
    )


def _by_layer(row, when):
    return [rates[when] for rates in row["rates_hz"].values()]


def _chance(axis, rows):
    if "classes" in rows[0]:
        axis.axhline(100 / rows[0]["classes"], color="0.6", lw=1, ls=":", label="chance")


def learning_curves(rows, published):
    """Accuracy over epochs, training thin and validation heavy, one style a seed."""
    figure, (axis,) = _figure(7.5, 4, 1)
    for row, style in zip(rows, styles(len(rows))):
        epochs = [h["epoch"] for h in row["history"]]
        axis.plot(epochs, [100 * h["accuracy"] for h in row["history"]], **style, lw=0.8)
        checks = [h["validation"] for h in row["history"]]
        if None not in checks:
            axis.plot(epochs, 100 * np.array(checks), **style, lw=1.8)
        test = 100 * row["test_accuracy"]
        axis.plot(
            epochs[-1:],
            [test],
            **style | {"marker": style["marker"] or "o"},
            ms=5,
            label=f"seed {row['seed']}: test {test:.1f} %",
        )
    axis.axhline(100 * published, color="0.5", ls=":", label=f"published: {100 * published:.1f} %")
    axis.set(
        xlabel="epoch",
        ylabel="accuracy (%)",
        title="Randman, 128 LIF neurons (thin: training; heavy: validation)",
        ylim=(0, 101),
    )
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        fontsize=8,
        frameon=False,
        ncols=1 + len(rows) // 16,
    )
    return figure


def depth(rows, data):
    """Accuracy over the number of hidden layers; rates by layer of the deepest network as it starts and after training."""
    figure, (left, middle, right) = _figure(13, 4, 3)
    for init, (colour, label) in _STARTS.items():
        for lower, (_, line, marker, words) in _BOUNDS.items():
            some = [r for r in rows if (r["init"], r["lower_bound"]) == (init, lower)]
            if some:
                _points(
                    left, some, "layers", colour, ls=line, marker=marker, label=f"{label}, {words}"
                )
                deep = max(some, key=lambda r: r["layers"])
                for axis, when in ((middle, "before"), (right, "after")):
                    axis.plot(
                        range(1, deep["layers"] + 1),
                        np.maximum(_by_layer(deep, when), SILENT / 2),
                        color=colour,
                        ls=line,
                        marker=marker,
                    )
    _chance(left, rows)
    left.set(
        xlabel="hidden layers",
        ylabel="test accuracy (%)",
        title=f"{data}: accuracy",
        ylim=(0, 101),
        xticks=sorted({r["layers"] for r in rows}),
    )
    left.legend(fontsize=7)
    deepest = max(r["layers"] for r in rows)
    for axis, title in ((middle, "as it starts"), (right, "after training")):
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
        axis.set(
            xlabel="hidden layer",
            ylabel="mean rate (Hz)",
            yscale="log",
            title=f"{deepest} hidden layers, {title}",
            ylim=(SILENT / 3, 150),
            xticks=range(1, deepest + 1),
        )
    return figure


def convolution(rows, data):
    """Accuracy over epochs, rates by layer, and the kernels of the first layer (of the first row) after training and what training changed."""
    figure, (left, middle, *maps) = _figure(15, 4, 4)
    for init, (colour, label) in _STARTS.items():
        for lower, (_, line, marker, words) in _BOUNDS.items():
            some = [r for r in rows if (r["init"], r["lower_bound"]) == (init, lower)]
            for row in some:
                curve = [100 * h["accuracy"] for h in row["history"]]
                left.plot(range(1, len(curve) + 1), curve, color=colour, ls=line, lw=1.3)
                left.plot(len(curve) + 0.3, 100 * row["test_accuracy"], marker, color=colour, ms=6)
            if some:
                left.plot([], [], color=colour, ls=line, marker=marker, label=f"{label}, {words}")
                for when, fill in (("before", "none"), ("after", None)):
                    middle.plot(
                        range(1, some[0]["layers"] + 1),
                        np.maximum(_by_layer(some[0], when), SILENT / 2),
                        color=colour,
                        ls=line,
                        marker=marker,
                        mfc=fill,
                        lw=1 if when == "before" else 1.8,
                    )
    _chance(left, rows)
    left.set(
        xlabel="epoch",
        ylabel="accuracy (%)",
        title="training (lines), test (points)",
        ylim=(0, 101),
    )
    left.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=7)
    figure.suptitle(f"recurrent convolutional network on {data}")
    middle.axhspan(SILENT / 3, SILENT, color="0.9")
    middle.text(
        0.02,
        SILENT / 1.75,
        "silent (< 0.1 Hz)",
        fontsize=8,
        color="0.35",
        transform=middle.get_yaxis_transform(),
        va="center",
    )
    middle.set(
        xlabel="layer",
        ylabel="mean rate (Hz)",
        yscale="log",
        title="before (open), after training",
        ylim=(SILENT / 3, 150),
        xticks=range(1, rows[0]["layers"] + 1),
    )
    before, after = (np.array(rows[0]["kernels"][when]) for when in ("before", "after"))
    for axis, values, title in zip(
        maps, (after, after - before), ("kernels of layer 1", "change by training")
    ):
        largest = max(np.abs(values).max(), 1e-9)
        image = axis.imshow(
            values, aspect="auto", cmap="PuOr", vmin=-largest, vmax=largest, interpolation="none"
        )
        axis.set(xlabel="position in the kernel", ylabel="filter", title=title)
        figure.colorbar(image, ax=axis, label="weight (jump of I per spike)", pad=0.02)
    return figure


def sigma(rows, data):
    """Accuracy, rates and initial gradient norms over sigma_U; silent layers are hatched."""
    cases = [lower for lower in (False, True) if any(r["lower_bound"] == lower for r in rows)]
    figure, axes = _figure(8.5 + 3.5 * len(cases), 4, 3 + len(cases))
    accuracy, *maps, gradients = axes
    sigmas = sorted({r["sigma_u"] for r in rows})
    for lower in cases:
        colour, line, marker, words = _BOUNDS[lower]
        _points(
            accuracy,
            [r for r in rows if r["lower_bound"] == lower],
            "sigma_u",
            colour,
            ls=line,
            marker=marker,
            label=words,
        )
    _chance(accuracy, rows)
    accuracy.set(
        xscale="log",
        xlabel="σ_U (threshold = 1)",
        ylabel="test accuracy (%)",
        title=f"{data}: accuracy",
        ylim=(0, 101),
    )
    accuracy.legend(fontsize=8)
    first = {
        lower: [
            next(r for r in rows if r["sigma_u"] == s and r["lower_bound"] == lower) for s in sigmas
        ]
        for lower in cases
    }
    _rates(
        maps[0],
        sigmas,
        [_by_layer(r, "before") for r in first[cases[0]]],
        "mean rates at the start",
    )
    for axis, lower in zip(maps[1:], cases):
        image = _rates(
            axis,
            sigmas,
            [_by_layer(r, "after") for r in first[lower]],
            f"after training {_BOUNDS[lower][3]}",
        )
    figure.colorbar(image, ax=maps, label="mean rate (Hz); hatched: silent", pad=0.01)
    norms = np.array([r["gradient_norms"] for r in first[cases[0]]])
    from matplotlib import colormaps

    for k in range(norms.shape[1]):
        name = "readout" if k == norms.shape[1] - 1 else f"layer {k + 1}"
        gradients.plot(
            sigmas,
            np.where(norms[:, k] > 0, norms[:, k], np.nan),
            marker="o",
            ms=4,
            label=f"onto {name}",
            color=colormaps[_LAYER_COLOURS](0.9 * k / max(norms.shape[1] - 1, 1)),
        )
    gradients.set(
        xscale="log",
        yscale="log",
        xlabel="σ_U (threshold = 1)",
        ylabel="norm of the gradient (0 is not drawn)",
        title="gradients at the start",
    )
    gradients.legend(fontsize=8)
    for axis in (accuracy, gradients):
        axis.set_xticks(sigmas, [f"{s:g}" for s in sigmas], fontsize=8)
        axis.minorticks_off()
    return figure


def _rates(axis, sigmas, rates, title):
    """A map of rates, layers over sigma_U; hatched where a layer is silent."""
    from matplotlib.colors import LogNorm

    rates = np.array(rates).T
    image = axis.imshow(
        np.maximum(rates, SILENT),
        origin="lower",
        aspect="auto",
        cmap=_LAYER_COLOURS,
        norm=LogNorm(SILENT, 200),
    )
    for layer, k in zip(*np.nonzero(rates < SILENT)):
        axis.fill_between(
            [k - 0.5, k + 0.5],
            layer - 0.5,
            layer + 0.5,
            facecolor="0.85",
            edgecolor="0.4",
            hatch="////",
            lw=0,
        )
    for (layer, k), rate in np.ndenumerate(rates):
        if rate >= SILENT:
            axis.text(
                k,
                layer,
                f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}",
                ha="center",
                va="center",
                fontsize=7,
                color="k" if rate > 15 else "w",
            )
    axis.set_xticks(range(len(sigmas)), [f"{s:g}" for s in sigmas], fontsize=8)
    axis.set_yticks(range(len(rates)), [f"{k + 1}" for k in range(len(rates))])
    axis.set(xlabel="σ_U", ylabel="hidden layer", title=title)
    return image


def alpha(rows, data):
    """Accuracy and rates over the feed-forward share of the variance."""
    figure, (left, right) = _figure(9, 4, 2)
    _points(
        left,
        rows,
        "alpha",
        "#000000",
        marker="o",
        label="mean over seeds" if len({r["seed"] for r in rows}) > 1 else "test",
    )
    _chance(left, rows)
    left.set(
        xlabel="α, feed-forward share of the variance (1: no recurrence)",
        ylabel="test accuracy (%)",
        title=f"{data}: accuracy",
        ylim=(0, 101),
    )
    left.legend(fontsize=8)
    values = sorted({r["alpha"] for r in rows})
    for when, colour in (("before", "#E69F00"), ("after", "#009E73")):
        right.plot(
            values,
            [
                np.mean([np.mean(_by_layer(r, when)) for r in rows if r["alpha"] == v])
                for v in values
            ],
            "o-",
            color=colour,
            label=f"{when} training",
        )
    right.set(xlabel="α", ylabel="mean rate of the hidden neurons (Hz)", title="rates")
    right.set_ylim(bottom=0)
    right.legend(fontsize=8)
    return figure
