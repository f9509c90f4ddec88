"""Plasticity of synapses, for `connect(…, plasticity=…)`, and which projections can have it.

They run event by event, with exact decay between spikes.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks, plausible
from ..support.checks import keep, real, reals, shown
from ..support.units import Seconds, hertz
from .neuron_text import value


class ShortTerm:
    """Base of plasticity by presynaptic spikes alone: a share u of resources x at each of them."""

    utilization: Any
    tau_rec: Any
    tau_facil: Any

    def steady_state(
        self, rate: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return u, x and u x at the spikes of a long regular train.

        Parameters
        ----------
        rate
            Rate of the train in Hz, a number or an array.

        Returns
        -------
        u
            After its jump.
        x
            Before its own.
        release
            u x, of each spike.

        Examples
        --------
        >>> u, x, release = TsodyksMarkram(0.5, 0.8).steady_state(0.0)
        >>> float(release)
        0.5
        """
        rate = reals(hertz(rate, "rate"), "rate, in Hz,", 0) + 0.0  # -0 is 0
        with np.errstate(divide="ignore"):
            interval = 1 / rate  # infinite at 0 Hz: the first spike
        recovered = np.exp(-interval / self.tau_rec)
        kept = np.exp(-interval / self.tau_facil) if self.tau_facil > 0 else np.zeros_like(interval)
        u = self.utilization / (1 - (1 - self.utilization) * kept)
        x = (1 - recovered) / (1 - (1 - u) * recovered)
        return u, x, u * x

    def check(self, what: str, pre: Any, post: Any, sparse: Any, weights: Any) -> None:
        """Any projection can have it; `InhibitorySTDP.check` explains the parameters."""


@dataclass(frozen=True)
class TsodyksMarkram(ShortTerm):
    """Short-term depression and facilitation of a synapse by its own presynaptic spikes.

    Parameters
    ----------
    utilization
        U, the share of the resources x that a spike after silence releases, 0 < U <= 1.
    tau_rec
        Recovery of the resources, in seconds.
    tau_facil
        Decay of facilitation, in seconds; 0: there is none, and u = U at every spike.

    Notes
    -----
    ::

        between spikes     dx/dt = (1 - x) / tau_rec        du/dt = -u / tau_facil
        at a spike, first  u += U (1 - u)                   (u = 0 before it where tau_facil = 0)
        then               release r = u x:  x -= r, and the receptor gets weight r

    so that the release takes u after its jump, and x before its own. At rest x = 1 and u = 0. Both
    depend on the train of the presynaptic neuron alone: there is one u and one x for each of them,
    and the release of a spike arrives with the delay of each synapse.

    In the steady state of a regular train of interval T without facilitation,
    u x = U (1 - e) / (1 - (1 - U) e) with e = exp(-T / tau_rec).

    References
    ----------
    Tsodyks, Pawelzik & Markram (1998). Neural networks with dynamic synapses. Neural Computation
    10:821.

    Examples
    --------
    >>> TsodyksMarkram(utilization=0.5, tau_rec=0.8)
    TsodyksMarkram(utilization=0.5, tau_rec=0.8, tau_facil=0.0)
    """

    utilization: float = 0.5
    tau_rec: Seconds = 0.8
    tau_facil: Seconds = 0.0

    def __post_init__(self) -> None:
        what, slow = "TsodyksMarkram: ", plausible.SLOW
        tau_rec = checks.time(self.tau_rec, what + "tau_rec", above=0, plausible=slow)
        tau_facil = checks.time(
            self.tau_facil, what + "tau_facil", 0, plausible=slow, why="0 is no facilitation"
        )
        utilization = real(self.utilization, what + "utilization", above=0, high=1)
        keep(self, tau_rec=tau_rec, tau_facil=tau_facil, utilization=utilization)


@dataclass(frozen=True)
class SaturatingGating(ShortTerm):
    """NMDA receptors that saturate: each presynaptic spike opens a share of those still closed.

    Parameters
    ----------
    alpha
        Rate of opening in Hz at x = 1.
    tau_rise
        Decay of x, of the transmitter, in seconds.
    tau_decay
        Decay of s, the share of open receptors, in seconds: that of the conductance which the
        projection goes to.

    Raises
    ------
    ValueError
        If a value is not positive, or the rise is not shorter than the decay.

    Notes
    -----
    The gating of Wang [1]_ is ::

        ds/dt = -s / tau_decay + alpha x (1 - s)        dx/dt = -x / tau_rise + spikes

    Since x is short, a spike adds to s, at once, ::

        s += share (1 - s)        share = 1 - exp(-alpha tau_rise)

    which the postsynaptic conductance gets times the weight: its sum over synapses is w s.
    This is `TsodyksMarkram` with the resources 1 - s, the utilization `share`, tau_rec = tau_decay
    and no facilitation. There is one s for each presynaptic neuron.

    While x lasts, receptors that close can open again, and so a spike opens a little more than the
    share: `correction` times as much, 1 % for the defaults. Weights that are multiplied by it carry
    the charge of the equations, the integral of w s after a spike. Since s returns to 0, that is
    tau_decay times all that opens; with r = alpha tau_rise, q = tau_rise / tau_decay and
    y(t) = r exp(-t / tau_rise) ::

        s(t) = integral over u < t of alpha x(u) exp(-(t - u) / tau_decay - (y(u) - y(t)))
        integral of alpha x (1 - s) dt = integral of M(1, 1 + q, -y) dy from 0 to r

    with Kummer's function M (put s into the left side, and take the integral over t first).

    References
    ----------
    .. [1] Wang (2002). Probabilistic decision making by slow reverberation in cortical circuits.
       Neuron 36:955.

    Examples
    --------
    >>> gating = SaturatingGating()
    >>> print(f"{gating.share:.4f} {gating.correction:.4f}")
    0.6321 1.0097
    """

    alpha: float = 500.0
    tau_rise: Seconds = 2e-3
    tau_decay: Seconds = 0.1

    def __post_init__(self) -> None:
        what = "SaturatingGating: "
        alpha = real(hertz(self.alpha, "alpha"), what + "alpha", above=0, unit="Hz")
        rise = checks.time(self.tau_rise, what + "tau_rise", above=0, plausible=plausible.MEMBRANE)
        slow = plausible.SLOW
        decay = checks.time(self.tau_decay, what + "tau_decay", above=0, plausible=slow)
        if rise >= decay:
            raise ValueError(
                f"SaturatingGating: tau_rise is {rise:g} s; it must be shorter than tau_decay = "
                f"{decay:g} s, by far for what a spike adds at once."
            )
        keep(self, alpha=alpha, tau_rise=rise, tau_decay=decay)

    @property
    def share(self) -> float:
        """What a spike opens of the closed receptors: 1 - exp(-alpha tau_rise)."""
        return float(-np.expm1(-self.alpha * self.tau_rise))

    @property
    def correction(self) -> float:
        """What weights are multiplied by for the charge of the equations after a spike."""
        from scipy.integrate import quad  # here: `import biosnn` stays quick
        from scipy.special import hyp1f1

        first = 1 + self.tau_rise / self.tau_decay
        opened, _ = quad(lambda y: hyp1f1(1, first, -y), 0, self.alpha * self.tau_rise)
        return float(opened / self.share)

    @property
    def utilization(self) -> float:
        """The share, as `TsodyksMarkram` calls it."""
        return self.share

    @property
    def tau_rec(self) -> float:
        """Recovery of the closed receptors in seconds: tau_decay."""
        return self.tau_decay

    @property
    def tau_facil(self) -> float:
        """0: there is no facilitation."""
        return 0.0


@dataclass(frozen=True)
class InhibitorySTDP:
    """Inhibitory spike-timing-dependent plasticity, which brings a neuron to a target rate.

    For sparse projections from an inhibitory population onto a spiking one, with one delay for all
    synapses.

    Parameters
    ----------
    eta
        Change of the weight for coincident spikes, > 0, in units of the weight.
    target_rate
        Target rate of the postsynaptic neuron in Hz, > 0.
    tau
        Time constant of both traces, in seconds.
    w_max
        Largest weight.

    Notes
    -----
    ::

        between spikes        tau dx_pre/dt = -x_pre        tau dx_post/dt = -x_post
        presynaptic spike     x_pre += 1,   w += eta (x_post - alpha),   then the receptor gets w
        postsynaptic spike    x_post += 1,  w += eta x_pre

    with alpha = 2 target_rate tau and w clipped to 0 .. w_max. As in Brian2's usual form, a
    presynaptic spike acts when it arrives, after the delay of the projection; a postsynaptic one
    acts at once, in its own step, after the arrivals of that step. Weights change in a run only:
    they start as those of the network and are in `simulation.weights` and in the state, from which
    the next run goes on.

    References
    ----------
    Vogels, Sprekeler, Zenke, Clopath & Gerstner (2011). Inhibitory plasticity balances excitation
    and inhibition in sensory pathways and memory networks. Science 334:1569.

    Examples
    --------
    >>> InhibitorySTDP(eta=1e-3, target_rate=5.0).alpha
    0.2
    """

    eta: float
    target_rate: float
    tau: Seconds = 20e-3
    w_max: float = np.inf

    def __post_init__(self) -> None:
        what = "InhibitorySTDP: "
        tau = checks.time(self.tau, what + "tau", above=0, plausible=plausible.TRACE)
        rate = hertz(self.target_rate, "target_rate")
        rate = real(rate, what + "target_rate", above=0, unit="Hz")
        eta = real(self.eta, what + "eta", above=0)
        why = "infinity is no limit"
        w_max = real(self.w_max, what + "w_max", above=0, infinite=True, why=why)
        keep(self, tau=tau, target_rate=rate, eta=eta, w_max=w_max)

    @property
    def alpha(self) -> float:
        """What a presynaptic spike takes from the weight, in units of eta: 2 target_rate tau."""
        return 2 * self.target_rate * self.tau

    def check(self, what: str, pre: Any, post: Any, sparse: Any, weights: Any) -> None:
        """Raise a ValueError unless a projection can have it.

        Parameters
        ----------
        what
            The projection, for messages.
        pre, post
            Its populations.
        sparse
            Its Synapses, or None.
        weights
            Its weights, or None.
        """
        if pre.sign != "inhibitory":
            raise ValueError(
                f"{what}: InhibitorySTDP is for synapses of inhibitory populations; {pre.name!r} "
                f"is {pre.sign}."
            )
        if post.kind != "spiking":
            raise ValueError(
                f"{what}: InhibitorySTDP needs postsynaptic spikes; {post.name!r} is a readout, "
                "which has none."
            )
        if sparse is None:
            raise ValueError(
                f"{what}: InhibitorySTDP is for sparse projections; give synapses=…, such as "
                "Bernoulli(1.0) for all pairs."
            )
        if sparse.several_delays:
            raise ValueError(
                f"{what}: InhibitorySTDP needs one delay for all synapses of a projection, because "
                "the presynaptic trace is one for each presynaptic neuron. Split the projection by "
                "delay."
            )
        if weights is not None and np.size(weights) and np.max(weights) > self.w_max:
            raise ValueError(
                f"{what}: the largest weight is {np.max(weights):g}, above w_max = {self.w_max:g} "
                "of InhibitorySTDP; start below the limit."
            )


Plasticity: TypeAlias = TsodyksMarkram | SaturatingGating | InhibitorySTDP


def check_plasticity(network: Any, projection: Any, weights: Any = None) -> None:
    """Raise a ValueError unless a projection can have its plasticity.

    Parameters
    ----------
    network
        The Network.
    projection
        One of its projections; one without plasticity passes.
    weights
        Its (new) weights, or None.
    """
    plasticity, name = projection.plasticity, projection.name
    if plasticity is None:
        return
    if not isinstance(plasticity, (ShortTerm, InhibitorySTDP)):
        raise ValueError(
            f"projection {name!r}: plasticity is {shown(plasticity)}; it must be "
            "TsodyksMarkram(…), SaturatingGating(…) or InhibitorySTDP(…)."
        )
    if isinstance(plasticity, SaturatingGating):
        _check_decay(network[projection.post], projection)
    plasticity.check(
        f"projection {name!r}",
        network[projection.pre],
        network[projection.post],
        network.synapses.get(name),
        weights,
    )


def _check_decay(post, projection):
    """The conductance of a projection decays as the gating that it is a sum of."""
    state = post.neuron.receptors[projection.receptor].state
    tau, decay = (
        post.neuron.time_constants[post.neuron.states[state]],
        projection.plasticity.tau_decay,
    )
    if not np.allclose(tau, decay, rtol=1e-6, atol=0):
        raise ValueError(
            f"projection {projection.name!r}: tau_decay of SaturatingGating is {decay:g} s, but "
            f"{state} of {post.name!r}, which is the sum of this gating over synapses, decays with "
            f"{value(tau)} s. Make them equal, or choose another receptor (receptor='nmda')."
        )
