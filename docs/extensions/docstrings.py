"""Docstrings are written to be read as text; this makes them reStructuredText.

- `|x|`, `a * b` and `name_` are signs of mathematics, not markup: they are escaped.
- An indented block in a paragraph of text (an equation) keeps its lines.
- A section Returns or Yields of plain sentences is one paragraph.
- A link to where an object is defined leads to the page of its public name.
- A public name without a page is a warning.
"""

import re
import sys
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import biosnn

#: Sections of numpydoc in which there are entries and not text.
ENTRIES = (
    "Parameters",
    "Other Parameters",
    "Attributes",
    "Methods",
    "Raises",
    "Warns",
    "See Also",
)
MODULES = (
    "brian",
    "data",
    "encode",
    "experiments",
    "families",
    "interop",
    "perturb",
    "plot",
    "schedules",
    "signals",
    "space",
    "stats",
    "theory",
)


def prepare(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]):
    """Change the lines of a docstring in place, before numpydoc reads them."""
    result = []
    for heading, body in _sections(lines):
        if heading:
            result += [heading, "-" * len(heading)]
        if heading in ("Returns", "Yields"):
            body = _prose_in_one_line(body)
        if heading not in (*ENTRIES, "Examples", "Returns", "Yields"):
            body = _equations_kept(body)
        result += body if heading == "Examples" else _escaped(body)
    lines[:] = result


def _sections(lines: list[str]) -> list[tuple[str, list[str]]]:
    """(heading, lines) of every section; the first has no heading."""
    found: list[tuple[str, list[str]]] = [("", [])]
    n = 0
    while n < len(lines):
        below = lines[n + 1] if n + 1 < len(lines) else ""
        if re.fullmatch(r"-{3,}", below) and re.fullmatch(r"[A-Z][\w ]*", lines[n]):
            found.append((lines[n], []))
            n += 2
        else:
            found[-1][1].append(lines[n])
            n += 1
    return found


def _prose_in_one_line(body: list[str]) -> list[str]:
    """Sentences without an entry, which numpydoc would take for an entry in each line."""
    text = [line for line in body if line.strip()]
    if any(line.startswith(" ") for line in text) or any(" : " in line for line in text):
        return body
    return [" ".join(text), ""]


def _equations_kept(body: list[str]) -> list[str]:
    """Indented blocks as literal blocks."""
    result: list[str] = []
    literal = False
    for n, line in enumerate(body):
        indented = line.startswith("    ")
        begins = indented and not literal and (n == 0 or not body[n - 1].strip())
        before = next((old for old in reversed(result) if old.strip()), "")
        if begins:
            literal = True
            if not before.endswith("::") and not re.match(r"\s*(\.\. |[-*] |\d+\. )", before):
                result += ["::", ""]
        elif line.strip() and not indented:
            literal = False
        result.append(line)
    return result


def _escaped(body: list[str]) -> list[str]:
    """Signs of markup escaped, but not in literal blocks and not between backticks."""
    result, literal, depth = [], False, 0
    for line in body:
        indent = len(line) - len(line.lstrip())
        if literal and line.strip() and indent <= depth:
            literal = False
        result.append(line if literal else _escaped_line(line))
        if line.rstrip().endswith("::") and not literal:
            literal, depth = True, indent
    return result


def _escaped_line(line: str) -> str:
    """One line: `|`, `*` and `_` at the end of a word, outside of backticks."""
    if line.lstrip().startswith((".. ", ":", "|")):
        return line
    bullet = re.match(r"\s*\* ", line)
    head, rest = (line[: bullet.end()], line[bullet.end() :]) if bullet else ("", line)
    parts = re.split(r"(``.*?``|`[^`]*`_{0,2})", rest)
    for n in range(0, len(parts), 2):
        text = re.sub(r"(?<!\\)([|*])", r"\\\1", parts[n])
        parts[n] = re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)
    return head + "".join(parts)


def public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contents: nodes.Element
) -> nodes.reference | None:
    """Resolve `biosnn.network.network.Network` as `biosnn.Network`."""
    target = node.get("reftarget", "").partition("(")[0]
    name = PUBLIC.get(target)
    if name is None and target.startswith("bs."):
        name = target.replace("bs.", "biosnn.", 1)
    if node.get("refdomain") != "py" or name is None:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], name, node, contents
    )


def names_of(module: ModuleType) -> list[str]:
    """The public names of a module."""
    own = (n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__)
    return list(getattr(module, "__all__", None) or (n for n in own if not n.startswith("_")))


def _public() -> dict[str, str]:
    """Where each public object is defined -> its public name; `bs.name` -> `biosnn.name`."""
    names = {}
    for prefix, module in [("biosnn", biosnn)] + [
        (f"biosnn.{name}", getattr(biosnn, name)) for name in MODULES
    ]:
        short = prefix.replace("biosnn", "bs", 1)
        for name in names_of(module):
            thing = getattr(module, name)
            names[f"{short}.{name}"] = names[f"{prefix}.{name}"] = f"{prefix}.{name}"
            if isinstance(thing, type) or callable(thing):
                names[f"{thing.__module__}.{thing.__qualname__}"] = f"{prefix}.{name}"
    return names


def check_pages(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that have no page in the reference."""
    found = env.get_domain("py").objects
    for name in sorted(set(PUBLIC.values()) - set(found)):
        module, _, last = name.rpartition(".")
        if callable(getattr(sys.modules[module], last)):
            LOG.warning("%s has no page: docs/reference must list it", name)


LOG = logging.getLogger(__name__)
PUBLIC = _public()
for _name in MODULES:  # `biosnn.plot` is an attribute; Sphinx imports modules by name
    sys.modules.setdefault(f"biosnn.{_name}", getattr(biosnn, _name))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect all three."""
    app.connect("autodoc-process-docstring", prepare, priority=100)
    app.connect("missing-reference", public_name)
    app.connect("env-check-consistency", check_pages)
    return {"parallel_read_safe": True}
