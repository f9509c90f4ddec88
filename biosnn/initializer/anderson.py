"""Fixed points of maps that answer a step with more than the step: accelerated iteration."""

import numpy as np

_NEAR = 0.2  # the largest logarithm of a correction that counts as near the target
_LAST, _MOST = 5, 12  # positions that count: the last ones, and before them those near the target
_JITTER = 1e-3  # differences below it tell nothing


class Anderson:
    """Anderson mixing of a fixed-point iteration x <- g(x) (Anderson 1965; Walker & Ni 2011), with steps of at most log 2.

    The map is measured in simulations and jitters from one position to the next. So near the target more differences than unknowns are
    kept, and they are fitted with a ridge. Far from it the map bends, and old ones mislead.
    """

    def __init__(self):
        self.positions, self.residuals = [], []

    def step(self, position, image):
        """The next x, given x and g(x)."""
        self.positions, self.residuals = (
            [*self.positions, position][-_MOST:],
            [*self.residuals, image - position][-_MOST:],
        )
        sizes, move = [np.linalg.norm(residual) for residual in self.residuals], self.residuals[-1]
        kept = [
            k
            for k, size in enumerate(sizes)
            if k >= len(sizes) - _LAST or max(size, sizes[-1]) <= _NEAR
        ]
        if len(self.positions) > 1:
            change, moved = (
                np.diff(np.array(values)[kept], axis=0).T
                for values in (self.residuals, self.positions)
            )
            n = change.shape[1]
            mix = np.linalg.lstsq(
                np.vstack([change, _JITTER * np.eye(n)]),
                np.append(self.residuals[-1], np.zeros(n)),
                rcond=1e-3,
            )[0]
            move = move - (moved + change) @ mix
        return position + np.clip(move, -np.log(2), np.log(2))
