"""Figures of traces, initializer reports and histories. Every function returns a matplotlib Figure:

    plot.activity(trace, trial=3).savefig("activity.png")

The figures do not belong to pyplot: there is no global state, and nothing to close. Times are in milliseconds.
"""
import numpy as np

from . import stats

# ---------------------------------------------------------------------------------------------- colours

#: Excitatory and inhibitory have the same colour in every figure (Okabe & Ito's palette, safe for the colour-blind).
EXCITATORY, INHIBITORY, UNSIGNED, INPUT = "#D55E00", "#0072B2", "#404040", "#8C8C8C"

#: Classes of a readout, in this order, then again dashed and dotted (Paul Tol's "muted" palette and black).
CLASSES = ("#332288", "#44AA99", "#CC6677", "#DDCC77", "#88CCEE", "#882255", "#117733", "#AA4499", "#999933", "#000000")
_DASHES = ("-", "--", ":")

#: Target, predicted and measured values; training runs. Neither excitatory nor inhibitory.
_KINDS = {"target": "#000000", "predicted": "#E69F00", "measured": "#009E73"}
_RUNS = ("#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def colour(population):
    """The colour of a population: that of its sign."""
    unsigned = INPUT if population.kind == "input" else UNSIGNED
    return {"excitatory": EXCITATORY, "inhibitory": INHIBITORY}.get(population.sign, unsigned)


# ---------------------------------------------------------------------------------------------- activity


def activity(trace, trial=0, units=None):
    """Input raster, one raster per spiking population and the readouts of one trial, on a shared time axis.

    units: draw at most so many units of each input and population, evenly spaced; None draws them all.

    Numbers at the right of the rasters are mean rates in the trial. The true class is drawn heavily; the title gives it
    and the prediction, the class with the largest maximum over time. ValueError for a trial that does not exist.
    """
    _check_index("trial", trial, _n_trials(trace))
    if units is not None and not units >= 1:
        raise ValueError(f"units is {units!r}; it is how many units to draw, so at least 1, or None for all of them.")
    network = trace.network
    rasters = [(p, trace.inputs[p.name]) for p in network.inputs] + [(p, trace.spikes[p.name]) for p in network.populations
                                                                      if p.kind in ("spiking", "pooling")]
    # Heights grow as the root of n, so that small populations stay visible beside large ones.
    roots = np.sqrt([p.n for p, _ in rasters] or [1])
    heights = [*np.clip(2.2 * roots / roots.max(), 0.6, None)][:len(rasters)] + [1.8] * len(network.readouts)
    figure = _figure(8.0, sum(heights) + 0.9)
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (population, spikes), height in zip(axes, rasters, heights):
        _raster(axis, population, spikes[trial], units, 72 * height)
    label = None if trace.labels is None else int(trace.labels[trial])
    for axis, readout in zip(axes[len(rasters):], network.readouts):
        _readout(axis, trace, readout, trial, label)
    for axis in axes:
        _bare(axis)
    axes[-1].set_xlim(0, trace.duration * 1e3)
    axes[-1].set_xlabel("time (ms)")
    figure.align_ylabels(axes)
    figure.suptitle(_outcome(trace, trial, label), fontsize="medium")
    return figure


def _raster(axis, population, spikes, most, points):
    """Spikes of one trial as ticks; `points` is the height of the panel."""
    shown = np.arange(population.n) if most is None else np.unique(np.linspace(0, population.n - 1, int(most)).astype(int))
    keep = np.isin(spikes.units, shown)
    axis.plot(spikes.times[keep] * 1e3, spikes.units[keep], linestyle="none", marker="|", color=colour(population),
              markersize=float(np.clip(1.5 * points / shown.size, 1.5, 8.0)), markeredgewidth=0.7, rasterized=True)
    axis.set_ylim(-0.5, population.n - 0.5)
    axis.set_yticks([0, population.n - 1] if population.n > 1 else [0])
    some = f"\n({shown.size} of {population.n})" if shown.size < population.n else ""
    what = "neuron" if population.kind == "spiking" else "unit"
    _name(axis, f"{population.name}\n{what}{some}")
    axis.text(1.01, 0.5, f"{stats.firing_rates(spikes).mean():.1f} Hz", transform=axis.transAxes, va="center",
              fontsize="small", color=colour(population))


def _readout(axis, trace, readout, trial, label):
    values = trace.states[f"{readout.name}.U"][trial]
    for k in range(readout.n):
        true = k == label
        axis.plot(trace.times * 1e3, values[:, k], color=CLASSES[k % len(CLASSES)], linewidth=2.8 if true else 0.9,
                  linestyle=_DASHES[k // len(CLASSES) % len(_DASHES)], zorder=3 if true else 2,
                  label=f"{k} (true)" if true else f"{k}")
    _name(axis, f"{readout.name}\nU")
    if readout.n <= 30:     # more lines cannot be told apart anyway
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), ncols=-(-readout.n // 10), fontsize="x-small", frameon=False,
                    title="unit" if label is None else "class", title_fontsize="x-small", labelspacing=0.15,
                    handlelength=1.6, columnspacing=0.8)


def _outcome(trace, trial, label):
    if label is None:
        return f"trial {trial}"
    found = [f"predicted {trace.states[f'{r.name}.U'][trial].max(axis=0).argmax()}"
             + (f" ({r.name})" if len(trace.network.readouts) > 1 else "") for r in trace.network.readouts]
    return f"trial {trial}: " + ", ".join([f"class {label}"] + found)


# ---------------------------------------------------------------------------------------------- membrane


def membrane(trace, population, neuron=0, trial=0, theory=None):
    """Membrane of a neuron with threshold and spikes, and the distribution of U over all neurons, trials and steps.

    theory: (mean, standard deviation) of the Gaussian to draw over the histogram, for instance that of the initializer's
    report: (mu, hypot(sigma, spread)), since the histogram also holds the spread of the means over neurons. The report is
    about the free membrane: resets and the start of a trial show as a difference from it.
    ValueError unless the trace has the membrane: run(..., record=["E.U"]).
    """
    population, (values,) = _recorded(trace, population, ("U",), neuron, trial)
    if theory is not None and not (len(theory) == 2 and np.all(np.isfinite(theory)) and theory[1] > 0):
        raise ValueError(f"theory is {theory!r}; it must be (mean, standard deviation) of U, with a standard deviation > 0.")
    figure = _figure(9.0, 3.4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    threshold = population.neuron.threshold
    left.plot(trace.times * 1e3, values[trial, :, neuron], color=colour(population), linewidth=1.0)
    left.set_xlim(0, trace.duration * 1e3)
    left.set_xlabel("time (ms)")
    left.set_ylabel("membrane U" + (f" (threshold = {threshold:g})" if np.isfinite(threshold) else ""))
    left.set_title(f"{population.name}, neuron {neuron}, trial {trial}", fontsize="medium")
    _membrane_histogram(right, values, theory, colour(population))
    if np.isfinite(threshold):
        spikes = trace.spikes[population.name][trial]
        times, above = spikes.times[spikes.units == neuron], threshold + 0.08 * np.ptp(left.get_ylim())
        left.plot(times * 1e3, np.full(times.size, above), linestyle="none", marker="|", markersize=9, markeredgewidth=1.2,
                  color="black")
        for axis in (left, right):
            axis.axhline(threshold, color="black", linewidth=0.8, linestyle="--")
    for axis in (left, right):
        _bare(axis)
    return figure


def _membrane_histogram(axis, values, theory, face):
    """Horizontal histogram of U with its moments, and a Gaussian."""
    flat = values.ravel()
    density, edges = _density(flat, 60, 0.005)
    mean, deviation = flat.mean(dtype=np.float64), flat.std(dtype=np.float64)
    axis.stairs(density, edges, orientation="horizontal", fill=True, color=face, alpha=0.45,
                label=f"measured: {mean:.2f} ± {deviation:.2f}")
    if theory is not None:
        mu, sigma = theory
        u = np.linspace(mu - 4 * sigma, mu + 4 * sigma, 200)
        axis.plot(_gaussian(u, mu, sigma), u, color="black", linewidth=1.2, label=f"theory: {mu:.2f} ± {sigma:.2f}")
    axis.set_xlabel("density of U, all neurons")
    axis.set_xlim(left=0)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small", frameon=False)


# ---------------------------------------------------------------------------------------------- currents


def currents(trace, population, neuron=0, trial=0):
    """Excitatory (up), inhibitory (down) and net synaptic current of one neuron, with the balance of the two.

    For populations with separate currents I_exc and I_inh (`ei_lif`) or conductances (`conductance_lif`: g_exc (E_exc - U) and
    g_inh (U - E_inh)). ValueError for others, and unless the trace has them: run(..., record=["E.I_exc", "E.I_inh"]) or
    record=["E.U", "E.g_exc", "E.g_inh"].
    """
    reversal = getattr(trace.network[getattr(population, "name", population)].neuron, "reversal", {})
    if {"g_exc", "g_inh"} <= set(reversal):
        population, (u, e, i) = _recorded(trace, population, ("U", "g_exc", "g_inh"), neuron, trial)
        e, i = e * (reversal["g_exc"] - u), i * (u - reversal["g_inh"])
    else:
        population, (e, i) = _recorded(trace, population, ("I_exc", "I_inh"), neuron, trial)
    figure = _figure(9.0, 3.6)
    axis = figure.subplots()
    excitation, inhibition = e[trial, :, neuron], i[trial, :, neuron]
    for values, label, line in ((excitation, "excitatory", EXCITATORY), (-inhibition, "inhibitory", INHIBITORY),
                                (excitation - inhibition, "net", "black")):
        axis.plot(trace.times * 1e3, values, color=line, linewidth=1.1, label=label)
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xlim(0, trace.duration * 1e3)
    axis.set_xlabel("time (ms)")
    axis.set_ylabel(f"synaptic current (threshold = {population.neuron.threshold:g})")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    one = stats.ei_balance(e[trial:trial + 1, :, neuron:neuron + 1], i[trial:trial + 1, :, neuron:neuron + 1])
    every = stats.ei_balance(e, i)
    axis.set_title(f"{population.name}, neuron {neuron}, trial {trial}: {_balance(one)}\n"
                   f"medians over neurons, all trials: {_balance(every)}", fontsize="medium")
    _bare(axis)
    return figure


def _balance(balance):
    ratio, correlation = (_median(values) for values in (balance.ratio, balance.correlation))
    return f"E/I ratio {ratio:.2f}, correlation {correlation:.2f}"


def _median(values):
    values = values[~np.isnan(values)]
    return np.median(values) if values.size else np.nan


# ---------------------------------------------------------------------------------------------- gradients


def gradients(trace, found):
    """How gradients shrink or grow over time: norms by step, over trials and neurons, on a logarithmic axis.

    found: Gradients of the trace, from gradient(trace, …, record=["E.U"], per_step=["E->E"]): one line for each recorded state and
    projection, in the colour of its (presynaptic) population. Steps at which a norm is zero are left out. ValueError if it has neither.
    """
    network, panels = trace.network, []
    for label, lines in (("norm of dL/dstate", {name: (name.partition(".")[0], np.sqrt(np.sum(np.square(values, dtype=float), axis=(0, 2))))
                                                for name, values in found.states.items()}),
                         ("norm of the step's part\nof dL/dweights", {name: (network.projection(name).pre, values)
                                                                     for name, values in found.per_step.items()})):
        if lines:
            panels.append((label, lines))
    if not panels:
        raise ValueError('these gradients have no steps to draw: gradient(trace, …, record=["E.U"], per_step=["E->E"]).')
    figure = _figure(8.0, 2.6 * len(panels))
    for axis, (label, lines) in zip(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels):
        drawn = {}
        for name, (population, norm) in lines.items():
            k = drawn[population] = drawn.get(population, -1) + 1
            axis.plot(trace.times * 1e3, np.where(norm > 0, norm, np.nan), color=colour(network[population]), label=name,
                      linewidth=1.2 + 0.8 * (k // len(_DASHES)), linestyle=_DASHES[k % len(_DASHES)])
        axis.set_yscale("log")
        axis.set_ylabel(label)
        axis.set_xlim(0, trace.duration * 1e3)
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", frameon=False)
        _bare(axis)
    axis.set_xlabel("time (ms)")
    return figure


# ---------------------------------------------------------------------------------------------- weights


def weights(network, report=None):
    """Histogram of the weights of every projection onto spiking populations, with the density that was aimed at.

    report: of the initializer, whose target densities are drawn as lines (a vertical one if all weights are equal);
    None for histograms alone. ValueError for projections without weights, or if there are none to draw.
    """
    projections = [p for p in network.projections if network[p.post].kind == "spiking"]
    missing = [p.name for p in projections if p.name not in network.weights]
    if missing or not projections:
        raise ValueError(f"projections without weights: {', '.join(missing)}. Set or initialize them before you plot them."
                         if missing else "the network has no projections onto spiking populations, so no weights to plot.")
    columns = min(len(projections), 3 if len(projections) <= 9 else 5)
    rows = -(-len(projections) // columns)
    figure = _figure(2.9 * columns + 0.3, 2.3 * rows + 0.2)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(projections):]:
        axis.remove()
    for k, projection in enumerate(projections):
        axis, values = axes[k], np.ravel(network.weights[projection.name]).astype(np.float64)
        if not network.in_degree(projection) > 0:       # one number may be there all the same
            values = values[:0]
        density, edges = _density(values, 40, 0.002)
        axis.stairs(density, edges, fill=True, color=colour(network[projection.pre]), alpha=0.6)
        if report is not None and projection.name in report.weights:
            _target_density(axis, edges, *report.weights[projection.name])
        axis.set_title(f"{projection.name}\n" + (f"mean {values.mean():.3g}, sd {values.std():.3g}" if values.size else "no synapses"),
                       fontsize="small")
        axis.set_xlabel("weight (U per spike)" if k >= len(projections) - columns else "")
        axis.set_ylabel("density" if k % columns == 0 else "")
        axis.tick_params(labelsize="small")
        axis.locator_params(nbins=4)
        axis.set_xlim(edges[0], edges[-1])
        axis.set_ylim(bottom=0)
        _bare(axis)
    return figure


def _target_density(axis, edges, family, mean, deviation):
    style = dict(color="black", linewidth=1.2)
    if getattr(family, "kappa", None) == 1 or (family is None and not deviation > 0):
        axis.axvline(mean, **style)     # all weights equal: there is no density
        return
    w = np.linspace(edges[0], edges[-1], 400)
    density = _gaussian(w, mean, deviation) if family is None else np.asarray(family.density(np.maximum(w, 0), mean))
    top = axis.get_ylim()[1]
    axis.plot(w, np.where(np.isfinite(density), density, np.nan), **style)
    axis.set_ylim(0, min(axis.get_ylim()[1], 1.6 * top))    # some densities are infinite at 0


# ---------------------------------------------------------------------------------------------- initializer


def initializer(report):
    """Target, predicted and measured mean and standard deviation of the free membrane, and rates, of each population.

    The rate that the equations assumed stands for its target. What was not measured is left out.
    """
    populations = list(report.populations)
    if not populations:
        raise ValueError("the report has no populations, so there is nothing to draw.")
    names = [p.name for p in populations]
    figure = _figure(9.5, 1.5 + 0.45 * len(names))
    axes = figure.subplots(1, 3, sharey=True)
    panels = (("mean of membrane U", "mu"), ("sd of membrane U", "sigma"), ("firing rate (Hz)", "rate"))
    for axis, (title, quantity) in zip(axes, panels):
        for offset, marker, kind in ((-0.2, "D", "target"), (0.0, "s", "predicted"), (0.2, "o", "measured")):
            source = "assumed" if (quantity, kind) == ("rate", "target") else kind
            values = np.array([getattr(p, f"{quantity}_{source}") for p in populations], float)
            axis.plot(values, np.arange(len(names)) + offset, linestyle="none", marker=marker, markersize=6,
                      color=_KINDS[kind], label=kind)
        axis.set_xlabel(title)
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
        for line in np.arange(len(names) - 1) + 0.5:
            axis.axhline(line, color="0.85", linewidth=0.6)
        _bare(axis)
    low, high = axes[0].dataLim.intervalx
    span = 1.15 * max(axes[1].dataLim.intervalx[1], high - low)     # U has one scale in both panels, so errors compare
    axes[0].set_xlim((low + high - span) / 2, (low + high + span) / 2)
    axes[1].set_xlim(0, span)
    axes[2].set_xlim(0, 1.15 * max(axes[2].dataLim.intervalx[1], 1e-3))
    axes[0].set_ylabel("population")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure


# ---------------------------------------------------------------------------------------------- history


def history(history, others=None, label="this run"):
    """Loss and accuracy against epoch, training (thin) and validation (heavy), and the regularizer if there was one.

    others: label -> History of runs to compare with, for instance {"naive": naive}; `label` names the first one.
    """
    runs = {label: history} | dict(others or {})
    if len(runs) != 1 + len(others or {}):
        raise ValueError(f"others has a run {label!r}, which is the label of the first run; give that another one: label=…")
    empty = [name for name, run in runs.items() if run.loss.size == 0]
    if empty:
        raise ValueError(f"the history of {', '.join(map(repr, empty))} has no epochs, so there is nothing to draw.")
    score = "accuracy" if all(np.nanmin(run.accuracy, initial=0) >= 0 for run in runs.values()) else "score (negative error)"
    panels = [(quantity, name) for quantity, name in (("loss", "loss"), ("accuracy", score))     # primed networks have neither
              if any(np.any(np.isfinite(getattr(run, quantity))) for run in runs.values())]
    if any(np.any(run.regularizer != 0) for run in runs.values()):
        panels.append(("regularizer", "regularizer"))
    figure = _figure(4.2 * len(panels), 3.4)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (quantity, name) in zip(axes, panels):
        for k, (run_label, run) in enumerate(runs.items()):
            _series(axis, run, quantity, _RUNS[k % len(_RUNS)], "" if len(runs) == 1 else f"{run_label}, ")
        axis.set_xlabel("epoch")
        axis.set_ylabel(name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylim(bottom=0 if score == "accuracy" or quantity != "accuracy" else None)
        if quantity == "accuracy" and score == "accuracy":
            axis.set_ylim(0, 1.02)
        _bare(axis)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=min(4, 2 * len(runs)), frameon=False,
                  fontsize="small")
    return figure


def _series(axis, run, quantity, line, label):
    """One run in one panel; epochs count from 1."""
    training, marker = getattr(run, quantity), "." if run.loss.size <= 30 else ""
    epochs = np.arange(1, training.size + 1)
    axis.plot(epochs, training, color=line, linewidth=1.0, linestyle="--", marker=marker, label=f"{label}training")
    validation = getattr(run, f"validation_{quantity}", None)
    if validation is not None and not np.all(np.isnan(validation)):
        axis.plot(epochs, validation, color=line, linewidth=2.0, marker=marker, label=f"{label}validation")


# ---------------------------------------------------------------------------------------------- comparison


def comparison(report, population=None, neuron=0):
    """biosnn beside Brian2 (a brian.Comparison): spikes of one trial (report.trial) in both, U of one neuron in both, their difference.

    population: which; default the first that spikes. ValueError if its U was not recorded.
    """
    population = population or next(iter(report.rasters))
    if f"{population}.U" not in report.traces:
        raise ValueError(f"the comparison holds no {population}.U; compare(..., record=[\"{population}.U\"]). It holds "
                         f"{', '.join(report.traces)}.")
    mine, other = report.traces[f"{population}.U"]
    _check_index("neuron", neuron, mine.shape[1])
    figure = _figure(8.0, 6.4)
    raster, trace, gap = figure.subplots(3, 1, sharex=True, height_ratios=(2.0, 1.5, 1.0))
    for spikes, marker, colour_, name in zip(report.rasters[population], ("o", "|"), ("#E69F00", "#000000"), ("biosnn", "Brian2")):
        raster.plot(1e3 * spikes[report.trial].times, spikes[report.trial].units, linestyle="none", marker=marker, markersize=5,
                    markerfacecolor="none", color=colour_, markeredgewidth=0.8, label=name, rasterized=True)
    raster.set_ylim(-0.5, mine.shape[1] - 0.5)
    _name(raster, f"{population}\nneuron")
    raster.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize="small")
    times = 1e3 * report.dt * np.arange(len(mine))
    trace.plot(times, mine[:, neuron], color="#E69F00", linewidth=2.6)
    trace.plot(times, other[:, neuron], color="#000000", linewidth=0.8, linestyle="--")
    _name(trace, f"U of\nneuron {neuron}")
    gap.plot(times, np.abs(mine - other).max(axis=1), color="#000000", linewidth=0.9)
    gap.set_yscale("symlog", linthresh=1e-16)
    gap.set_yticks([0, 1e-16, 1e-12, 1e-8, 1e-4, 1], ["0", *(f"$10^{{{k}}}$" for k in (-16, -12, -8, -4)), "1"])
    gap.set_yticks([], minor=True)
    _name(gap, "largest |difference|\nof U, any neuron")
    if report.divergence is not None:
        for axis in (raster, trace, gap):
            axis.axvline(1e3 * report.dt * report.divergence.step, color="#CC79A7", linewidth=1.5)
        raster.text(1e3 * report.dt * report.divergence.step, 1, "spikes differ", color="#CC79A7", fontsize="small", ha="center", va="bottom",
                    transform=raster.get_xaxis_transform())
    gap.set_xlabel("time (ms)")
    for axis in (raster, trace, gap):
        _bare(axis)
    return figure


# ---------------------------------------------------------------------------------------------- shared


def _figure(width, height):
    from matplotlib.figure import Figure    # here, so that importing biosnn does not import matplotlib
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.05)
    return figure


def _bare(axis):
    axis.spines[["top", "right"]].set_visible(False)


def _name(axis, text):
    """A label that stays readable beside a low panel."""
    axis.set_ylabel(text, rotation=0, ha="right", va="center", labelpad=10)


def _gaussian(x, mean, deviation):
    return np.exp(-((x - mean) / deviation) ** 2 / 2) / (deviation * np.sqrt(2 * np.pi))


def _density(values, most, tail):
    """Histogram of at most `most` bins, as a density of all values, without at most a share `tail` of them at either end."""
    if not values.size:         # a projection without synapses
        return np.zeros(1), np.array([-0.5, 0.5])
    low, high = np.quantile(values, tail, method="lower"), np.quantile(values, 1 - tail, method="higher")
    if not high > low:          # (nearly) all equal
        low, high = values.min(), values.max()
    if not high > low:
        low, high = low - 0.5 * max(abs(low), 1e-3), high + 0.5 * max(abs(high), 1e-3)
    if values.min() >= 0 and low < 0.1 * high:
        low = 0.0               # weights that obey Dale's law: show where they end
    counts, edges = np.histogram(values, int(np.clip(np.sqrt(values.size), 8, most)), (low, high))
    return counts / (values.size * np.diff(edges)), edges


def _n_trials(trace):
    if hasattr(trace, "mean_rates"):
        raise ValueError("this is a Simulation, of one long run; figures of trials take what run(net, spikes, record=…) returns.")
    return len(next(iter([*trace.counts.values(), *trace.states.values()])))


def _check_index(name, value, n):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < n:
        raise ValueError(f"{name} is {value!r}; it must be a whole number in 0 .. {n - 1}.")


def _recorded(trace, population, states, neuron, trial):
    """The population, and its states from the trace, or a ValueError that says how to record them."""
    population = trace.network[getattr(population, "name", population)]
    known = population.states
    absent = [state for state in states if state not in known]
    if absent:
        why = "it is an input, which has no states." if population.kind == "input" else "its units pool spikes and have no states."
        raise ValueError(f"population {population.name!r} has no state {' or '.join(absent)}; "
                         + (f"its states are {', '.join(known)}." if known else why))
    names = [f"{population.name}.{state}" for state in states]
    if not all(name in trace.states for name in names):
        wanted = ", ".join(f'"{name}"' for name in names)
        absent = " and ".join(name for name in names if name not in trace.states)
        raise ValueError(f"the trace has no {absent}, which this figure shows: simulate with run(..., record=[{wanted}]).")
    _check_index("trial", trial, _n_trials(trace))
    _check_index("neuron", neuron, population.n)
    return population, [trace.states[name] for name in names]
