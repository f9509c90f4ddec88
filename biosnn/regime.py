"""The regime of a circuit, explained: what mean-field theory predicts of each population, what a simulation did, and what is unusual.

    simulation = bs.simulate(network, 2.0, background=background)
    print(bs.regime(network, background, simulation))
"""
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Group
from rich.text import Text

from . import stats
from .background import Current, PoissonInput, pack_background, pieces
from .engine import Place
from .init_advice import check_names
from .mean_field import Cell, Input, fixed_point, interval_cv, membrane
from .moments import as_learned
from .plasticity import InhibitorySTDP, TsodyksMarkram
from .support.tables import Table, number, printed
from .units import hertz, listed, seconds

SILENT, FAST, SYNCHRONOUS = 0.1, 300.0, 0.3      # Hz, Hz, chi
FAR, FAR_CV = 0.3, 0.25                          # from theory: relative, of rates; of the CV
UNBALANCED = (0.5, 2.0)                          # mean excitation over mean inhibition


@dataclass(frozen=True)
class PopulationRegime:
    """One population; NaN where nothing is known.

    rate (Hz), cv (of the interspike intervals), mu and sigma (mean and standard deviation of the free membrane), ei_ratio (mean
    excitatory over mean inhibitory part of the membrane). `predicted`: at the self-consistent rates; measured: rate, cv and synchrony of
    the spikes; mu, sigma and ei_ratio of theory at the measured rates. mu_recorded and sigma_recorded: the membrane as it was
    recorded, with its resets (mean over neurons; standard deviation over time).
    tau: effective membrane time constant (s) at the predicted rates;  method: which formula gave the rate
    """
    name: str
    threshold: float
    tau: float
    method: str
    rate_predicted: float
    cv_predicted: float
    mu_predicted: float
    sigma_predicted: float
    ei_predicted: float
    rate_measured: float = np.nan
    cv_measured: float = np.nan
    mu_measured: float = np.nan
    sigma_measured: float = np.nan
    ei_measured: float = np.nan
    synchrony: float = np.nan
    mu_recorded: float = np.nan
    sigma_recorded: float = np.nan


@dataclass(frozen=True)
class Regime:
    """The report of `regime`: `print` it for a table and the warnings in words; `populations` holds the numbers.

    other_rates: further stable fixed points (population -> Hz) of the theory;  converged: whether its equations were solved
    """
    populations: tuple
    warnings: tuple
    converged: bool
    other_rates: tuple

    def __getitem__(self, name):
        for p in self.populations:
            if p.name == name:
                return p
        raise ValueError(f"there is no population {name!r}; there are {', '.join(p.name for p in self.populations)}.")

    def _table(self):
        rows = []
        for p in self.populations:
            lines = [("predicted", p.rate_predicted, p.cv_predicted, p.mu_predicted, p.sigma_predicted, p.threshold, p.ei_predicted, np.nan),
                     ("measured", p.rate_measured, p.cv_measured, p.mu_measured, p.sigma_measured, np.nan, p.ei_measured, p.synchrony)]
            rows += [["" if k else p.name, kind, *map(number, values)]
                     for k, (kind, *values) in enumerate(lines if np.isfinite(p.rate_measured) else lines[:1])]
        return Table("Regime (free membrane U; mean-field theory and simulation)",
                     ("name", "", "rate (Hz)", "CV", "mean U", "sd U", "threshold", "E/I", "synchrony"), rows, keys=2)

    def __rich__(self):
        return Group(self._table(), *map(Text, self.warnings))

    def __str__(self):
        return printed(self._table(), *self.warnings)


def regime(network, background=(), simulation=None, *, rates=None, width=2e-3):
    """Predicted and measured activity of every spiking population of a network, with warnings in words. Returns a Regime.

    background   as for `simulate`. What differs between neurons enters with its mean; what changes with time with its mean over the
                 simulation or, without one, with its last value, which lasts for ever
    simulation   of this network (`simulate`); None: theory alone
    rates        name -> Hz of the network's inputs; default: those of the simulation
    width        s, of the bins in which synchrony is measured

    Theory: `mean_field.fixed_point`. Synapses up to a tenth of the (effective) membrane time constant: Siegert's formula with the
    colour correction of Brunel & Sergi (1998) and Fourcaud & Brunel (2002), which is of first order in sqrt(tau_syn / tau_mem); longer
    ones, and resets that subtract: the stationary density of membrane and current. For delta and exponential current synapses and
    conductances (effective time constant, driving force at the mean membrane). It knows no delays, correlations or differences
    between neurons of a population: inputs are independent Poisson trains that move the membrane in small steps. Time constants and
    jumps are those that the network has now; biases count as constant currents. Weights with short-term plasticity act with their mean
    efficacy under such trains (`mean_field.efficacy`); those with InhibitorySTDP are taken as they are at the end of the simulation, if any.
    Escape noise and bounds of the membrane are no part of the theory: the report says where there are any.

    How far it goes: neurons that receive such trains agree with it (rates to 8 %, CV to 0.1). In a circuit the rate may agree where the CV
    does not, because the trains are not Poisson: regular ones make the membrane fluctuate less (CUBA of models/vogels_abbott_2005: 5.7 Hz,
    measured 5.9; CV 0.92, measured 0.63), feedback that oscillates cancels the slow fluctuations that make intervals irregular (CV 0.88,
    measured 0.33, where chi is 0.4; 0.91 with Poisson trains at the same rates), and bursts add to them (COBA: CV 1.2, measured 1.8, also if
    every train is shifted in time by itself). COBA fires at 21 Hz where theory has 8: besides the bursts (Poisson trains at its rates
    give 15 Hz), one spike opens 0.6 or 6.7 times the leak, which is no small step. The report says where measured values depart.

    Warnings: silent (below 0.1 Hz), saturated (above half of 1 / refractory, or 300 Hz), synchronous (chi of `stats.synchrony` above
    0.3 and above 3 / sqrt(n)), unbalanced (mean excitation below half or above twice the mean inhibition), no convergence, several
    fixed points, and measured rates and CVs that are far from theory.
    """
    if not network.spiking:
        raise ValueError("the network has no spiking populations, so there is no activity to predict; add one with net.population(…).")
    if simulation is not None and simulation.network.fingerprint() != network.fingerprint():
        raise ValueError("this simulation is of another network: sizes, neurons, projections, dt and dtype must agree.")
    inputs, width = [p.name for p in network.inputs], seconds(width, "width")
    rates = dict.fromkeys(inputs, rates) if isinstance(rates, (int, float)) else rates
    check_names("rates", rates or {}, inputs, "the inputs ")
    rates = {name: hertz(rate, f"the rate of {name!r}") for name, rate in (rates or {}).items()}
    if wrong := [name for name, rate in rates.items() if not (np.isfinite(rate) and rate >= 0)]:
        raise ValueError(f"the rate of the input {wrong[0]!r} is {rates[wrong[0]]!r} Hz; it must be >= 0 and finite.")
    period = None if simulation is None else (simulation.start, simulation.start + simulation.duration)
    cells, given = describe(network, background, period, {} if simulation is None else simulation.weights), dict(rates or {})
    if simulation is not None:
        given = {name: simulation.mean_rates[name] for name in inputs} | given
    missing = [name for name in inputs if name not in given]
    if missing:
        raise ValueError(f"the rates of the inputs {', '.join(missing)} are not known: give rates={{'{missing[0]}': Hz}} or a simulation.")
    point = fixed_point(cells, given, network.dt)
    rows = [_row(cell, point, given, simulation, width) for cell in cells]
    return Regime(tuple(rows), (*_warnings(rows, point, network), *_left_out(network, simulation)), point.converged, point.others)


def describe(network, background=(), period=None, learned=None):
    """The spiking populations of a network as `mean_field.Cell`s: expected in-degrees, mean weights and mean squared weights.

    period: as for `background_cell`;  learned: weights of projections with InhibitorySTDP in place of the network's
    """
    check_no_pooling(network)
    network, background, cells = as_learned(network), named_background(network, background), []
    for population in network.spiking:
        bare, inputs = background_cell(network, population, background, period), []
        for p in network.projections:
            if p.post == population.name:
                if p.name not in network.weights:
                    raise ValueError(f"projection {p.name!r} has no weights: give them to connect or set_weights.")
                changed = isinstance(p.plasticity, InhibitorySTDP) and learned
                w = np.asarray((learned if changed else network.weights)[p.name])
                if w.size:
                    inputs.append(Input(p.receptor, network.in_degree(p), float(w.mean(dtype=float)), _pair_square(network, p, w), p.pre,
                                        plasticity=short_term(p)))
        cells.append(replace(bare, inputs=bare.inputs + tuple(inputs)))
    return cells


def short_term(projection):
    """The TsodyksMarkram of a projection, or None."""
    return projection.plasticity if isinstance(projection.plasticity, TsodyksMarkram) else None


def check_no_pooling(network):
    """ValueError for units that pool: how much more regular and correlated than Poisson trains their spikes are is not in the theory."""
    if network.pooling:
        raise ValueError(f"{', '.join(p.name for p in network.pooling)}: the theory of circuits has no units that pool spikes. Initialize such a "
                         "network from data, fluctuation_driven(net, spikes).")


def named_background(network, background):
    """The background as a list with names of populations. ValueErrors are those of `simulate`."""
    background, place = listed(background, "background", 'PoissonInput("E", 1e4, 1e-4)'), Place(network)
    pack_background(background, network, place, 0)
    return [replace(source, population=place(source.population)[1].name) for source in background]


def background_cell(network, population, background, period=None):
    """A population with its background (of `named_background`) and biases, without synapses.

    period: seconds (begin, end) over which what changes with time is averaged; None: its last value
    """
    inputs, current, noise = [], float(np.mean(network.bias(population))), []
    for source in background:
        if source.population != population.name:
            continue
        if isinstance(source, PoissonInput):
            inputs.append(poisson_source(network, source, period))
        elif isinstance(source, Current):
            current += _mean(source.values, population.n, network.dt, "Current", period)
        else:
            current += float(np.mean(source.mean))
            noise.append((float(np.sqrt(np.mean(np.square(source.sd)))), source.tau))
    return Cell(population.name, population.neuron, tuple(inputs), current, tuple(noise))


def _mean(value, n, dt, what, period):
    """Mean over the neurons and a period of what `background.pieces` takes; None: of the last piece."""
    starts, values = pieces(value, n, dt, what)
    if period is None:
        return float(values[-1].mean())
    begin, end = (int(t / dt + 0.5) for t in period)
    lasting = np.diff(np.clip([*starts, max(end, starts[-1])], begin, end))
    return float(lasting @ values.mean(axis=1) / (end - begin))


def _pair_square(network, projection, weights):
    """Sum over connected pairs of E[(sum of their weights)^2], by the number of synapses; equals E[w^2] without multiple ones."""
    return mean_square(weights) + (network.multiplicity(projection) - 1) * float(np.mean(weights, dtype=float)) ** 2


def mean_square(weights):
    """E[w^2], without a copy in double precision."""
    flat = np.ravel(weights)
    if not flat.size:
        return 0.0
    return float(sum(np.square(part, dtype=float).sum() for part in np.array_split(flat, -(-flat.size // (1 << 20)))) / flat.size)


def poisson_source(network, source, period=None):
    """A PoissonInput as an input of a Cell."""
    population = network[source.population]
    receptors = population.neuron.receptors
    receptor = source.receptor or ("exc" if "exc" in receptors else "syn")
    rate = _mean(source.rate, population.n, network.dt, f"PoissonInput({source.population!r})", period)
    return Input(receptor, 1, float(source.weight), float(source.weight) ** 2, None, rate)


def _ratio(m):
    return m.excitation / m.inhibition if m.inhibition > 0 else np.inf if m.excitation > 0 else np.nan


def _row(cell, point, given, simulation, width):
    m, name = membrane(cell, given | point.rates), cell.name
    predicted = (name, float(cell.neuron.threshold), m.tau, point.method[name], point.rates[name], interval_cv(cell.neuron, m), m.mu, m.sigma,
                 _ratio(m))
    if simulation is None:
        return PopulationRegime(*predicted)
    measured, cv, chi = membrane(cell, given | simulation.mean_rates), np.nan, np.nan
    if name in simulation.spikes:
        spikes = simulation.spikes[name]
        irregular = stats.isi_cv(spikes)
        cv = float(np.nanmean(irregular)) if np.any(np.isfinite(irregular)) else np.nan
        chi = float(stats.synchrony(spikes, width)) if simulation.duration >= 2 * width else np.nan
    u = simulation.states.get(f"{name}.U")
    recorded = (np.nan, np.nan) if u is None or not len(u) else (float(u.mean(dtype=float)), float(u.std(axis=0, dtype=float).mean()))
    return PopulationRegime(*predicted, simulation.mean_rates[name], cv, measured.mu, measured.sigma, _ratio(measured), chi, *recorded)


def _warnings(rows, point, network):
    if not point.converged:
        yield (f"The mean-field equations were not solved: at the rates shown they are off by {point.residual:.3g} Hz. The circuit may "
               "oscillate, or have no stationary state.")
    for other in point.others:
        yield ("The theory has another stable state, with " + ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in other.items())
               + ": which one the circuit takes depends on where it starts.")
    for p in rows:
        known = np.isfinite(p.rate_measured)
        rate, how = (p.rate_measured, "fires") if known else (p.rate_predicted, "is predicted to fire")
        most = min(FAST, 0.5 / max(network[p.name].neuron.refractory, 1e-9))
        if rate < SILENT:
            yield f"{p.name} is silent: it {how} at {rate:.2g} Hz. Its mean membrane is {p.mu_predicted:.3g}, the threshold {p.threshold:.3g}."
        if rate > most:
            yield f"{p.name} is saturated: it {how} at {rate:.4g} Hz, above {most:.4g} Hz. More inhibition or less drive would free it."
        if p.synchrony > max(SYNCHRONOUS, 3 / np.sqrt(network[p.name].n)):
            yield (f"{p.name} is synchronous: chi = {p.synchrony:.2f}, where independent neurons have {network[p.name].n ** -0.5:.2g}. "
                   "Mean-field theory assumes independence.")
        ratio = p.ei_measured if known else p.ei_predicted
        if rate >= SILENT and not UNBALANCED[0] <= ratio <= UNBALANCED[1] and not np.isnan(ratio):
            stronger = "excitation" if ratio > 1 else "inhibition"
            yield f"{p.name} is unbalanced: {stronger} prevails, mean excitation is {ratio:.3g} times mean inhibition."
        if known and abs(p.rate_measured - p.rate_predicted) > FAR * max(p.rate_predicted, 1.0):
            yield (f"{p.name} fires at {p.rate_measured:.3g} Hz where theory has {p.rate_predicted:.3g} Hz: correlations, large single "
                   "inputs or differences between neurons matter.")
        if abs(p.cv_measured - p.cv_predicted) > FAR_CV:      # not for NaN
            yield (f"{p.name} has intervals of CV {p.cv_measured:.2f} where theory has {p.cv_predicted:.2f}: its inputs are not the independent "
                   f"Poisson trains of theory, but {'more regular, or oscillate' if p.cv_measured < p.cv_predicted else 'bursts'}.")


def _left_out(network, simulation):
    """What of the network is no part of the theory, or may not stay as it is."""
    for p in network.spiking:
        if p.noise is not None:
            yield f"{p.name} has escape noise, {p.noise!r}, which is no part of the theory: there it fires where U exceeds the threshold."
        if p.neuron.bounded:
            yield (f"The membrane of {p.name} is held between {p.neuron.low:g} and {p.neuron.high:g}, which is no part of the theory: there it "
                   "has no bounds.")
    for p in network.projections:
        if isinstance(p.plasticity, InhibitorySTDP) and network[p.post].kind == "spiking":
            yield (f"The weights of {p.name} change while the circuit runs (InhibitorySTDP): theory, also at the measured rates, is of those "
                   + ("that the network has now." if simulation is None else "at the end of the simulation."))
