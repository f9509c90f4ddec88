"""Leaky integrate-and-fire models: `lif`, `lif_delta`, `ei_lif`, `ampa_nmda_gaba`, readouts.

Each returns a `Neuron`, a table of data. Time constants are in seconds, one number for the
population or an array of one per neuron. Models with adaptation are in adaptive_models.py, those
with conductances in conductance_models.py, and AdEx and Izhikevich's in nonlinear_models.py.
"""

import numpy as np

from ..support.units import PerNeuron
from .neuron import Neuron, Receptor, Reset


def signed_receptors(state: str) -> dict[str, Receptor]:
    """Return the receptors of models with one synaptic current.

    Parameters
    ----------
    state
        What spikes move. "syn" takes weights of either sign, "exc" adds and "inh" subtracts
        non-negative ones.

    Examples
    --------
    >>> signed_receptors("I")["inh"]
    Receptor(state='I', jump=-1.0, sign=-1)
    """
    return {
        "syn": Receptor(state, 1.0, 0),
        "exc": Receptor(state, 1.0, +1),
        "inh": Receptor(state, -1.0, -1),
    }


def ei_receptors(exc: str, inh: str, peak: float = 1.0) -> dict[str, Receptor]:
    """Return the receptors of models with excitatory and inhibitory kinetics of their own.

    Parameters
    ----------
    exc, inh
        States that excitatory and inhibitory spikes move.
    peak
        What a spike of weight 1 adds to them.

    Examples
    --------
    >>> list(ei_receptors("I_exc", "I_inh"))
    ['exc', 'inh']
    """
    return {"exc": Receptor(exc, peak, +1), "inh": Receptor(inh, peak, -1)}


def lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_syn: PerNeuron = 10e-3,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
) -> Neuron:
    """Leaky integrate-and-fire neuron with one exponential synaptic current.

    Parameters
    ----------
    tau_mem, tau_syn
        Time constants of membrane and synaptic current, in seconds.
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

        tau_mem dU/dt = -U + I        tau_syn dI/dt = -I        a spike of weight w: I += w

    Receptors: "syn" takes weights of either sign; "exc" and "inh" take non-negative ones and add or
    subtract them, so that excitatory and inhibitory populations can project onto it.

    Examples
    --------
    >>> lif(tau_mem=10e-3).time_constants
    {'mem': 0.01, 'syn': 0.01}
    """
    return Neuron(
        model="lif",
        states={"U": "mem", "I": "syn"},
        gains={("U", "I"): 1.0},
        receptors=signed_receptors("I"),
        time_constants={"mem": tau_mem, "syn": tau_syn},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
    )


def lif_delta(
    *,
    tau_mem: PerNeuron = 20e-3,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
) -> Neuron:
    """Leaky integrate-and-fire neuron with delta synapses: a spike moves U itself.

    Parameters
    ----------
    tau_mem
        Time constant of the membrane, in seconds.
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

    Raises
    ------
    ValueError
        If it is refractory and reset by subtraction: spikes that arrive with the reset would be
        lost.

    Notes
    -----
    ::

        tau_mem dU/dt = -U        a spike of weight w: U += w

    U is relative to rest and may be in volts, as threshold, reset and weights then are: for a
    neuron that rests at -65 mV, fires at -50 mV and is reset to -60 mV, give threshold=15e-3 and
    reset=5e-3. Spikes that arrive while U is clamped are lost, as in Brian2 and NEST. Receptors are
    those of `lif`.

    Examples
    --------
    >>> lif_delta(threshold=15e-3, reset=5e-3, refractory=2e-3).has_delta_synapses
    True
    """
    neuron = Neuron(
        model="lif_delta",
        states={"U": "mem"},
        gains={},
        receptors=signed_receptors("U"),
        time_constants={"mem": tau_mem},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
    )
    if neuron.subtracts and np.any(neuron.refractory):
        raise ValueError(
            "lif_delta: a refractory period needs a reset to a value; spikes that arrive with the "
            "reset would be lost."
        )
    return neuron


def ei_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 10e-3,
    tau_inh: PerNeuron = 20e-3,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
) -> Neuron:
    """Leaky integrate-and-fire neuron with excitatory and inhibitory kinetics of their own.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh
        Time constants of the membrane and of the two synaptic currents, in seconds.
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

        tau_mem dU/dt = -U + I_exc - I_inh
        tau_exc dI_exc/dt = -I_exc        a spike of weight w at "exc": I_exc += w
        tau_inh dI_inh/dt = -I_inh        a spike of weight w at "inh": I_inh += w

    All weights are non-negative.

    Examples
    --------
    >>> list(ei_lif().states), list(ei_lif().receptors)
    (['U', 'I_exc', 'I_inh'], ['exc', 'inh'])
    """
    return Neuron(
        model="ei_lif",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh"},
        gains={("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0},
        receptors=ei_receptors("I_exc", "I_inh"),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
    )


def ampa_nmda_gaba(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_ampa: PerNeuron = 5e-3,
    tau_nmda: PerNeuron = 100e-3,
    tau_gaba: PerNeuron = 10e-3,
    threshold: PerNeuron = 1.0,
    reset: Reset = 0.0,
    refractory: PerNeuron = 0.0,
    integrator: str = "exact",
) -> Neuron:
    """Leaky integrate-and-fire neuron with a fast and a slow excitatory current, and inhibition.

    Parameters
    ----------
    tau_mem, tau_ampa, tau_nmda, tau_gaba
        Time constants of the membrane and of the three currents, in seconds.
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

        tau_mem dU/dt = -U + (I_ampa + I_nmda) / 2 - I_gaba
        tau_ampa dI_ampa/dt = -I_ampa                a spike of weight w at "exc": I_ampa += w
        tau_nmda dI_nmda/dt = -I_nmda + I_ampa
        tau_gaba dI_gaba/dt = -I_gaba                a spike of weight w at "inh": I_gaba += w

    Both excitatory currents carry the same charge. The model is linear: NMDA does not depend on the
    voltage.

    Examples
    --------
    >>> ampa_nmda_gaba().gains["I_nmda", "I_ampa"]
    1.0
    """
    return Neuron(
        model="ampa_nmda_gaba",
        states={"U": "mem", "I_ampa": "ampa", "I_nmda": "nmda", "I_gaba": "gaba"},
        gains={
            ("U", "I_ampa"): 0.5,
            ("U", "I_nmda"): 0.5,
            ("U", "I_gaba"): -1.0,
            ("I_nmda", "I_ampa"): 1.0,
        },
        receptors=ei_receptors("I_ampa", "I_gaba"),
        time_constants={"mem": tau_mem, "ampa": tau_ampa, "nmda": tau_nmda, "gaba": tau_gaba},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator=integrator,
    )


def leaky_readout(
    *, tau_mem: PerNeuron = 0.1, tau_syn: PerNeuron = 10e-3, integrator: str = "exact"
) -> Neuron:
    """Leaky integrator without threshold: the output that losses look at.

    Parameters
    ----------
    tau_mem, tau_syn
        Time constants of membrane and synaptic current, in seconds.
    integrator
        "exact", "exponential_euler" or "euler" (see `Neuron`).

    Returns
    -------
    A table; `Network.readout` makes it for you.

    Notes
    -----
    Equations and receptors are those of `lif`.

    Examples
    --------
    >>> leaky_readout(tau_mem=0.7).spiking
    False
    """
    return Neuron(
        model="readout",
        states={"U": "mem", "I": "syn"},
        gains={("U", "I"): 1.0},
        receptors=signed_receptors("I"),
        time_constants={"mem": tau_mem, "syn": tau_syn},
        threshold=np.inf,
        integrator=integrator,
    )


def pooling_unit(dt: float) -> Neuron:
    """Return the table of units that pool spikes, which have no dynamics (`Network.pool`).

    Parameters
    ----------
    dt
        The time step in seconds. Kernels find one state, which is always 0.

    Examples
    --------
    >>> pooling_unit(1e-3).receptors
    {}
    """
    return Neuron(
        model="pooling",
        states={"hidden": "mem"},
        gains={},
        receptors={},
        time_constants={"mem": dt},
        integrator="euler",
    )
