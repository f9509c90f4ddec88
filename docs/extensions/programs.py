"""The directive `program`: a program in `docs/programs`, which the build runs, and what it prints.

    .. program-file:: same_network.py

With the option `:only-shown:` it is shown and not run (it needs a package that the build has not).
With `:needs: brian2` it is run where that package is installed.
"""

import contextlib
import importlib.util
import io
import runpy
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.application import Sphinx

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"


class Program(Directive):
    """A listing, and below it the output."""

    required_arguments = 1
    option_spec: ClassVar = {"only-shown": directives.flag, "needs": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Make the listing, and run the program."""
        path = PROGRAMS / self.arguments[0]
        self.state.document.settings.env.note_dependency(str(path))
        text = path.read_text(encoding="utf-8")
        result: list[nodes.Node] = [nodes.literal_block(text, text, language="python")]
        needed = self.options.get("needs")
        missing = needed is not None and importlib.util.find_spec(needed) is None
        if "only-shown" in self.options or missing:
            return result
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(path), run_name="__main__")
        output = printed.getvalue().rstrip()
        result.append(nodes.literal_block(output, output, language="text", classes=["output"]))
        return result


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("program-file", Program)
    return {"parallel_read_safe": True}
