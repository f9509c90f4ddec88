"""The regime of a circuit, explained: theory next to a simulation, and what is unusual in words.

simulation = bs.simulate(network, 2.0, background=background)
print(bs.regime(network, background, simulation))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from ..engine.simulation import Simulation
from ..network.network import Network
from ..support import checks
from ..support.show import About, Shows
from ..support.tables import Table, number, printed
from .circuits import describe, named_background
from .diagnoses import diagnoses, left_out
from .free_membranes import replayed
from .mean_field import fixed_point
from .membrane import membrane
from .moments import Moments, as_learned
from .rates import interval_cv
from .rows import Rows
from .spiking import spiking

#: Error of a CV, and relative error of chi, above which neither is shown.
_ENOUGH = 0.15
_LEGEND = "theory*: at the measured rates; few: too few spikes to tell"


@dataclass(frozen=True, repr=False)
class PopulationRegime(Shows):
    """One population in a `Regime`.

    Parameters
    ----------
    name
        Its name.
    threshold
        Its threshold, in the unit of U.
    method
        Formula of the predicted rate: "colour-corrected" or "density".
    cancelled
        Share of the mean excitatory drive, constant currents included, that inhibition cancels: by
        theory at the measured rates, or at the predicted ones. NaN without inhibitory synapses.
    predicted
        Theory at the rates that sustain themselves.
    measured
        In the simulation: rate, cv and synchrony of its spikes with their standard errors; mu and
        sigma of copies of up to 250 neurons that receive its spikes and never fire.
    at_rates
        The membrane according to theory, at the measured rates.
    recorded
        mu and sigma of the membrane as it was recorded, with its resets.

    Examples
    --------
    `regime` returns one for each population.
    """

    name: str
    threshold: float
    method: str
    cancelled: float
    predicted: Moments
    measured: Moments = field(default_factory=Moments)
    at_rates: Moments = field(default_factory=Moments)
    recorded: Moments = field(default_factory=Moments)

    def _about(self):
        kinds = ("predicted", "measured", "at_rates", "recorded")
        lines = [(kind.replace("_", " "), getattr(self, kind).line()) for kind in kinds]
        rows = [("threshold", number(self.threshold)), ("formula of the rate", self.method)]
        rows += [(kind, line) for kind, line in lines if line]
        return About(f"PopulationRegime {self.name}", rows)

    @property
    def membrane(self) -> tuple[float, float]:
        """(mu, sigma) as measured; else of theory at the measured rates; else as predicted."""
        kinds = (self.measured, self.at_rates, self.predicted)
        best = next((kind for kind in kinds if kind.known), self.predicted)
        return best.mu, best.sigma


@dataclass(frozen=True, repr=False)
class Regime(Rows, Shows):
    """The report of `regime`: `print` it for a table and the warnings in words.

    `report["E"]` is the PopulationRegime of population E.

    Parameters
    ----------
    populations
        A PopulationRegime for each spiking population.
    warnings
        What is unusual, in sentences.
    converged
        Whether the equations of theory were solved.
    other_rates
        Further stable fixed points of theory, each a dict of population to hertz.

    Examples
    --------
    `regime` returns one.
    """

    populations: tuple[PopulationRegime, ...]
    warnings: tuple[str, ...]
    converged: bool
    other_rates: tuple[dict[str, float], ...]

    def _table(self):
        return Table(
            "Regime: rate, CV of intervals, free membrane U, balance, synchrony chi",
            ("name", "", "rate (Hz)", "CV", "mean U", "sd U", "threshold", "E/I", "chi"),
            [line for row in self.populations for line in _lines(row)],
            keys=2,
        )

    @property
    def _measured(self):
        return any(np.isfinite(row.measured.rate) for row in self.populations)

    def _notes(self):
        return [_LEGEND, *self.warnings] if self._measured else list(self.warnings)

    def _about(self):
        rows = [("warning", text) for text in self.warnings]
        if self._measured:
            rows.insert(0, ("legend", _LEGEND))
        return About("Regime", rows, self._table())

    def __rich__(self) -> Group:
        return Group(self._table(), *map(Text, self._notes()))

    def __str__(self) -> str:
        return printed(self._table(), *self._notes())


def _lines(row):
    """Lines of a population in the table: predicted, theory at the measured rates, measured."""
    p, m, theory = row.predicted, row.measured, row.at_rates
    threshold = number(row.threshold)
    lines = [[row.name, "predicted", *_cells(p, p.cv, threshold, p.ei_ratio, np.nan)]]
    if np.isfinite(m.rate):
        lines.append(["", "theory*", *_cells(theory, np.nan, "", theory.ei_ratio, np.nan)])
        cv = m.cv if m.errors.cv <= _ENOUGH else "few"
        relative = m.errors.synchrony / m.synchrony if m.synchrony > 0 else np.inf
        chi = m.synchrony if relative <= _ENOUGH else "few"
        lines.append(["", "measured", *_cells(m, cv, "", np.nan, chi)])
    return lines


def _cells(moments, cv, threshold, ei_ratio, chi):
    """The cells of a line of the table."""
    values = (moments.rate, cv, moments.mu, moments.sigma, threshold, ei_ratio, chi)
    return [value if isinstance(value, str) else number(value) for value in values]


def regime(
    network: Network,
    background: Sequence = (),
    simulation: Simulation | None = None,
    *,
    rates: float | Mapping[str, float] | None = None,
    bin_width: float = 2e-3,
) -> Regime:
    """Predicted and measured activity of every spiking population, with warnings in words.

    Parameters
    ----------
    network
        A network with weights.
    background
        As for `simulate`. What differs between neurons enters with its mean. What changes with time
        enters with its mean over the simulation or, without one, with its last value.
    simulation
        What `simulate` returned for this network with this background. Default: theory alone.
    rates
        Hertz of the network's inputs, one for all or a dict by name. Default: those of the
        simulation.
    bin_width
        Seconds of the bins in which synchrony is measured.

    Returns
    -------
    A report. `print` it for a table; `report["E"].measured.rate` is a number.

    Raises
    ------
    ValueError
        If the network has no spiking populations, lacks weights or pools spikes; if the simulation
        is of another network; if the rates of inputs are not known.

    Notes
    -----
    **Theory** is `bs.theory.fixed_point`. Synapses up to a tenth of the (effective) membrane time
    constant: Siegert's formula with the colour correction of Brunel & Sergi (1998) and Fourcaud &
    Brunel (2002), of first order in sqrt(tau_syn / tau_mem). Longer ones, and resets that subtract:
    the stationary density of membrane and current. It is for delta synapses, exponential currents
    and exponential conductances (effective time constant, driving force at the mean membrane). It
    knows no delays, correlations or differences between neurons of a population: inputs are
    independent Poisson trains that move the membrane in small steps. Time constants and jumps are
    those that the network has now; biases count as constant currents. Weights with short-term
    plasticity act with their mean efficacy under such trains; those with InhibitorySTDP are taken
    as they are at the end of the simulation. The report says where escape noise or bounds of the
    membrane, which are no part of the theory, play a role.

    **The free membrane is measured**, too: copies of up to 250 neurons of each population, without
    threshold, receive the spikes of the last four seconds of the simulation, and a background of
    the same kind with random numbers of its own (adaptation: its mean at the measured rate). Where
    these spikes were not recorded, or the simulation is shorter than one second and five of the
    slowest time constants, the circuit goes on from `simulation.state` for the purpose. That does
    not work with inputs of the network, whose spikes are not known beyond the end; the report then
    says so, and there is theory at the measured rates only. Theory and measurement differ where
    recurrent input is correlated: 0.41 and 0.30 in an inhibition-stabilized network.

    **How far theory goes.** Neurons that receive such trains agree with it (rates to 8 %, CV to
    0.1). In a circuit the rate may agree where the CV does not, because the trains are not Poisson.
    Regular ones make the membrane fluctuate less (CUBA of models/vogels_abbott_2005: 5.7 Hz,
    measured 5.9; CV 0.92, measured 0.63). Feedback that oscillates cancels the slow fluctuations
    that make intervals irregular (CV 0.88, measured 0.33, where chi is 0.4; 0.91 with Poisson
    trains at the same rates). Bursts add to them (COBA: CV 1.2, measured 1.8). COBA fires at 21 Hz
    where theory has 8: besides the bursts (Poisson trains at its rates give 15 Hz), one spike opens
    0.6 or 6.7 times the leak, which is no small step.

    **Warnings**: silent (below 0.1 Hz); saturated (above half of 1 / refractory, or 300 Hz);
    synchronous (chi of `stats.synchrony` above 0.3 and above 3 / sqrt(n)); unbalanced (inhibition
    cancels less than half of the excitatory drive, constant currents included, and the mean
    membrane lies more than three standard deviations above threshold); no convergence; several
    fixed points; measured rates and CVs that are far from theory; a background that cannot be that
    of the simulation. Measured values must depart by three standard errors, too: too few spikes
    give no warning, and the table shows "few".

    References
    ----------
    Brunel & Sergi (1998), J. Theor. Biol. 195:87. Fourcaud & Brunel (2002), Neural Comput. 14:2057.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=0.1e-3)
    >>> neuron = bs.lif_delta(
    ...     tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3
    ... )
    >>> e = net.population(1000, neuron, "excitatory", name="E")
    >>> report = bs.regime(net, [bs.PoissonInput("E", rate=10e3, weight=0.1e-3)])
    >>> f"{report['E'].predicted.rate:.0f} Hz"
    '16 Hz'
    """
    bin_width = _checked(network, simulation, bin_width)
    learned: Mapping[str, Any] = {}
    period, seconds = None, None
    if simulation is not None:
        seconds = simulation.duration
        period = (simulation.start, simulation.start + seconds)
        learned = simulation.weights
    cells = describe(network, background, period, learned)
    given = _input_rates(network, rates, simulation)
    point = fixed_point(cells, given, dt=network.dt)
    free: dict[str, Moments] = {}
    why: dict[str, str] = {}
    if simulation is not None:
        means = {cell.name: membrane(cell, given | simulation.mean_rates).mu for cell in cells}
        view = as_learned(network)
        free, why = replayed(view, named_background(network, background), simulation, means)
    rows = tuple(
        _row(cell, point, given, simulation, bin_width, free.get(cell.name, Moments()))
        for cell in cells
    )
    found = diagnoses(rows, point, network, seconds)
    return Regime(
        populations=rows,
        warnings=(*found, *left_out(network, simulation, why)),
        converged=point.converged,
        other_rates=point.others,
    )


def _checked(network, simulation, bin_width):
    """The width of a bin as a float; ValueError for arguments of `regime` that make no sense."""
    checks.instance(network, "network", Network, "a Network")
    if not network.spiking:
        raise ValueError(
            "the network has no spiking populations, so there is no activity to predict; add one "
            "with net.population(…)."
        )
    if simulation is not None:
        checks.instance(simulation, "simulation", Simulation, "what simulate returns, or None")
        if simulation.network.fingerprint() != network.fingerprint():
            raise ValueError(
                "this simulation is of another network: sizes, neurons, projections, dt and dtype "
                "must agree."
            )
    why = "it is that of the bins in which spikes are counted"
    return checks.time(bin_width, "bin_width", low=network.dt, why=why)


def _input_rates(network, rates, simulation):
    """Input -> Hz: those given, else those of the simulation."""
    inputs = [p.name for p in network.inputs]
    if not isinstance(rates, dict):
        rates = {} if rates is None else dict.fromkeys(inputs, checks.rate(rates, "rates"))
    checks.check_names("rates", rates, inputs, "the inputs ")
    given = {} if simulation is None else {name: simulation.mean_rates[name] for name in inputs}
    given |= {name: checks.rate(rate, f"the rate of {name!r}") for name, rate in rates.items()}
    if missing := [name for name in inputs if name not in given]:
        raise ValueError(
            f"the rates of the inputs {', '.join(missing)} are not known: give "
            f"rates={{'{missing[0]}': Hz}} or a simulation."
        )
    return given


def _row(cell, point, given, simulation, bin_width, free):
    """The row of a population. free: Moments of its free membrane in the simulation."""
    name = cell.name
    rates = given | point.rates
    m = membrane(cell, rates)
    predicted = m.but(rate=point.rates[name], cv=interval_cv(cell.neuron, m))
    known = m if simulation is None else membrane(cell, given | simulation.mean_rates)
    row = {
        "name": name,
        "threshold": float(cell.neuron.threshold),
        "method": point.method[name],
        "cancelled": _cancelled(cell, known, rates),
        "predicted": predicted,
    }
    if simulation is None:
        return PopulationRegime(**row)
    spikes = spiking(simulation, name, bin_width, predicted.cv)
    measured = spikes.but(mu=free.mu, sigma=free.sigma, spread=free.spread)
    recorded = _recorded(simulation.states.get(f"{name}.U"))
    return PopulationRegime(**row, measured=measured, at_rates=known, recorded=recorded)


def _recorded(u):
    """Moments of a recorded membrane (step, neuron), if there is one."""
    if u is None or not len(u):
        return Moments()
    return Moments(mu=float(u.mean(dtype=float)), sigma=float(u.std(axis=0, dtype=float).mean()))


def _cancelled(cell, m, rates):
    """Inhibition over excitation, each with the constant currents of its sign.

    NaN for a population without inhibitory synapses.
    """
    everyone = membrane(cell, dict.fromkeys(rates, 1.0))
    if not everyone.inhibition > 0:
        return np.nan
    # a current acts over the total conductance
    current = cell.current * m.tau / float(np.mean(cell.neuron.time_constants["mem"]))
    excitation = m.excitation + max(current, 0.0)
    inhibition = m.inhibition + max(-current, 0.0)
    return inhibition / excitation if excitation > 0 else np.inf
