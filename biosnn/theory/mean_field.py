"""Mean-field theory of networks of leaky integrate-and-fire neurons: free membranes, rates, and rates that sustain themselves.

A neuron that receives many small independent inputs has a free membrane (threshold off) that fluctuates around a mean. From the two
moments follow its rate and the irregularity of its spikes; from those of all populations the rates that reproduce themselves.

    current-based       mu = sum_p N_p nu_p a_p E[w_p] + current          a: area of the PSP of a unit weight (s)
    conductance-based   g_r = sum_p N_p nu_p tau_r E[w_p]    G = 1 + sum g_r    tau = tau_mem / G    mu = sum g_r E_r / G

In the second case a weight acts with the driving force (E_r - mu) / G at the mean, and the correlation of conductance and membrane
shifts the mean by -sum_r (E_r - mu) Var[g_r] tau_r / (G^2 (tau_r + tau)) (Richardson & Gerstner 2005, Neural Comput. 17:923).
Continuous time; in-degrees and weights are replaced by their means over neurons; correlations and delays play no part.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..network.plasticity import TsodyksMarkram
from .moments import adaptation_gain, continuous_psp_integrals, siegert_rate, stationary_rate

COLOUR = np.sqrt(2) * 1.4603545088095868  # alpha = sqrt(2) |zeta(1/2)|
SHORT = 0.1  # tau_syn / tau_mem up to which the colour correction is used; above, the density is computed


@dataclass(frozen=True)
class Input:
    """N synapses of mean weight `mean` and mean squared weight `square` on a receptor, from population `pre` or (None) at `rate` Hz.

    plasticity: TsodyksMarkram, with whose `efficacy` at that rate the weights act, or None.
    """

    receptor: str
    n: float
    mean: float
    square: float
    pre: str | None = None
    rate: float = 0.0
    plasticity: TsodyksMarkram | None = None

    def scaled(self, rate):
        """These synapses at `rate` Hz, without plasticity: the weights with their efficacy."""
        if self.plasticity is None:
            return self
        share = efficacy(self.plasticity, rate)
        return replace(self, mean=share * self.mean, square=share**2 * self.square, plasticity=None)


@dataclass(frozen=True, eq=False)
class Cell:
    """One population: its neuron, its inputs, a constant current and (sd, tau) of Ornstein-Uhlenbeck currents."""

    name: str
    neuron: object
    inputs: tuple
    current: float = 0.0
    noise: tuple = ()


@dataclass(frozen=True)
class Membrane:
    """Free membrane of a population.

    mu, sigma    mean and standard deviation (the synapses' filter included);  tau: effective time constant (s)
    white        standard deviation for synapses of the same charge without duration;  tau_syn: their effective time constant (s)
    excitation, inhibition   parts of the mean: what each moves the membrane from where it were without synapses
    """

    mu: float
    sigma: float
    tau: float
    white: float
    tau_syn: float
    excitation: float
    inhibition: float


def efficacy(plasticity, rate):
    """Mean share u x of a weight that the spikes of Poisson trains of `rate` Hz transmit: 1 without TsodyksMarkram plasticity.

    TsodyksMarkram.steady_state has exp(-T / tau) for the interval T of a regular train; its mean over those of a Poisson train is
    rate tau / (1 + rate tau). Exact without facilitation, U / (1 + U rate tau_rec); with it, u and x count as independent.
    """
    if not isinstance(plasticity, TsodyksMarkram):
        return 1.0
    recovering, facilitated = (
        rate * tau / (1 + rate * tau) for tau in (plasticity.tau_rec, plasticity.tau_facil)
    )
    u = plasticity.utilization / (1 - (1 - plasticity.utilization) * facilitated)
    return float(u * (1 - recovering) / (1 - (1 - u) * recovering))


def membrane(cell, rates):
    """Moments of the free membrane of a population; rates: name -> Hz. The equations are at the head of this file."""
    neuron, tau_mem = cell.neuron, _tau(cell.neuron, "mem")
    if neuron.nonlinear_drive:
        raise ValueError(
            f"population {cell.name!r}: there is no theory for {neuron.model}, which is not linear in U."
        )
    drives = [
        (i.scaled(rate), i.n * rate)
        for i in cell.inputs
        for rate in [i.rate if i.pre is None else rates[i.pre]]
    ]
    own = adaptation_gain(neuron)
    current = cell.current + (own * rates[cell.name] if own else 0.0)
    if neuron.reversal:
        return _conductance_membrane(cell, drives, current, tau_mem)
    terms, parts = [(sd**2 * tau / tau_mem, tau) for sd, tau in cell.noise], [0.0, 0.0]
    for i, events in drives:
        area, tau = _filter(neuron, i.receptor)
        mean = tau_mem * events * i.mean * area
        parts[int(mean < 0)] += abs(mean)
        terms.append((tau_mem / 2 * events * i.square * area**2, tau))
    return _combined(current + parts[0] - parts[1], tau_mem, terms, *parts)


def _filter(neuron, name):
    """(area of the PSP of a unit weight, in units of tau_mem; time constant of the synapse) of a receptor.

    Where a spike drives several currents (NMDA beside AMPA), the time constant is that of one current of the same area which gives U the
    same variance: integral of k^2 = area^2 tau_mem^2 / (2 (tau_mem + tau)).
    """
    receptor, tau_mem = neuron.receptors[name], _tau(neuron, "mem")
    if receptor.state == "U":
        return receptor.jump, 0.0
    if [row for row, column in neuron.gains if column == receptor.state] == ["U"]:
        tau = _tau(neuron, neuron.states[receptor.state])
        return receptor.jump * neuron.gains["U", receptor.state] * tau / tau_mem, tau
    whole, square = continuous_psp_integrals(neuron, name)
    return whole / tau_mem, whole**2 / (2 * square) - tau_mem


def _conductance_membrane(cell, drives, current, tau_mem):
    neuron = cell.neuron
    if any(receptor.state not in neuron.reversal for receptor in neuron.receptors.values()):
        raise ValueError(
            f"population {cell.name!r}: the theory knows exponential conductances (conductance_lif), not those of {neuron.model}."
        )
    mean_g, var_g, tau_g = {}, {}, {}
    for state in neuron.reversal:
        tau_g[state], mean_g[state], var_g[state] = _tau(neuron, neuron.states[state]), 0.0, 0.0
    for i, events in drives:
        receptor = neuron.receptors[i.receptor]
        tau = tau_g[receptor.state]
        mean_g[receptor.state] += events * tau * i.mean * receptor.jump
        var_g[receptor.state] += events * tau / 2 * i.square * receptor.jump**2
    total = 1 + sum(mean_g.values())
    tau = tau_mem / total
    mu = (current + sum(g * neuron.reversal[s] for s, g in mean_g.items())) / total
    terms, shift, parts = [(sd**2 * t / tau / total**2, t) for sd, t in cell.noise], 0.0, [0.0, 0.0]
    for state, t in tau_g.items():
        force = (neuron.reversal[state] - mu) / total
        terms.append((force**2 * var_g[state] * t / tau, t))
        shift -= force * var_g[state] / total * t / (t + tau)
        parts[int(neuron.reversal[state] < 0)] += abs(mean_g[state] * force)
    return _combined(mu + shift, tau, terms, *parts)


def _combined(mu, tau, terms, excitation, inhibition):
    """terms: (variance of U for white noise of that intensity, time constant of the filter); the filter leaves tau / (tau + t) of it."""
    white = sum(v for v, _ in terms)
    filtered = sum(v * tau / (tau + t) for v, t in terms)
    tau_syn = (sum(v * np.sqrt(t) for v, t in terms) / white) ** 2 if white > 0 else 0.0
    return Membrane(
        float(mu),
        float(np.sqrt(filtered)),
        float(tau),
        float(np.sqrt(white)),
        float(tau_syn),
        float(excitation),
        float(inhibition),
    )


def _tau(neuron, name):
    return float(np.mean(neuron.time_constants[name]))


# --------------------------------------------------------------------------------------- one neuron


def _noise(neuron, m):
    """(reset, threshold, standard deviation) for Siegert's formula: both bounds shifted by sqrt(2) white alpha/2 sqrt(tau_syn / tau).

    That grows without limit. So above tau_syn = 0.1 tau, where the formula only leads the search for the rate of the density, it gives way to
    no shift and the standard deviation of the filtered noise.
    """
    ratio = m.tau_syn / m.tau
    filtered = max(ratio - SHORT, 0.0) / (ratio + 1)
    shift = (1 - filtered) * np.sqrt(2) * m.white * COLOUR / 2 * np.sqrt(ratio)
    reset = 0.0 if neuron.reset == "subtract" else neuron.reset
    return reset + shift, neuron.threshold + shift, (1 - filtered) * m.white + filtered * m.sigma


def colour_corrected_rate(neuron, m):
    """Rate (Hz) by Siegert's formula with threshold and reset shifted by alpha/2 sqrt(tau_syn/tau), in units of sqrt(2) sigma_white.

    To first order in sqrt(tau_syn / tau), alpha = sqrt(2) |zeta(1/2)| = 2.07 (Brunel & Sergi 1998, J. Theor. Biol. 195:87; Fourcaud &
    Brunel 2002, Neural Comput. 14:2057): good for tau_syn <= 0.1 tau; for longer synapses use `density_rate`. sigma_white is that of
    synapses without duration. Without noise: the rate of a clock, or 0 below threshold.
    """
    if not neuron.spiking:
        return 0.0
    if m.white <= 1e-9 * (abs(neuron.threshold) + abs(m.mu)):
        reset = 0.0 if neuron.reset == "subtract" else neuron.reset
        return (
            0.0
            if m.mu <= neuron.threshold
            else 1
            / (neuron.refractory + m.tau * np.log((m.mu - reset) / (m.mu - neuron.threshold)))
        )
    reset, threshold, sigma = _noise(neuron, m)
    return siegert_rate(m.mu, sigma, m.tau, threshold, reset, neuron.refractory)


def density_rate(neuron, m, dt):
    """Rate (Hz) from the stationary density of membrane and one current (`moments.stationary_rate`): for synapses of any duration.

    The current has the time constant tau_syn and gives the membrane its sigma: exact for one synaptic time constant. The step is a
    tenth of the shorter time constant, but not below dt; the rate then differs by about 1 % from that of a small step.
    """
    if not neuron.spiking:
        return 0.0
    if (
        abs(m.mu - neuron.threshold) > 10 * m.sigma
    ):  # a clock, whose density takes a fine grid, or silence
        return colour_corrected_rate(neuron, replace(m, white=0.0))
    step = max(dt, min(m.tau, m.tau_syn or m.tau) / 10)
    steps = neuron.refractory_steps(step)
    rate = stationary_rate(
        m.mu, m.sigma, m.tau, max(m.tau_syn, step / 10), step, neuron.threshold, neuron.reset, steps
    )
    return 1 / (1 / rate + neuron.refractory - steps * step) if rate > 0 else 0.0


def interval_cv(neuron, m):
    """Coefficient of variation of the intervals, Brunel (2000), appendix A.1, with bounds and noise of `_noise`.

        CV^2 = 2 pi rate^2 tau^2 integral_{y_r}^{y_theta} dx exp(x^2) integral_{-inf}^{x} dy exp(y^2) (1 + erf y)^2

    1 (Poisson) where the threshold is more than 5 standard deviations away, NaN for a neuron that never fires.
    """
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


# ---------------------------------------------------------------------------------- all populations


@dataclass(frozen=True)
class FixedPoint:
    """Self-consistent rates (population -> Hz), the stable ones that were found beside them, and whether the equations hold.

    method: population -> "colour-corrected" or "density", which formula gave its rate;  residual: largest |Phi(rates) - rates| in Hz
    """

    rates: dict
    others: tuple
    converged: bool
    residual: float
    method: dict


def fixed_point(cells, given=None, dt=None):
    """Rates with which every population fires if all fire with them: nu_p = Phi_p(mu_p(nu), sigma_p(nu)). A FixedPoint.

    cells   list of Cell;  given: rates in Hz of sources that are no cells
    dt      seconds: populations with tau_syn > 0.1 tau, and those whose reset subtracts, get `density_rate`; None: none does

    d nu/dt = Phi(nu) - nu is followed from silence, from 5 Hz and from high rates to where it settles, and polished by
    scipy.optimize.root: only fixed points that are stable in this sense are found. `rates` is the one that is reached from 5 Hz.
    """
    names, given = [cell.name for cell in cells], dict(given or {})
    factor = np.ones(len(cells))

    def membranes(nu):
        rates = given | dict(zip(names, np.maximum(nu, 0.0)))
        return [membrane(cell, rates) for cell in cells]

    def excess(nu):
        return (
            np.array([colour_corrected_rate(c.neuron, m) for c, m in zip(cells, membranes(nu))])
            * factor
            - nu
        )

    most = np.array(
        [
            min(400.0, 0.9 / max(c.neuron.refractory, 1e-3)) if c.neuron.spiking else 0.0
            for c in cells
        ]
    )
    found = []
    for start in (np.minimum(5.0, most), np.zeros(len(cells)), most):
        nu, error = _settle(excess, start)
        if (
            error < 1e-3 * max(1.0, nu.max())
            and not any(np.allclose(nu, f, rtol=1e-2, atol=1e-2) for f, _ in found)
            or not found
        ):
            found.append((nu, error))
    nu, error = found[0]
    longer = [
        dt is not None
        and c.neuron.spiking
        and (m.tau_syn > SHORT * m.tau or c.neuron.reset == "subtract")
        for c, m in zip(cells, membranes(nu))
    ]
    if any(longer):
        nu, error = _with_density(cells, membranes, excess, factor, longer, nu, dt)
    method = {name: "density" if slow else "colour-corrected" for name, slow in zip(names, longer)}
    return FixedPoint(
        dict(zip(names, map(float, nu))),
        tuple(dict(zip(names, map(float, f))) for f, _ in found[1:]),
        bool(error < 0.03 * max(1.0, nu.max())),
        float(error),
        method,
    )


def _settle(excess, start):
    """(rates, largest error in Hz) where the pseudo-dynamics d nu/dt = excess(nu) come to rest."""
    from scipy.integrate import solve_ivp  # here: `import biosnn` stays quick
    from scipy.optimize import root  # here: `import biosnn` stays quick

    flow = solve_ivp(lambda _, nu: excess(nu), (0, 60), start, method="LSODA", rtol=1e-4, atol=1e-4)
    nu = np.maximum(flow.y[:, -1], 0.0)
    polished = root(excess, nu, tol=1e-9)
    if (
        np.all(np.isfinite(polished.x))
        and np.all(polished.x > -1e-6)
        and np.allclose(polished.x, nu, rtol=0.05, atol=0.1)
    ):
        nu = np.maximum(polished.x, 0.0)
    return nu, float(np.abs(excess(nu)).max())


def _with_density(cells, membranes, excess, factor, longer, nu, dt):
    """The colour-corrected formula times a factor, chosen so that at the fixed point it is the rate of the density."""
    error = np.inf
    for _ in range(12):
        known, wanted = {}, excess(nu) + nu  # equal populations are computed once
        for k, (c, m) in enumerate(zip(cells, membranes(nu))):
            if longer[k]:
                if (key := (id(c.neuron), round(m.mu, 9), round(m.sigma, 9))) not in known:
                    known[key] = density_rate(c.neuron, m, dt)
                wanted[k] = known[key]
        error = float(np.abs(wanted - nu).max())
        if error < 0.01 * max(1.0, nu.max()):
            break
        plain = (excess(nu) + nu) / factor
        factor[:] = np.where(
            plain > 1e-6, np.clip(wanted / np.maximum(plain, 1e-6), 1e-3, 1e3), factor
        )
        nu, _ = _settle(excess, nu)
    return nu, error
