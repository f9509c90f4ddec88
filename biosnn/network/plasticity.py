"""Plasticity of synapses, for `connect(…, plasticity=…)`: descriptions, and what a projection must be to have it.

`simulate` runs them event by event, with exact decay between spikes. Batches of trials and training do not take them.
"""

from dataclasses import dataclass

import numpy as np

from ..support import checks, plausible
from ..support.checks import reals, shown
from ..support.units import hertz


@dataclass(frozen=True)
class TsodyksMarkram:
    """Short-term depression and facilitation of a synapse by its own presynaptic spikes (Tsodyks, Pawelzik & Markram 1998, Neural
    Computation 10:821).

        between spikes     dx/dt = (1 - x) / tau_rec        du/dt = -u / tau_facil        (u = 0 where tau_facil = 0)
        at a spike, first  u += utilization (1 - u)
        then               release r = u x:  x -= r, and the receptor gets weight r

    so that u at the spike counts, x before it. At rest x = 1 and u = 0. Both depend on the train of the presynaptic neuron alone:
    there is one u and one x for each of them, and the release of a spike arrives with the delay of each synapse.

    utilization   U, the share of the resources x that a spike after silence releases, 0 < U <= 1
    tau_rec       seconds, recovery of the resources
    tau_facil     seconds, decay of facilitation; 0: none, then u = U at every spike

    In the steady state of a regular train of interval T without facilitation, u x = U (1 - e) / (1 - (1 - U) e), e = exp(-T / tau_rec).
    """

    utilization: float = 0.5
    tau_rec: float = 0.8
    tau_facil: float = 0.0

    def __post_init__(self):
        for name, bound in (
            ("tau_rec", {"above": 0}),
            ("tau_facil", {"low": 0, "why": "0 is no facilitation"}),
        ):
            object.__setattr__(
                self,
                name,
                checks.time(
                    getattr(self, name),
                    f"TsodyksMarkram: {name}",
                    plausible=plausible.SLOW,
                    **bound,
                ),
            )
        object.__setattr__(
            self,
            "utilization",
            checks.real(self.utilization, "TsodyksMarkram: utilization", above=0, high=1),
        )

    def steady_state(self, rate):
        """(u, x, u x) at the spikes of a long regular train of `rate` Hz (number or array): u after its jump, x before its own."""
        rate = reals(hertz(rate, "rate"), "rate, in Hz,", 0) + 0.0  # -0 is 0
        with np.errstate(divide="ignore"):
            interval = 1 / rate  # infinite at 0 Hz: the first spike
        recovered = np.exp(-interval / self.tau_rec)
        kept = np.exp(-interval / self.tau_facil) if self.tau_facil > 0 else np.zeros_like(interval)
        u = self.utilization / (1 - (1 - self.utilization) * kept)
        x = (1 - recovered) / (1 - (1 - u) * recovered)
        return u, x, u * x

    def check(self, what, pre, post, sparse, weights):
        """ValueError unless a projection can have it: every one can."""


@dataclass(frozen=True)
class InhibitorySTDP:
    """Inhibitory spike-timing-dependent plasticity, which brings the postsynaptic neuron to a target rate (Vogels, Sprekeler, Zenke,
    Clopath & Gerstner 2011, Science 334:1569).

        between spikes        tau dx_pre/dt = -x_pre        tau dx_post/dt = -x_post
        presynaptic spike     x_pre += 1,   w += eta (x_post - alpha),   then the receptor gets w        alpha = 2 target_rate tau
        postsynaptic spike    x_post += 1,  w += eta x_pre

    with w clipped to 0 .. w_max. As in Brian2's usual form, a presynaptic spike acts when it arrives, after the delay of the projection;
    a postsynaptic one acts at once, in its own step, after the arrivals of that step. Weights change in a run only: they
    start as those of the network and are in `simulation.weights` and in the state, from which the next run goes on.

    eta           change of the weight for coincident spikes, > 0, in units of the weight
    target_rate   Hz, > 0
    tau           seconds, of both traces
    w_max         largest weight

    For sparse projections from an inhibitory population onto a spiking one, with one delay for all synapses.
    """

    eta: float
    target_rate: float
    tau: float = 20e-3
    w_max: float = np.inf

    def __post_init__(self):
        def keep(name, value):
            object.__setattr__(self, name, value)

        keep(
            "tau", checks.time(self.tau, "InhibitorySTDP: tau", above=0, plausible=plausible.TRACE)
        )
        keep(
            "target_rate",
            checks.real(
                hertz(self.target_rate, "target_rate"),
                "InhibitorySTDP: target_rate",
                above=0,
                unit="Hz",
            ),
        )
        keep("eta", checks.real(self.eta, "InhibitorySTDP: eta", above=0))
        keep(
            "w_max",
            checks.real(
                self.w_max,
                "InhibitorySTDP: w_max",
                above=0,
                infinite=True,
                why="infinity is no limit",
            ),
        )

    @property
    def alpha(self):
        """What a presynaptic spike takes from the weight, in units of eta: 2 target_rate tau."""
        return 2 * self.target_rate * self.tau

    def check(self, what, pre, post, sparse, weights):
        """ValueError unless a projection can have it. pre, post: populations; sparse: its Synapses or None; weights: or None."""
        if pre.sign != "inhibitory":
            raise ValueError(
                f"{what}: InhibitorySTDP is for synapses of inhibitory populations; {pre.name!r} is {pre.sign}."
            )
        if post.kind != "spiking":
            raise ValueError(
                f"{what}: InhibitorySTDP needs postsynaptic spikes; {post.name!r} is a readout, which has none."
            )
        if sparse is None:
            raise ValueError(
                f"{what}: InhibitorySTDP is for sparse projections; give synapses=…, such as Bernoulli(1.0) for all pairs."
            )
        if np.ndim(sparse.delay):
            raise ValueError(
                f"{what}: InhibitorySTDP needs one delay for all synapses of a projection, because the presynaptic trace is "
                "one for each presynaptic neuron. Split the projection by delay."
            )
        if weights is not None and np.size(weights) and np.max(weights) > self.w_max:
            raise ValueError(
                f"{what}: the largest weight is {np.max(weights):g}, above w_max = {self.w_max:g} of InhibitorySTDP; "
                "start below the limit."
            )


RULES = (TsodyksMarkram, InhibitorySTDP)


def check_plasticity(network, projection, weights=None):
    """ValueError unless the plasticity of a projection of `network` is one of RULES, and possible there with its (new) weights."""
    rule, name = projection.plasticity, projection.name
    if rule is None:
        return
    if not isinstance(rule, RULES):
        raise ValueError(
            f"projection {name!r}: plasticity is {shown(rule)}; it must be TsodyksMarkram(…) or InhibitorySTDP(…)."
        )
    rule.check(
        f"projection {name!r}",
        network[projection.pre],
        network[projection.post],
        network.synapses.get(name),
        weights,
    )
