"""Neuron models with conductances: `conductance_lif`, `alpha_conductance_lif`, `nmda_lif`.

Potentials are relative to rest, conductances in units of the leak conductance.
"""

import numpy as np

from ..support.checks import real
from ..support.units import PerNeuron
from .neuron import Neuron, Receptor
from .neuron_checks import check_values, unitless
from .neuron_models import ei_receptors

#: Jahr & Stevens (1990): magnesium (mM) of half block at 0 V, and steepness (1/V).
_HALF_BLOCK = 3.57
_STEEPNESS = 62.0


def conductance_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    reversal_exc: PerNeuron = 60e-3,
    reversal_inh: PerNeuron = -20e-3,
    threshold: PerNeuron = 10e-3,
    reset: PerNeuron = 0.0,
    refractory: PerNeuron = 5e-3,
) -> Neuron:
    """Leaky integrate-and-fire neuron with exponential conductances.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh
        Time constants of the membrane and of the two conductances, in seconds.
    reversal_exc, reversal_inh
        Reversal potentials, relative to rest, one number or one per neuron.
    threshold, reset
        Threshold and the value after a spike, relative to rest, one number or one per neuron.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron; only whole time
        steps count.

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
    check_values("conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
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
        reversal={"g_exc": reversal_exc, "g_inh": reversal_inh},
    )


def alpha_conductance_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    reversal_exc: PerNeuron = 60e-3,
    reversal_inh: PerNeuron = -20e-3,
    threshold: PerNeuron = 10e-3,
    reset: PerNeuron = 0.0,
    refractory: PerNeuron = 5e-3,
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
    check_values("alpha_conductance_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
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
        reversal={"g_exc": reversal_exc, "g_inh": reversal_inh},
    )


def nmda_lif(
    *,
    tau_mem: PerNeuron = 20e-3,
    tau_ampa: PerNeuron = 2e-3,
    tau_nmda: PerNeuron = 100e-3,
    tau_gaba: PerNeuron = 5e-3,
    reversal_exc: PerNeuron = 70e-3,
    reversal_inh: PerNeuron = 0.0,
    threshold: PerNeuron = 20e-3,
    reset: PerNeuron = 15e-3,
    refractory: PerNeuron = 2e-3,
    magnesium: float = 1.0,
    rest: float = -70e-3,
    unit: float = 1.0,
) -> Neuron:
    """Leaky integrate-and-fire neuron with AMPA, NMDA and GABA conductances.

    Parameters
    ----------
    tau_mem, tau_ampa, tau_nmda, tau_gaba
        Time constants of the membrane and of the three conductances, in seconds.
    reversal_exc, reversal_inh
        Reversal potentials of AMPA and NMDA, and of GABA, relative to rest, one number or one per
        neuron.
    threshold, reset
        Threshold and the value after a spike, relative to rest, one number or one per neuron.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron; only whole time
        steps count.
    magnesium
        Concentration of magnesium outside, in mM; 0: no block.
    rest
        The potential at rest in volts, on which the block depends.
    unit
        Volts in a unit of U. With 20e-3, threshold=1.0 is 20 mV above rest, and other potentials
        are in that unit, too.

    Returns
    -------
    A table for `Network.population`.

    Raises
    ------
    ValueError
        If magnesium is negative, or `unit` not positive.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + (g_ampa + B(U) g_nmda) (E_exc - U) + g_gaba (E_inh - U)
        tau_r dg_r/dt = -g_r        a spike of weight w: g_r += w
        B(U) = 1 / (1 + magnesium / 3.57 exp(-62 (rest + unit U)))

    The last line is the magnesium block of Jahr & Stevens [1]_, with potentials in volts.
    Conductances are in units of the leak conductance. Excitatory spikes go to the receptor "exc",
    which is AMPA; a second projection with receptor="nmda" goes to NMDA. With
    plasticity=SaturatingGating(), its conductance saturates as that of Wang [2]_, of whose
    pyramidal cells these defaults are (rest -70, threshold -50, reset -55, E_exc 0, E_inh -70 mV).
    A step is that of `conductance_lif`, with the block of its beginning.

    References
    ----------
    .. [1] Jahr & Stevens (1990). Voltage dependence of NMDA-activated macroscopic conductances
       predicted by single-channel kinetics. J. Neurosci. 10:3178.
    .. [2] Wang (2002). Probabilistic decision making by slow reverberation in cortical circuits.
       Neuron 36:955.

    Examples
    --------
    >>> eta, gamma = nmda_lif().magnesium["g_nmda"]
    >>> f"{eta:.2f}, {gamma:g}"
    '21.49, 62'
    """
    magnesium = real(unitless(magnesium), "nmda_lif: magnesium", 0, unit="mM")
    unit = real(unitless(unit), "nmda_lif: unit", above=0, unit="volts")
    rest = real(unitless(rest), "nmda_lif: rest", -1, 1, unit="volts")
    check_values("nmda_lif", reversal_exc=reversal_exc, reversal_inh=reversal_inh)
    eta = magnesium / _HALF_BLOCK * float(np.exp(-_STEEPNESS * rest))
    return Neuron(
        model="nmda_lif",
        states={"U": "mem", "g_ampa": "ampa", "g_nmda": "nmda", "g_gaba": "gaba"},
        gains={},
        receptors=ei_receptors("g_ampa", "g_gaba") | {"nmda": Receptor("g_nmda", 1.0, +1)},
        time_constants={"mem": tau_mem, "ampa": tau_ampa, "nmda": tau_nmda, "gaba": tau_gaba},
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        integrator="exponential_euler",
        reversal={"g_ampa": reversal_exc, "g_nmda": reversal_exc, "g_gaba": reversal_inh},
        magnesium={"g_nmda": (eta, _STEEPNESS * unit)},
    )
