"""Neuron models with spike-frequency adaptation: `adaptive_lif`, `ei_adaptive_lif`."""

from ..support.units import PerNeuron, Seconds
from .neuron import Neuron, Reset
from .neuron_models import ei_receptors, signed_receptors


def adaptive_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_syn: PerNeuron = 10e-3,
    tau_adapt: PerNeuron = 100e-3,
    jump: PerNeuron = 0.1,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
    jump_delay: Seconds = 0.0,
) -> Neuron:
    """`lif` with spike-frequency adaptation: a current that every spike of the neuron strengthens.

    Parameters
    ----------
    tau_mem, tau_syn, tau_adapt
        Time constants of membrane, synaptic current and adaptation, in seconds.
    jump
        What a spike adds to w_adapt, one number or one per neuron.
    jump_delay
        Seconds from the spike to this jump, rounded to the nearest step.
    threshold
        Theta, in units of U, one number or one per neuron; infinite for neurons that never spike.
    reset
        The value that U takes after a spike, one number or one per neuron; or "subtract": U loses
        theta.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron. As in Brian2,
        only whole time steps count: 2.5 steps become 2, and the population warns.
    integrator
        "exact", "exponential_euler" or "euler" (see `Neuron`).

    Returns
    -------
    A table for `Network.population`.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + I - w_adapt        tau_syn dI/dt = -I
        tau_adapt dw_adapt/dt = -w_adapt        its own spike, after jump_delay: w_adapt += jump

    At a rate nu the mean of w_adapt is jump nu tau_adapt. Training changes both parameters with
    learn={"adapt": "neuron", "jump": "neuron"} (or "population").

    Examples
    --------
    >>> adaptive_lif(jump=0.2).spike_jumps
    {'w_adapt': 0.2}
    """
    return Neuron(
        model="adaptive_lif",
        states={"U": "mem", "I": "syn", "w_adapt": "adapt"},
        gains={("U", "I"): 1.0, ("U", "w_adapt"): -1.0},
        receptors=signed_receptors("I"),
        time_constants={"mem": tau_mem, "syn": tau_syn, "adapt": tau_adapt},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
        spike_jumps={"w_adapt": jump},
        jump_delay=jump_delay,
    )


def ei_adaptive_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 10e-3,
    tau_inh: PerNeuron = 20e-3,
    tau_adapt: PerNeuron = 100e-3,
    jump: PerNeuron = 0.1,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
    jump_delay: Seconds = 0.0,
) -> Neuron:
    """`ei_lif` with the spike-frequency adaptation of `adaptive_lif`.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh, tau_adapt
        Time constants of membrane, synaptic currents and adaptation, in seconds.
    jump
        What a spike adds to w_adapt, one number or one per neuron.
    jump_delay
        Seconds from the spike to this jump, rounded to the nearest step.
    threshold
        Theta, in units of U, one number or one per neuron; infinite for neurons that never spike.
    reset
        The value that U takes after a spike, one number or one per neuron; or "subtract": U loses
        theta.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron. As in Brian2,
        only whole time steps count: 2.5 steps become 2, and the population warns.
    integrator
        "exact", "exponential_euler" or "euler" (see `Neuron`).

    Returns
    -------
    A table for `Network.population`.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + I_exc - I_inh - w_adapt
        tau_exc dI_exc/dt = -I_exc              tau_inh dI_inh/dt = -I_inh
        tau_adapt dw_adapt/dt = -w_adapt        its own spike, after jump_delay: w_adapt += jump

    Examples
    --------
    >>> list(ei_adaptive_lif().states)
    ['U', 'I_exc', 'I_inh', 'w_adapt']
    """
    return Neuron(
        model="ei_adaptive_lif",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        gains={("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0, ("U", "w_adapt"): -1.0},
        receptors=ei_receptors("I_exc", "I_inh"),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh, "adapt": tau_adapt},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
        spike_jumps={"w_adapt": jump},
        jump_delay=jump_delay,
    )
