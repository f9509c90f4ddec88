"""The matrix as a page of the documentation, and the results that it shows."""

import json
from pathlib import Path

from .refused import REASONS
from .table import FEATURES, USES

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "data" / "capabilities.json"
PAGE = ROOT / "docs" / "reference" / "capabilities.rst"

_TOP = """\
What works with what
====================

Features of a network are rows, and what can be done with it are columns. Everything in this table
was tested on a small network, and the page is written from the results:
``python -m tests.capabilities --write``.

**yes**
    It works. Spikes of `simulate` and `run` are those of a slow, obvious program of numpy, states
    agree to 1e-10, and the first trial of `run` has the bits of `simulate`. Gradients are those of
    the smooth twin by central differences, to 1e-6. Brian2 has the same spikes.
    `fluctuation_driven` gives free membranes the mean and the deviation that were asked for, to a
    sixth of the deviation. Means, deviations and rates of `regime` are near those of a simulation.
**no**
    It is refused with a message; the reason stands below the table.
**–**
    The question makes no sense; the list at the end says why.

.. currentmodule:: biosnn

"""
_RULE = ".. list-table::\n   :header-rows: 1\n   :widths: 40 10 10 10 10 10 10\n"


def key(feature) -> str:
    """The name of a feature in the results."""
    return f"{feature.group}: {feature.name}"


def read() -> dict:
    """Feature -> use -> result."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def write(results: dict) -> None:
    """Keep results, and write the page."""
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(text_of(results), encoding="utf-8")


def text_of(results: dict) -> str:
    """The page."""
    parts = [_TOP, *_tables(results), _refusals(results), _senseless()]
    return "".join(parts).rstrip() + "\n"


def _heading(words):
    """A heading of the second level."""
    return f"{words}\n{'-' * len(words)}\n\n"


def _tables(results):
    """One table for each group of features."""
    for group in dict.fromkeys(feature.group for feature in FEATURES):
        rows = [("feature", *USES.values())]
        for feature in (f for f in FEATURES if f.group == group):
            found = results.get(key(feature), {})
            rows.append((_shown(feature.name), *(_word(found.get(use)) for use in USES)))
        yield _heading(group) + _RULE + "\n" + "".join(map(_row, rows)) + "\n"


def _row(cells):
    """A row of a list-table."""
    first, *others = cells
    return f"   * - {first}\n" + "".join(f"     - {cell}\n" for cell in others)


def _shown(name):
    """Code in a name as a literal."""
    return name.replace("`", "``")


def _word(result):
    """A cell."""
    if result is None:
        return "–"
    return "yes" if "works" in result else "**no**"


def _refusals(results):
    """Messages and reasons."""
    lines = [_heading("What is refused, and why")]
    for feature in FEATURES:
        for use, result in results.get(key(feature), {}).items():
            if "refused" in result:
                reason = REASONS.get((feature.name, use), "?")
                lines.append(f"{_shown(feature.name)}, {_shown(USES[use])}\n    {reason}\n\n")
                lines.append(f"    *The message:* {_literal(result['refused'])}\n\n")
    return "".join(lines)


def _literal(text):
    """A message as it stands."""
    return f"``{text}``"


def _senseless():
    """Why some cells make no sense."""
    lines, found = [_heading("What makes no sense")], {}
    for feature in FEATURES:
        for use, why in feature.without.items():
            found.setdefault((why, use), []).append(_shown(feature.name))
    for (why, use), names in found.items():
        lines.append(f"* {_shown(USES[use])} – {'; '.join(names)}: {_shown(why)}.\n")
    return "".join(lines)
