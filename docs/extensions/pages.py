"""Pages that the build makes of files of the repository, so that nothing stands there twice.

`README.md`, `models/README.md`, `CONTRIBUTING.md`, `CHANGELOG.md` and `validation/README.md`
become pages; `models/` and `models/examples/` become the sources of galleries.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
REPOSITORY = "https://github.com/biosnn/biosnn/blob/main/"
#: Page -> (file, headings of the sections to take or None for all).
PAGES = {
    "changelog.md": ("CHANGELOG.md", None),
    "contributing.md": ("CONTRIBUTING.md", None),
    "validation.md": ("validation/README.md", None),
    "readme_speed.md": ("README.md", ["Speed"]),
    "models_training.md": ("models/README.md", ["Training"]),
    "models_circuits.md": ("models/README.md", ["Circuits"]),
    "models_what.md": ("models/README.md", ["What is in it"]),
    "readme_brian2.md": ("README.md", ["Checked against Brian2"]),
}
#: Files of `models/` that programs share.
SHARED = ("__init__.py", "activity.py", "command_line.py")


def make_pages(_app: Sphinx | None = None) -> None:
    """Write all of `docs/generated` that galleries and pages start from."""
    generated = DOCS / "generated"
    generated.mkdir(exist_ok=True)
    for page, (file, headings) in PAGES.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        if headings is not None:
            text = "\n".join(section(text, heading) for heading in headings)
        _write(generated / page, with_links(text, Path(file).parent, generated))
    _stage("examples", sorted((ROOT / "models" / "examples").glob("*.py")))
    _stage("models", sorted((ROOT / "models").glob("*.py")))
    paper = ROOT / "models" / "rossbroich_2022" / "__main__.py"
    _write(generated / "sources" / "models" / "rossbroich_2022.py", paper.read_text("utf-8"))


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
            return f"![{words}]({path.name})"
        return f"[{words}]({REPOSITORY}{(folder / target).as_posix()})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", replaced, text)


def _stage(name: str, files: list[Path]) -> None:
    """Copy programs and the header of their gallery to where the gallery starts from."""
    folder = DOCS / "generated" / "sources" / name
    folder.mkdir(parents=True, exist_ok=True)
    kept = [file for file in files if file.name not in SHARED]
    for old in set(folder.glob("*.py")) - {folder / file.name for file in kept}:
        old.unlink()
    for file in kept:
        _write(folder / file.name, file.read_text(encoding="utf-8"))
    header = DOCS / "galleries" / f"{name}.rst"
    _write(folder / "GALLERY_HEADER.rst", header.read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    """Write a file, unless it says so already: its date says what must be built anew."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the pages before galleries are built."""
    app.connect("builder-inited", make_pages, priority=100)
    return {"parallel_read_safe": True}
