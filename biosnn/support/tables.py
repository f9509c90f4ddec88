"""Tables in plain text, as wide as the screen: headings wrap, and no number is ever cut.

    print(printed(Table("Rates", ("name", "rate (Hz)"), [("E", number(4.13))]), "a note, which
    wraps"))

A `Table` may also be given to a rich Console, whose width it then takes.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, chop_cells
from rich.text import Text

_GAP = "  "  # between columns
_LEAST = 20  # columns of a screen
_NAME = 16  # columns of a name, which does not break further for all columns to fit beside it
_SHORT = 10  # columns that a name gets in any case


def number(value: float | None, form: str = ".4g") -> str:
    """Return a number for a cell; nothing for None and NaN.

    Parameters
    ----------
    value
        The number.
    form
        Its format.

    Examples
    --------
    >>> number(4.1328), number(None), number(np.inf)
    ('4.133', '', '∞')
    """
    if value is None or np.isnan(value):
        return ""
    return format(value, form) if np.isfinite(value) else "∞" if value > 0 else "-∞"


def printed(*parts: "Table | str", width: int | None = None) -> str:
    """Return tables and texts, one below the other.

    Parameters
    ----------
    *parts
        Tables, and texts, which wrap.
    width
        Columns; default those of the screen, 80 where there is none.

    Examples
    --------
    >>> print(
    ...     printed(Table("Rates", ("name", "rate (Hz)"), [("E", number(4.13))])),
    ...     end="",
    ... )
    Rates
    name  rate (Hz)
    ───────────────
    E          4.13
    """
    width = max(_LEAST, width) if width else screen_width()
    lines: list[str] = []
    for part in parts:
        if isinstance(part, Table):
            lines += [line for line, _ in part.lines(width)]
        else:
            lines += wrapped(part, width)
    return "".join(f"{line}\n" for line in lines)


def screen_width() -> int:
    """Return the columns of the screen; 80 where there is none."""
    return max(_LEAST, shutil.get_terminal_size().columns)


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken at blanks, within a word only if it must be.

    Parameters
    ----------
    text
        Any text.
    width
        Most columns of a line.

    Examples
    --------
    >>> wrapped("two words", 5)
    ['two', 'words']
    """
    lines, line = [], ""
    for word in str(text).split():
        for piece in [word] if cell_len(word) <= width else chop_cells(word, width):
            if line and cell_len(line) + 1 + cell_len(piece) > width:
                lines.append(line)
                line = ""
            line += f" {piece}" if line else piece
    return [*lines, line]


@dataclass(frozen=True)
class Table:
    """Rows of texts under headings.

    Parameters
    ----------
    title
        Above the table.
    headings
        One for each column; they break at blanks where there is little room.
    rows
        Sequences of texts, one for each column. Numbers are at the right of their columns.
    keys
        Number of columns at the left that say what a row is. They are repeated where the columns do
        not fit next to each other and go on below.

    Examples
    --------
    >>> Table("Rates", ("name", "rate (Hz)"), [("E", "4.1")]).rows
    [('E', '4.1')]
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int = 1

    def lines(self, width: int) -> Iterator[tuple[str, bool]]:
        """Yield the lines of the table.

        Parameters
        ----------
        width
            Columns of the screen.

        Yields
        ------
        line
            A line of text.
        heading
            Whether it is one of the headings.
        """
        for line in wrapped(self.title, width) if self.title else ():
            yield line, True
        least, most = self._widths(width)
        for k, columns in enumerate(self._blocks(least, width)):
            if k:
                yield "", False
            room = width - _width([least[c] for c in columns])
            sizes = []
            for c in columns:  # what is left of the room goes to headings, from the left
                sizes.append(min(most[c], least[c] + room))
                room -= sizes[-1] - least[c]
            yield from ((line, True) for line in self._cells(self.headings, columns, sizes))
            yield "─" * _width(sizes), True
            for row in self.rows:
                yield from ((line, False) for line in self._cells(row, columns, sizes))

    def _widths(self, width):
        """Of each column: the least that cuts no word, and that of a heading of one line."""
        columns = [[str(row[c]) for row in self.rows] for c in range(len(self.headings))]
        least = [
            max(map(cell_len, [*column, *heading.split(), ""]))
            for column, heading in zip(columns, self.headings)
        ]
        keys, values = least[: self.keys], least[self.keys :]
        for beside, shortest in ((_width(values), _NAME), (max(values, default=0), _SHORT)):
            while sum(keys) > width - len(_GAP) * self.keys - beside and max(keys) > shortest:
                keys[keys.index(max(keys))] -= 1  # names break, the longest first
        room = width - len(_GAP) - _width(keys)
        for c, size in enumerate(values):  # and lists of numbers, at their blanks
            if size > room:
                words = " ".join([*columns[self.keys + c], self.headings[self.keys + c]]).split()
                values[c] = max(room, *map(cell_len, words))
        most = [
            max(size, cell_len(heading))
            for size, heading in zip(values, self.headings[self.keys :])
        ]
        return keys + values, keys + most

    def _blocks(self, least, width):
        """Columns that fit side by side: lists of their numbers, each with the keys first."""
        keys, blocks = list(range(self.keys)), [[]]
        for c in range(self.keys, len(self.headings)):
            if blocks[-1] and _width([least[k] for k in [*keys, *blocks[-1], c]]) > width:
                blocks.append([])
            blocks[-1].append(c)
        return [keys + block for block in blocks]

    def _cells(self, texts, columns, sizes):
        """One row as lines."""
        parts = [wrapped(texts[c], size) if size else [""] for c, size in zip(columns, sizes)]
        for k in range(max(map(len, parts))):
            cells = []
            for c, size, part in zip(columns, sizes, parts):
                cell = part[k] if k < len(part) else ""
                blanks = " " * (size - cell_len(cell))
                cells.append(cell + blanks if c < self.keys else blanks + cell)
            yield _GAP.join(cells).rstrip()

    def __rich_console__(self, console, options):
        for line, heading in self.lines(max(_LEAST, options.max_width)):
            yield Text(line, style="bold" if heading else "", no_wrap=True, overflow="ignore")

    def __str__(self):
        return printed(self)


def _width(sizes):
    """Width of cells side by side."""
    return sum(sizes) + len(_GAP) * max(len(sizes) - 1, 0)
