"""From descriptions of the background to the table that kernels read (stream_tables.Noise)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernels.random import CURRENT, ORNSTEIN_UHLENBECK, POISSON, POISSON_PER_NEURON
from ..support.checks import reals, shown
from .background import Current, OrnsteinUhlenbeck, PoissonInput, pieces
from .stream_layout import StreamLayout
from .stream_tables import Noise

_MOST_PER_STEP = 500  # expected Poisson events per neuron and step

Source = PoissonInput | Current | OrnsteinUhlenbeck


@dataclass
class _Packed:
    """One source as kernels see it.

    stream: of its random numbers, which is its place in the list of the background
    starts: steps from which its pieces hold
    values: piece by piece, one number or one per neuron; of a Poisson source with one rate for all,
    cumulative probabilities (`poisson_table`)
    width: numbers of a piece
    target: first element of the state that events add to
    ou: values of an Ornstein-Uhlenbeck source at the start
    """

    kind: int
    population: int
    stream: int
    starts: NDArray
    values: NDArray
    per_neuron: bool
    width: int
    target: int = 0
    weight: float = 0.0
    decay: float = 0.0
    ou: NDArray | None = None

    @property
    def table(self) -> NDArray:
        """The cumulative probabilities."""
        return self.values if self.kind == POISSON else np.empty(0, np.uint32)

    @property
    def numbers(self) -> NDArray:
        """The values that are not cumulative probabilities."""
        return np.empty(0) if self.kind == POISSON else self.values.ravel()

    @property
    def noise(self) -> NDArray:
        """Values of an Ornstein-Uhlenbeck source at the start, or none."""
        return np.empty(0) if self.ou is None else self.ou


def pack_noise(layout: StreamLayout, background: Sequence[Source], key: int) -> Noise:
    """Return the background as arrays.

    Parameters
    ----------
    layout
        Layout of the network.
    background
        The descriptions.
    key
        Key of the random numbers.

    Raises
    ------
    ValueError
        If a source does not fit the network, or a number is not finite in its precision.
    """
    dtype = layout.network.dtype
    sources = [_pack(layout, k, source, key) for k, source in enumerate(background)]
    order = sorted(sources, key=lambda s: (s.kind >= POISSON, s.population, s.stream))
    current = [source.population for source in order if source.kind < POISSON]
    starts, tables = _firsts(sources, "starts"), _firsts(sources, "table")
    numbers, noise = _firsts(sources, "numbers"), _firsts(sources, "noise")

    def each(value, kind=np.int64):
        """A number of every source, in the order of kernels."""
        return np.array([value(source) for source in order], kind)

    return Noise(
        first=np.searchsorted(current, np.arange(layout.n.size + 1)).astype(np.int64),
        kind=each(lambda s: s.kind),
        population=each(lambda s: s.population),
        stream=each(lambda s: s.stream),
        start_first=each(lambda s: starts[s.stream]),
        segments=each(lambda s: s.starts.size),
        per_neuron=each(lambda s: s.per_neuron, bool),
        value_first=each(lambda s: (tables if s.kind == POISSON else numbers)[s.stream]),
        width=each(lambda s: s.width),
        target=each(lambda s: s.target),
        weight=each(lambda s: s.weight, dtype),
        ou_first=each(lambda s: noise[s.stream]),
        decay=each(lambda s: s.decay, dtype),
        starts=_joined(sources, "starts", np.int64),
        values=_joined(sources, "numbers", dtype),
        table=_joined(sources, "table", np.uint32),
        ou=_joined(sources, "noise", dtype),
        key=np.uint64(key),
    )


def _firsts(sources, name):
    """Where the numbers of each source begin."""
    return np.cumsum([0, *(getattr(source, name).size for source in sources)])


def _joined(sources, name, kind):
    """The numbers of all sources."""
    return np.concatenate([np.empty(0, kind), *(getattr(s, name) for s in sources)]).astype(kind)


def _pack(layout, stream, source, key):
    """One source; ValueError if it does not fit the network."""
    what = f"background[{stream}]"
    if isinstance(source, PoissonInput):
        packed = _pack_poisson(layout, stream, source)
    elif isinstance(source, Current):
        packed = _pack_current(layout, stream, source)
    elif isinstance(source, OrnsteinUhlenbeck):
        packed = _pack_ornstein_uhlenbeck(
            layout, stream, source, np.random.default_rng([key, stream])
        )
    else:
        raise ValueError(
            f"{what} is {shown(source)}; it must be a PoissonInput, Current or OrnsteinUhlenbeck."
        )
    reals(
        np.concatenate([[packed.weight], packed.numbers, packed.noise]),
        f"{what}, {type(source).__name__}({source.population!r}),",
        dtype=layout.network.dtype,
    )
    return packed


def check_background(layout: StreamLayout, background: Sequence[Source]) -> None:
    """Raise a ValueError unless all sources fit the network."""
    pack_noise(layout, background, 0)


def _padded(values, size):
    """Values with zeros behind them, up to the room of a population."""
    room = np.zeros(values.shape[:-1] + (size - values.shape[-1],))
    return np.concatenate([values, room], axis=-1)


def _pack_current(layout, stream, source):
    """A current, with one value for all neurons or one for each."""
    p, population = layout.find(source.population)
    starts, values = pieces(
        source.values, population.n, layout.network.dt, f"Current({population.name!r})"
    )
    per_neuron = values.shape[1] > 1
    width = layout.padded(source.population) if per_neuron else 1
    return _Packed(
        kind=CURRENT,
        population=p,
        stream=stream,
        starts=starts,
        values=_padded(values, width),
        per_neuron=per_neuron,
        width=width,
    )


def _receptor(source, population):
    """The receptor of a PoissonInput; ValueError if there is none, or its sign differs."""
    what, receptors = f"PoissonInput({population.name!r})", population.neuron.receptors
    name = source.receptor or ("exc" if "exc" in receptors else "syn")
    if name not in receptors:
        raise ValueError(
            f"{what}: there is no receptor {name!r}; {population.name!r} has "
            f"{', '.join(receptors)}."
        )
    if receptors[name].sign and source.weight < 0:
        raise ValueError(
            f"{what}: weight is {source.weight!r}; it must be non-negative where the receptor has "
            "a sign."
        )
    return receptors[name]


def _pack_poisson(layout, stream, source):
    """Poisson events, with one rate for all neurons or one for each."""
    p, population = layout.find(source.population)
    dt, receptor = layout.network.dt, _receptor(source, population)
    what = f"PoissonInput({population.name!r})"
    starts, rates = pieces(source.rate, population.n, dt, what)
    if rates.min() < 0 or rates.max() * dt > _MOST_PER_STEP:
        raise ValueError(
            f"{what}: rates run from {rates.min():g} to {rates.max():g} Hz; they must be >= 0, and "
            f"at most {_MOST_PER_STEP / dt:g} Hz ({_MOST_PER_STEP} events a step)."
        )
    per_neuron = rates.shape[1] > 1
    if per_neuron:
        width = layout.padded(source.population)
        values = _padded(rates * dt, width)
    else:
        values = _poisson_tables(rates[:, 0] * dt)
        width = values.shape[1]
    return _Packed(
        kind=POISSON_PER_NEURON if per_neuron else POISSON,
        population=p,
        stream=stream,
        starts=starts,
        values=values if per_neuron else values.ravel(),
        per_neuron=per_neuron,
        width=width,
        target=layout.state(source.population, receptor.state),
        weight=source.weight * receptor.jump,
    )


def poisson_table(mean: float) -> NDArray[np.uint32]:
    """Return the cumulative probabilities of a Poisson count, as whole numbers.

    Entry k is P(count <= k) times 2^32, less one, as far as 32 bits tell it from 1.

    Examples
    --------
    >>> (poisson_table(0.1) + 1.0) / 2**32
    array([0.90483742, 0.99532116, 0.99984535, 0.99999615, 0.99999992,
           1.        ])
    """
    from scipy.special import pdtr  # here: `import biosnn` stays quick

    cumulative = np.round(pdtr(np.arange(int(mean + 12 * np.sqrt(mean) + 30)), mean) * 2.0**32)
    return (cumulative[cumulative < 2.0**32] - 1).clip(0).astype(np.uint32)


def _poisson_tables(means):
    """(pieces, width) the tables of several means, each a multiple of 8 long."""
    tables = [poisson_table(mean) for mean in means]
    width = max(8, -(-max(table.size for table in tables) // 8) * 8)
    full = np.full((len(tables), width), 2**32 - 1, np.uint32)  # no word is above that
    for row, table in zip(full, tables):
        row[: table.size] = table
    return full


def _pack_ornstein_uhlenbeck(layout, stream, source, rng):
    """A noisy current; its values are the means, then the standard deviations of a step."""
    p, population = layout.find(source.population)
    what, size = f"OrnsteinUhlenbeck({population.name!r})", layout.padded(source.population)
    dt = layout.network.dt
    _, mean = pieces(source.mean, population.n, dt, what)
    _, sd = pieces(source.sd, population.n, dt, what)
    if len(mean) > 1 or len(sd) > 1 or sd.min() < 0:
        raise ValueError(f"{what}: mean and sd must be numbers or one per neuron, and sd >= 0.")
    mean, sd = (np.broadcast_to(v, (1, population.n)) for v in (mean, sd))
    decay = np.exp(-dt / source.tau)
    start = mean[0] + sd[0] * rng.standard_normal(population.n)
    return _Packed(
        kind=ORNSTEIN_UHLENBECK,
        population=p,
        stream=stream,
        starts=np.zeros(1, np.int64),
        values=np.concatenate([_padded(mean, size), _padded(sd * np.sqrt(1 - decay**2), size)]),
        per_neuron=True,
        width=size,
        decay=decay,
        ou=_padded(start[None], size)[0],
    )
