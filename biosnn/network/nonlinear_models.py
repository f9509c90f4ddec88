"""Neuron models that are not linear in U: `exponential_lif`, `adex`, `izhikevich`."""

from typing import Any

import numpy as np

from ..support.checks import shown
from ..support.units import PerNeuron
from .neuron import Neuron, NonlinearDrive
from .neuron_checks import check_finite, check_values
from .neuron_models import ei_receptors


def exponential_lif(
    *,
    tau_mem: PerNeuron = 10e-3,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    slope: float = 3.48e-3,
    onset: float = 5.1e-3,
    peak: PerNeuron = 35e-3,
    reset: PerNeuron = -3e-3,
    refractory: PerNeuron = 1.7e-3,
) -> Neuron:
    """Exponential integrate-and-fire neuron with exponential synaptic currents.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh
        Time constants of membrane and synaptic currents, in seconds.
    slope, onset
        Slope factor Delta_T and onset V_T of the exponential, in volts (onset from rest).
    peak, reset
        Where a spike is cut and what U is then, in volts from rest, one number or one per neuron.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron; only whole time
        steps count.

    Returns
    -------
    A table for `Network.population`.

    Raises
    ------
    ValueError
        If the slope is not positive or the onset does not lie below the peak.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + slope exp((U - onset) / slope) + I_exc - I_inh
        tau_r dI_r/dt = -I_r                    a spike of weight w: I_r += w
        U > peak: a spike, U = reset

    It is `adex` without adaptation. Potentials are in volts from rest; currents are divided by the
    leak conductance, hence in volts. A constant current just above onset - slope makes it fire. The
    defaults are those of Fourcaud-Trocme et al. [1]_, which fit the spikes of a Wang-Buzsaki neuron
    (rest -65 mV, V_T -59.9 mV, Delta_T 3.48 mV, reset -68 mV, spikes cut at -30 mV). A step is
    forward Euler in all states, with the values of its beginning (Brian2's method "euler"): use
    dt = 0.1 ms or less.

    References
    ----------
    .. [1] Fourcaud-Trocme, Hansel, van Vreeswijk & Brunel (2003). How spike generation mechanisms
       determine the neuronal response to fluctuating inputs. J. Neurosci. 23:11628.

    Examples
    --------
    >>> exponential_lif().nonlinear_drive
    NonlinearDrive(square=0.0, constant=0.0, slope=0.00348, onset=0.0051)
    """
    return Neuron(
        model="exponential_lif",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh"},
        gains={("U", "I_exc"): 1.0, ("U", "I_inh"): -1.0},
        receptors=ei_receptors("I_exc", "I_inh"),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh},
        threshold=peak,
        reset=reset,
        refractory=refractory,
        integrator="euler",
        nonlinear_drive=_exponential("exponential_lif", slope, onset, peak),
    )


def adex(
    *,
    tau_mem: PerNeuron = 281e-3 / 30,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    tau_adapt: PerNeuron = 144e-3,
    a: float = 4 / 30,
    b: PerNeuron = 80.5e-3 / 30,
    slope: float = 2e-3,
    onset: float = 20.2e-3,
    peak: PerNeuron = 90.6e-3,
    reset: PerNeuron = 0.0,
    refractory: PerNeuron = 0.0,
) -> Neuron:
    """Adaptive exponential integrate-and-fire neuron with exponential synaptic currents.

    Parameters
    ----------
    tau_mem, tau_exc, tau_inh, tau_adapt
        Time constants of membrane, synaptic currents and adaptation, in seconds.
    a
        Coupling of w_adapt to U, in units of the leak conductance.
    b
        What a spike adds to w_adapt, in volts, one number or one per neuron.
    slope, onset
        Slope factor and onset of the exponential, in volts (onset from rest).
    peak, reset
        Where a spike is cut and what U is then, in volts from rest, one number or one per neuron.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron; only whole time
        steps count.

    Returns
    -------
    A table for `Network.population`; the networks run in `simulate`.

    Raises
    ------
    ValueError
        If the slope is not positive or the onset does not lie below the peak.

    Notes
    -----
    ::

        tau_mem dU/dt = -U + slope exp((U - onset) / slope) - w_adapt + I_exc - I_inh
        tau_adapt dw_adapt/dt = -w_adapt + a U        tau_r dI_r/dt = -I_r
        U > peak: a spike, U = reset, w_adapt += b    a spike of weight w: I_r += w

    Potentials are in volts from rest; currents, w_adapt and b are divided by the leak conductance,
    hence in volts. The defaults are those of Brette & Gerstner [1]_ (C 281 pF, g_L 30 nS,
    E_L -70.6 mV, V_T -50.4 mV, Delta_T 2 mV, tau_w 144 ms, a 4 nS, b 80.5 pA, spikes cut at 20 mV).
    A step is forward Euler in all states, with the values of its beginning (Brian2's method
    "euler"): use dt = 0.1 ms or less.

    References
    ----------
    .. [1] Brette & Gerstner (2005). Adaptive exponential integrate-and-fire model as an effective
       description of neuronal activity. J. Neurophysiol. 94:3637.

    Examples
    --------
    >>> adex().nonlinear_drive
    NonlinearDrive(square=0.0, constant=0.0, slope=0.002, onset=0.0202)
    """
    check_finite("adex", a=a)
    check_values("adex", b=b)
    return Neuron(
        model="adex",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        gains={
            ("U", "I_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("U", "w_adapt"): -1.0,
            ("w_adapt", "U"): float(a),
        },
        receptors=ei_receptors("I_exc", "I_inh"),
        time_constants={"mem": tau_mem, "exc": tau_exc, "inh": tau_inh, "adapt": tau_adapt},
        threshold=peak,
        reset=reset,
        refractory=refractory,
        integrator="euler",
        spike_jumps={"w_adapt": b},
        nonlinear_drive=_exponential("adex", slope, onset, peak),
    )


def _exponential(model: str, slope: Any, onset: Any, peak: Any) -> NonlinearDrive:
    """An exponential drive whose onset lies below the peak."""
    check_finite(model, slope=slope, onset=onset)
    check_values(model, peak=peak)
    drive = NonlinearDrive(slope=float(slope), onset=float(onset))
    if not drive.slope > 0 or not np.all(drive.onset < np.asarray(peak)):
        raise ValueError(
            f"{model}: slope is {slope!r} and must be positive; onset {onset!r} must lie below "
            f"peak {shown(peak)}."
        )
    return drive


def izhikevich(
    *,
    a: float = 0.02,
    b: float = 0.2,
    c: PerNeuron = -65.0,
    d: PerNeuron = 8.0,
    tau_exc: PerNeuron = 5e-3,
    tau_inh: PerNeuron = 10e-3,
    peak: PerNeuron = 30.0,
    refractory: PerNeuron = 0.0,
) -> Neuron:
    """Izhikevich's neuron with exponential synaptic currents.

    Parameters
    ----------
    a, b, c, d
        The published numbers: a in 1/ms, c and d in mV; c and d are one number or one per neuron.
        The defaults are regular spiking.
    tau_exc, tau_inh
        Time constants of the synaptic currents, in seconds.
    peak
        Where a spike is cut, in mV, one number or one per neuron.
    refractory
        Seconds for which U is clamped after a spike, one number or one per neuron; only whole time
        steps count.

    Returns
    -------
    A table for `Network.population`; the networks run in `simulate`.

    Raises
    ------
    ValueError
        If a is not positive: w_adapt decays with it.

    Notes
    -----
    ::

        1 ms dU/dt = 0.04 U^2 + 5 U + 140 - w_adapt + I_exc - I_inh        tau_r dI_r/dt = -I_r
        1 ms dw_adapt/dt = a (b U - w_adapt)
        U > peak: a spike, U = c, w_adapt += d        a spike of weight w: I_r += w

    All potentials are in mV, and not relative to rest; w_adapt is the u of Izhikevich [1]_. Start
    it near rest: net.population(…, initial=-65.0) and simulate(…, initial={"A.w_adapt": -13.0}). A
    step is forward Euler in all states, with the values of its beginning (Brian2's method "euler");
    the published program takes two half steps of 0.5 ms for U.

    References
    ----------
    .. [1] Izhikevich (2003). Simple model of spiking neurons. IEEE Trans. Neural Netw. 14:1569.

    Examples
    --------
    >>> izhikevich(a=0.1).time_constants["adapt"]
    0.01
    """
    check_finite("izhikevich", a=a, b=b)
    check_values("izhikevich", c=c, d=d, peak=peak)
    if not a > 0:
        raise ValueError(
            f"izhikevich: a is {a!r}; it must be positive (1/ms): w_adapt decays with it."
        )
    return Neuron(
        model="izhikevich",
        states={"U": "mem", "I_exc": "exc", "I_inh": "inh", "w_adapt": "adapt"},
        gains={
            ("U", "U"): 6.0,
            ("U", "I_exc"): 1.0,
            ("U", "I_inh"): -1.0,
            ("U", "w_adapt"): -1.0,
            ("w_adapt", "U"): float(b),
        },
        receptors=ei_receptors("I_exc", "I_inh"),
        time_constants={"mem": 1e-3, "exc": tau_exc, "inh": tau_inh, "adapt": 1e-3 / a},
        threshold=peak,
        reset=c,
        refractory=refractory,
        integrator="euler",
        spike_jumps={"w_adapt": d},
        nonlinear_drive=NonlinearDrive(square=0.04, constant=140.0),
    )
