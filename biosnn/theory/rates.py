"""Firing rate and irregularity of a neuron whose free membrane has given moments.

Short synapses: Siegert's formula with the colour correction. Longer ones, and resets that subtract:
the stationary density of membrane and current (density.py).
"""

from collections.abc import Callable

import numpy as np

from ..network.neuron import Neuron, typical
from ..support import checks
from .arguments import check_neuron
from .density import coloured_rate
from .moments import Moments

#: alpha = sqrt(2) |zeta(1/2)| of the colour correction.
COLOUR = np.sqrt(2) * 1.4603545088095868
#: tau_syn / tau_mem up to which the colour correction is used; above, the density is computed.
SHORT = 0.1


def siegert_rate(
    mu: float,
    sigma: float,
    tau_mem: float,
    *,
    threshold: float = 1.0,
    reset: float = 0.0,
    refractory: float = 0.0,
) -> float:
    """Firing rate (Hz) of a leaky integrate-and-fire neuron driven by white noise.

    The noise is that of many small inputs through delta synapses. For currents with a time
    constant of their own use `stationary_rate`.

    Parameters
    ----------
    mu, sigma
        Mean and standard deviation of the free membrane (threshold off), in the unit of the
        threshold.
    tau_mem
        Membrane time constant in seconds.
    threshold, reset
        Potentials.
    refractory
        Refractory period in seconds.

    Returns
    -------
    The rate in hertz.

    Raises
    ------
    ValueError
        Unless sigma and tau_mem are positive and the threshold lies above the reset.

    Notes
    -----
    With s = sqrt(2) sigma,

        1 / rate = refractory + tau_mem sqrt(pi) integral_{low}^{high} exp(u^2) (1 + erf u) du

    from low = (reset - mu) / s to high = (threshold - mu) / s.

    References
    ----------
    Siegert (1951), Phys. Rev. 81:617; Brunel (2000), J. Comput. Neurosci. 8:183, eq. 21.

    Examples
    --------
    >>> import biosnn as bs
    >>> rate = bs.theory.siegert_rate(
    ...     mu=15e-3, sigma=5e-3, tau_mem=20e-3, threshold=20e-3
    ... )
    >>> f"{rate:.1f} Hz"
    '12.9 Hz'
    """
    mu = checks.real(mu, "mu")
    why = "it is the standard deviation of the membrane"
    sigma = checks.real(sigma, "sigma", above=0, why=why)
    tau_mem = checks.time(tau_mem, "tau_mem", above=0)
    refractory = checks.time(refractory, "refractory", 0)
    reset = checks.real(reset, "reset")
    threshold = checks.real(threshold, "threshold", above=reset, why="it lies above the reset")
    return _siegert(mu, sigma, tau_mem, threshold, reset, refractory)


def _siegert(mu, sigma, tau_mem, threshold, reset, refractory):
    """`siegert_rate` of what was checked."""
    low, high = ((level - mu) / (np.sqrt(2) * sigma) for level in (reset, threshold))
    if high > 25:  # exp(u^2) overflows: less than one spike in the age of the universe
        return 0.0
    from scipy.integrate import quad  # here: `import biosnn` stays quick
    from scipy.special import erfcx  # here: `import biosnn` stays quick

    integral = quad(lambda u: erfcx(-u), low, high, limit=200)[0]
    return 1 / (refractory + tau_mem * np.sqrt(np.pi) * integral)


def colour_corrected_rate(neuron: Neuron, m: Moments) -> float:
    """Rate (Hz) by Siegert's formula with bounds shifted for the duration of synapses.

    Threshold and reset are shifted by alpha/2 sqrt(tau_syn / tau), in units of sqrt(2)
    sigma_white, with alpha = sqrt(2) |zeta(1/2)| = 2.07. That is right to first order in
    sqrt(tau_syn / tau), and good for tau_syn <= 0.1 tau. Without noise: the rate of a clock, or 0
    below threshold.

    References
    ----------
    Brunel & Sergi (1998), J. Theor. Biol. 195:87; Fourcaud & Brunel (2002), Neural Comput. 14:2057.
    """
    neuron = typical(neuron)
    if not neuron.spiking:
        return 0.0
    if m.white <= 1e-9 * (abs(neuron.threshold) + abs(m.mu)):
        return _clock_rate(neuron, m)
    reset, threshold, sigma = _noise(neuron, m)
    return _siegert(m.mu, sigma, m.tau, threshold, reset, neuron.refractory)


def _clock_rate(neuron, m):
    """Rate (Hz) of a membrane without noise."""
    if m.mu <= neuron.threshold:
        return 0.0
    reset = 0.0 if neuron.subtracts else neuron.reset
    interval = m.tau * np.log((m.mu - reset) / (m.mu - neuron.threshold))
    return 1 / (neuron.refractory + interval)


def _noise(neuron, m):
    """(reset, threshold, standard deviation) for Siegert's formula.

    Both bounds are shifted by sqrt(2) white alpha/2 sqrt(tau_syn / tau), which grows without limit.
    So above tau_syn = 0.1 tau, where the formula only leads the search for the rate of the density,
    it gives way to no shift and to the standard deviation of the filtered noise.
    """
    ratio = m.tau_syn / m.tau
    filtered = max(ratio - SHORT, 0.0) / (ratio + 1)
    shift = (1 - filtered) * np.sqrt(2) * m.white * COLOUR / 2 * np.sqrt(ratio)
    reset = 0.0 if neuron.subtracts else neuron.reset
    return reset + shift, neuron.threshold + shift, (1 - filtered) * m.white + filtered * m.sigma


def density_rate(neuron: Neuron, m: Moments, dt: float) -> float:
    """Rate (Hz) from the stationary density of membrane and one current, for any synapses.

    The current has the time constant tau_syn and gives the membrane its sigma, which is exact for
    one synaptic time constant. The step is a tenth of the shorter time constant, but not below dt
    (s); the rate then differs by about 1 % from that of a small step.
    """
    neuron = typical(neuron)
    if not neuron.spiking:
        return 0.0
    if abs(m.mu - neuron.threshold) > 10 * m.sigma:  # a clock, which takes a fine grid, or silence
        return colour_corrected_rate(neuron, m.but(white=0.0))
    step = max(dt, min(m.tau, m.tau_syn or m.tau) / 10)
    steps = neuron.refractory_steps(step)
    rate = coloured_rate(
        mu=m.mu,
        sigma=m.sigma,
        tau_mem=m.tau,
        tau_current=max(m.tau_syn, step / 10),
        dt=step,
        threshold=neuron.threshold,
        reset=neuron.reset,
        refractory_steps=steps,
    )
    return 1 / (1 / rate + neuron.refractory - steps * step) if rate > 0 else 0.0


def interval_cv(neuron: Neuron, m: Moments) -> float:
    """Coefficient of variation of the interspike intervals.

    Parameters
    ----------
    neuron
        The neuron.
    m
        Moments of its free membrane, with mu, sigma, tau, white and tau_syn.

    Returns
    -------
    1 (Poisson) where the threshold is more than 5 standard deviations away, NaN for a neuron that
    never fires.

    Notes
    -----
    With y_r and y_theta the reset and the threshold in units of sqrt(2) sigma from the mean,

        CV^2 = 2 pi rate^2 tau^2 integral_{y_r}^{y_theta} dx exp(x^2) g(x)
        g(x) = integral_{-inf}^{x} dy exp(y^2) (1 + erf y)^2

    Bounds are shifted for the duration of the synapses, as in `colour_corrected_rate`.

    References
    ----------
    Brunel (2000), J. Comput. Neurosci. 8:183, appendix A.1.

    Examples
    --------
    >>> import biosnn as bs
    >>> neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3)
    >>> m = bs.theory.Moments(mu=15e-3, sigma=5e-3, tau=20e-3, white=5e-3, tau_syn=0.0)
    >>> f"{bs.theory.interval_cv(neuron, m):.2f}"
    '0.86'
    """
    check_neuron(neuron)
    checks.instance(m, "m", Moments, "bs.theory.Moments(…)")
    neuron = typical(neuron)
    rate = colour_corrected_rate(neuron, m)
    if rate == 0 or m.white == 0:
        return np.nan if rate == 0 else 0.0
    reset, threshold, sigma = _noise(neuron, m)
    low, high = ((level - m.mu) / (np.sqrt(2) * sigma) for level in (reset, threshold))
    if high > 5:
        return 1.0
    nodes, weights = np.polynomial.legendre.leggauss(120)
    x = (low + high) / 2 + (high - low) / 2 * nodes
    reach = np.where(x > 0, x + 6, np.minimum(6, 18 / np.maximum(np.abs(x), 1e-9)))  # of z = x - y
    z = reach[:, None] * (nodes + 1) / 2
    from scipy.special import erfcx  # here: `import biosnn` stays quick

    inner = (np.exp(2 * x[:, None] * z - z**2) * erfcx(z - x[:, None]) ** 2) @ weights * reach / 2
    return float(np.sqrt(2 * np.pi * (inner @ weights) * (high - low) / 2) * rate * m.tau)


def adapted_rate(rate: Callable[[float], float], gain: float) -> float:
    """The rate (Hz) at which a neuron settles if its own spikes move its mean.

    Parameters
    ----------
    rate
        Shift of the mean to rate in hertz.
    gain
        Shift per hertz, <= 0 (`adaptation_gain`).
    """
    free = rate(0.0)
    if gain >= 0 or not free > 0:
        return free
    from scipy.optimize import brentq  # here: `import biosnn` stays quick

    return brentq(lambda nu: rate(gain * nu) - nu, 0.0, free, xtol=1e-2, rtol=1e-2)


def pooled_rate(rate: float, size: int, dt: float) -> float:
    """Rate (Hz) of a unit that pools `size` independent neurons of that rate (Hz).

    In a step of dt (s) it fires with probability 1 - (1 - p)^size.
    """
    return (1 - (1 - min(rate * dt, 1.0)) ** size) / dt
