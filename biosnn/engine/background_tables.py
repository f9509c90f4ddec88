"""From descriptions of the background to the rows that kernels read (arrays.SOURCE)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..kernels.random import CURRENT, ORNSTEIN_UHLENBECK, POISSON, POISSON_PER_NEURON
from ..support.checks import reals, several, shown
from .background import Current, OrnsteinUhlenbeck, PoissonInput, pieces_by_trial
from .layout import Layout
from .rows import table

_MOST_PER_STEP = 500  # expected Poisson events per neuron and step

Source = PoissonInput | Current | OrnsteinUhlenbeck


class PackedBackground(NamedTuple):
    """The background as kernels read it.

    table: what kernels read; n_ou: values of Ornstein-Uhlenbeck sources; ou_sources: (sources, 2)
    population and first value of each; any_current: whether there is a current.
    """

    table: arrays.Background
    n_ou: int
    ou_sources: NDArray[np.int64]


def pack_background(layout: Layout, background: Any, n_trials: int = 1) -> PackedBackground:
    """Return the background as rows.

    Parameters
    ----------
    layout
        Layout of the network.
    background
        A list of descriptions.
    n_trials
        Trials for which values may be given.

    Raises
    ------
    ValueError
        If a source does not fit the network, or a number is not finite in its precision.
    """
    given = several(background, "background", "PoissonInput('E', 1e3, 0.1)")
    packer = _Packer(layout, n_trials)
    for source in given:
        packer.add(source)
    return packer.packed()


def check_background(layout: Layout, background: Sequence[Source], n_trials: int = 1) -> None:
    """Raise a ValueError unless all sources fit the network and the number of trials."""
    pack_background(layout, background, n_trials)


class _Packer:
    """Rows of sources, and the vectors that they point into."""

    def __init__(self, layout, n_trials):
        self.layout, self.dt, self.n_trials = layout, layout.network.dt, n_trials
        self.dtype = layout.network.dtype
        self.rows: list[dict] = []
        self.starts: list[NDArray] = [np.empty(0, np.int64)]
        self.values: list[NDArray] = [np.empty(0)]
        self.tables: list[NDArray] = [np.empty(0, np.uint32)]
        self.n_ou = 0

    def packed(self):
        """All sources: currents by population, then Poisson ones."""
        layout = self.layout
        order = sorted(
            self.rows, key=lambda s: (s["kind"] >= POISSON, s["population"], s["stream"])
        )
        currents = [row["population"] for row in order if row["kind"] < POISSON]
        ou = [row for row in order if row["kind"] == ORNSTEIN_UHLENBECK]
        rows = arrays.Background(
            sources=table(arrays.SOURCE, order),
            n_currents=len(currents),
            first=np.searchsorted(currents, np.arange(len(layout.order) + 1)).astype(np.int64),
            starts=np.concatenate(self.starts).astype(np.int64),
            values=np.concatenate(self.values).astype(self.dtype),
            table=np.concatenate(self.tables),
        )
        places = np.array([(row["population"], row["ou"]) for row in ou], np.int64)
        return PackedBackground(rows, self.n_ou, places.reshape(-1, 2))

    def add(self, source):
        """Add a source; ValueError if it does not fit the network."""
        what = f"background[{len(self.rows)}]"
        kinds = {
            PoissonInput: self._poisson,
            Current: self._current,
            OrnsteinUhlenbeck: self._ornstein_uhlenbeck,
        }
        if type(source) not in kinds:
            raise ValueError(
                f"{what} is {shown(source)}; it must be a PoissonInput, Current or "
                "OrnsteinUhlenbeck."
            )
        population = self.layout.find(source.population)
        row = {
            "population": self.layout.number[population.name],
            "stream": len(self.rows),
            "n": population.n,
            "neuron_first": self.layout.neurons(population.name).start,
        }
        row |= kinds[type(source)](source, population)
        reals(
            np.concatenate([[row.get("weight", 0.0)], self.values[-1]]),
            f"{what}, {type(source).__name__}({population.name!r}),",
            dtype=self.dtype,
        )
        self.rows.append(row)

    def _pieces(self, value, population, what):
        """Starts and values (1 or trials, pieces, 1 or n)."""
        starts, values = pieces_by_trial(value, population.n, self.dt, what)
        if len(values) not in (1, self.n_trials):
            raise ValueError(
                f"{what}: values are given for {len(values)} trials, and there "
                f"{'is one' if self.n_trials == 1 else f'are {self.n_trials}'}."
            )
        return starts, values

    def _put(self, into, values):
        """Where values (1 or trials, …) begin in a vector, and from one trial to the next."""
        first = sum(part.size for part in into)
        into.append(np.ravel(values))
        return {"values": first, "stride": values[0].size if len(values) > 1 else 0}

    def _pieced(self, starts, width):
        """Where the starts of pieces lie."""
        first = sum(part.size for part in self.starts)
        self.starts.append(starts)
        return {"starts": first, "segments": starts.size, "width": width}

    def _current(self, source, population):
        """A current, with one value for all neurons or one for each."""
        what = f"Current({population.name!r})"
        starts, values = self._pieces(source.values, population, what)
        place = self._put(self.values, values)
        return {"kind": CURRENT} | self._pieced(starts, values.shape[2]) | place

    def _poisson(self, source, population):
        """Poisson events, with one rate for all neurons or one for each."""
        what, receptor = f"PoissonInput({population.name!r})", _receptor(source, population)
        starts, rates = self._pieces(source.rate, population, what)
        if rates.min() < 0 or rates.max() * self.dt > _MOST_PER_STEP:
            raise ValueError(
                f"{what}: rates run from {rates.min():g} to {rates.max():g} Hz; they must be >= 0, "
                f"and at most {_MOST_PER_STEP / self.dt:g} Hz ({_MOST_PER_STEP} events a step)."
            )
        row = {
            "target": self.layout.state(population.name, receptor.state)[0],
            "weight": float(source.weight * receptor.jump),
        }
        if rates.shape[2] > 1:
            place = self._put(self.values, rates * self.dt)
            return row | {"kind": POISSON_PER_NEURON} | place | self._pieced(starts, population.n)
        tables = _poisson_tables(rates[:, :, 0] * self.dt)
        place = self._put(self.tables, tables)
        self.values.append(np.empty(0))
        return row | {"kind": POISSON} | place | self._pieced(starts, tables.shape[2])

    def _ornstein_uhlenbeck(self, source, population):
        """A noisy current; its values are the means, then the standard deviations of a step."""
        what = f"OrnsteinUhlenbeck({population.name!r})"
        (_, mean), (_, sd) = (
            self._pieces(each, population, what) for each in (source.mean, source.sd)
        )
        if mean.shape[1] > 1 or sd.shape[1] > 1 or sd.min() < 0:
            raise ValueError(
                f"{what}: mean and sd must be numbers, one per neuron or trial, and sd >= 0."
            )
        trials = max(len(mean), len(sd))
        mean, sd = (np.broadcast_to(v[:, 0], (trials, population.n)) for v in (mean, sd))
        decay = float(np.exp(-self.dt / source.tau))
        both = np.concatenate([mean, sd * np.sqrt(1 - decay**2)], axis=1)
        row = {"kind": ORNSTEIN_UHLENBECK, "decay": decay, "ou": self.n_ou, "segments": 1}
        self.n_ou += population.n
        return row | self._put(self.values, both)


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
    """(trials, pieces, width) the tables of several means, each a multiple of 8 long."""
    known, which = np.unique(means, return_inverse=True)
    tables = [poisson_table(mean) for mean in known]
    width = max(8, -(-max(each.size for each in tables) // 8) * 8)
    full = np.full((len(tables), width), 2**32 - 1, np.uint32)  # no word is above that
    for row, each in zip(full, tables):
        row[: each.size] = each
    return full[which.reshape(means.shape)]
