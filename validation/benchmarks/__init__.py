"""How speed and memory of biosnn change from commit to commit: a suite for asv.

Networks, data and the way to measure are those of `python -m validation.speed`, from the repository
that this suite lies in. biosnn itself is the one that asv has installed, since the repository comes
last in the search path.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
