"""How objects show themselves: a title, labelled values and tables, as text and as HTML.

An object describes itself once, in a method `_about`, and `Shows` makes of it both what `repr`
prints and what a notebook displays:

    @dataclass(frozen=True, repr=False)
    class Run(Shows):
        n_trials: int

        def _about(self):
            return About("Run", [("trials", f"{self.n_trials}")])

An `About` holds no arrays: say their shape.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from rich.cells import cell_len

from .tables import Table, printed, screen_width, wrapped

#: Most columns, also on a wider screen.
WIDTH = 88
_GAP = "  "
_UNITS = ("bytes", "kB", "MB", "GB", "TB")

Rows = Sequence[tuple[str, str]]
Tables = Table | Sequence[Table] | None


class About(NamedTuple):
    """What an object says of itself.

    Parameters
    ----------
    title
        Its kind and, where it has one, its name.
    rows
        Pairs (label, value).
    table
        What is best read in columns: a table, or several.
    """

    title: str
    rows: Rows = ()
    table: Tables = None


class Shows:
    """Base of objects that show themselves. Dataclasses need `repr=False`."""

    def _about(self) -> About:
        """Describe the object in a few lines."""
        raise NotImplementedError(f"{type(self).__name__} has no _about()")

    def __repr__(self) -> str:
        return text(*self._about())

    def _repr_html_(self) -> str:
        """Return the same as HTML, for notebooks."""
        return html(*self._about())


def text(title: str, rows: Rows = (), table: Tables = None) -> str:
    """Return a title, labelled values and a table as plain text.

    Parameters
    ----------
    title
        The first line.
    rows
        Pairs (label, value), one a line; long values wrap beside their label.
    table
        A table below them, or several.

    Returns
    -------
    Lines as wide as the screen, but at most `WIDTH` columns, without a newline at the end.

    Examples
    --------
    >>> print(text("Population E", [("neurons", "400"), ("sign", "excitatory")]))
    Population E
      neurons  400
      sign     excitatory
    """
    width = min(WIDTH, screen_width())
    lines = wrapped(title, width)
    widest = max((cell_len(label) for label, _ in rows), default=0)
    for label, value in rows:
        start = _GAP + label + " " * (widest - cell_len(label)) + _GAP
        for line in wrapped(value, max(width - cell_len(start), 1)):
            lines.append((start + line).rstrip())
            start = " " * cell_len(start)
    for k, each in enumerate(_filled(table)):
        lines += [""] if rows or k else []
        lines += printed(each, width=width).splitlines()
    return "\n".join(lines)


def html(title: str, rows: Rows = (), table: Tables = None) -> str:
    """Return a title, labelled values and a table as HTML, for notebooks.

    Parameters
    ----------
    title, rows, table
        As for `text`.

    Returns
    -------
    One `<div>` of plain tables. Whatever the values hold is escaped.

    Examples
    --------
    >>> html("A & B", [("neurons", "3")])[:40]
    '<div class="biosnn"><b>A &amp; B</b><tab'
    """
    parts = [f"<b>{escape(title)}</b>"]
    if rows:
        cells = "".join(_row("td", pair, left=2) for pair in rows)
        parts.append(f"<table>{cells}</table>")
    parts += [_html_table(each) for each in _filled(table)]
    return f'<div class="biosnn">{"".join(parts)}</div>'


def _filled(table):
    """The tables that have rows."""
    tables = () if table is None else (table,) if isinstance(table, Table) else table
    return [each for each in tables if each.rows]


def _html_table(table):
    """The same columns as in plain text: keys at the left, numbers at the right."""
    head = _row("th", table.headings, table.keys)
    body = "".join(_row("td", row, table.keys) for row in table.rows)
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(tag, texts, left):
    """One row of HTML, of which the first `left` cells are aligned to the left."""
    cells = [
        f'<{tag} style="text-align:{"left" if c < left else "right"}">{escape(str(each))}</{tag}>'
        for c, each in enumerate(texts)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def nbytes(count: float) -> str:
    """Return a number of bytes in words.

    Examples
    --------
    >>> nbytes(999), nbytes(1234567)
    ('999 bytes', '1.23 MB')
    """
    power = 0
    while count >= 999.5 and power < len(_UNITS) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.0f} {_UNITS[power]}" if power == 0 else f"{count:.3g} {_UNITS[power]}"


def milliseconds(seconds: float) -> str:
    """Return a time (s) in words, in milliseconds where it is shorter than a second.

    Examples
    --------
    >>> milliseconds(0.0015), milliseconds(2.5), milliseconds(0)
    ('1.5 ms', '2.5 s', '0 ms')
    """
    return f"{seconds:.6g} s" if abs(seconds) >= 1 else f"{seconds * 1e3:.6g} ms"


def plural(count: int, thing: str) -> str:
    """Return a number with what is counted.

    Examples
    --------
    >>> plural(1, "neuron"), plural(1200, "neuron")
    ('1 neuron', '1,200 neurons')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
