"""What a large network receives beside its synapses: Poisson input, currents, Ornstein-Uhlenbeck currents.

Descriptions are frozen dataclasses; `pack_background` turns them into the arrays that kernels see. Random numbers are counter-based:
they depend on the seed, the place in the list, the neuron and the step, and on nothing else.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import random as kernels
from ..network.population import Population
from ..support import checks, plausible, timegrid
from ..support.checks import instance, keep, real, reals, shown
from ..support.units import hertz, seconds

_MOST_PER_STEP = 500  # expected Poisson events per neuron and step


@dataclass(frozen=True, eq=False)
class PoissonInput:
    """Every neuron of a population receives a Poisson train of its own: receptor state += jump * weight * count, in every step.

    rate      Hz: one number, an array of one per neuron, or (times, rates) with rates (pieces,) or (pieces, neurons): rates[k] holds
              from times[k] (s, ascending from 0; rounded to the nearest step, with a RoundingWarning) on
    weight    as that of a synapse: non-negative where the receptor has a sign
    receptor  default "exc", or "syn" where there is none

    The number of events in a step is drawn to 2^-32 of its cumulative distribution.
    """

    population: str
    rate: object
    weight: float
    receptor: str | None = None

    def __post_init__(self):
        _check_population(self)
        keep(
            self,
            rate=_numbers(self.rate, "PoissonInput: rate", "rates", hertz),
            weight=real(self.weight, "PoissonInput: weight"),
        )
        if self.receptor is not None:
            instance(
                self.receptor,
                "PoissonInput: receptor",
                str,
                "the name of a receptor, such as 'exc'",
            )


@dataclass(frozen=True, eq=False)
class Current:
    """A current that is added to the right-hand side of the membrane, tau_mem dU/dt = -U + … + current.

    values    one number, an array of one per neuron, or (times, values) with values (pieces,) or (pieces, neurons): values[k] holds
              from times[k] (s, ascending from 0; rounded to the nearest step, with a RoundingWarning) on
    """

    population: str
    values: object

    def __post_init__(self):
        _check_population(self)
        keep(self, values=_numbers(self.values, "Current: values", "values"))


@dataclass(frozen=True, eq=False)
class OrnsteinUhlenbeck:
    """A current with independent noise for every neuron: tau dx/dt = -(x - mean) + sqrt(2 tau) sd (white noise).

    Exact from step to step, x <- mean + a (x - mean) + sd sqrt(1 - a^2) z with a = exp(-dt/tau); stationary from the start, with mean
    and standard deviation sd (numbers, or arrays of one per neuron). Added to the membrane as `Current` is.
    """

    population: str
    mean: object
    sd: object
    tau: float

    def __post_init__(self):
        _check_population(self)
        keep(
            self,
            mean=_numbers(self.mean, "OrnsteinUhlenbeck: mean", "values"),
            sd=_numbers(self.sd, "OrnsteinUhlenbeck: sd", "values"),
            tau=checks.time(self.tau, "OrnsteinUhlenbeck: tau", above=0, plausible=plausible.NOISE),
        )


def _check_population(source):
    instance(
        source.population,
        f"{type(source).__name__}: population",
        (str, Population),
        "a population, or its name",
    )


def _numbers(value, what, second, convert=lambda value, name: value):
    """A number as a float, or an array, or (times, values) as two of them."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(
                f"{what}: got a tuple of {len(value)}; what changes with time is a pair (times, {second}), one value per neuron an "
                "array."
            )
        return reals(seconds(value[0], "times"), f"{what}: times"), reals(
            convert(value[1], second), f"{what}: {second}"
        )
    value = reals(convert(value, what), what)
    return value if value.ndim else float(value)


def pieces(value, n, dt, what):
    """(starts in steps, the nearest, values (pieces, 1 or n)) of a number, an array (n,), or (times, values)."""
    times, values = value if isinstance(value, tuple) else ([0.0], [value])
    times, values = checks.reals(times, f"{what}: times"), np.asarray(values, float)
    if times.ndim != 1 or not times.size or times[0] != 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"{what}: times must be an ascending array of seconds that begins with 0.")
    if values.shape not in ((times.size,), (times.size, n)) or not np.all(np.isfinite(values)):
        raise ValueError(
            f"{what}: values have shape {values.shape}; they must be finite numbers, one or {n} (one per neuron), for each of the "
            f"{times.size} pieces."
        )
    starts = timegrid.nearest_steps(times, dt)
    timegrid.warn_if_rounded(times, starts, dt, f"{what}: times")
    return starts, values.reshape(times.size, -1)


def poisson_table(mean):
    """Cumulative probabilities P(count <= k) times 2^32, less one, k = 0, 1, …, as far as 32 bits tell them from 1."""
    from scipy.special import pdtr  # here: `import biosnn` stays quick

    cumulative = np.round(pdtr(np.arange(int(mean + 12 * np.sqrt(mean) + 30)), mean) * 2.0**32)
    return (cumulative[cumulative < 2.0**32] - 1).clip(0).astype(np.uint32)


class _Sources:
    """Lists that grow source by source."""

    def __init__(self):
        self.columns, self.starts, self.values, self.table, self.ou = [], [], [], [], []
        self.n_starts = self.n_values = self.n_table = self.n_ou = 0

    def add(
        self,
        kind,
        population,
        stream,
        starts,
        values,
        per_neuron,
        width,
        target=0,
        weight=0.0,
        decay=0.0,
        ou=None,
    ):
        self.columns.append(
            (
                kind,
                population,
                stream,
                self.n_starts,
                starts.size,
                per_neuron,
                self.n_table if kind == kernels.POISSON else self.n_values,
                width,
                target,
                weight,
                self.n_ou,
                decay,
            )
        )
        self.starts.append(starts)
        self.n_starts += starts.size
        if kind == kernels.POISSON:
            self.table.append(values)
            self.n_table += values.size
        else:
            self.values.append(values.ravel())
            self.n_values += values.size
        if ou is not None:
            self.ou.append(ou)
            self.n_ou += ou.size


def _padded(values, size):
    return np.concatenate(
        [values, np.zeros(values.shape[:-1] + (size - values.shape[-1],))], axis=-1
    )


def _add_poisson(sources, source, stream, network, place):
    p, population = place(source.population)
    what = f"PoissonInput({population.name!r})"
    receptors = population.neuron.receptors
    receptor = source.receptor or ("exc" if "exc" in receptors else "syn")
    if receptor not in receptors:
        raise ValueError(
            f"{what}: there is no receptor {receptor!r}; {population.name!r} has {', '.join(receptors)}."
        )
    if receptors[receptor].sign and source.weight < 0:
        raise ValueError(
            f"{what}: weight is {source.weight!r}; it must be non-negative where the receptor has a sign."
        )
    starts, rates = pieces(source.rate, population.n, network.dt, what)
    if rates.min() < 0 or rates.max() * network.dt > _MOST_PER_STEP:
        raise ValueError(
            f"{what}: rates run from {rates.min():g} to {rates.max():g} Hz; they must be >= 0, and at most "
            f"{_MOST_PER_STEP / network.dt:g} Hz ({_MOST_PER_STEP} events a step)."
        )
    target = place.state(source.population, receptors[receptor].state)
    weight = source.weight * receptors[receptor].jump
    if rates.shape[1] > 1:
        size = place.padded(source.population)
        sources.add(
            kernels.POISSON_PER_NEURON,
            p,
            stream,
            starts,
            _padded(rates * network.dt, size),
            True,
            size,
            target,
            weight,
        )
        return
    tables = [poisson_table(mean) for mean in rates[:, 0] * network.dt]
    width = max(8, -(-max(table.size for table in tables) // 8) * 8)
    full = np.full((len(tables), width), 2**32 - 1, np.uint32)  # no word is above that
    for row, table in zip(full, tables):
        row[: table.size] = table
    sources.add(kernels.POISSON, p, stream, starts, full.ravel(), False, width, target, weight)


def _add_ornstein_uhlenbeck(sources, source, stream, network, place, rng):
    p, population = place(source.population)
    what, size = f"OrnsteinUhlenbeck({population.name!r})", place.padded(source.population)
    _, mean = pieces(source.mean, population.n, network.dt, what)
    _, sd = pieces(source.sd, population.n, network.dt, what)
    if len(mean) > 1 or len(sd) > 1 or sd.min() < 0:
        raise ValueError(f"{what}: mean and sd must be numbers or one per neuron, and sd >= 0.")
    mean, sd = (np.broadcast_to(v, (1, population.n)) for v in (mean, sd))
    decay = np.exp(-network.dt / source.tau)
    start = mean[0] + sd[0] * rng.standard_normal(population.n)
    values = np.concatenate([_padded(mean, size), _padded(sd * np.sqrt(1 - decay**2), size)])
    sources.add(
        kernels.ORNSTEIN_UHLENBECK,
        p,
        stream,
        np.zeros(1, np.int64),
        values,
        True,
        size,
        decay=decay,
        ou=_padded(start[None], size)[0],
    )


def pack_background(background, network, place, key):
    """(columns of the sources by name, their arrays) for a list of descriptions.

    place: callable (population) -> (number, Population) with methods state(population, state) and padded(population).
    """
    sources = _Sources()
    for stream, source in enumerate(background):
        before = len(sources.values), len(sources.ou)
        if not isinstance(source, (PoissonInput, Current, OrnsteinUhlenbeck)):
            raise ValueError(
                f"background[{stream}] is {shown(source)}; it must be a PoissonInput, Current or OrnsteinUhlenbeck."
            )
        if isinstance(source, PoissonInput):
            _add_poisson(sources, source, stream, network, place)
        elif isinstance(source, Current):
            p, population = place(source.population)
            starts, values = pieces(
                source.values, population.n, network.dt, f"Current({population.name!r})"
            )
            per_neuron, size = (
                values.shape[1] > 1,
                place.padded(source.population) if values.shape[1] > 1 else 1,
            )
            sources.add(kernels.CURRENT, p, stream, starts, _padded(values, size), per_neuron, size)
        else:
            _add_ornstein_uhlenbeck(
                sources, source, stream, network, place, np.random.default_rng([key, stream])
            )
        numbers = [sources.columns[-1][9], *sources.values[before[0] :], *sources.ou[before[1] :]]
        reals(
            np.concatenate([np.ravel(each) for each in numbers]),
            f"background[{stream}], {type(source).__name__}({source.population!r}),",
            dtype=network.dtype,
        )
    names = (
        "kind",
        "population",
        "stream",
        "start_first",
        "segments",
        "per_neuron",
        "value_first",
        "width",
        "target",
        "weight",
        "ou_first",
        "decay",
    )
    order = sorted(
        range(len(sources.columns)),
        key=lambda s: (sources.columns[s][0] >= kernels.POISSON, sources.columns[s][1], s),
    )
    columns = {name: [sources.columns[s][c] for s in order] for c, name in enumerate(names)}

    def joined(arrays, kind):
        return np.concatenate([np.empty(0, kind), *arrays]).astype(kind)

    return columns, {
        "starts": joined(sources.starts, np.int64),
        "values": joined(sources.values, network.dtype),
        "table": joined(sources.table, np.uint32),
        "ou": joined(sources.ou, network.dtype),
    }
