"""Neuron models as tables: states, time constants, gains and receptors. One algorithm runs them all.

Every state x_s has a time constant tau_s and obeys, between spikes,

    tau_s dx_s/dt = -x_s + sum_q g_sq x_q (+ current, for the membrane)

The first state is the membrane U. A spike that arrives at receptor r adds jump_r times its weight to one state.
Times are in seconds; U is dimensionless (in units of the threshold) unless you choose volts throughout.
"""

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ..support import checks, plausible, timegrid
from ..support.checks import instance, real, reals, shown, whole
from ..support.seeds import stream, whole_seed
from ..support.units import seconds
from ..support.warn import warn_if_implausible

INTEGRATORS = ("exact", "exponential_euler", "euler")


@dataclass(frozen=True)
class Receptor:
    """Where a spike lands: `state` += `jump` * weight.

    `sign` is that of the postsynaptic potential of a positive weight: +1, -1, or 0 for a receptor that takes weights of
    either sign. Weights onto a receptor with a sign are stored non-negative.
    """

    state: str
    jump: float
    sign: int


@dataclass(frozen=True)
class Surge:
    """What drives U to a spike, beside the linear part of tau_mem dU/dt:

    square U^2 + constant + slope exp((U - onset) / slope)          without the exponential where slope is 0
    """

    square: float = 0.0
    constant: float = 0.0
    slope: float = 0.0
    onset: float = 0.0


@dataclass(frozen=True, eq=False)
class Neuron:
    """An integrate-and-fire model as data. Use `lif`, `ei_lif` or `leaky_readout` to make one.

    states          name -> name of its time constant; the first is the membrane "U"
    gains           (state, state it reads) -> gain g
    receptors       name -> Receptor
    time_constants  name -> seconds, one number for the population or an array of one per neuron
    threshold       theta, in units of U (inf: never spikes)
    reset           value that U takes after a spike, or "subtract" (U loses theta)
    refractory      seconds for which U is clamped after a spike; as in Brian2 the whole steps in it count: 0.25 ms are 2 steps of 0.1 ms,
                    and a population with such a period warns (RoundingWarning). k steps clamp k - 1 updates
    integrator      "exact" (matrix exponential), "exponential_euler" (each state from the others' old values) or "euler" (forward Euler)
    reversal        states that are conductances (in units of the leak) -> reversal potential; they act on U (`conductance_lif`,
                    `alpha_conductance_lif`)
    spike_jumps     state -> what a spike of the neuron adds to it, after the reset (adaptation): a number or one per neuron
    jump_delay      seconds after which it does, rounded to the nearest step as delays are, with the same warning
    low, high       between which U is held before it meets the threshold (`bounded`)
    surge           what is not linear in U (`adex`, `izhikevich`), or None; with integrator "euler" only
    """

    model: str
    states: dict
    gains: dict
    receptors: dict
    time_constants: dict
    threshold: float = 1.0
    reset: object = 0.0
    refractory: float = 0.0
    integrator: str = "exact"
    reversal: dict = field(default_factory=dict)
    spike_jumps: dict = field(default_factory=dict)
    surge: Surge | None = None
    jump_delay: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self):
        self._check_threshold()
        if not isinstance(self.integrator, str) or self.integrator not in INTEGRATORS:
            raise ValueError(
                f"{self.model}: integrator {shown(self.integrator)} is not one of {', '.join(INTEGRATORS)}."
            )
        if self.surge is not None and (
            self.integrator != "euler" or self.reset == "subtract" or not self.spiking
        ):
            raise ValueError(
                f"{self.model}: what is not linear in U needs integrator 'euler' (not {self.integrator!r}), a finite peak "
                f"(not {self.threshold!r}) and a reset to a value (not {self.reset!r})."
            )
        self._check_times()
        self._check_table()
        self._check_options()

    def _check_threshold(self):
        """Threshold and reset as numbers, also where they have units, or "subtract"."""
        for name in ("reset", "threshold"):
            if checks.has_axes(given := getattr(self, name)):
                checks.refuse(
                    f"{self.model}: {name}",
                    given,
                    "one number for all neurons",
                    "make a population for each value",
                )
        subtract = isinstance(self.reset, str) and self.reset == "subtract"
        reset, threshold = "subtract" if subtract else _number(self.reset), _number(self.threshold)
        if not subtract and not np.isfinite(reset):
            raise ValueError(
                f"{self.model}: reset is {shown(self.reset)}; it must be a value of U or 'subtract'."
            )
        if np.isnan(threshold) or not subtract and reset >= threshold:
            raise ValueError(
                f"{self.model}: threshold {shown(self.threshold)} must be a number above the reset value "
                f"{shown(self.reset)}; otherwise a neuron would spike at every step."
            )
        checks.keep(self, threshold=threshold, reset=reset)

    def _check_times(self):
        """Times as numbers and arrays; ValueError for what is none, UnitWarning for what can hardly be meant in seconds."""
        for name, most in (("refractory", plausible.REFRACTORY), ("jump_delay", plausible.DELAY)):
            given = seconds(getattr(self, name), f"{self.model}: {name}")
            if checks.has_axes(given):
                checks.refuse(
                    f"{self.model}: {name}",
                    given,
                    "one number for all neurons",
                    "make a population for each value",
                )
            object.__setattr__(
                self, name, checks.time(given, f"{self.model}: {name}", 0, plausible=most)
            )
        taus = {}
        for name, tau in self.time_constants.items():
            what = f"{self.model}: time constant {name}"
            tau = seconds(tau, what)
            if checks.has_axes(tau):
                tau = checks.reals(tau, what, above=0, shape=(None,))
                if not tau.size:
                    checks.refuse(what, tau, "one number or one per neuron, in seconds")
                warn_if_implausible(tau, what, self._longest(name))
            else:
                tau = checks.time(
                    tau,
                    what,
                    above=0,
                    plausible=self._longest(name),
                    why="seconds, one number or one per neuron",
                )
            taus[name] = tau
        object.__setattr__(self, "time_constants", taus)

    def _longest(self, name):
        """Seconds above which a time constant can hardly be meant."""
        membrane = name == next(iter(self.states.values()))
        if name == "adapt" or membrane and not self.spiking:
            return plausible.SLOW
        return plausible.MEMBRANE if self.spiking else plausible.READOUT_SYNAPSE

    def _check_table(self):
        """ValueError where a part of the table names a state or time constant that is none."""
        states, taus = list(self.states), list(self.time_constants)
        for state, tau in self.states.items():
            if tau not in taus:
                raise ValueError(
                    f"{self.model}: state {state!r} has the time constant {tau!r}; there are {', '.join(taus)}."
                )
        named = [
            (f"receptor {name!r} points", receptor.state)
            for name, receptor in self.receptors.items()
        ]
        named += [(f"the gain {pair!r} points", state) for pair in self.gains for state in pair]
        named += [("a reversal potential points", state) for state in self.reversal]
        for what, state in named:
            if state not in states:
                raise ValueError(
                    f"{self.model}: {what} at the state {state!r}; there are {', '.join(states)}."
                )
        for name, receptor in self.receptors.items():
            if receptor.sign not in (-1, 0, 1) or not np.isfinite(_number(receptor.jump)):
                raise ValueError(
                    f"{self.model}: receptor {name!r} has jump {shown(receptor.jump)} and sign {shown(receptor.sign)}; a jump is a "
                    "finite number, a sign -1, 0 or 1."
                )

    def _check_options(self):
        for state in self.spike_jumps:
            jump = _numbers(self.spike_jumps[state])
            if (
                state not in list(self.states)[1:]
                or jump.ndim > 1
                or not jump.size
                or not np.all(np.isfinite(jump))
            ):
                raise ValueError(
                    f"{self.model}: a spike adds {shown(self.spike_jumps[state])} to {state}; it must be finite, one number or one "
                    f"per neuron, and add to one of {', '.join(list(self.states)[1:]) or 'no states (there is only U)'}."
                )
        object.__setattr__(
            self,
            "spike_jumps",
            {
                s: np.array(jump, float) if np.ndim(jump) else float(jump)
                for s, jump in self.spike_jumps.items()
            },
        )
        after_spike = 0.0 if self.reset == "subtract" else self.reset
        if self.bounded and not (
            self.spiking and self.low <= after_spike and self.threshold < self.high
        ):
            raise ValueError(
                f"{self.model}: U is to be held between {self.low!r} and {self.high!r}; the lower bound must not lie above "
                f"{after_spike!r}, where a spike leaves U, and the upper bound must lie above the threshold {self.threshold!r}, "
                "which must be finite."
            )

    @property
    def spiking(self):
        return np.isfinite(self.threshold)

    @property
    def bounded(self):
        """Whether U has a bound."""
        return self.low != -np.inf or self.high != np.inf

    @property
    def has_delta_synapses(self):
        """Whether a spike moves U itself."""
        return any(
            receptor.state == next(iter(self.states)) for receptor in self.receptors.values()
        )

    def refractory_steps(self, dt):
        """Whole steps in the period."""
        return timegrid.whole_steps(self.refractory, dt)

    def jump_delay_steps(self, dt):
        """Delay of `spike_jumps` in steps, the nearest."""
        return timegrid.nearest_steps(self.jump_delay, dt)

    def warn_if_rounded(self, dt, name):
        """RoundingWarning where its times are no multiples of dt (s); name: of its population."""
        timegrid.warn_if_rounded(
            self.refractory,
            self.refractory_steps(dt),
            dt,
            f"{name}: refractory",
            "the whole steps in it",
        )
        timegrid.warn_if_rounded(
            self.jump_delay, self.jump_delay_steps(dt), dt, f"{name}: jump_delay"
        )


def lif(
    *, tau_mem=20e-3, tau_syn=10e-3, threshold=1.0, reset=0.0, refractory=0.0, integrator="exact"
):
    """Leaky integrate-and-fire neuron with one exponential synaptic current I (time constants in seconds).

        tau_mem dU/dt = -U + I        tau_syn dI/dt = -I        a spike of weight w: I += w

    Receptors: "syn" takes weights of either sign; "exc" and "inh" take non-negative ones and add or subtract them, so
    that excitatory and inhibitory populations can project onto it.

    refractory: seconds, of which the whole time steps count, as in Brian2 (2.5 steps are 2, and the population warns).
    """
    return Neuron(
        "lif",
        {"U": "mem", "I": "syn"},
        {("U", "I"): 1.0},
        _signed_receptors("I"),
        {"mem": tau_mem, "syn": tau_syn},
        threshold,
        reset,
        refractory,
        integrator,
    )


def lif_delta(*, tau_mem=20e-3, threshold=1.0, reset=0.0, refractory=0.0, integrator="exact"):
    """Leaky integrate-and-fire neuron with delta synapses: a spike moves U itself (time constant in seconds).

        tau_mem dU/dt = -U        a spike of weight w: U += w

    U is relative to rest and may be in volts, as threshold, reset and weights then are: for a neuron that rests at -65 mV, fires
    at -50 mV and is reset to -60 mV, give threshold=15e-3 and reset=5e-3. Spikes that arrive while U is clamped are lost, as in
    Brian2 and NEST. Receptors as `lif`: "syn" takes weights of either sign, "exc" adds and "inh" subtracts them.
    """
    neuron = Neuron(
        "lif_delta",
        {"U": "mem"},
        {},
        _signed_receptors("U"),
        {"mem": tau_mem},
        threshold,
        reset,
        refractory,
        integrator,
    )
    if neuron.reset == "subtract" and neuron.refractory > 0:
        raise ValueError(
            "lif_delta: a refractory period needs a reset to a value; spikes that arrive with the reset would be lost."
        )
    return neuron


def ei_lif(
    *,
    tau_mem=20e-3,
    tau_exc=10e-3,
    tau_inh=20e-3,
    threshold=1.0,
    reset=0.0,
    refractory=0.0,
    integrator="exact",
):
    """Leaky integrate-and-fire neuron with separate excitatory and inhibitory kinetics (time constants in seconds).

        tau_mem dU/dt = -U + I_exc - I_inh      tau_exc dI_exc/dt = -I_exc      tau_inh dI_inh/dt = -I_inh

    Receptors "exc" (I_exc += w) and "inh" (I_inh += w); all weights are non-negative.
    """
    return Neuron(
        "ei_lif",
        {"U": "mem", "I_exc": "exc", "I_inh": "inh"},
        {("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0},
        {"exc": Receptor("I_exc", 1.0, +1), "inh": Receptor("I_inh", 1.0, -1)},
        {"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold,
        reset,
        refractory,
        integrator,
    )


def adaptive_lif(
    *,
    tau_mem=20e-3,
    tau_syn=10e-3,
    tau_adapt=100e-3,
    jump=0.1,
    threshold=1.0,
    reset=0.0,
    refractory=0.0,
    integrator="exact",
    jump_delay=0.0,
):
    """`lif` with spike-frequency adaptation: a current w_adapt that every spike of the neuron strengthens.

        tau_mem dU/dt = -U + I - w_adapt      tau_adapt dw_adapt/dt = -w_adapt      its own spike, after jump_delay: w_adapt += jump

    jump, tau_adapt: one number or one per neuron; training changes them with learn={"adapt": "neuron", "jump": "neuron"} (or
    "population"). At a rate nu the mean of w_adapt is jump nu tau_adapt.
    """
    return Neuron(
        "adaptive_lif",
        {"U": "mem", "I": "syn", "w_adapt": "adapt"},
        {("U", "I"): 1.0, ("U", "w_adapt"): -1.0},
        _signed_receptors("I"),
        {"mem": tau_mem, "syn": tau_syn, "adapt": tau_adapt},
        threshold,
        reset,
        refractory,
        integrator,
        spike_jumps={"w_adapt": jump},
        jump_delay=jump_delay,
    )


def ei_adaptive_lif(
    *,
    tau_mem=20e-3,
    tau_exc=10e-3,
    tau_inh=20e-3,
    tau_adapt=100e-3,
    jump=0.1,
    threshold=1.0,
    reset=0.0,
    refractory=0.0,
    integrator="exact",
    jump_delay=0.0,
):
    """`ei_lif` with the spike-frequency adaptation of `adaptive_lif`.

    tau_mem dU/dt = -U + I_exc - I_inh - w_adapt      tau_exc dI_exc/dt = -I_exc      tau_inh dI_inh/dt = -I_inh
    tau_adapt dw_adapt/dt = -w_adapt      its own spike, after jump_delay: w_adapt += jump
    """
    return Neuron(
        "ei_adaptive_lif",
        {"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        {("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0, ("U", "w_adapt"): -1.0},
        {"exc": Receptor("I_exc", 1.0, +1), "inh": Receptor("I_inh", 1.0, -1)},
        {"mem": tau_mem, "exc": tau_exc, "inh": tau_inh, "adapt": tau_adapt},
        threshold,
        reset,
        refractory,
        integrator,
        spike_jumps={"w_adapt": jump},
        jump_delay=jump_delay,
    )


def ampa_nmda_gaba(
    *,
    tau_mem=20e-3,
    tau_ampa=5e-3,
    tau_nmda=100e-3,
    tau_gaba=10e-3,
    threshold=1.0,
    reset=0.0,
    refractory=0.0,
    integrator="exact",
):
    """Leaky integrate-and-fire neuron with a fast and a slow excitatory current, and an inhibitory one.

        tau_mem dU/dt = -U + (I_ampa + I_nmda) / 2 - I_gaba      tau_ampa dI_ampa/dt = -I_ampa      tau_gaba dI_gaba/dt = -I_gaba
        tau_nmda dI_nmda/dt = -I_nmda + I_ampa

    Receptors "exc" (I_ampa += w, from where I_nmda follows) and "inh" (I_gaba += w). Both excitatory currents carry the same charge.
    There is no dependence of NMDA on the voltage: the model is linear.
    """
    return Neuron(
        "ampa_nmda_gaba",
        {"U": "mem", "I_ampa": "ampa", "I_nmda": "nmda", "I_gaba": "gaba"},
        {
            ("U", "I_ampa"): 0.5,
            ("U", "I_nmda"): 0.5,
            ("U", "I_gaba"): -1.0,
            ("I_nmda", "I_ampa"): 1.0,
        },
        {"exc": Receptor("I_ampa", 1.0, +1), "inh": Receptor("I_gaba", 1.0, -1)},
        {"mem": tau_mem, "ampa": tau_ampa, "nmda": tau_nmda, "gaba": tau_gaba},
        threshold,
        reset,
        refractory,
        integrator,
    )


def bounded(neuron, low=-np.inf, high=np.inf):
    """The same neuron with a membrane that stays between two values (a membrane clamp), in units of U.

        U* = min(max(U*, low), high)      after integration, before U* meets the threshold

    low must not lie above the value after a spike; high must lie above the threshold. The adjoint is that of the formula: no gradient
    flows through a U* at a bound. An upper bound little above the threshold, say 1.01, keeps the surrogate derivative of every spike near its
    peak, but by the same formula also cuts the gradient of every U* beyond it.
    """
    instance(neuron, "neuron", Neuron, "a neuron model, such as bs.lif()")
    low, high = (
        real(_unitless(bound), f"{neuron.model}: {name}", infinite=True)
        for name, bound in (("low", low), ("high", high))
    )
    return replace(neuron, low=low, high=high)


def free_membrane(neuron):
    """The same neuron without threshold, and so without what follows from spikes, and without bounds: the linear membrane of theory."""
    return replace(
        neuron,
        threshold=np.inf,
        refractory=0.0,
        reset=0.0,
        spike_jumps={},
        low=-np.inf,
        high=np.inf,
    )


def conductance_lif(
    *,
    tau_mem=20e-3,
    tau_exc=5e-3,
    tau_inh=10e-3,
    reversal_exc=60e-3,
    reversal_inh=-20e-3,
    threshold=10e-3,
    reset=0.0,
    refractory=5e-3,
):
    """Leaky integrate-and-fire neuron with exponential conductances, in units of the leak conductance.

        tau_mem dU/dt = -U + g_exc (E_exc - U) + g_inh (E_inh - U)      tau_r dg_r/dt = -g_r      a spike of weight w: g_r += w

    Potentials are relative to rest (the defaults: rest -60, threshold -50, E_exc 0, E_inh -80 mV, as in Brette et al. 2007). A step is
    exponential Euler with the conductances of its beginning: U relaxes to U_inf = sum g E / (1 + sum g) with the time constant
    tau_mem / (1 + sum g); this is Brian2's method "exponential_euler". To train, choose units in which the surrogate's steepness fits:
    the distance from rest to threshold is 1 with threshold=1.0, reversal_exc=6.0, reversal_inh=-2.0.
    """
    _check_finite("conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
    return Neuron(
        "conductance_lif",
        {"U": "mem", "g_exc": "exc", "g_inh": "inh"},
        {},
        {"exc": Receptor("g_exc", 1.0, +1), "inh": Receptor("g_inh", 1.0, -1)},
        {"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold,
        reset,
        refractory,
        "exponential_euler",
        reversal={"g_exc": float(reversal_exc), "g_inh": float(reversal_inh)},
    )


def alpha_conductance_lif(
    *,
    tau_mem=20e-3,
    tau_exc=5e-3,
    tau_inh=10e-3,
    reversal_exc=60e-3,
    reversal_inh=-20e-3,
    threshold=10e-3,
    reset=0.0,
    refractory=5e-3,
):
    """`conductance_lif` with conductances that rise and fall as alpha functions, w (t / tau_r) exp(1 - t / tau_r).

        tau_mem dU/dt = -U + g_exc (E_exc - U) + g_inh (E_inh - U)      tau_r dg_r/dt = h_r - g_r      tau_r dh_r/dt = -h_r
        a spike of weight w: h_r += e w, so that the peak of g_r, tau_r after the spike, is w (in units of the leak conductance)

    Potentials and the step of U are those of `conductance_lif`. g and h take exponential Euler steps, too (Brian2's method
    "exponential_euler"): the peak of g_r in the simulation is higher than w by a share of dt / (2 tau_r), 1 % at 0.1 and 5 ms.
    """
    _check_finite("alpha_conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
    return Neuron(
        "alpha_conductance_lif",
        {"U": "mem", "g_exc": "exc", "h_exc": "exc", "g_inh": "inh", "h_inh": "inh"},
        {("g_exc", "h_exc"): 1.0, ("g_inh", "h_inh"): 1.0},
        {"exc": Receptor("h_exc", float(np.e), +1), "inh": Receptor("h_inh", float(np.e), -1)},
        {"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold,
        reset,
        refractory,
        "exponential_euler",
        reversal={"g_exc": float(reversal_exc), "g_inh": float(reversal_inh)},
    )


def adex(
    *,
    tau_mem=281e-3 / 30,
    tau_exc=5e-3,
    tau_inh=10e-3,
    tau_adapt=144e-3,
    a=4 / 30,
    b=80.5e-3 / 30,
    slope=2e-3,
    onset=20.2e-3,
    peak=90.6e-3,
    reset=0.0,
    refractory=0.0,
):
    """Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005) with exponential synaptic currents. For `simulate`.

        tau_mem dU/dt = -U + slope exp((U - onset) / slope) - w_adapt + I_exc - I_inh      tau_r dI_r/dt = -I_r
        tau_adapt dw_adapt/dt = -w_adapt + a U      U > peak: a spike, U = reset, w_adapt += b      a spike of weight w: I_r += w

    Potentials in volts from rest; currents, w_adapt and b divided by the leak conductance, hence in volts; a in units of it. The
    defaults are the paper's (C 281 pF, g_L 30 nS, E_L -70.6 mV, V_T -50.4 mV, Delta_T 2 mV, tau_w 144 ms, a 4 nS, b 80.5 pA, spikes cut
    at 20 mV). A step is forward Euler in all states, with the values of its beginning (Brian2's method "euler"): use dt = 0.1 ms or
    less. J. Neurophysiol. 94:3637.
    """
    _check_finite("adex", a=a, b=b, slope=slope, onset=onset, peak=peak)
    if not 0 < slope or not onset < peak:
        raise ValueError(
            f"adex: slope is {slope!r} and must be positive; onset {onset!r} must lie below peak {peak!r}."
        )
    return Neuron(
        "adex",
        {"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        {
            ("U", "I_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("U", "w_adapt"): -1.0,
            ("w_adapt", "U"): float(a),
        },
        {"exc": Receptor("I_exc", 1.0, +1), "inh": Receptor("I_inh", 1.0, -1)},
        {"mem": tau_mem, "exc": tau_exc, "inh": tau_inh, "adapt": tau_adapt},
        float(peak),
        reset,
        refractory,
        "euler",
        spike_jumps={"w_adapt": float(b)},
        surge=Surge(slope=float(slope), onset=float(onset)),
    )


def izhikevich(
    *, a=0.02, b=0.2, c=-65.0, d=8.0, tau_exc=5e-3, tau_inh=10e-3, peak=30.0, refractory=0.0
):
    """Izhikevich's neuron (2003) with exponential synaptic currents. For `simulate`.

        1 ms dU/dt = 0.04 U^2 + 5 U + 140 - w_adapt + I_exc - I_inh      tau_r dI_r/dt = -I_r
        1 ms dw_adapt/dt = a (b U - w_adapt)      U > peak: a spike, U = c, w_adapt += d      a spike of weight w: I_r += w

    a, b, c, d and all potentials are the published numbers: mV (not from rest), a in 1/ms; w_adapt is the paper's u. The time
    constants tau are in seconds, as everywhere. Defaults: regular spiking. Start it near rest: net.population(…, initial=-65.0), and
    simulate(…, initial={"A.w_adapt": -13.0}). A step is forward Euler in all states, with the values of its beginning (Brian2's method
    "euler"); the published program takes two half steps of 0.5 ms for U. IEEE Trans. Neural Netw. 14:1569.
    """
    _check_finite("izhikevich", a=a, b=b, c=c, d=d, peak=peak)
    if not a > 0:
        raise ValueError(
            f"izhikevich: a is {a!r}; it must be positive (1/ms): w_adapt decays with it."
        )
    return Neuron(
        "izhikevich",
        {"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        {
            ("U", "U"): 6.0,
            ("U", "I_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("U", "w_adapt"): -1.0,
            ("w_adapt", "U"): float(b),
        },
        {"exc": Receptor("I_exc", 1.0, +1), "inh": Receptor("I_inh", 1.0, -1)},
        {"mem": 1e-3, "exc": tau_exc, "inh": tau_inh, "adapt": 1e-3 / a},
        float(peak),
        float(c),
        refractory,
        "euler",
        spike_jumps={"w_adapt": float(d)},
        surge=Surge(square=0.04, constant=140.0),
    )


def leaky_readout(*, tau_mem=0.1, tau_syn=10e-3, integrator="exact"):
    """A leaky integrator without threshold: the output that losses look at. Equations and receptors as `lif`."""
    return Neuron(
        "readout",
        {"U": "mem", "I": "syn"},
        {("U", "I"): 1.0},
        _signed_receptors("I"),
        {"mem": tau_mem, "syn": tau_syn},
        np.inf,
        0.0,
        0.0,
        integrator,
    )


def pooling_unit(dt):
    """The table of units that pool spikes (network.pool): they have no dynamics. Kernels find a state, which is always 0 (dt: s)."""
    return Neuron("pooling", {"hidden": "mem"}, {}, {}, {"mem": dt}, integrator="euler")


def log_normal_time_constants(mean, spread, n, seed, name=""):
    """n time constants (seconds) from a log-normal distribution with the given mean.

    spread: standard deviation of log(tau); 0 gives n times the mean. seed: a whole number >= 0 or a numpy Generator. name: any text; the
    values follow from the seed and the name, so that with one seed the time constants of two populations, or two of one, are
    independent if their names differ, such as "E tau_mem" and "I tau_mem".
    """
    mean, spread = (
        checks.time(mean, "mean", above=0, plausible=plausible.SLOW),
        real(spread, "spread (of the logarithm)", 0),
    )
    if not checks.is_text(name):
        checks.refuse("name", name, "a text of characters that files can hold")
    rng = (
        seed
        if isinstance(seed, np.random.Generator)
        else stream(whole_seed(seed), "time constants", name)
    )
    return rng.lognormal(np.log(mean) - spread**2 / 2, spread, whole(n, "n", 0))


def step_matrix(neuron, dt, time_constants=None):
    """One step of length dt (s): x <- M x + drive * current.

    Returns M (S, S) and drive (S,), or (n, S, S) and (n, S) if a time constant is an array.
    Exact: M = expm(A dt), and the drive is that of a current constant during the step. Exponential Euler:
    x_s <- d_s x_s + (1 - d_s) sum_q g_sq x_q with d_s = exp(-dt / tau_s) and the others' old values. Euler: the same with
    d_s = 1 - dt / tau_s; of a model that is not linear, the linear part.
    Time constants may be complex numbers (for derivatives by a complex step).
    """
    taus = neuron.time_constants if time_constants is None else time_constants
    tau = np.stack(
        np.broadcast_arrays(*[np.asarray(taus[name]) for name in neuron.states.values()]), axis=-1
    )
    gains = gain_matrix(neuron)
    rhs = np.eye(len(gains), len(gains) + 1, k=0) * -1.0  # (-x + G x + current to U)
    rhs[:, :-1] += gains
    rhs[0, -1] = 1.0
    if neuron.integrator == "exact":
        generator = np.zeros(tau.shape[:-1] + (len(gains) + 1,) * 2, tau.dtype)
        generator[..., :-1, :] = rhs / tau[..., None]
        step = _exponential(generator * dt)[..., :-1, :]
    else:
        decay = (np.exp(-dt / tau) if neuron.integrator == "exponential_euler" else 1 - dt / tau)[
            ..., None
        ]
        step = (1 - decay) * (rhs + np.eye(*rhs.shape)) + decay * np.eye(*rhs.shape)
    return step[..., :-1], step[..., -1]


def _exponential(matrices):
    """exp of small matrices (…, S, S), real or complex: of all neurons at once and without BLAS, whose threads take longer to wake up
    than such products take. A single one is remembered, since networks are packed again and again with the same few.

    exp(X) = exp(X / 2^s)^(2^s), with the Taylor polynomial of degree 15 of X / 2^s, whose norm is below 1/2 (the rest: 2e-18): analytic
    in every element, so that a complex step gives exact derivatives.
    """
    if matrices.ndim == 2:
        return _remembered(matrices.dtype.str, matrices.shape, matrices.tobytes()).copy()
    x = np.moveaxis(matrices, 0, -1)  # neurons side by side
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(x.real).sum(axis=1).max(), 1e-300)))) + 1)
    powers = [np.broadcast_to(np.eye(len(x))[..., None], x.shape), x / 2**halvings]
    for _ in range(3):
        powers.append(_product(powers[-1], powers[1]))
    result = 0.0
    for first in (12, 8, 4, 0):  # sum_k X^k / k!, four terms at a time
        part = sum(powers[k] / math.factorial(first + k) for k in range(4))
        result = part + (0.0 if first == 12 else _product(result, powers[4]))
    for _ in range(halvings):
        result = _product(result, result)
    return np.moveaxis(result, -1, 0)


def _product(a, b):
    return np.einsum("ijn,jkn->ikn", a, b)


@lru_cache(256)
def _remembered(kind, shape, data):
    return _exponential(np.frombuffer(data, kind).reshape(1, *shape))[0]


def linear_step(neuron, dt, time_constants=None):
    """What is linear in a step: (M, drive) of `step_matrix`, and a rate (1,) or (n, 1).

    Where conductances act on U, its row of M and its drive are zero and the rate is dt / tau_mem; elsewhere the rate is zero.
    """
    matrix, drive = step_matrix(neuron, dt, time_constants)
    taus = neuron.time_constants if time_constants is None else time_constants
    rate = np.zeros_like(drive[..., :1])
    if neuron.reversal:
        rate[..., 0] = dt / np.asarray(taus[next(iter(neuron.states.values()))])
        matrix[..., 0, :], drive[..., 0] = 0, 0
    return matrix, drive, rate


def surge_step(neuron, dt, u):
    """What a step of length dt (s) adds to U beside `step_matrix`, from the old U: a number, or one per neuron as tau_mem; else 0."""
    s = neuron.surge
    if s is None:
        return 0.0
    exponential = s.slope * np.exp((u - s.onset) / s.slope) if s.slope else 0.0
    return (
        dt
        / np.asarray(neuron.time_constants[next(iter(neuron.states.values()))])
        * (s.square * u**2 + s.constant + exponential)
    )


def gain_matrix(neuron):
    """G with tau_s dx_s/dt = -x_s + sum_q G_sq x_q, shape (S, S)."""
    names = list(neuron.states)
    gains = np.zeros((len(names), len(names)))
    for (row, column), gain in neuron.gains.items():
        gains[names.index(row), names.index(column)] = gain
    return gains


def step_pattern(neuron):
    """Which entries of M can differ from zero, as a list of (row, column): for the exact integrator also indirect ones."""
    pattern = (gain_matrix(neuron) != 0) | np.eye(len(neuron.states), dtype=bool)
    if neuron.integrator == "exact":
        pattern = np.linalg.matrix_power(pattern.astype(int), len(pattern)) > 0
    return [(int(row), int(column)) for row, column in zip(*np.nonzero(pattern))]


def _signed_receptors(state):
    return {
        "syn": Receptor(state, 1.0, 0),
        "exc": Receptor(state, 1.0, +1),
        "inh": Receptor(state, -1.0, -1),
    }


def _check_finite(model, **values):
    for name, value in values.items():
        if not np.isfinite(_number(value)):
            checks.refuse(f"{model}: {name}", value, "a finite number")


def _number(value):
    """A float, NaN where `value` is no real number."""
    try:
        return real(_unitless(value), "", infinite=True)
    except ValueError:
        return np.nan


def _numbers(values):
    """An array of floats, NaN where `values` are no real numbers."""
    try:
        return reals(_unitless(values), "", infinite=True)
    except ValueError:
        return np.array(np.nan)


def _unitless(value):
    """Quantities of Brian2 as the numbers that they store, in base units."""
    return np.asarray(value) if isinstance(value, np.ndarray) and hasattr(value, "dim") else value
