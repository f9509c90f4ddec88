"""The neuron table: states, time constants, gains and receptors as data.

Every state x_s has a time constant tau_s and obeys, between spikes,

    tau_s dx_s/dt = -x_s + sum_q g_sq x_q (+ current, for the membrane)

The first state is the membrane U. A spike that arrives at receptor r adds jump_r times its weight
to one state. Times are in seconds; U is dimensionless (in units of the threshold) unless you choose
volts throughout. Ready-made tables are in neuron_models.py, one step of a table in step_matrix.py.
What may differ from neuron to neuron is one number, or a read-only array (n,).
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..support import timegrid
from ..support.checks import instance
from ..support.show import About, Shows
from ..support.units import PerNeuron, Seconds
from . import neuron_checks, neuron_text

#: A value of U, one number or one per neuron, or "subtract".
Reset = PerNeuron | Literal["subtract"]


@dataclass(frozen=True)
class Receptor:
    """Where a spike arrives: `state` += `jump` * weight.

    Parameters
    ----------
    state
        Name of the state that it moves.
    jump
        What a spike of weight 1 adds to it.
    sign
        Sign of the postsynaptic potential of a positive weight: +1, -1, or 0 for a receptor that
        takes weights of either sign. Weights onto a receptor with a sign are stored non-negative.

    Examples
    --------
    >>> Receptor(state="I_exc", jump=1.0, sign=+1)
    Receptor(state='I_exc', jump=1.0, sign=1)
    """

    state: str
    jump: float
    sign: int


@dataclass(frozen=True)
class NonlinearDrive:
    """What drives U in addition to the linear part of tau_mem dU/dt (`adex`, `exponential_lif`).

    Parameters
    ----------
    square, constant
        Coefficients of U^2 and of 1.
    slope, onset
        Those of the exponential, in units of U; a slope of 0 leaves it out.

    Notes
    -----
    The drive is square U^2 + constant + slope exp((U - onset) / slope).

    Examples
    --------
    >>> NonlinearDrive(square=0.04, constant=140.0)
    NonlinearDrive(square=0.04, constant=140.0, slope=0.0, onset=0.0)
    """

    square: float = 0.0
    constant: float = 0.0
    slope: float = 0.0
    onset: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Neuron(Shows):
    """An integrate-and-fire model as data.

    `lif`, `ei_lif`, `leaky_readout` and their like make the usual ones; write a table of your own
    for others.

    Parameters
    ----------
    model
        Name of the model, for messages.
    states
        Name -> name of its time constant. The first state is the membrane, "U".
    gains
        (state, state that acts on it) -> gain g.
    receptors
        Name -> Receptor. "exc", "inh" and "syn" are chosen by the sign of a presynaptic population.
    time_constants
        Name -> seconds, one number for the population or an array of one per neuron.
    threshold
        Theta, in units of U; infinite for neurons that never spike. One number or one per neuron.
    reset
        The value that U takes after a spike, one number or one per neuron; or "subtract": U loses
        theta.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron. As in Brian2,
        only whole steps count: 0.25 ms become 2 steps of 0.1 ms, and a population with such a
        period warns (RoundingWarning). k steps clamp k - 1 updates.
    integrator
        "exact" (matrix exponential), "exponential_euler" (each state from the others' old values)
        or "euler" (forward Euler). With conductances this is of the other states; U then always
        takes exponential Euler steps, as `conductance_lif` says.
    reversal
        State that is a conductance, in units of the leak -> its reversal potential, one number or
        one per neuron.
    magnesium
        State that is a conductance, as `reversal` says -> (eta, gamma): the conductance is
        multiplied by B = 1 / (1 + eta exp(-gamma U)), the magnesium block of NMDA receptors
        (`nmda_lif`).
    spike_jumps
        State -> what a spike of the neuron itself adds to it, after the reset: adaptation. A
        number or one per neuron.
    nonlinear_drive
        What is not linear in U, with the integrator "euler" only.
    jump_delay
        Seconds after a spike at which `spike_jumps` act, rounded to the nearest step.
    low, high
        Bounds between which U is held before it meets the threshold (`bounded`), one number or one
        per neuron.

    Raises
    ------
    ValueError
        If a part of the table names a state or time constant that it does not have, or a value is
        not possible. The message says which.

    See Also
    --------
    biosnn.network.step_matrix : One step of length dt of such a table.

    Examples
    --------
    A leaky integrate-and-fire neuron with one synaptic current:

    >>> Neuron(
    ...     model="mine",
    ...     states={"U": "mem", "I": "syn"},
    ...     gains={("U", "I"): 1.0},
    ...     receptors={"syn": Receptor("I", jump=1.0, sign=0)},
    ...     time_constants={"mem": 20e-3, "syn": 5e-3},
    ... )
    Neuron mine
      states      U (mem 20 ms), I (syn 5 ms)
      receptors   syn: I += w
      threshold   1, reset to 0
      integrator  exact

    A threshold for each of three neurons:

    >>> from biosnn import lif
    >>> lif(threshold=[0.9, 1.0, 1.1]).threshold
    array([0.9, 1. , 1.1])
    """

    model: str
    states: dict[str, str]
    gains: dict[tuple[str, str], float]
    receptors: dict[str, Receptor]
    time_constants: dict[str, Any]
    threshold: PerNeuron = 1.0
    reset: Reset = 0.0
    refractory: PerNeuron = 0.0
    integrator: str = "exact"
    reversal: dict[str, Any] = field(default_factory=dict)
    magnesium: dict[str, tuple[float, float]] = field(default_factory=dict)
    spike_jumps: dict[str, Any] = field(default_factory=dict)
    nonlinear_drive: NonlinearDrive | None = None
    jump_delay: Seconds = 0.0
    low: PerNeuron = -np.inf
    high: PerNeuron = np.inf

    def __post_init__(self) -> None:
        neuron_checks.check(self)

    @property
    def spiking(self) -> bool:
        """Whether it has a threshold."""
        return bool(np.all(np.isfinite(self.threshold)))

    @property
    def subtracts(self) -> bool:
        """Whether a spike takes theta from U, in place of a reset to a value."""
        return isinstance(self.reset, str)

    @property
    def bounded(self) -> bool:
        """Whether U has a bound."""
        return bool(np.any(self.low != -np.inf) or np.any(self.high != np.inf))

    @property
    def per_neuron(self) -> dict[tuple[str, ...], NDArray[np.float64]]:
        """What differs from neuron to neuron: ("threshold",) or ("reversal", "g") -> array (n,)."""
        found: dict[tuple[str, ...], Any] = {
            (name,): getattr(self, name) for name in neuron_checks.NUMBERS
        }
        for name in neuron_checks.NUMBERS_BY_NAME:
            found |= {(name, key): value for key, value in getattr(self, name).items()}
        return {key: value for key, value in found.items() if np.ndim(value)}

    @property
    def membrane_tau(self) -> str:
        """Name of the time constant of the membrane."""
        return next(iter(self.states.values()))

    @property
    def has_delta_synapses(self) -> bool:
        """Whether a spike that arrives moves U itself."""
        membrane = next(iter(self.states))
        return any(receptor.state == membrane for receptor in self.receptors.values())

    def refractory_steps(self, dt: float) -> Any:
        """Return the whole steps of dt (s) in the refractory period, an int or an array (n,)."""
        return timegrid.whole_steps(self.refractory, dt)

    def jump_delay_steps(self, dt: float) -> int:
        """Return the delay of `spike_jumps` in steps of dt (s), the nearest."""
        return timegrid.nearest_steps(self.jump_delay, dt)

    def warn_if_rounded(self, dt: float, name: str) -> None:
        """Give a RoundingWarning where a time of the table is not a multiple of dt.

        Parameters
        ----------
        dt
            The time step in seconds.
        name
            Name of the population, for the message.
        """
        steps = self.refractory_steps(dt)
        timegrid.warn_if_rounded(
            self.refractory, steps, dt, f"{name}: refractory", "the whole steps in it"
        )
        steps = self.jump_delay_steps(dt)
        timegrid.warn_if_rounded(self.jump_delay, steps, dt, f"{name}: jump_delay")

    def states_text(self) -> str:
        """Return its states and their time constants in words."""
        each = [(state, tau, self.time_constants[tau]) for state, tau in self.states.items()]
        return ", ".join(f"{state} ({tau} {neuron_text.time(value)})" for state, tau, value in each)

    def _about(self) -> About:
        """Describe the table."""
        return About(f"Neuron {self.model}", neuron_text.rows(self))


def free_membrane(neuron: Neuron) -> Neuron:
    """Return the same neuron without threshold and bounds: the linear membrane of theory.

    Parameters
    ----------
    neuron
        The table. What follows from its spikes goes, too: reset, refractoriness, adaptation.

    Returns
    -------
    A table that never spikes.

    Examples
    --------
    >>> from biosnn import lif
    >>> free_membrane(lif(refractory=2e-3)).spiking
    False
    """
    return replace(
        neuron,
        threshold=np.inf,
        refractory=0.0,
        reset=0.0,
        spike_jumps={},
        low=-np.inf,
        high=np.inf,
    )


def bounded(neuron: Neuron, low: PerNeuron = -np.inf, high: PerNeuron = np.inf) -> Neuron:
    """Return the same neuron with a membrane that stays between two values (a membrane clamp).

    Parameters
    ----------
    neuron
        The table.
    low, high
        Bounds, in units of U, one number or one per neuron. `low` must not lie above the value
        after a spike, `high` must lie above the threshold.

    Returns
    -------
    A table with these bounds.

    Raises
    ------
    ValueError
        If the bounds leave no room for the threshold or for the value after a spike.

    Notes
    -----
    U* = min(max(U*, low), high) after integration, before U* meets the threshold. The adjoint is
    that of the formula: no gradient flows through a U* at a bound. An upper bound slightly above
    the threshold, say 1.01, keeps the surrogate derivative of every spike near its peak, but by the
    same formula also cuts the gradient of every U* beyond it.

    Examples
    --------
    >>> from biosnn import lif
    >>> bounded(lif(), low=-1.0).low
    -1.0
    """
    instance(neuron, "neuron", Neuron, "a neuron model, such as bs.lif()")
    return replace(neuron, low=low, high=high)


def of_neurons(neuron: Neuron, units: NDArray[Any]) -> Neuron:
    """Return the table of some of the neurons of a population.

    Parameters
    ----------
    neuron
        The table of all of them.
    units
        Their numbers.

    Examples
    --------
    >>> from biosnn import lif
    >>> of_neurons(lif(threshold=[0.9, 1.0, 1.1]), [0, 2]).threshold
    array([0.9, 1.1])
    """
    return _with(neuron, {key: values[units] for key, values in neuron.per_neuron.items()})


def typical(neuron: Neuron) -> Neuron:
    """Return the table of the typical neuron of theory.

    Threshold, reset, refractory period, bounds and reversal potentials that differ from neuron to
    neuron become their means. Of time constants and jumps theory takes the means itself.

    Parameters
    ----------
    neuron
        The table; itself is returned where nothing differs.

    Examples
    --------
    >>> from biosnn import lif
    >>> typical(lif(threshold=[0.5, 1.5])).threshold
    1.0
    """
    kept = ("time_constants", "spike_jumps")
    means = {
        key: float(np.mean(values))
        for key, values in neuron.per_neuron.items()
        if key[0] not in kept
    }
    return _with(neuron, means) if means else neuron


def _with(neuron, values):
    """The same table with other values for some of the keys of `per_neuron`."""
    changed: dict[str, Any] = {}
    for (part, *keys), value in values.items():
        if keys:
            changed.setdefault(part, dict(getattr(neuron, part)))[keys[0]] = value
        else:
            changed[part] = value
    return replace(neuron, **changed)
