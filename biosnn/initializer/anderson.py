"""Fixed points of maps that may be steeper than the identity: Anderson's acceleration."""

import numpy as np
from numpy.typing import NDArray

#: The largest logarithm of a correction that counts as near the target.
_NEAR = 0.2
#: Positions that count: the last ones, and before them those near the target.
_LAST, _MOST = 5, 12
#: Differences below it tell nothing.
_JITTER = 1e-3


class Anderson:
    """Anderson mixing of a fixed-point iteration x <- g(x), with steps of at most log 2.

    The map is measured in simulations and jitters from one position to the next. So near the target
    more differences than unknowns are kept, and they are fitted with a ridge. Far from it the map
    bends, and old ones mislead.

    References
    ----------
    Anderson (1965), J. ACM 12:547; Walker & Ni (2011), SIAM J. Numer. Anal. 49:1715.

    Examples
    --------
    >>> mixing, x = Anderson(), np.array([0.0])
    >>> for _ in range(6):
    ...     x = mixing.step(x, 0.6 - 1.5 * x)  # plain iteration diverges
    >>> f"{x[0]:.3f}"
    '0.240'
    """

    def __init__(self) -> None:
        self.positions: list[NDArray[np.float64]] = []
        self.residuals: list[NDArray[np.float64]] = []

    def step(
        self, position: NDArray[np.float64], image: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the next x, given x and g(x)."""
        self.positions = [*self.positions, position][-_MOST:]
        self.residuals = [*self.residuals, image - position][-_MOST:]
        move = self.residuals[-1]
        if len(self.positions) > 1:
            kept = self._kept()
            moved = np.diff(np.array(self.positions)[kept], axis=0).T
            change = np.diff(np.array(self.residuals)[kept], axis=0).T
            n = change.shape[1]
            ridge = np.vstack([change, _JITTER * np.eye(n)])
            mix = np.linalg.lstsq(ridge, np.append(move, np.zeros(n)), rcond=1e-3)[0]
            move = move - (moved + change) @ mix
        return position + np.clip(move, -np.log(2), np.log(2))

    def _kept(self):
        """Indices of the positions that count."""
        sizes = [np.linalg.norm(residual) for residual in self.residuals]
        late = len(sizes) - _LAST
        return [k for k, size in enumerate(sizes) if k >= late or max(size, sizes[-1]) <= _NEAR]
