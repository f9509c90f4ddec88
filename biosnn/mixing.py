"""Fixed points of maps that answer a step with more than the step: accelerated iteration."""
import numpy as np


class Anderson:
    """Anderson mixing of a fixed-point iteration x <- g(x) (Anderson 1965; Walker & Ni 2011), with steps of at most log 2."""

    def __init__(self, depth=5):
        self.depth, self.positions, self.residuals = depth, [], []

    def step(self, position, image):
        """The next x, given x and g(x)."""
        self.positions = (self.positions + [position])[-self.depth:]
        self.residuals = (self.residuals + [image - position])[-self.depth:]
        move = self.residuals[-1]
        if len(self.positions) > 1:
            change, moved = (np.diff(np.array(values), axis=0).T for values in (self.residuals, self.positions))
            mix = np.linalg.lstsq(change, self.residuals[-1], rcond=1e-3)[0]
            move = move - (moved + change) @ mix
        return position + np.clip(move, -np.log(2), np.log(2))
