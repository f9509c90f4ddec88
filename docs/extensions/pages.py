"""Pages that the build makes of files of the repository, so that nothing stands there twice.

`README.md`, `models/README.md`, `CONTRIBUTING.md`, `CHANGELOG.md` and `validation/README.md`
become pages; `models/` and `models/examples/` become the sources of galleries.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
REPOSITORY = "https://github.com/biosnn/biosnn/blob/main/"
#: Page -> file.
PAGES = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "validation.md": "validation/README.md",
    "what_is_in_it.md": "models/README.md",
}
MEASURED = """# Measured

Times are ratios within one run on one machine, against the best program that a knowledgeable user
of the other package would write. Each table says how it was made; [](validation.md) explains the
programs.
"""
#: Files of `models/` that programs share.
SHARED = ("__init__.py", "activity.py", "command_line.py")


def make_pages(_app: Sphinx | None = None) -> None:
    """Write all of `docs/generated` that galleries and pages start from."""
    generated = DOCS / "generated"
    generated.mkdir(exist_ok=True)
    for page, file in PAGES.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        _write(generated / page, with_links(text, Path(file).parent, generated))
    _write(generated / "measured.md", with_links(measured(), Path(), generated))
    _stage("examples", _named((ROOT / "models" / "examples").glob("*.py")))
    papers = _named((ROOT / "models").glob("*.py"))
    papers |= {file.parent.name: file for file in (ROOT / "models").glob("*/__main__.py")}
    _stage("models", papers)


def _named(files: Iterable[Path]) -> dict[str, Path]:
    """Name of a page -> program."""
    return {file.stem: file for file in files if file.name not in SHARED}


def measured() -> str:
    """The measured comparisons of README as a page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    speed = section(readme, "Speed").replace("\n### ", "\n## ")
    agreement = section(readme, "Checked against Brian2")
    return f"{MEASURED}\n{speed}\n## Agreement with Brian2\n{agreement}"


def section(text: str, heading: str) -> str:
    """The section of a Markdown text below `## heading`."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if found is None:
        raise ValueError(f"no section {heading!r}")
    return found[1]


def with_links(text: str, folder: Path, generated: Path) -> str:
    """Links to files of the repository as links to where it is published; images are copied."""

    def replaced(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        path = ROOT / folder / target.partition("#")[0]
        if target.startswith(("http", "#")) or not path.exists():
            return match[0]
        if image:
            shutil.copy(path, generated / path.name)
            return f"![{words}](/generated/{path.name})"
        return f"[{words}]({REPOSITORY}{(folder / target).as_posix()})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", replaced, text)


def _stage(name: str, programs: dict[str, Path]) -> None:
    """Copy programs and the header of their gallery to where the gallery starts from."""
    folder = DOCS / "generated" / "sources" / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        if old.stem not in programs:
            old.unlink()
    for page, file in programs.items():
        _write(folder / f"{page}.py", _standing_alone(file))
    header = DOCS / "galleries" / f"{name}.rst"
    _write(folder / "GALLERY_HEADER.rst", header.read_text(encoding="utf-8"))


def _standing_alone(file: Path) -> str:
    """A program that also runs outside of its package: its imports say whole names."""
    packages = file.relative_to(ROOT).parent.parts

    def whole(match: re.Match[str]) -> str:
        dots, module = match.groups()
        return ".".join([*packages[: len(packages) + 1 - len(dots)], *filter(None, [module])])

    return re.sub(r"(?<=^from )(\.+)([\w.]*)", whole, file.read_text(encoding="utf-8"), flags=re.M)


def _write(path: Path, text: str) -> None:
    """Write a file, unless it says so already: its date says what must be built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages before galleries are built."""
    app.connect("builder-inited", make_pages, priority=100)
    return {"parallel_read_safe": True}
