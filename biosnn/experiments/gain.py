"""Gain curves: the rates of neurons or of a network against their input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..analysis.figures import sign_colour
from ..analysis.places import label, one_panel
from ..analysis.style import pt
from ..engine.background import Current
from ..network.network import Network
from ..network.neuron import Neuron
from ..support import checks
from ..support.progress import progress_bar
from ..support.show import About, Shows
from ..support.tables import Table, number
from .phases import mean_and_error, simulated

if TYPE_CHECKING:
    from ..analysis.places import Ax, Drawn

_NAME = "cells"  # of the population of single neurons


@dataclass(frozen=True, eq=False, repr=False)
class GainCurve(Shows):
    """Rates against input.

    Parameters
    ----------
    values
        (values,) the input.
    rates
        Population -> (values,) mean rates in hertz.
    errors
        Population -> (values,) standard errors of the means over time, in hertz.
    population
        The population that received the input.
    signs
        Population -> "excitatory", "inhibitory" or "unsigned".

    Examples
    --------
    See `gain_curve`.
    """

    values: NDArray[np.float64]
    rates: dict[str, NDArray[np.float64]]
    errors: dict[str, NDArray[np.float64]]
    population: str
    signs: dict[str, str]

    def gain(self, population: str | None = None) -> NDArray[np.float64]:
        """Return the slope of the curve of a population.

        Parameters
        ----------
        population
            Its name. Default: the one that received the input.

        Returns
        -------
        (values,) hertz per unit of input, by differences of neighbours in ascending order.

        Raises
        ------
        ValueError
            If there is no such population, or one value only, or a value is there twice.

        Examples
        --------
        >>> import biosnn as bs
        >>> curve = bs.experiments.gain_curve(bs.lif(), [2.0, 3.0], cells=1, progress=False)
        >>> curve.gain().shape
        (2,)
        """
        name = self.population if population is None else population
        name = checks.choice(name, "population", self.rates)
        if self.values.size < 2:
            raise ValueError("there is one value of the input, and a slope needs two at least.")
        order = np.argsort(self.values)
        if not np.all(np.diff(self.values[order]) > 0):
            raise ValueError("a value of the input is there twice, so that there is no slope.")
        slopes = np.empty(order.size)
        slopes[order] = np.gradient(self.rates[name][order], self.values[order])
        return slopes

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the rates of all populations against the input, with their standard errors.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes.

        Examples
        --------
        >>> import biosnn as bs
        >>> curve = bs.experiments.gain_curve(bs.lif(), [2.0, 3.0], cells=1, progress=False)
        >>> curve.plot().axes[0].get_ylabel()
        'rate (Hz)'
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        order = np.argsort(self.values)
        for name, rates in self.rates.items():
            axis.errorbar(
                self.values[order],
                rates[order],
                np.nan_to_num(self.errors[name][order]),
                color=sign_colour(self.signs[name]),
                marker="o",
                markersize=pt(4.0),
                linewidth=pt(1.5),
                label=name,
            )
        axis.set_ylim(bottom=0)
        axis.locator_params(axis="x", nbins=5)
        axis.ticklabel_format(axis="x", scilimits=(-2, 4))
        if len(self.rates) > 1:
            axis.legend(frameon=False)
        label(axis, f"input to {self.population}", "rate (Hz)")

    def _about(self) -> About:
        lines = [
            [number(value), *(number(rates[k]) for rates in self.rates.values())]
            for k, value in enumerate(self.values)
        ]
        headings = ("input", *(f"{name} (Hz)" for name in self.rates))
        title = f"GainCurve: input to {self.population}"
        return About(title, table=Table("", headings, lines))


def gain_curve(
    network: Network | Neuron,
    values: ArrayLike,
    population: str | None = None,
    *,
    source: Callable[[float], Any] | None = None,
    background: Sequence[Any] = (),
    duration: float = 2.0,
    settle: float = 0.5,
    initial: Any = None,
    cells: int = 100,
    dt: float = 1e-4,
    seed: Any = 0,
    threads: int | None = None,
    progress: bool = True,
) -> GainCurve:
    """Return the rates of a network, or of neurons by themselves, against their input.

    Parameters
    ----------
    network
        A network with weights, or a neuron model such as `lif()`, of which `cells` unconnected
        neurons are simulated as population "cells".
    values
        (values,) of the input.
    population
        The population of the network that gets the input. Default: the first one that spikes.
    source
        Function of a value that returns the input: a PoissonInput, Current or OrnsteinUhlenbeck, or
        a list of them. Default: `Current(population, value)`, in the unit of U.
    background
        Input that is always there, as for `simulate`.
    duration
        Seconds in which spikes are counted, for each value.
    settle
        Seconds before, which do not count.
    initial
        States at the start, as for `simulate`.
    cells, dt
        Number of neurons and seconds of a step, if a neuron model is given.
    seed
        Seed of the background and of initial states. It is the same at all values, which makes
        differences more precise.
    threads
        Default: all processors, one for a small network.
    progress
        Whether to show the progress.

    Returns
    -------
    A `GainCurve`.

    Raises
    ------
    ValueError
        If something given does not fit the network.

    See Also
    --------
    paradoxical_effect : one value, before and during, with a verdict.
    biosnn.theory.stationary_rate : rates in theory.

    Notes
    -----
    A leaky neuron with a constant input c above its threshold fires at

        1 / rate = refractory + tau_mem ln((c - reset) / (c - threshold)).

    References
    ----------
    Chance, Abbott & Reyes (2002), Neuron 35:773-782.

    Examples
    --------
    >>> import biosnn as bs
    >>> curve = bs.experiments.gain_curve(
    ...     bs.lif(tau_mem=20e-3), [0.5, 2.0], cells=1, progress=False
    ... )
    >>> curve.rates["cells"].round()  # silent, and 1 / (20 ms ln 2)
    array([ 0., 72.])
    """
    net, name = _network_of(network, population, cells, dt)
    values = checks.reals(values, "values", shape=(None,))
    if not values.size:
        raise ValueError("values is empty; give the values of the input, such as [0.5, 1.0, 2.0].")
    make = _source_of(source, name)
    background = checks.several(background, "background", "PoissonInput('E', 1e3, 0.1)")
    duration, settle = (
        checks.time(each, what, above=0)
        for each, what in ((duration, "duration"), (settle, "settle"))
    )
    names = [p.name for p in net.spiking]
    found: dict[str, list[tuple[float, float]]] = {each: [] for each in names}
    with progress_bar(values.size, "gain curve", progress) as advance:
        for value in values:
            inputs = [*background, *make(float(value))]
            *_, done = simulated(
                net, (settle, duration), inputs, seed=seed, threads=threads, initial=initial
            )
            for each in names:
                found[each].append(mean_and_error(done, each))
            advance(1, "")
    return GainCurve(
        values=values,
        rates={each: np.array([rate for rate, _ in found[each]]) for each in names},
        errors={each: np.array([error for _, error in found[each]]) for each in names},
        population=name,
        signs={p.name: p.sign for p in net.spiking},
    )


def _network_of(network, population, cells, dt):
    """(network, name of the population that gets the input)."""
    if isinstance(network, Neuron):
        if population is not None:
            raise ValueError(
                f"population is {population!r}, and a neuron model is given, which is simulated as "
                f"population {_NAME!r}; leave it out."
            )
        made = Network(dt=dt)
        made.population(checks.whole(cells, "cells", 1), network, name=_NAME)
        return made, _NAME
    checks.instance(network, "network", Network, "a Network, or a neuron model such as lif()")
    names = [p.name for p in network.spiking]
    if not names:
        raise ValueError("the network has no population that spikes, so it has no rates.")
    return network, names[0] if population is None else spiking_name(
        network, population, "population"
    )


def spiking_name(network: Network, population: Any, what: str) -> str:
    """Return the name of a population that spikes, given itself or by name."""
    name = getattr(population, "name", population)
    return checks.choice(name, what, [p.name for p in network.spiking])


def _source_of(source, name):
    """A function of a value that returns a list of sources."""
    if source is None:
        return lambda value: [Current(name, value)]
    if not callable(source):
        checks.refuse(
            "source",
            source,
            "a function of a value that returns the input, such as "
            "lambda rate: bs.PoissonInput('E', rate, 0.1)",
        )

    def made(value):
        """The sources of a value as a list."""
        given = source(value)
        return list(given) if isinstance(given, (list, tuple)) else [given]

    return made
