"""Markdown tables of what `validation.speed training` and `… simulation` measured."""

import json
from pathlib import Path
from typing import Any

from . import markdown
from .markdown import Row, number, seconds

_STEP = (
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
_FIRST = (
    "network @ batch",
    "program",
    "first step (s)",
    "start to first step (s)",
    "first step, 2nd process (s)",
    "start to first step, 2nd process (s)",
)
_CIRCUIT = (
    "model",
    "scale",
    "program",
    "threads",
    "build (s)",
    "run (s)",
    "range (s)",
    "simulated (s)",
    "rate (Hz)",
    "times biosnn",
)
#: Lines of README's table of a training step.
_SUMMARY = (
    ("a step (s)", "step_s", seconds),
    ("memory of it (MB)", "peak_memory_mb", lambda value: number(value, ".0f")),
    (
        "from the start of a process to its first step, nothing compiled before (s)",
        "first_process_s",
        seconds,
    ),
    ("… the second time (s)", "second_process_s", seconds),
)
#: What rows of a kind have.
_NEEDED = {
    "training": (
        "size",
        "implementation",
        "surrogate",
        "forward_s",
        "adjoint_s",
        "step_s",
        "peak_memory_mb",
    ),
    "simulation": (
        "model",
        "implementation",
        "threads",
        "scale",
        "build_s",
        "run_s",
        "simulated_s",
        "rate_hz",
    ),
}


def report(path: str, figure_path: str | None = None) -> None:
    """Print the tables of a file of rows, README's last; write the figure (of a training alone)."""
    kind, rows = read_rows(path)
    if kind == "training":
        print(training(rows), training_summary(rows), sep="\n\n")
    else:
        print(simulation(rows), simulation_summary(rows), sep="\n\n")
    if figure_path and kind == "training":
        from .report_figure import figure

        figure(rows).savefig(figure_path, dpi=150)


def read_rows(path: str | Path) -> tuple[str, list[Row]]:
    """The rows of a file, and their kind: "training" or "simulation".

    Raises
    ------
    ValueError
        If it holds something else.
    """
    rows = json.loads(Path(path).read_text())
    for kind, needed in _NEEDED.items():
        if _are_rows(rows, needed):
            return kind, rows
    kinds = " or ".join(f"{kind} ({', '.join(needed)})" for kind, needed in _NEEDED.items())
    raise ValueError(
        f"{path} does not hold a list of rows of {kinds}; `validation.speed training --json FILE` "
        "and `… simulation --json FILE` write one."
    )


def _are_rows(rows: Any, needed: tuple[str, ...]) -> bool:
    """Whether it is a list of dicts with these keys."""
    if not (isinstance(rows, list) and rows):
        return False
    return all(isinstance(row, dict) and row.keys() >= set(needed) for row in rows)


# ----------------------------------------------------------------------------------------- training


def program_label(row: Row) -> str:
    """The program, and its surrogate where there is a choice."""
    compact = row["implementation"] == "biosnn" and row["surrogate"] == "TruncatedSuperSpike"
    return row["implementation"] + (", compact surrogate" if compact else "")


def training(rows: list[Row]) -> str:
    """All that was measured of training steps, and first calls where they were measured."""
    if not rows:
        return "(no program could run)"
    result = markdown.table(_STEP, [_step(row) for row in rows])
    firsts = [_first(row) for row in rows if "first_step_s" in row]
    if firsts:
        result += "\n\n" + markdown.table(_FIRST, firsts)
    return result + markdown.choices(rows)


def _step(row: Row) -> tuple[str, ...]:
    """A line of the table of steps."""
    return (
        row["size"],
        program_label(row),
        seconds(row["forward_s"]),
        seconds(row["adjoint_s"]),
        seconds(row.get("optimizer_s")),
        seconds(row["step_s"]),
        _range(row, "step"),
        number(row.get("times_biosnn"), ".3g"),
        number(row["peak_memory_mb"], ".0f"),
        seconds(row.get("data_s")),
        number(row.get("gradient_difference"), ".0e"),
    )


def _first(row: Row) -> tuple[str, ...]:
    """A line of the table of first calls."""
    return (
        row["size"],
        program_label(row),
        seconds(row["first_step_s"]),
        seconds(row["first_process_s"]),
        seconds(row["second_step_s"]),
        seconds(row["second_process_s"]),
    )


def _range(row: Row, what: str) -> str:
    """The shortest and the longest of the repeats."""
    if f"{what}_min_s" not in row:
        return ""
    return f"{seconds(row[f'{what}_min_s'])}–{seconds(row[f'{what}_max_s'])}"


def training_summary(rows: list[Row]) -> str:
    """README's table: a column for each program, of the first size."""
    same = [row for row in rows if row["size"] == rows[0]["size"]]
    lines = [
        [label, *(form(row.get(key)) for row in same)]
        for label, key, form in _SUMMARY
        if any(key in row for row in same)
    ]
    headings = [rows[0]["size"], *(program_label(row) for row in same)]
    return markdown.table(headings, lines, keys=1)


# --------------------------------------------------------------------------------------- simulation


def simulation(rows: list[Row]) -> str:
    """All that was measured of circuits, beside the fastest run of biosnn."""
    if not rows:
        return "(no program could run)"
    return markdown.table(_CIRCUIT, [_circuit(row, rows) for row in rows]) + markdown.choices(rows)


def _circuit(row: Row, rows: list[Row]) -> tuple[str, ...]:
    """A line of the table of circuits."""
    ours = (row["model"], row["scale"], "biosnn")
    same = [r["run_s"] for r in rows if (r["model"], r["scale"], r["implementation"]) == ours]
    return (
        row["model"],
        f"{row['scale']:g}",
        row["implementation"],
        str(row["threads"]),
        seconds(row["build_s"]),
        seconds(row["run_s"]),
        _range(row, "run"),
        f"{row['simulated_s']:g}",
        f"{row['rate_hz']:.2f}",
        f"{row['run_s'] / min(same):.3g}" if same else "",
    )


def simulation_summary(rows: list[Row]) -> str:
    """README's table: each program with its better number of threads, and its rate."""
    programs = list(dict.fromkeys(row["implementation"] for row in rows))
    lines = []
    for model, scale in dict.fromkeys((row["model"], row["scale"]) for row in rows):
        cells = []
        for program in programs:
            key = (model, scale, program)
            runs = [r for r in rows if (r["model"], r["scale"], r["implementation"]) == key]
            best = min(runs, key=lambda run: run["run_s"], default=None)
            cells.append(f"{seconds(best['run_s'])} ({best['rate_hz']:.1f} Hz)" if best else "")
        lines.append([model if scale == 1 else f"{model}, scale {scale:g}", *cells])
    return markdown.table(["circuit", *programs], lines, keys=1)
