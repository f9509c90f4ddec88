"""What is done to chosen neurons: Silence, Clamp, Stimulate, Lesion."""

from dataclasses import KW_ONLY, MISSING, dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks
from ..support.checks import instance, keep, real, reals
from ..support.chosen import chosen, share
from ..support.seeds import stream, whole_seed
from ..support.show import milliseconds, plural
from ..support.units import Seconds
from .population import Population
from .projection import Projection


@dataclass(frozen=True, eq=False, repr=False)
class Perturbation:
    """What all perturbations share: they show themselves in one line."""

    def __repr__(self) -> str:
        name = type(self).__name__
        ordered = sorted(fields(self), key=lambda field: bool(field.kw_only))
        return f"{name}({', '.join(filter(None, map(self._field, ordered)))})"

    def _field(self, field):
        """A field that is not the default, in words; of arrays the shape."""
        value = getattr(self, field.name)
        if not isinstance(value, np.ndarray) and value == field.default:
            return ""
        if isinstance(value, (Population, Projection)):
            value = value.name
        text = f"<array {value.shape}>" if isinstance(value, np.ndarray) else repr(value)
        return text if field.default is MISSING and not field.kw_only else f"{field.name}={text}"

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network.

        Parameters
        ----------
        network
            The Network.

        See Also
        --------
        biosnn.audit : shows these lines.
        """
        raise NotImplementedError(f"{type(self).__name__} has no text()")


@dataclass(frozen=True, eq=False, repr=False)
class OfNeurons(Perturbation):
    """A perturbation of chosen neurons of a population."""

    _kinds: ClassVar[tuple[str, ...]] = ("spiking",)
    population: str | Population
    _: KW_ONLY
    neurons: Any = None
    fraction: float = 1.0
    seed: int | np.random.Generator = 0

    def __post_init__(self) -> None:
        name = type(self).__name__
        allowed = "a population, or its name"
        instance(self.population, f"{name}: population", (str, Population), allowed)
        keep_share(self)

    def of(self, network: Any) -> tuple[Population, NDArray[np.int64]]:
        """Return the population and the neurons that are perturbed.

        Parameters
        ----------
        network
            The Network.

        Raises
        ------
        ValueError
            If it has no such population or neurons, or they cannot be perturbed in this way.

        See Also
        --------
        biosnn.run : takes perturbations.
        """
        name = type(self).__name__
        population = network.own(self.population, f"{name}: population")
        if population.kind not in self._kinds:
            allowed = " or ".join(self._kinds).replace("spiking", "neurons that spike")
            raise ValueError(
                f"{name}: {population.name!r} is a population of kind {population.kind!r}; it must "
                f"be one of {allowed.replace('input', 'inputs')}."
            )
        units = chosen(self.neurons, population.n, f"{name}({population.name!r}): neurons")
        if np.unique(units).size < units.size:
            raise ValueError(f"{name}({population.name!r}): a neuron is in the list twice.")
        return population, share(
            units, self.fraction, stream(whole_seed(self.seed), population.name, "share")
        )

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network (see `Perturbation`)."""
        population, units = self.of(network)
        return f"{units.size:,} of {plural(population.n, 'neuron')} of {population.name}"


@dataclass(frozen=True, eq=False, repr=False)
class ForAWhile(OfNeurons):
    """A perturbation of neurons from one time to another."""

    _: KW_ONLY
    start: Seconds = 0.0
    stop: Seconds | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        start = checks.time(self.start, f"{name}: start", 0)
        keep(self, start=start)
        if self.stop is not None:
            why = "it is when the perturbation ends, and start when it begins"
            keep(self, stop=checks.time(self.stop, f"{name}: stop", above=start, why=why))

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network (see `Perturbation`)."""
        end = "the end" if self.stop is None else milliseconds(self.stop)
        return f"{super().text(network)}, {milliseconds(self.start)} to {end}"


def keep_share(perturbation: Any) -> None:
    """Check fraction and seed of a perturbation, and keep them."""
    name, why = type(perturbation).__name__, "it is a share of 1"
    keep(
        perturbation,
        fraction=real(perturbation.fraction, f"{name}: fraction", 0, 1, why=why),
        seed=whole_seed(perturbation.seed, f"{name}: seed"),
    )


def per_neuron(values: Any, n: int, what: str) -> NDArray[np.float64]:
    """Return (n,) numbers, from one for all neurons or one each.

    Examples
    --------
    >>> per_neuron(0.5, 2, "Clamp: value")
    array([0.5, 0.5])
    """
    values = reals(values, what)
    if values.shape not in ((), (n,)):
        raise ValueError(
            f"{what} has shape {values.shape}; give one number, or one for each of the {n} "
            "neurons that were chosen."
        )
    return np.array(np.broadcast_to(values, n), float)


def _kept(values, what):
    """Finite numbers, one as a float."""
    values = reals(values, what)
    return values if values.ndim else float(values)


@dataclass(frozen=True, eq=False, repr=False)
class Silence(ForAWhile):
    """Neurons that do not spike for a while, as if inhibited by light.

    Parameters
    ----------
    population
        A population of spiking neurons or an input, or its name.
    neurons
        Indices, a slice, a mask, or None for all.
    fraction
        The share of these neurons that is drawn at random, from 0 to 1.
    seed
        A whole number >= 0 or a numpy Generator. Perturbations of one population with one seed
        choose the same neurons, and a larger fraction has those of a smaller one.
    start, stop
        Seconds from the start of this run, or of a trial; None: to its end. Times become the
        nearest steps: the first step that is perturbed is at `start`, the first that is not at
        `stop`.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    U is held at its reset value (0 where the reset subtracts the threshold); synaptic currents and
    adaptation go on. Afterwards the neuron goes on from there. Spikes of inputs are left out.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> off = bs.perturb.Silence("E", fraction=0.5, start=0.05, stop=0.1)
    >>> trace = bs.run(net, duration=0.2, currents={"E": 3.0}, perturbations=[off])
    >>> spikes = bs.bin_spikes(trace.spikes["E"], 1e-3).dense()[0]
    >>> int((spikes[50:100].sum(axis=0) == 0).sum())
    5
    """

    _kinds: ClassVar[tuple[str, ...]] = ("spiking", "input")


@dataclass(frozen=True, eq=False, repr=False)
class Clamp(ForAWhile):
    """Neurons whose U is held at a value for a while, as in voltage clamp.

    Parameters
    ----------
    population
        A population of spiking neurons, or its name.
    value
        In the unit of U: one number, or one for each neuron that was chosen.
    neurons, fraction, seed, start, stop
        As for `Silence`.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    A neuron does not spike while it is clamped, whatever the value; currents and adaptation go on.
    After a clamp above threshold it spikes in the next step.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> hold = bs.perturb.Clamp("E", 0.25, neurons=[1])
    >>> trace = bs.run(
    ...     net,
    ...     duration=0.02,
    ...     currents={"E": 3.0},
    ...     record=["E.U"],
    ...     perturbations=[hold],
    ... )
    >>> bool((trace.states["E.U"][..., 1] == 0.25).all())
    True
    """

    value: ArrayLike

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, value=_kept(self.value, "Clamp: value"))


@dataclass(frozen=True, eq=False, repr=False)
class Stimulate(ForAWhile):
    """A current into neurons for a while, as if excited by light or an electrode.

    Parameters
    ----------
    population
        A population of spiking neurons, or its name.
    current
        In the unit of U, added to the right-hand side of tau_mem dU/dt: one number, or one for each
        neuron that was chosen.
    neurons, fraction, seed, start, stop
        As for `Silence`.

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    biosnn.PoissonInput : spikes with a rate that changes in time, for `simulate`.

    Notes
    -----
    Currents of several stimuli, of `currents` and of the background add up.

    Examples
    --------
    Three pulses:

    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> pulses = [
    ...     bs.perturb.Stimulate("E", 5.0, start=t, stop=t + 0.01)
    ...     for t in (0.02, 0.06, 0.1)
    ... ]
    >>> trace = bs.run(net, duration=0.15, perturbations=pulses)
    >>> trace.counts["E"][0].tolist()
    [6.0, 6.0]
    """

    current: ArrayLike

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, current=_kept(self.current, "Stimulate: current"))


@dataclass(frozen=True, eq=False, repr=False)
class Lesion(OfNeurons):
    """Neurons that are gone: they do not spike, and their synapses onto others have weight 0.

    Parameters
    ----------
    population
        A population of spiking neurons or an input, or its name.
    neurons, fraction, seed
        As for `Silence`.

    Raises
    ------
    ValueError
        If a number is not possible.

    See Also
    --------
    Silence : for a while.
    biosnn.perturb.apply : the network without them.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> trace = bs.run(
    ...     net,
    ...     duration=0.1,
    ...     currents={"E": 3.0},
    ...     perturbations=[bs.perturb.Lesion("E", neurons=slice(4))],
    ... )
    >>> int((trace.counts["E"] > 0).sum())
    6
    """

    _kinds: ClassVar[tuple[str, ...]] = ("spiking", "input")
