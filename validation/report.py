"""A markdown table and a figure of what `validation.speed training` measured."""

import json
import math

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

#: One colour for biosnn (black), others for the rest (Okabe & Ito's palette, safe for the colour-blind).
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
_HEADINGS = (
    "network @ batch",
    "program",
    "forward (s)",
    "adjoint (s)",
    "optimizer (s)",
    "step (s)",
    "range (s)",
    "times biosnn",
    "memory (MB)",
    "data (s)",
    "gradients differ by",
)
_FIRST_HEADINGS = (
    "network @ batch",
    "program",
    "first step (s)",
    "start to first step (s)",
    "first step, 2nd process (s)",
    "start to first step, 2nd process (s)",
)


def report(path, figure_path=None):
    """Print the tables of a JSON file of rows; write the figure."""
    rows = read_rows(path)
    print(markdown(rows))
    if figure_path:
        figure(rows).savefig(figure_path, dpi=150)


def read_rows(path):
    """The rows of a file; ValueError if it holds something else."""
    with open(path) as file:
        rows = json.load(file)
    needed = (
        "size",
        "implementation",
        "surrogate",
        "forward_s",
        "adjoint_s",
        "step_s",
        "peak_memory_mb",
    )
    if not (
        isinstance(rows, list)
        and rows
        and all(isinstance(r, dict) and all(k in r for k in needed) for r in rows)
    ):
        raise ValueError(
            f"{path} does not hold a list of rows with {', '.join(needed)}; `validation.speed training --json` writes one."
        )
    return rows


def program_label(row):
    """The program, and its surrogate where there is a choice."""
    compact = row["implementation"] == "biosnn" and row["surrogate"] == "TruncatedSuperSpike"
    return row["implementation"] + (", compact surrogate" if compact else "")


def markdown(rows):
    """Tables for README: steps, and first calls where they were measured."""
    if not rows:
        return "(no program could run)"
    lines = [
        (
            r["size"],
            program_label(r),
            seconds(r["forward_s"]),
            seconds(r["adjoint_s"]),
            seconds(r.get("optimizer_s")),
            seconds(r["step_s"]),
            _range(r),
            number(r.get("times_biosnn"), ".3g"),
            number(r["peak_memory_mb"], ".0f"),
            seconds(r.get("data_s")),
            number(r.get("gradient_difference"), ".0e"),
        )
        for r in rows
    ]
    result = _table(_HEADINGS, lines)
    firsts = [
        (
            r["size"],
            program_label(r),
            *[
                seconds(r[key])
                for key in ("first_step_s", "first_process_s", "second_step_s", "second_process_s")
            ],
        )
        for r in rows
        if "first_step_s" in r
    ]
    return result + ("\n\n" + _table(_FIRST_HEADINGS, firsts) if firsts else "") + choices(rows)


def choices(rows):
    """A line for each program of the rows that says what was chosen for it."""
    lines = dict.fromkeys(f"- {r['implementation']}: {r['chosen']}." for r in rows if "chosen" in r)
    return "\n\n" + "\n".join(lines) if lines else ""


def _table(headings, lines):
    rule = ["---", "---"] + ["---:"] * (len(headings) - 2)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [headings, rule, *lines])


def seconds(value):
    """Two or three figures, never an exponent."""
    if value is None:
        return ""
    return f"{value:.{max(0, min(6, 1 - math.floor(math.log10(value))))}f}" if value > 0 else "0"


def number(value, form):
    return "" if value is None else format(value, form)


def _range(row):
    return (
        f"{seconds(row['step_min_s'])}–{seconds(row['step_max_s'])}" if "step_min_s" in row else ""
    )


# ------------------------------------------------------------------------------------------- figure


def figure(rows):
    """Time and memory of a training step, one row of panels per size; numbers: multiples of the first program's (biosnn, dense)."""
    sizes = list(dict.fromkeys(r["size"] for r in rows))
    groups = [[r for r in rows if r["size"] == size] for size in sizes]
    result = Figure(
        figsize=(9.0, 0.9 + sum(0.5 + 0.2 * len(g) for g in groups)), layout="constrained"
    )
    axes = result.subplots(
        len(sizes),
        2,
        squeeze=False,
        height_ratios=[1 + len(g) for g in groups],
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


def in_words(size):
    """A size such as 128+32@400 for people."""
    network, _, batch = size.partition("@")
    excitatory, _, inhibitory = network.partition("+")
    name = (
        f"{excitatory} excitatory and {inhibitory} inhibitory neurons"
        if inhibitory
        else (
            f"{network[1:]} recurrent LIF neurons"
            if network.startswith("r")
            else f"{network.replace('x', ' layers of ')} LIF neurons"
        )
    )
    return f"{name}, {batch} trial{'s' if batch != '1' else ''}"


def _bars(axis, group, key, least, whiskers=False):
    """least: what is smaller is drawn there, without a multiple."""
    axis.set_xscale("log")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)
    base = group[0][key]
    for y, row in enumerate(group):
        colour = _COLOURS.get(row["implementation"], "#404040")
        value = max(row[key], least)
        open_mark = row["surrogate"] == "TruncatedSuperSpike"
        if whiskers and "step_min_s" in row:
            axis.plot([row["step_min_s"], row["step_max_s"]], [y, y], color=colour, linewidth=1.2)
        axis.plot(
            value,
            y,
            "o",
            color=colour,
            markersize=6,
            markerfacecolor="white" if open_mark else colour,
        )
        right = max(value, row.get("step_max_s", 0) if whiskers else 0)
        ratio = row.get("times_biosnn") if whiskers else None
        ratio = row[key] / base if ratio is None and base >= least else ratio
        label = (
            f"{ratio:.2g} ×"
            if ratio is not None
            else f"below {least:g}"
            if row[key] <= least
            else f"{row[key]:.2g}"
        )
        axis.annotate(
            label, (right, y), (7, 0), textcoords="offset points", va="center", fontsize="small"
        )
