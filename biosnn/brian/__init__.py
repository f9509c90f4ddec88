"""The same network in Brian2, and the comparison of both programs.

`to_brian2` builds Brian2 objects, `script` writes them as a Python file to read, edit and publish,
and `compare` runs both programs and says where they agree. Brian2 (Stimberg, Brette & Goodman 2019,
eLife 8:e47314) is imported only when one of them needs it. For the comparison biosnn runs in
float64, as Brian2 does.

    to_brian2                       objects.py
    script                          script.py, script_blocks.py
    compare                         comparison.py: trials.py, divergence.py, distributions.py
    what compare returns            report.py
    equations of a population       description.py
    synapses and their plasticity   synapses.py; units that pool spikes: pooling.py
    names for Brian2                identifiers.py
    input of a trial                trial_input.py
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
