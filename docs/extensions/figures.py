"""What the build takes from a program of the gallery as its figures.

Figures of biosnn do not belong to pyplot, so each Figure that a block of the program makes or
shows is drawn; so is each image that it writes into its folder `runs`.
"""

import shutil
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def figures(block: Any, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Save what is new, and return the reStructuredText that shows it."""
    names = variables["example_globals"]
    seen = names.setdefault("__seen__", [])
    paths = variables["image_path_iterator"]
    drawn = []
    for value in list(names.values()):
        if isinstance(value, Figure) and not any(value is old for old in seen):
            seen.append(value)
            drawn.append(next(paths))
            value.savefig(drawn[-1], dpi=120)
    for image in sorted(Path(variables["src_file"]).parent.glob("runs/**/*.png")):
        if str(image) not in seen:
            seen.append(str(image))
            drawn.append(next(paths))
            shutil.copy(image, drawn[-1])
    return figure_rst(drawn, gallery["src_dir"])
