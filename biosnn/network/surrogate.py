"""Surrogate gradients, which replace the derivative of a spike, with their smooth twins.

The classes say which formula and how steep; kernels/surrogate.py computes the formulas.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels import arrays, surrogate
from ..support.checks import keep, real, reals, shown


@dataclass(frozen=True)
class Surrogate:
    """What replaces the derivative of a spike with respect to U.

    The formulas are compiled with the kernels, so a surrogate of your own derives from one of the
    nine classes here and sets the steepness (and the cutoff of TruncatedSuperSpike) as it likes. A
    new formula needs a kernel: see biosnn/kernels/surrogate.py.

    Parameters
    ----------
    steepness
        beta > 0; the derivative has the width 1/beta.

    Notes
    -----
    sigma'(x) at x = U* - theta, in units of the membrane. A network whose threshold is replaced by
    the antiderivative of sigma' is differentiable, and its exact gradient is what the adjoint
    computes; `twin` is that antiderivative.

    Examples
    --------
    SuperSpike, by its width at half of its peak, 2 (sqrt(2) - 1) / beta:

    >>> import biosnn as bs
    >>> class Wide(bs.SuperSpike):
    ...     def __init__(self, width):
    ...         super().__init__(steepness=2 * (2**0.5 - 1) / width)
    >>> net = bs.Network(dt=1e-3)
    >>> population = net.population(10, bs.lif(), surrogate=Wide(0.1))
    >>> population.surrogate.derivative([0.0, 0.05]).round(3)
    array([1. , 0.5])
    """

    steepness: float = 20.0
    #: The compiled formula, one of those in kernels/arrays.py.
    _code: ClassVar[Any] = None

    def __post_init__(self) -> None:
        what, why = (
            f"{type(self).__name__}: steepness",
            "the surrogate gradient has the width 1/steepness",
        )
        keep(self, steepness=real(self.steepness, what, above=0, why=why))

    @property
    def support(self) -> float:
        """Half width of the region where sigma' is not zero (inf if it has none)."""
        return np.inf

    def derivative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return sigma'(x), elementwise, for plots and checks.

        Parameters
        ----------
        x
            U* - theta.
        """
        return self._each(surrogate.surrogate_derivative, x)

    def twin(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return sigma(x): the antiderivative of sigma' that vanishes at minus infinity.

        Parameters
        ----------
        x
            U* - theta.
        """
        return self._each(surrogate.smooth_spike, x)

    def _each(self, function, x):
        """A compiled formula of every element of x."""
        x = reals(x, "x")
        flat = [function(self._code, self.steepness, self.support, value) for value in x.ravel()]
        return np.array(flat).reshape(x.shape)


def check_surrogate(value: Any, what: str) -> None:
    """Raise a ValueError unless `value` is a surrogate with a compiled formula.

    Parameters
    ----------
    value
        Anything.
    what
        Name of the argument, for the message.

    Examples
    --------
    >>> check_surrogate(SuperSpike(20), "surrogate")
    """
    if not isinstance(value, Surrogate):
        raise ValueError(f"{what} is {shown(value)}; use for instance SuperSpike(20).")
    if value._code is None:
        raise ValueError(
            f"{what} is {shown(value)}, which has no compiled formula: derive your class from one "
            "that has, such as SuperSpike."
        )


@dataclass(frozen=True)
class SuperSpike(Surrogate):
    """SuperSpike: sigma'(x) = 1 / (beta |x| + 1)^2.

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    The twin is x / (1 + beta |x|) + 1/beta.

    References
    ----------
    Zenke & Ganguli (2018). SuperSpike: supervised learning in multilayer spiking neural networks.
    Neural Computation 30:1514, eq. 15.

    Examples
    --------
    >>> SuperSpike(20).derivative([0.0, 0.05])
    array([1.  , 0.25])
    """

    _code: ClassVar[Any] = arrays.SUPERSPIKE


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """Derivative of the logistic function: sigma'(x) = beta s (1 - s), s = 1 / (1 + exp(-beta x)).

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    The twin is s. The peak of sigma' is beta / 4.

    Examples
    --------
    >>> Sigmoid(20).twin(0.0)
    array(0.5)
    """

    _code: ClassVar[Any] = arrays.SIGMOID


@dataclass(frozen=True)
class Triangular(Surrogate):
    """Triangle: sigma'(x) = max(0, 1 - beta |x|).

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    It has compact support, |x| < 1/beta: the adjoint visits only neurons near threshold.

    References
    ----------
    Esser et al. (2016), PNAS 113:11441; Bellec et al. (2018), NeurIPS.

    Examples
    --------
    >>> Triangular(20).support
    0.05
    """

    _code: ClassVar[Any] = arrays.TRIANGULAR

    @property
    def support(self) -> float:
        """Half width of the triangle."""
        return 1 / self.steepness


@dataclass(frozen=True)
class TruncatedSuperSpike(Surrogate):
    """SuperSpike for |x| <= cutoff, and 0 beyond.

    Parameters
    ----------
    steepness
        beta, as in `SuperSpike`.
    cutoff
        Distance from threshold beyond which the gradient is zero: the adjoint visits only neurons
        nearer than that.

    Examples
    --------
    >>> TruncatedSuperSpike(20, cutoff=0.2).derivative([0.05, 0.3])
    array([0.25, 0.  ])
    """

    cutoff: float = 0.2
    _code: ClassVar[Any] = arrays.TRUNCATED_SUPERSPIKE

    def __post_init__(self) -> None:
        super().__post_init__()
        what = "TruncatedSuperSpike: cutoff"
        why = "the distance from threshold beyond which the gradient is zero"
        keep(self, cutoff=real(self.cutoff, what, above=0, why=why))

    @property
    def support(self) -> float:
        """The cutoff."""
        return self.cutoff


@dataclass(frozen=True)
class Gaussian(Surrogate):
    """Normal density: sigma'(x) = beta exp(-(beta x)^2 / 2) / sqrt(2 pi).

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    The standard deviation is 1/beta. The twin is the distribution function, from 0 to 1.

    References
    ----------
    Yin, Corradi & Bohte (2020), ICONS.

    Examples
    --------
    >>> Gaussian(20).twin(0.0)
    array(0.5)
    """

    _code: ClassVar[Any] = arrays.GAUSSIAN


@dataclass(frozen=True)
class Arctan(Surrogate):
    """Derivative of the arctangent: sigma'(x) = (beta / 2) / (1 + (pi beta x / 2)^2).

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    The twin is 1/2 + arctan(pi beta x / 2) / pi, from 0 to 1.

    References
    ----------
    Fang et al. (2021). Incorporating learnable membrane time constant to enhance learning of
    spiking neural networks. ICCV.

    Examples
    --------
    >>> Arctan(2).derivative(0.0)
    array(1.)
    """

    _code: ClassVar[Any] = arrays.ARCTAN


@dataclass(frozen=True)
class MultiGaussian(Surrogate):
    """A normal density with negative tails: far from threshold the gradient has the other sign.

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    sigma'(x) = (1 + h) N(x; 0, s0) - h N(x; s0, s s0) - h N(x; -s0, s s0), with s0 = 1/beta,
    h = 0.15 and s = 6; N(x; mean, standard deviation) is the normal density. The twin ends at
    1 - h. (The programs of the paper multiply by 0.5 and use s0 = 0.5, thus steepness=2.)

    References
    ----------
    Yin, Corradi & Bohte (2021). Accurate and efficient time-domain classification with adaptive
    spiking recurrent neural networks. Nature Machine Intelligence 3:905, eq. 8.

    Examples
    --------
    >>> bool(MultiGaussian(2).derivative(2.0) < 0)
    True
    """

    steepness: float = 2.0
    _code: ClassVar[Any] = arrays.MULTI_GAUSSIAN


@dataclass(frozen=True)
class AsymptoticSuperSpike(Surrogate):
    """SuperSpike with an area of 2 for every beta: sigma'(x) = beta / (beta |x| + 1)^2.

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    It goes to twice a delta function as beta grows. The peak is beta. The twin is
    1 + beta x / (1 + beta |x|), from 0 to 2.

    References
    ----------
    Zenke & Vogels (2021). The remarkable robustness of surrogate gradient learning. Neural
    Computation 33:899.

    Examples
    --------
    >>> AsymptoticSuperSpike(20).derivative(0.0)
    array(20.)
    """

    _code: ClassVar[Any] = arrays.ASYMPTOTIC_SUPERSPIKE


@dataclass(frozen=True)
class ExponentialSurrogate(Surrogate):
    """Exponential: sigma'(x) = exp(-beta |x|).

    Parameters
    ----------
    steepness
        beta, as in `Surrogate`.

    Notes
    -----
    The twin is exp(beta x) / beta below threshold and (2 - exp(-beta x)) / beta above.

    References
    ----------
    Shrestha & Orchard (2018). SLAYER: spike layer error reassignment in time. NeurIPS; the spike
    escape rate, there with a factor 1/alpha.

    Examples
    --------
    >>> ExponentialSurrogate(20).derivative(0.0)
    array(1.)
    """

    _code: ClassVar[Any] = arrays.EXPONENTIAL
