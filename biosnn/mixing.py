"""Fixed points of maps that answer a step with more than the step: accelerated iteration."""
import numpy as np


class Anderson:
    """Anderson mixing of a fixed-point iteration x <- g(x) (Anderson 1965; Walker & Ni 2011), with steps of at most log 2.

    The map is measured in simulations and jitters from one position to the next. So more differences than unknowns are kept, and
    they are fitted with a ridge: differences smaller than `jitter` tell nothing.
    """

    def __init__(self, depth=15, jitter=3e-3):
        self.depth, self.jitter, self.positions, self.residuals = depth, jitter, [], []

    def step(self, position, image):
        """The next x, given x and g(x)."""
        self.positions = (self.positions + [position])[-self.depth:]
        self.residuals = (self.residuals + [image - position])[-self.depth:]
        move = self.residuals[-1]
        if len(self.positions) > 1:
            change, moved = (np.diff(np.array(values), axis=0).T for values in (self.residuals, self.positions))
            n = change.shape[1]
            mix = np.linalg.lstsq(np.vstack([change, self.jitter * np.eye(n)]), np.append(self.residuals[-1], np.zeros(n)), rcond=1e-3)[0]
            move = move - (moved + change) @ mix
        return position + np.clip(move, -np.log(2), np.log(2))
