"""The figure of what `validation.speed training` measured: time and memory of a training step."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from .markdown import Row
from .report import program_label

#: Black for biosnn, others for the rest (Okabe & Ito's palette, safe for the colour-blind).
_COLOURS = {
    "biosnn": "#000000",
    "PyTorch": "#E69F00",
    "PyTorch, fused": "#56B4E9",
    "PyTorch, compiled": "#009E73",
    "JAX": "#D55E00",
    "snnTorch": "#CC79A7",
    "Norse": "#999933",
    "SpikingJelly": "#8C8C8C",
}
_LEAST_MB = 1.0  # memory that the operating system tells apart


def figure(rows: list[Row]) -> Figure:
    """Draw one row of panels per size; numbers: multiples of the first program (biosnn, dense)."""
    sizes = list(dict.fromkeys(r["size"] for r in rows))
    groups = [[r for r in rows if r["size"] == size] for size in sizes]
    height = 0.9 + sum(0.5 + 0.2 * len(group) for group in groups)
    result = Figure(figsize=(9.0, height), layout="constrained")
    axes = result.subplots(
        len(sizes),
        2,
        squeeze=False,
        height_ratios=[1 + len(group) for group in groups],
        sharex="col",
        sharey="row",
    )
    for group, (left, right) in zip(groups, axes):
        _bars(left, group, "step_s", 1e-6, whiskers=True)
        _bars(right, group, "peak_memory_mb", _LEAST_MB)
        left.set_yticks(range(len(group)), [program_label(r) for r in group], fontsize="small")
        left.set_title(in_words(group[0]["size"]), loc="left", fontsize="medium")
        left.set_ylim(len(group) - 0.4, -0.6)
    for axis, label in zip(axes[-1], ("time of a training step (s)", "peak memory of it (MB)")):
        axis.set_xlabel(label)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        low, high = axis.get_xlim()
        axis.set_xlim(low, high * 3)  # room for the numbers
    return result


def in_words(size: str) -> str:
    """A size for people.

    Examples
    --------
    >>> in_words("128+32@400")
    '128 excitatory and 32 inhibitory neurons, 400 trials'
    """
    network, _, batch = size.partition("@")
    excitatory, _, inhibitory = network.partition("+")
    if inhibitory:
        name = f"{excitatory} excitatory and {inhibitory} inhibitory neurons"
    elif network.startswith("r"):
        name = f"{network[1:]} recurrent LIF neurons"
    else:
        name = f"{network.replace('x', ' layers of ')} LIF neurons"
    return f"{name}, {batch} trial{'s' if batch != '1' else ''}"


def _bars(axis: Axes, group: list[Row], key: str, least: float, whiskers: bool = False) -> None:
    """Points over programs. least: what is smaller is drawn there, without a multiple."""
    axis.set_xscale("log")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)
    for y, row in enumerate(group):
        colour = _COLOURS.get(row["implementation"], "#404040")
        value = right = max(row[key], least)
        if whiskers and "step_min_s" in row:
            right = max(value, row["step_max_s"])
            axis.plot([row["step_min_s"], row["step_max_s"]], [y, y], color=colour, linewidth=1.2)
        fill = "white" if row["surrogate"] == "TruncatedSuperSpike" else colour
        axis.plot(value, y, "o", color=colour, markersize=6, markerfacecolor=fill)
        ratio = row.get("times_biosnn") if whiskers else None
        text = _multiple(row[key], group[0][key], ratio, least)
        offset: Row = {"textcoords": "offset points", "va": "center", "fontsize": "small"}
        axis.annotate(text, (right, y), (7, 0), **offset)


def _multiple(value: float, base: float, ratio: float | None, least: float) -> str:
    """A value as a multiple of that of biosnn, where both can be measured."""
    if ratio is None and base >= least:
        ratio = value / base
    if ratio is not None:
        return f"{ratio:.2g} ×"
    return f"below {least:g}" if value <= least else f"{value:.2g}"
