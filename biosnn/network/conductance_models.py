"""Neuron models with conductances: `conductance_lif`, `alpha_conductance_lif`.

Potentials are relative to rest, conductances in units of the leak conductance.
"""

import numpy as np

from ..support.units import PerNeuron, Seconds
from .neuron import Neuron
from .neuron_checks import check_finite
from .neuron_models import ei_receptors


def conductance_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    reversal_exc: float = 60e-3,
    reversal_inh: float = -20e-3,
    threshold: float = 10e-3,
    reset: float = 0.0,
    refractory: Seconds = 5e-3,
) -> Neuron:
    """Leaky integrate-and-fire neuron with exponential conductances.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh
        Time constants of the membrane and of the two conductances, in seconds.
    reversal_exc, reversal_inh
        Reversal potentials, relative to rest.
    threshold, reset
        Threshold and the value after a spike, relative to rest.
    refractory
        Seconds for which U is clamped after a spike; only whole time steps count.

    Returns
    -------
    A table for `Network.population`.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + g_exc (E_exc - U) + g_inh (E_inh - U)
        tau_r dg_r/dt = -g_r        a spike of weight w: g_r += w

    The defaults are those of Brette et al. [1]_: rest -60, threshold -50, E_exc 0, E_inh -80 mV. A
    step is exponential Euler with the conductances of its beginning: U relaxes to
    U_inf = sum g E / (1 + sum g) with the time constant tau_mem / (1 + sum g). This is Brian2's
    method "exponential_euler".

    To train, choose units in which the surrogate's steepness fits: the distance from rest to
    threshold is 1 with threshold=1.0, reversal_exc=6.0, reversal_inh=-2.0.

    References
    ----------
    .. [1] Brette et al. (2007). Simulation of networks of spiking neurons: a review of tools and
       strategies. J. Comput. Neurosci. 23:349.

    Examples
    --------
    >>> conductance_lif().reversal
    {'g_exc': 0.06, 'g_inh': -0.02}
    """
    check_finite("conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
    return Neuron(
        model="conductance_lif",
        states={"U": "mem", "g_exc": "exc", "g_inh": "inh"},
        gains={},
        receptors=ei_receptors("g_exc", "g_inh"),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator="exponential_euler",
        reversal={"g_exc": float(reversal_exc), "g_inh": float(reversal_inh)},
    )


def alpha_conductance_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    reversal_exc: float = 60e-3,
    reversal_inh: float = -20e-3,
    threshold: float = 10e-3,
    reset: float = 0.0,
    refractory: Seconds = 5e-3,
) -> Neuron:
    """`conductance_lif` with conductances that rise and fall as alpha functions.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh, reversal_exc, reversal_inh, threshold, reset, refractory
        As for `conductance_lif`.

    Returns
    -------
    A table for `Network.population`.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + g_exc (E_exc - U) + g_inh (E_inh - U)
        tau_r dg_r/dt = h_r - g_r        tau_r dh_r/dt = -h_r        a spike of weight w: h_r += e w

    A spike gives the conductance w (t / tau_r) exp(1 - t / tau_r), whose peak, tau_r after the
    spike, is w. Potentials and the step of U are those of `conductance_lif`. g and h take
    exponential Euler steps, too (Brian2's method "exponential_euler"). So the peak of g_r in the
    simulation exceeds w by a fraction dt / (2 tau_r), which is 1 % for dt = 0.1 ms and tau_r =
    5 ms.

    Examples
    --------
    >>> list(alpha_conductance_lif().states)
    ['U', 'g_exc', 'h_exc', 'g_inh', 'h_inh']
    """
    check_finite("alpha_conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
    return Neuron(
        model="alpha_conductance_lif",
        states={"U": "mem", "g_exc": "exc", "h_exc": "exc", "g_inh": "inh", "h_inh": "inh"},
        gains={("g_exc", "h_exc"): 1.0, ("g_inh", "h_inh"): 1.0},
        receptors=ei_receptors("h_exc", "h_inh", peak=float(np.e)),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator="exponential_euler",
        reversal={"g_exc": float(reversal_exc), "g_inh": float(reversal_inh)},
    )
