"""The parts of a network: populations and projections by name, and how it shows itself."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..support import fingerprint
from ..support.checks import refuse, shown
from ..support.show import About, Shows, milliseconds, nbytes, plural
from ..support.tables import Table
from .drawn_synapses import Weights
from .population import Population
from .projection import Projection
from .synapses import Synapses


class UnknownName(KeyError, ValueError):
    """A network has no population or projection of that name."""

    def __str__(self) -> str:  # that of a KeyError is in quotes
        return str(self.args[0])


class NetworkParts(Shows):
    """Base of `Network`: what it consists of, and the look-ups by name."""

    dt: float
    dtype: np.dtype[Any]
    #: Name of a sparse projection -> its Synapses.
    synapses: dict[str, Synapses]
    #: What training may change besides weights: (population, name) -> p, where name is that of a
    #: time constant, tau = 2 tau_0 sigmoid(p), "threshold", theta = theta_0 + p, "jump",
    #: jump = jump_0 exp(p), or "bias", bias = p.
    parameters: dict[tuple[str, str], Any]
    _weights: Weights
    _populations: dict[str, Population]
    _projections: dict[str, Projection]

    @property
    def weights(self) -> Weights:
        """Projection name -> array (pre, post), or of a sparse one a number or (synapses,)."""
        return self._weights

    @weights.setter
    def weights(self, weights: Mapping[str, Any]) -> None:
        self._weights = Weights(weights)

    def __getitem__(self, name: str) -> Population:
        """Return the population of that name."""
        if name not in self:
            raise UnknownName(
                f"there is no population {shown(name)}; there are "
                f"{', '.join(self._populations) or 'none yet'}."
            )
        return self._populations[name]

    def __contains__(self, name: Any) -> bool:
        """Whether there is a population of that name."""
        return isinstance(name, str) and name in self._populations

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the populations."""
        return iter(self._populations)

    def __len__(self) -> int:
        """Return the number of populations."""
        return len(self._populations)

    def __bool__(self) -> bool:
        """A network is true, also without populations."""
        return True

    def own(self, population: Any, what: str = "the population") -> Population:
        """Return a population of this network.

        Parameters
        ----------
        population
            A population or its name.
        what
            Name of the argument, for messages.

        Raises
        ------
        KeyError
            If there is none of that name.
        ValueError
            If it is a population of another network, or something else.
        """
        if not isinstance(population, (str, Population)):
            refuse(what, population, "a population of the network, or its name")
        name = population if isinstance(population, str) else population.name
        found = self[name]
        if isinstance(population, Population) and found is not population:
            raise ValueError(
                f"{what}: {name!r} is a population of another network; this one has one of the "
                "same name. Give the name, or its own."
            )
        return found

    def projection(self, projection: Projection | str) -> Projection:
        """Return a projection of this network.

        Parameters
        ----------
        projection
            Its name, or itself.

        Raises
        ------
        KeyError
            If there is none of that name.
        ValueError
            If it is a projection of another network.
        """
        name = projection.name if isinstance(projection, Projection) else projection
        if not isinstance(name, str) or name not in self._projections:
            raise UnknownName(
                f"there is no projection {shown(name)}; there are "
                f"{', '.join(self._projections) or 'none yet'}."
            )
        found = self._projections[name]
        if isinstance(projection, Projection) and found is not projection:
            raise ValueError(
                f"{name!r} is a projection of another network; this one has one of the same name. "
                "Give the name, or its own."
            )
        return found

    @property
    def populations(self) -> list[Population]:
        """All populations: inputs, spiking ones, pooling units and readouts."""
        return list(self._populations.values())

    @property
    def projections(self) -> list[Projection]:
        """All projections, in the order in which they were made."""
        return list(self._projections.values())

    @property
    def inputs(self) -> list[Population]:
        """Populations whose spikes come from data."""
        return self._of_kind("input")

    @property
    def spiking(self) -> list[Population]:
        """Populations of neurons with a threshold."""
        return self._of_kind("spiking")

    @property
    def readouts(self) -> list[Population]:
        """Populations of leaky integrators, which losses look at."""
        return self._of_kind("readout")

    @property
    def pooling(self) -> list[Population]:
        """Units that pool spikes."""
        return self._of_kind("pooling")

    @property
    def firing(self) -> list[Population]:
        """Populations with spikes of their own making: spiking ones, then those that pool."""
        return self.spiking + self.pooling

    @property
    def sources(self) -> list[Population]:
        """Populations that projections can come from."""
        return self.inputs + self.firing

    def _of_kind(self, kind: str) -> list[Population]:
        """Populations of one kind."""
        return [p for p in self.populations if p.kind == kind]

    def fingerprint(self) -> str:
        """Return a hash of everything but weights and learned parameters.

        Returns
        -------
        16 hexadecimal digits, which two networks share if their arrays fit.
        """
        return self.later_fingerprint()()

    def later_fingerprint(self) -> Callable[[], str]:
        """Return what gives the fingerprint of the network as it is now.

        That of synapses that have not been drawn takes time, since they are then drawn.
        """
        return partial(_fingerprint, *self._description(), "digest")

    def identity(self) -> str:
        """Return a hash that tells networks apart, for which nothing has to be drawn.

        Networks of one fingerprint may have several: drawn from a seed, or given as arrays.
        """
        return _fingerprint(*self._description(), "identity")

    def _description(self) -> tuple[list[Any], list[Synapses | None]]:
        """All but synapses, weights and learned parameters; the synapses of each projection."""
        populations = [fingerprint.plain(p) for p in self.populations]
        text: list[Any] = [self.dt, str(self.dtype), populations]
        for p in self.projections:
            each = [p.name, p.pre, p.post, p.receptor, fingerprint.plain(p.delay)]
            text.append([*each, fingerprint.plain(p.plasticity)])
        return text, [self.synapses.get(p.name) for p in self.projections]

    # ------------------------------------------------------------------------------------- show

    def _about(self) -> About:
        """Describe populations, projections, parameters and memory."""
        neurons = sum(p.n for p in self.firing)
        title = f"Network of {plural(neurons, 'neuron')}"
        rows = [("time step", f"{milliseconds(self.dt)}, {self.dtype}")]
        if self.weights or self.parameters:
            n_weights = sum(self.weights.size(name) for name in self.weights)
            values = [plural(n_weights, "weight")]
            if self.parameters:
                n_more = sum(np.size(p) for p in self.parameters.values())
                names = ", ".join(dict.fromkeys(name for _, name in self.parameters))
                values.append(f"{n_more:,} of {names}")
            rows.append(("parameters", "; ".join(values)))
        if self._projections:
            rows.append(("memory", f"{nbytes(self._nbytes())} of weights and synapses"))
        if later := sum(s.size for s in self.synapses.values() if not s.is_held):
            rows.append(("drawn when needed", f"{later:,} synapses"))
        populations = Table(
            "Populations", ("name", "neurons", "sign", "model"), self._population_rows(), keys=1
        )
        projections = Table(
            "Projections",
            ("name", "receptor", "delay", "synapses", "weights"),
            [self._projection_row(p) for p in self.projections],
            keys=1,
        )
        return About(title, rows, (populations, projections))

    def _nbytes(self) -> int:
        """Bytes of weights and synapses."""
        weights = sum(np.asarray(each).nbytes for each in self.weights.held())
        return weights + sum(synapses.nbytes for synapses in self.synapses.values())

    def _population_rows(self):
        """Name, size, sign and model of each population."""
        rows = []
        for p in self.populations:
            model = p.neuron.model if p.kind == "spiking" and p.neuron is not None else p.kind
            rows.append((p.name, f"{p.n:,}", p.sign, model))
        return rows

    def _projection_row(self, p):
        """Name, receptor, delay, number of synapses and mean weight of a projection."""
        if p.name in self.synapses:
            n_synapses = self.synapses[p.name].size
        else:
            n_synapses = self[p.pre].n * self[p.post].n
        drawn = self.weights.undrawn(p.name)
        weights = None if drawn is not None else self.weights.get(p.name)
        if drawn is not None:  # what it costs nothing to draw
            text = f"mean {np.mean(drawn.part(0, 1 << 16), dtype=float):.3g}"
        elif weights is None:
            text = "not set"
        elif not np.ndim(weights):
            text = f"{weights:.4g}"
        else:
            text = f"mean {np.mean(weights, dtype=float):.4g}" if np.size(weights) else "none"
        return p.name, p.receptor, p.delay_text(), f"{n_synapses:,}", text


def _fingerprint(text: list[Any], lists: list[Synapses | None], kind: str) -> str:
    """The hash of a description, whose projections have these lists of synapses."""
    own = text[3:]
    for k, synapses in enumerate(lists):
        rows = None if synapses is None else [getattr(synapses, kind), synapses.weight_shape]
        own[k] = [*own[k][:-1], rows, own[k][-1]]
    return fingerprint.digest([*text[:3], *own])
