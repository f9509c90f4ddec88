"""Surrogate gradients: what stands in for the derivative of the threshold, and its smooth twin."""
from dataclasses import dataclass

import numpy as np

from . import arrays, neuron_kernels


@dataclass(frozen=True)
class Surrogate:
    """sigma'(x) at x = U* - theta (in units of the membrane), with a steepness beta > 0.

    A network whose threshold is replaced by the antiderivative of sigma' is differentiable, and its exact gradient is
    what the adjoint computes; `twin` is that antiderivative.
    """
    steepness: float = 20.0

    def __post_init__(self):
        if not (np.isfinite(self.steepness) and self.steepness > 0):
            raise ValueError(f"{type(self).__name__}: steepness is {self.steepness!r}; it must be a positive number, "
                             "because the surrogate gradient has the width 1/steepness.")

    @property
    def support(self):
        """Half width of the region where sigma' is not zero (inf if it has none)."""
        return np.inf

    def derivative(self, x):
        """sigma'(x), elementwise, for plots and checks."""
        return self._each(neuron_kernels.surrogate_derivative, x)

    def twin(self, x):
        """sigma(x): the antiderivative of sigma' that vanishes at minus infinity."""
        return self._each(neuron_kernels.smooth_spike, x)

    def _each(self, function, x):
        x = np.asarray(x, np.float64)
        flat = [function(self._code, self.steepness, self.support, value) for value in x.ravel()]
        return np.array(flat).reshape(x.shape)


@dataclass(frozen=True)
class SuperSpike(Surrogate):
    """sigma'(x) = 1 / (beta |x| + 1)^2 (Zenke & Ganguli 2018, eq. 15). The twin is x / (1 + beta |x|) + 1/beta."""
    _code = arrays.SUPERSPIKE


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """sigma'(x) = beta s (1 - s) with s = 1 / (1 + exp(-beta x)), which is the twin. Its peak is beta / 4."""
    _code = arrays.SIGMOID


@dataclass(frozen=True)
class Triangular(Surrogate):
    """sigma'(x) = max(0, 1 - beta |x|) (Esser et al. 2016; Bellec et al. 2018). Compact support: |x| < 1/beta."""
    _code = arrays.TRIANGULAR

    @property
    def support(self):
        return 1 / self.steepness


@dataclass(frozen=True)
class TruncatedSuperSpike(Surrogate):
    """SuperSpike for |x| <= cutoff, and 0 beyond. Compact support: the adjoint visits only neurons near threshold."""
    cutoff: float = 0.2
    _code = arrays.TRUNCATED_SUPERSPIKE

    def __post_init__(self):
        super().__post_init__()
        if not (np.isfinite(self.cutoff) and self.cutoff > 0):
            raise ValueError(f"TruncatedSuperSpike: cutoff is {self.cutoff!r}; it must be a positive number, the distance "
                             "from threshold beyond which the gradient is zero.")

    @property
    def support(self):
        return self.cutoff
