"""Tables and numbers as README has them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]


def table(headings: Sequence[str], lines: Iterable[Sequence[str]], *, keys: int = 2) -> str:
    """Write a table whose first `keys` columns are text, the others numbers."""
    rule = ["---"] * keys + ["---:"] * (len(headings) - keys)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [headings, rule, *lines])


def seconds(value: float | None) -> str:
    """Two or three figures, never an exponent; nothing for None.

    Examples
    --------
    >>> seconds(0.01234), seconds(12.34)
    ('0.012', '12')
    """
    if value is None:
        return ""
    if value <= 0:
        return "0"
    return f"{value:.{max(0, min(6, 1 - math.floor(math.log10(value))))}f}"


def number(value: float | None, form: str) -> str:
    """A number in a format; nothing for None."""
    return "" if value is None else format(value, form)


def choices(rows: Iterable[Row]) -> str:
    """A line for each program of the rows that says what was chosen for it."""
    lines = dict.fromkeys(f"- {r['implementation']}: {r['chosen']}." for r in rows if "chosen" in r)
    return "\n\n" + "\n".join(lines) if lines else ""
