"""Figures of one trial: rasters and readouts, membranes; and what such figures need of a trace."""

from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..support import checks
from . import figures, stats
from .figures import (
    CLASSES,
    DASHES,
    bare,
    check_finite,
    colour,
    density,
    fitted,
    for_paper,
    gaussian,
    legend,
    listed,
    name,
    pt,
    size,
    time_axis,
    title,
)

_FAR = 100.0  # times the largest |U|: a threshold that far away is not drawn
_TALL = 3.0  # times the next one: a bar that is longer is cut

# ----------------------------------------------------------------------------------------- activity


@for_paper
def activity(
    trace: Trace, trial: int = 0, units: int | None = None, *, width: float | None = None
) -> Any:
    """Input raster, one raster per spiking population and the readouts of one trial, on a shared
    time axis.

    trial, units   which trial; draw at most so many units of each input and population, evenly
                   spaced (None: all)
    width          cm of the figure on paper; None: for the screen

    At the right of the rasters are mean rates in the trial. The true class is drawn heavily; the
    title gives it and the prediction, the class with the largest maximum over time. ValueError for
    a trial that does not exist.
    """
    trial = _checked_trial(trace, trial)
    units = (
        None
        if units is None
        else checks.whole(units, "units", 1, why="it is how many are drawn; None draws all")
    )
    network = trace.network
    rasters = [(p, trace.inputs[p.name]) for p in network.inputs]
    rasters += [
        (p, trace.spikes[p.name]) for p in network.populations if p.kind in ("spiking", "pooling")
    ]
    # Heights grow as the root of n, so that small populations stay visible beside large ones.
    roots = np.sqrt([p.n for p, _ in rasters] or [1])
    heights = [*np.clip(2.2 * roots / roots.max(), 0.6, None)][: len(rasters)] + [1.8] * len(
        network.readouts
    )
    home = figures.figure(width, 8.0, sum(heights) + 0.9)
    share = home.get_figheight() / (sum(heights) + 0.9)
    axes = home.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (population, spikes), height in zip(axes, rasters, heights):
        _raster(axis, population, spikes[trial], units, 72 * height * share)
    label = None if trace.labels is None else int(trace.labels[trial])
    for axis, readout in zip(axes[len(rasters) :], network.readouts):
        _readout(axis, trace, readout, trial, label)
    for axis in axes:
        bare(axis)
    time_axis(axes[-1], trace)
    home.align_ylabels(axes)
    title(home, _outcome(trace, trial, label))
    if network.readouts:
        _class_legend(home, axes[len(rasters) :], label)
    return home


def _raster(axis, population, spikes, most, points):
    """Spikes of one trial as ticks; `points` is the height of the panel."""
    n = population.n
    shown = (
        np.arange(n) if most is None else np.unique(np.linspace(0, n - 1, min(most, n)).astype(int))
    )
    keep = np.isin(spikes.units, shown)
    axis.plot(
        spikes.times[keep] * 1e3,
        spikes.units[keep],
        linestyle="none",
        marker="|",
        color=colour(population),
        markersize=float(np.clip(0.7 * points / shown.size, 1.5, pt(8.0))),
        markeredgewidth=pt(0.7),
        rasterized=True,
    )
    axis.set_ylim(-0.5, n - 0.5)
    axis.set_yticks([0, n - 1] if n > 1 else [0])
    some = f"\n({shown.size} of {n})" if shown.size < n else ""
    name(axis, f"{population.name}\n{'neuron' if population.kind == 'spiking' else 'unit'}{some}")
    axis.text(
        1.01,
        0.5,
        _rate(stats.firing_rates(spikes).mean()),
        transform=axis.transAxes,
        va="center",
        fontsize=size(0.85),
        color=colour(population),
    )


def _rate(rate):
    if rate == 0:
        return "silent"
    return f"{rate:.1f} Hz" if rate >= 1 else f"{rate:.2g} Hz"


def _readout(axis, trace, readout, trial, label):
    values = trace.states[f"{readout.name}.U"][trial]
    check_finite(values, f"{readout.name}.U in trial {trial}")
    for k in range(readout.n):
        true = k == label
        axis.plot(
            trace.times * 1e3,
            values[:, k],
            color=CLASSES[k % len(CLASSES)],
            linewidth=pt(2.8 if true else 0.9),
            linestyle=DASHES[k // len(CLASSES) % 3],
            zorder=3 if true else 2,
            label=f"{k} (true)" if true else f"{k}",
        )
    name(axis, f"{readout.name}\nU")


def _class_legend(home, axes, label):
    """One for all readouts: a number has the same colour in each."""
    lines = max((axis.lines for axis in axes), key=len)
    if 1 < len(lines) <= 30:  # more lines cannot be told apart anyway
        legend(
            home,
            lines,
            [line.get_label() for line in lines],
            "unit of the readout" if label is None else "class",
        )


def _outcome(trace, trial, label):
    if label is None:
        return f"trial {trial}"
    said = [f"class {label}"]
    for readout in trace.network.readouts:
        largest = trace.states[f"{readout.name}.U"][trial].max(axis=0)
        tied = int(np.sum(largest == largest.max()))
        found = f"predicted {largest.argmax()}" + (
            f", tied with {tied - 1} other{'s' * (tied > 2)}" if tied > 1 else ""
        )
        said.append(found + (f" ({readout.name})" if len(trace.network.readouts) > 1 else ""))
    return f"trial {trial}: " + ", ".join(said)


# ----------------------------------------------------------------------------------------- membrane


@for_paper
def membrane(
    trace: Trace,
    population: Any,
    neuron: int = 0,
    trial: int = 0,
    theory: tuple | None = None,
    *,
    width: float | None = None,
) -> Any:
    """Membrane of a neuron with threshold and spikes, and the distribution of U over all neurons,
    trials and steps.

    population   a Population or its name; neuron, trial: which
    theory       (mean, standard deviation) of the Gaussian to draw over the histogram, for instance
                 that of the initializer's report: (mu, hypot(sigma, spread)), since the histogram
                 also holds the spread of the means over neurons. The report is about the free
                 membrane: resets and the start of a trial show as a difference from it
    width        cm of the figure on paper; None: for the screen

    ValueError unless the trace has the membrane: run(..., record=["E.U"]).
    """
    population, neuron, trial, (values,) = recorded(trace, population, ("U",), neuron, trial)
    if theory is not None:
        mean, deviation = checks.reals(
            theory, "theory, the mean and standard deviation of U,", shape=(2,)
        )
        theory = mean, checks.real(deviation, "the standard deviation of theory", above=0)
    home = figures.figure(width, 9.0, 3.4)
    left, right = home.subplots(1, 2, sharey=True, width_ratios=[3, 1] if width is None else [2, 1])
    left.plot(
        trace.times * 1e3, values[trial, :, neuron], color=colour(population), linewidth=pt(1.0)
    )
    _membrane_histogram(right, values, theory, colour(population))
    words = _threshold(trace, population, neuron, trial, values, left, right)
    left.set_ylabel(fitted(home, words, 0.5 * home.get_figheight(), size()), fontsize=size())
    time_axis(left, trace)
    for axis in (left, right):
        bare(axis)
    title(home, f"{population.name}, neuron {neuron}, trial {trial}")
    drawn = [
        mark for mark in (*right.patches, *right.lines) if not mark.get_label().startswith("_")
    ]
    legend(home, drawn, [mark.get_label() for mark in drawn])
    return home


def _threshold(trace, population, neuron, trial, values, left, right):
    """Draw threshold and spikes, unless that would squash the membrane. Returns the axis label."""
    threshold = population.neuron.threshold
    if not np.isfinite(threshold):
        return "membrane U"
    spikes = trace.spikes[population.name][trial]
    times, largest = spikes.times[spikes.units == neuron], float(np.abs(values).max())
    if not times.size and largest > 0 and abs(threshold) > _FAR * largest:
        return f"membrane U\n(threshold = {threshold:.3g},\nnot shown)"
    for axis in (left, right):
        axis.axhline(threshold, color="black", linewidth=pt(0.8), linestyle="--")
    above = threshold + 0.08 * np.ptp(left.get_ylim())
    left.plot(
        times * 1e3,
        np.full(times.size, above),
        linestyle="none",
        marker="|",
        markersize=pt(9),
        markeredgewidth=pt(1.2),
        color="black",
    )
    return f"membrane U\n(threshold = {threshold:g})"


def _membrane_histogram(axis, values, theory, face):
    """Horizontal histogram of U with its moments, and a Gaussian."""
    flat, words, peak = values.ravel(), "density of U, all neurons and trials", 0.0
    if np.ptp(flat) > 0:
        heights, edges = density(flat, 60, 0.005)
        mean, deviation = flat.mean(dtype=np.float64), flat.std(dtype=np.float64)
        axis.stairs(
            heights,
            edges,
            orientation="horizontal",
            fill=True,
            color=face,
            alpha=0.45,
            label=f"measured: {mean:.3g} ± {deviation:.3g} (mean ± sd)",
        )
    else:
        heights = np.zeros(2)
        axis.axhline(
            flat[0],
            color=face,
            alpha=0.45,
            linewidth=pt(4),
            label=f"measured: always {flat[0]:.3g}",
        )
        axis.set_xticks([])
    if theory is not None:
        mu, sigma = theory
        u = np.linspace(mu - 4 * sigma, mu + 4 * sigma, 200)
        peak = gaussian(mu, mu, sigma)
        axis.plot(
            gaussian(u, mu, sigma),
            u,
            color="black",
            linewidth=pt(1.2),
            label=f"theory: {mu:.3g} ± {sigma:.3g}",
        )
    axis.set_xlim(left=0)
    second, largest = np.sort(heights)[-2:]
    if (
        largest > _TALL * max(second, peak) > 0
    ):  # neurons that rest at their reset would hide all others
        axis.set_xlim(0, 1.2 * max(second, peak))
        words += " (longest bar cut)"
    home = axis.get_figure()
    axis.set_xlabel(fitted(home, words, 0.22 * home.get_figwidth(), size()), fontsize=size())


# -------------------------------------------------------------------------------- what was recorded


def check_trace(trace):
    if hasattr(trace, "mean_rates"):
        raise ValueError(
            "this is a Simulation, of one long run; figures of trials take what "
            "run(net, spikes, record=…) returns."
        )
    checks.instance(trace, "trace", Trace, "the Trace that run(net, spikes, record=…) returns")


def _checked_trial(trace, trial):
    check_trace(trace)
    n = len(next(iter([*trace.counts.values(), *trace.states.values()]), ()))
    if not n:
        raise ValueError("the trace has no trials, or no populations, so there is nothing to draw.")
    return checks.whole(trial, "trial", 0, n - 1)


def population_of(trace, population):
    """The population of the trace, given itself or by name."""
    check_trace(trace)
    wanted = getattr(population, "name", population)
    checks.instance(
        wanted,
        "population",
        str,
        f"a population or its name, one of {listed(p.name for p in trace.network.populations)}",
    )
    return trace.network[wanted]


def recorded(trace, population, states, neuron, trial):
    """(population, neuron, trial, states), or a ValueError that says how to record them."""
    population = population_of(trace, population)
    known = population.states
    absent = [state for state in states if state not in known]
    if absent:
        why = (
            "it is an input, which has no states."
            if population.kind == "input"
            else "its units pool spikes and have no states."
        )
        raise ValueError(
            f"population {population.name!r} has no state {' or '.join(absent)}; "
            + (f"its states are {', '.join(known)}." if known else why)
        )
    names = [f"{population.name}.{state}" for state in states]
    if not all(key in trace.states for key in names):
        wanted = ", ".join(f'"{key}"' for key in names)
        absent = " and ".join(key for key in names if key not in trace.states)
        raise ValueError(
            f"the trace has no {absent}, which this figure shows: simulate with "
            f"run(..., record=[{wanted}])."
        )
    trial, neuron = (
        _checked_trial(trace, trial),
        checks.whole(neuron, "neuron", 0, population.n - 1),
    )
    for key in names:
        check_finite(trace.states[key], key)
    return population, neuron, trial, [trace.states[key] for key in names]
