"""The free membrane (threshold off): mu_U and sigma_U with currents, and with conductances.

A neuron that receives many small independent inputs has a free membrane that fluctuates around a
mean. With p over projections, at rates nu_p and with N_p synapses of weight w:

    current-based    mu = sum_p N_p nu_p a_p E[w_p] + current
                     sigma^2 = tau_mem/2 sum_p N_p nu_p a_p^2 E[w_p^2] tau_mem / (tau_mem + tau_p)

where a_p is the area of the PSP of a unit weight (in tau_mem, for the variance) and tau_p the time
constant of the synapse. Conductances in units of the leak:

    conductance-based    g_r = sum_p N_p nu_p tau_r E[w_p]    G = 1 + sum_r g_r
                         tau = tau_mem / G                    mu = sum_r g_r E_r / G

Here a weight acts with the driving force (E_r - mu) / G at the mean, which gives

    sigma^2 = sum_r ((E_r - mu) / G)^2 Var[g_r] tau_r / (tau + tau_r)

and the correlation of conductance and membrane shifts the mean by
-sum_r (E_r - mu) Var[g_r] tau_r / (G^2 (tau_r + tau)) (Richardson & Gerstner 2005, Neural Comput.
17:923). A conductance that rises with tau_h counts with the time constant t of one without rise
that gives U the same variance, t + tau = (tau_r + tau_h)(tau_h + tau)(tau + tau_r) / (tau_r tau_h +
tau_h tau + tau tau_r). A magnesium block B(U) is linearized around the mean (Brunel & Wang 2001, J.
Comput. Neurosci. 11:63): with f(U) = B(U) (E_r - U), mu = sum_r g_r f_r(mu) + current, f_r stands
for the driving force, -f_r' g_r in G, and the mean is shifted by g_r f_r'' sigma^2 / (2 G), too.
Continuous time; correlations and delays play no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import NoneType

import numpy as np

from ..network.neuron import Neuron, typical
from ..network.plasticity import InhibitorySTDP, ShortTerm
from ..support import checks
from ..support.show import About, Shows, milliseconds
from .arguments import check_neuron, check_numbers, check_receptor, checked_rates
from .conductances import kernel, one_time_constant, rest, tau_of
from .moments import Moments, adaptation_gain, continuous_psp_integrals


@dataclass(frozen=True)
class Input:
    """Synapses of one kind onto a population.

    Parameters
    ----------
    receptor
        Name of the receptor that they act on.
    n
        Number of synapses of a neuron.
    mean, square
        Mean weight and mean squared weight.
    pre
        Name of the presynaptic population, or None for sources at a given `rate`.
    rate
        Hertz, where `pre` is None.
    plasticity
        Short-term plasticity: weights act with its `efficacy` at that rate.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.theory.Input("exc", n=1000, mean=0.1e-3, square=1e-8, rate=10.0).n
    1000
    """

    receptor: str
    n: float
    mean: float
    square: float
    pre: str | None = None
    rate: float = 0.0
    plasticity: ShortTerm | None = None

    def __post_init__(self) -> None:
        for name, kind, what in (
            ("receptor", str, "the name of a receptor"),
            ("pre", (str, NoneType), "the name of a population, or None"),
            ("plasticity", (ShortTerm, NoneType), "bs.TsodyksMarkram(…), or None"),
        ):
            checks.instance(getattr(self, name), f"Input: {name}", kind, what)
        numbers = {name: getattr(self, name) for name in ("n", "mean", "square", "rate")}
        check_numbers("Input", **numbers)

    def scaled(self, rate: float) -> "Input":
        """Return these synapses with the efficacy at `rate` Hz in their weights."""
        if self.plasticity is None:
            return self
        share = _share(self.plasticity, rate)
        return replace(self, mean=share * self.mean, square=share**2 * self.square, plasticity=None)


@dataclass(frozen=True, eq=False, repr=False)
class Cell(Shows):
    """One population as mean-field theory sees it.

    Parameters
    ----------
    name
        Name of the population.
    neuron
        Its neuron, kept as the typical one: of thresholds, resets, refractory periods, bounds and
        reversal potentials of many neurons the means.
    inputs
        Its synapses, a tuple of `Input`.
    current
        Constant current, in the unit of U.
    noise
        Pairs (standard deviation, time constant in seconds) of Ornstein-Uhlenbeck currents.

    Examples
    --------
    >>> import biosnn as bs
    >>> drive = bs.theory.Input("exc", n=1000, mean=0.1e-3, square=1e-8, rate=10.0)
    >>> neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3)
    >>> cell = bs.theory.Cell("E", neuron, (drive,))
    >>> f"{bs.theory.membrane(cell, {}).mu:.3f} V"
    '0.020 V'
    """

    name: str
    neuron: Neuron
    inputs: tuple[Input, ...]
    current: float = 0.0
    noise: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        checks.instance(self.name, "Cell: name", str, "the name of a population")
        check_neuron(self.neuron)
        inputs = checks.several(self.inputs, "Cell: inputs", "Input(…)")
        for each in inputs:
            checks.instance(each, "one of the inputs of a Cell", Input, "an Input")
            check_receptor(self.neuron, each.receptor)
        check_numbers("Cell", current=self.current)
        noise = checks.several(self.noise, "Cell: noise", "(0.2, 5e-3)")
        pairs = [checks.several(pair, "one of noise", "0.2, 5e-3") for pair in noise]
        for pair in pairs:
            if len(pair) != 2:
                checks.refuse("one of noise", pair, "a pair (standard deviation, time constant)")
            check_numbers("Cell: noise", sd=pair[0], tau=pair[1])
        checks.keep(self, neuron=typical(self.neuron), inputs=inputs, noise=tuple(pairs))

    @property
    def sources(self) -> list[str]:
        """Names of the populations on whose rates its moments depend; its own if it adapts."""
        own = [self.name] if adaptation_gain(self.neuron) else []
        return [each.pre for each in self.inputs if each.pre is not None] + own

    def _about(self) -> About:
        """Its model and what drives it."""
        rows = [("model", f"{self.neuron.model}: {self.neuron.states_text()}")]
        rows += [("input", repr(each)) for each in self.inputs]
        if self.current:
            rows.append(("current", f"{self.current:g}"))
        rows += [("noise", f"sd {sd:g}, tau {milliseconds(tau)}") for sd, tau in self.noise]
        return About(f"Cell {self.name}", rows)


def efficacy(plasticity: ShortTerm | None, rate: float) -> float:
    """Mean share u x of a weight that the spikes of Poisson trains transmit.

    Parameters
    ----------
    plasticity
        Short-term plasticity, or None.
    rate
        Rate of the trains in hertz.

    Returns
    -------
    The share; 1 without TsodyksMarkram plasticity.

    Notes
    -----
    `TsodyksMarkram.steady_state` has exp(-T / tau) for the interval T of a regular train; its mean
    over those of a Poisson train is rate tau / (1 + rate tau). Without facilitation the result is
    exact, U / (1 + U rate tau_rec). With facilitation u and x count as independent.

    Examples
    --------
    >>> import biosnn as bs
    >>> f"{bs.theory.efficacy(bs.TsodyksMarkram(0.5, 0.8), rate=10.0):.2f}"
    '0.10'
    """
    kinds = (ShortTerm, InhibitorySTDP, NoneType)
    checks.instance(plasticity, "plasticity", kinds, "bs.TsodyksMarkram(…), or None")
    return _share(plasticity, checks.rate(rate, "rate"))


def _share(plasticity, rate):
    """`efficacy` of what was checked."""
    if not isinstance(plasticity, ShortTerm):
        return 1.0
    recovering, facilitated = (
        rate * tau / (1 + rate * tau) for tau in (plasticity.tau_rec, plasticity.tau_facil)
    )
    u = plasticity.utilization / (1 - (1 - plasticity.utilization) * facilitated)
    return float(u * (1 - recovering) / (1 - (1 - u) * recovering))


def membrane(cell: Cell, rates: Mapping[str, float]) -> Moments:
    """Moments of the free membrane of a population.

    Parameters
    ----------
    cell
        The population.
    rates
        Name to hertz: of the populations in its inputs, and its own if it adapts.

    Returns
    -------
    Moments with mu, sigma, tau, white, tau_syn, excitation and inhibition.

    Raises
    ------
    ValueError
        For neurons with a nonlinear drive, and for conductances that more than two states filter.

    Notes
    -----
    The equations are at the head of theory/membrane.py.

    References
    ----------
    Richardson & Gerstner (2005), Neural Comput. 17:923. Brunel & Wang (2001), J. Comput. Neurosci.
    11:63.

    Examples
    --------
    >>> import biosnn as bs
    >>> drive = bs.theory.Input("exc", n=1000, mean=0.1e-3, square=1e-8, rate=10.0)
    >>> neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3)
    >>> m = bs.theory.membrane(bs.theory.Cell("E", neuron, (drive,)), {})
    >>> f"{m.mu * 1e3:.0f} mV, {m.sigma * 1e3:.0f} mV"
    '20 mV, 1 mV'
    """
    checks.instance(cell, "cell", Cell, "a bs.theory.Cell")
    return moments_at(cell, checked_rates(rates, "rates", cell.sources))


def moments_at(cell: Cell, rates: Mapping[str, float]) -> Moments:
    """Return what `membrane` does, for rates that were checked, or that a search for them tries."""
    neuron = cell.neuron
    tau_mem = tau_of(neuron, "mem")
    if neuron.nonlinear_drive:
        raise ValueError(
            f"population {cell.name!r}: there is no theory for {neuron.model}, which is not linear "
            "in U."
        )
    drives = []
    for each in cell.inputs:
        rate = each.rate if each.pre is None else rates[each.pre]
        drives.append((each.scaled(rate), each.n * rate))
    own = adaptation_gain(neuron)
    current = cell.current + (own * rates[cell.name] if own else 0.0)
    if neuron.reversal:
        return _conductance_membrane(cell, drives, current, tau_mem)
    return _current_membrane(cell, drives, current, tau_mem)


def _current_membrane(cell, drives, current, tau_mem):
    """Moments where potentials add up. drives: (Input, events per second)."""
    terms = [(sd**2 * tau / tau_mem, tau) for sd, tau in cell.noise]
    parts = [0.0, 0.0]
    for each, events in drives:
        area, tau = _filter(cell.neuron, each.receptor)
        mean = tau_mem * events * each.mean * area
        parts[int(mean < 0)] += abs(mean)
        terms.append((tau_mem / 2 * events * each.square * area**2, tau))
    return _combined(current + parts[0] - parts[1], tau_mem, terms, parts)


def _filter(neuron, name):
    """(area of the PSP of a unit weight, in units of tau_mem; time constant of the synapse).

    Where a spike drives several currents (AMPA, NMDA), the time constant is that of one current
    of the same area which gives U the same variance:
    integral of k^2 = area^2 tau_mem^2 / (2 (tau_mem + tau)).
    """
    receptor = neuron.receptors[name]
    tau_mem = tau_of(neuron, "mem")
    if receptor.state == "U":
        return receptor.jump, 0.0
    if [row for row, column in neuron.gains if column == receptor.state] == ["U"]:
        tau = tau_of(neuron, neuron.states[receptor.state])
        return receptor.jump * neuron.gains["U", receptor.state] * tau / tau_mem, tau
    whole, square = continuous_psp_integrals(neuron, name)
    return whole / tau_mem, whole**2 / (2 * square) - tau_mem


def _conductance_membrane(cell, drives, current, tau_mem):
    """Moments with conductances. drives: (Input, events per second)."""
    neuron = cell.neuron
    kernels = {name: kernel(cell, name) for name in neuron.receptors}
    mean_g = dict.fromkeys(neuron.reversal, 0.0)
    white_g: dict[tuple, float] = {}  # (state, time constants) -> half the intensity of noise
    for each, events in drives:
        state, area, *taus = kernels[each.receptor]
        mean_g[state] += events * area * each.mean
        key = (state, *taus)
        white_g[key] = white_g.get(key, 0.0) + events / 2 * area**2 * each.square
    mu, flows = rest(neuron, mean_g, current)
    total = 1 + sum(g * flows[state].leak for state, g in mean_g.items())
    tau = tau_mem / total
    terms = [(sd**2 * t / tau / total**2, t) for sd, t in cell.noise]
    shift = 0.0
    for (state, decay, rise), intensity in white_g.items():
        force = flows[state].value / total
        t = one_time_constant(decay, rise, tau)
        terms.append((force**2 * intensity / tau, t))
        shift -= flows[state].leak * force * intensity / total / (t + tau)
    variance = sum(v * tau / (tau + t) for v, t in terms)
    shift += sum(g * flows[state].bend for state, g in mean_g.items()) * variance / 2 / total
    parts = [0.0, 0.0]
    for state, g in mean_g.items():
        parts[int(neuron.reversal[state] < 0)] += abs(g * flows[state].value) / total
    return _combined(mu + shift, tau, terms, parts)


def _combined(mu, tau, terms, parts):
    """Moments from the contributions to the variance.

    terms: (variance of U for white noise of that intensity, time constant t of the filter, which
    leaves tau / (tau + t) of it). parts: excitation and inhibition.
    """
    white = sum(v for v, _ in terms)
    filtered = sum(v * tau / (tau + t) for v, t in terms)
    tau_syn = (sum(v * np.sqrt(t) for v, t in terms) / white) ** 2 if white > 0 else 0.0
    excitation, inhibition = parts
    return Moments(
        mu=float(mu),
        sigma=float(np.sqrt(filtered)),
        tau=float(tau),
        white=float(np.sqrt(white)),
        tau_syn=float(tau_syn),
        excitation=float(excitation),
        inhibition=float(inhibition),
    )
