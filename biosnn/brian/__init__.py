"""The same network in Brian2, and the comparison of both programs.

`to_brian2` builds Brian2 objects, `script` writes them as a Python file to read, edit and publish, and `compare` runs both
programs and says where they agree. Brian2 (Stimberg, Brette & Goodman 2019, eLife 8:e47314) is imported only here, and
only when one of them is called. biosnn runs in float64 for the comparison, as Brian2 does.

    description.py   equations and arrays of every population and projection, as text and numbers; what cannot be expressed
    objects.py       to_brian2
    script.py        script
    comparison.py    compare
    report.py        what compare returns
"""

from .comparison import compare
from .description import require_brian2
from .objects import BrianNetwork, to_brian2
from .report import Comparison, Divergence
from .script import script

__all__ = [
    "BrianNetwork",
    "Comparison",
    "Divergence",
    "compare",
    "require_brian2",
    "script",
    "to_brian2",
]
