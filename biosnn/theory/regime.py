"""The regime of a circuit, explained: what mean-field theory predicts of each population, what a simulation did, and what is unusual.

simulation = bs.simulate(network, 2.0, background=background)
print(bs.regime(network, background, simulation))
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from ..engine.background import Current, PoissonInput, pieces
from ..engine.background_tables import check_background
from ..engine.simulation import Simulation
from ..engine.stream_layout import StreamLayout
from ..initializer.probes import replayed
from ..network.network import Network
from ..network.plasticity import InhibitorySTDP, TsodyksMarkram
from ..support import checks, timegrid
from ..support.checks import check_names
from ..support.tables import Table, number, printed
from .diagnoses import ENOUGH, diagnoses, left_out, spiking
from .mean_field import Cell, Input, fixed_point, interval_cv, membrane
from .moments import as_learned


@dataclass(frozen=True)
class PopulationRegime:
    """One population; NaN where nothing is known.

    rate (Hz), cv (of the interspike intervals), mu and sigma (mean and standard deviation over time of the free membrane), ei (mean
    excitatory over mean inhibitory part of the membrane, by synapses).

    predicted    theory at the rates that sustain themselves
    measured     in the simulation: rate and cv of its spikes (`stats.pooled_cv`) with their standard errors, synchrony chi and its
                 error; mu and sigma of copies of up to 250 neurons that receive its spikes and never fire
    at_rates     theory at the measured rates
    recorded     mu and sigma of the membrane as it was recorded, with its resets (mean over neurons; standard deviation over time)
    cancelled    share of the mean excitatory drive, constant currents included, that inhibition cancels, by theory at the measured rates, or
                 at the predicted ones; NaN without inhibitory synapses
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
    cancelled: float
    rate_measured: float = np.nan
    rate_error: float = np.inf
    cv_measured: float = np.nan
    cv_error: float = np.inf
    synchrony: float = np.nan
    synchrony_error: float = np.inf
    mu_measured: float = np.nan
    sigma_measured: float = np.nan
    mu_at_rates: float = np.nan
    sigma_at_rates: float = np.nan
    ei_at_rates: float = np.nan
    mu_recorded: float = np.nan
    sigma_recorded: float = np.nan

    @property
    def membrane(self) -> tuple[float, float]:
        """(mu, sigma) as measured; else of theory at the measured rates; else as predicted."""
        kinds = ("measured", "at_rates", "predicted")
        return next(
            pair
            for kind in kinds
            if np.isfinite(
                (pair := (getattr(self, f"mu_{kind}"), getattr(self, f"sigma_{kind}")))[0]
            )
        )


@dataclass(frozen=True)
class Regime:
    """The report of `regime`: `print` it for a table and the warnings in words; `populations` holds the numbers.

    other_rates: further stable fixed points (population -> Hz) of the theory;  converged: whether its equations were solved
    """

    populations: tuple
    warnings: tuple
    converged: bool
    other_rates: tuple

    def __getitem__(self, name: str) -> PopulationRegime:
        for p in self.populations:
            if p.name == name:
                return p
        raise ValueError(
            f"there is no population {name!r}; there are {', '.join(p.name for p in self.populations)}."
        )

    def _table(self):
        rows = []
        for p in self.populations:
            lines = [
                (
                    "predicted",
                    p.rate_predicted,
                    p.cv_predicted,
                    p.mu_predicted,
                    p.sigma_predicted,
                    p.threshold,
                    p.ei_predicted,
                    np.nan,
                )
            ]
            if np.isfinite(p.rate_measured):
                cv = _unless_few(p.cv_measured, p.cv_error)
                chi = _unless_few(
                    p.synchrony, p.synchrony_error / p.synchrony if p.synchrony > 0 else np.inf
                )
                lines += [
                    (
                        "theory*",
                        np.nan,
                        np.nan,
                        p.mu_at_rates,
                        p.sigma_at_rates,
                        np.nan,
                        p.ei_at_rates,
                        np.nan,
                    ),
                    (
                        "measured",
                        p.rate_measured,
                        cv,
                        p.mu_measured,
                        p.sigma_measured,
                        np.nan,
                        np.nan,
                        chi,
                    ),
                ]
            rows += [
                [
                    "" if k else p.name,
                    kind,
                    *(v if isinstance(v, str) else number(v) for v in values),
                ]
                for k, (kind, *values) in enumerate(lines)
            ]
        return Table(
            "Regime: rate, CV of intervals, free membrane U, balance, synchrony chi",
            ("name", "", "rate (Hz)", "CV", "mean U", "sd U", "threshold", "E/I", "chi"),
            rows,
            keys=2,
        )

    def _notes(self):
        found = any(np.isfinite(p.rate_measured) for p in self.populations)
        return [
            *(["theory*: at the measured rates; few: too few spikes to tell"] if found else []),
            *self.warnings,
        ]

    def __rich__(self):
        return Group(self._table(), *map(Text, self._notes()))

    def __str__(self):
        return printed(self._table(), *self._notes())


def _unless_few(value, error):
    return value if error <= ENOUGH else "few"


def regime(
    network: Network,
    background: Any = (),
    simulation: Simulation | None = None,
    *,
    rates: Any = None,
    width: Any = 2e-3,
) -> Regime:
    """Predicted and measured activity of every spiking population of a network, with warnings in words. Returns a Regime.

    background   as for `simulate`. What differs between neurons enters with its mean; what changes with time with its mean over the
                 simulation or, without one, with its last value, which lasts for ever
    simulation   of this network (`simulate`), with this background; None: theory alone
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

    The free membrane is measured, too: copies of up to 250 neurons of each population, without threshold, receive the spikes of the last four
    seconds of the simulation, and a background of the same kind with random numbers of its own (adaptation: its mean at the measured rate).
    Where these spikes were not recorded, or the simulation is shorter than one second and five of the slowest time constants, the
    circuit goes on from `simulation.state` for the purpose. That does not work with inputs of the network, whose spikes are not known
    beyond the end; then, and where the spikes of inputs were not recorded (simulate(…, record_spikes=["x", …])), the report says so, and
    there is theory at the measured rates only. In a circuit whose recurrent input is correlated (inhibition that tracks excitation, waves)
    the two differ: 0.41 by theory and 0.30 measured in an inhibition-stabilized network.

    How far theory goes: neurons that receive such trains agree with it (rates to 8 %, CV to 0.1). In a circuit the rate may agree where the
    CV does not, because the trains are not Poisson: regular ones make the membrane fluctuate less (CUBA of models/vogels_abbott_2005: 5.7 Hz,
    measured 5.9; CV 0.92, measured 0.63), feedback that oscillates cancels the slow fluctuations that make intervals irregular (CV 0.88,
    measured 0.33, where chi is 0.4; 0.91 with Poisson trains at the same rates), and bursts add to them (COBA: CV 1.2, measured 1.8, also if
    every train is shifted in time by itself). COBA fires at 21 Hz where theory has 8: besides the bursts (Poisson trains at its rates
    give 15 Hz), one spike opens 0.6 or 6.7 times the leak, which is no small step. The report says where measured values depart.

    Warnings: silent (below 0.1 Hz), saturated (above half of 1 / refractory, or 300 Hz), synchronous (chi of `stats.synchrony` above
    0.3 and above 3 / sqrt(n)), unbalanced (there is inhibition, but it cancels less than half of the excitatory drive, constant currents
    included, and the mean membrane lies more than three standard deviations above threshold, so that the mean makes the neurons fire), no
    convergence, several fixed points, measured rates and CVs that are far from theory, and a background that cannot be that of the
    simulation. What is measured must depart by three standard errors, too: of too few spikes nothing is said, and the table shows "few".
    """
    checks.instance(network, "network", Network, "a Network")
    if not network.spiking:
        raise ValueError(
            "the network has no spiking populations, so there is no activity to predict; add one with net.population(…)."
        )
    if simulation is not None:
        checks.instance(simulation, "simulation", Simulation, "what simulate returns, or None")
        if simulation.network.fingerprint() != network.fingerprint():
            raise ValueError(
                "this simulation is of another network: sizes, neurons, projections, dt and dtype must agree."
            )
    width = checks.time(
        width, "width", low=network.dt, why="it is that of the bins in which spikes are counted"
    )
    period = (
        None if simulation is None else (simulation.start, simulation.start + simulation.duration)
    )
    cells = describe(network, background, period, {} if simulation is None else simulation.weights)
    given = _input_rates(network, rates, simulation)
    point = fixed_point(cells, given, network.dt)
    free, why = {}, {}
    if simulation is not None:
        means = {cell.name: membrane(cell, given | simulation.mean_rates).mu for cell in cells}
        free, why = replayed(
            as_learned(network), named_background(network, background), simulation, means
        )
    rows = [_row(cell, point, given, simulation, width, free.get(cell.name)) for cell in cells]
    seconds = None if simulation is None else simulation.duration
    return Regime(
        tuple(rows),
        (*diagnoses(rows, point, network, seconds), *left_out(network, simulation, why)),
        point.converged,
        point.others,
    )


def _input_rates(network, rates, simulation):
    """Input -> Hz: those given, else those of the simulation."""
    inputs = [p.name for p in network.inputs]
    if not isinstance(rates, dict):
        rates = {} if rates is None else dict.fromkeys(inputs, checks.rate(rates, "rates"))
    check_names("rates", rates, inputs, "the inputs ")
    given = {} if simulation is None else {name: simulation.mean_rates[name] for name in inputs}
    given |= {name: checks.rate(rate, f"the rate of {name!r}") for name, rate in rates.items()}
    if missing := [name for name in inputs if name not in given]:
        raise ValueError(
            f"the rates of the inputs {', '.join(missing)} are not known: give rates={{'{missing[0]}': Hz}} or a simulation."
        )
    return given


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
                    raise ValueError(
                        f"projection {p.name!r} has no weights: give them to connect or set_weights."
                    )
                changed = isinstance(p.plasticity, InhibitorySTDP) and learned
                w = np.asarray((learned if changed else network.weights)[p.name])
                if w.size:
                    inputs.append(
                        Input(
                            p.receptor,
                            network.in_degree(p),
                            float(w.mean(dtype=float)),
                            _pair_square(network, p, w),
                            p.pre,
                            plasticity=short_term(p),
                        )
                    )
        cells.append(replace(bare, inputs=bare.inputs + tuple(inputs)))
    return cells


def short_term(projection):
    """The TsodyksMarkram of a projection, or None."""
    return projection.plasticity if isinstance(projection.plasticity, TsodyksMarkram) else None


def check_no_pooling(network):
    """ValueError for units that pool: how much more regular and correlated than Poisson trains their spikes are is not in the theory."""
    if network.pooling:
        raise ValueError(
            f"{', '.join(p.name for p in network.pooling)}: the theory of circuits has no units that pool spikes. Initialize such a "
            "network from data, fluctuation_driven(net, spikes)."
        )


def named_background(network, background):
    """The background as a list with names of populations. ValueErrors are those of `simulate`."""
    background = checks.several(background, "background", 'PoissonInput("E", 1e4, 1e-4)')
    layout = StreamLayout(network)
    check_background(layout, background)
    return [
        replace(source, population=layout.find(source.population)[1].name) for source in background
    ]


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
    begin, end = (timegrid.nearest_steps(t, dt) for t in period)
    lasting = np.diff(np.clip([*starts, max(end, starts[-1])], begin, end))
    return float(lasting @ values.mean(axis=1) / (end - begin))


def _pair_square(network, projection, weights):
    """Sum over connected pairs of E[(sum of their weights)^2], by the number of synapses; equals E[w^2] without multiple ones."""
    return (
        mean_square(weights)
        + (network.multiplicity(projection) - 1) * float(np.mean(weights, dtype=float)) ** 2
    )


def mean_square(weights):
    """E[w^2], without a copy in double precision."""
    flat = np.ravel(weights)
    if not flat.size:
        return 0.0
    return float(
        sum(
            np.square(part, dtype=float).sum()
            for part in np.array_split(flat, -(-flat.size // (1 << 20)))
        )
        / flat.size
    )


def poisson_source(network, source, period=None):
    """A PoissonInput as an input of a Cell."""
    population = network[source.population]
    receptors = population.neuron.receptors
    receptor = source.receptor or ("exc" if "exc" in receptors else "syn")
    rate = _mean(
        source.rate, population.n, network.dt, f"PoissonInput({source.population!r})", period
    )
    return Input(receptor, 1, float(source.weight), float(source.weight) ** 2, None, rate)


def _ratio(m):
    return (
        m.excitation / m.inhibition if m.inhibition > 0 else np.inf if m.excitation > 0 else np.nan
    )


def _cancelled(cell, m, rates):
    """Inhibition over excitation, each with the constant currents of its sign; NaN for a population without inhibitory synapses."""
    everyone = membrane(cell, dict.fromkeys(rates, 1.0))
    if not everyone.inhibition > 0:
        return np.nan
    current = (
        cell.current * m.tau / float(np.mean(cell.neuron.time_constants["mem"]))
    )  # over the total conductance
    excitation, inhibition = m.excitation + max(current, 0.0), m.inhibition + max(-current, 0.0)
    return inhibition / excitation if excitation > 0 else np.inf


def _row(cell, point, given, simulation, width, free):
    rates, name = given | point.rates, cell.name
    m = membrane(cell, rates)
    known = m if simulation is None else membrane(cell, given | simulation.mean_rates)
    predicted = (
        name,
        float(cell.neuron.threshold),
        m.tau,
        point.method[name],
        point.rates[name],
        interval_cv(cell.neuron, m),
        m.mu,
        m.sigma,
        _ratio(m),
        _cancelled(cell, known, rates),
    )
    if simulation is None:
        return PopulationRegime(*predicted)
    spikes, u = spiking(simulation, name, width, predicted[5]), simulation.states.get(f"{name}.U")
    recorded = (
        (np.nan, np.nan)
        if u is None or not len(u)
        else (float(u.mean(dtype=float)), float(u.std(axis=0, dtype=float).mean()))
    )
    return PopulationRegime(
        *predicted,
        spikes.rate,
        spikes.rate_error,
        spikes.cv,
        spikes.cv_error,
        spikes.synchrony,
        spikes.synchrony_error,
        *(free or (np.nan, np.nan)),
        known.mu,
        known.sigma,
        _ratio(known),
        *recorded,
    )
