"""The description of a network: inputs, populations, readouts, projections.

Weights of a dense projection are an array (pre, post), those of a sparse one a number or an array (synapses,). Delays and time
constants are in seconds. Weights of PyTorch's layers lie the other way round: interop.from_torch.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ..support import checks, fingerprint, plausible, timegrid
from ..support.checks import flag, real, reals, refuse, shown, whole
from ..support.memory import check_room
from ..support.seeds import stream, whole_seed
from ..support.units import seconds
from ..support.warn import warn_if_implausible
from . import dale
from .convolution import MaxPool
from .escape import EscapeNoise
from .neuron import Neuron, leaky_readout, pooling_unit
from .plasticity import check_plasticity
from .psp import psp
from .surrogate import SuperSpike, Surrogate
from .synapses import Synapses, compact_delays, delay_steps, draw_delays, draw_weights, is_random

SIGNS = ("excitatory", "inhibitory", "unsigned")
_MOST = 2**31 - 1  # neurons of a population: kernels count them in 32 bits


class UnknownName(KeyError, ValueError):
    """A network has no population or projection of that name."""

    def __str__(self):  # that of a KeyError is in quotes
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class Population:
    """n neurons of one kind. `kind` is "input", "spiking", "pooling" or "readout"; `sign` one of SIGNS.

    learn: time constants that training may change, name -> "population" (one parameter) or "neuron" (one each); likewise "jump",
    the strength of adaptation.
    noise: SigmoidEscape, ExponentialEscape or None (spikes wherever U exceeds the threshold).
    bias: whether it has constant currents that training may change.
    source, pooling: of units that pool spikes, the name of the population whose spikes they are, and the MaxPool.
    """

    name: str
    n: int
    kind: str
    sign: str
    neuron: Neuron | None
    surrogate: Surrogate | None
    initial: float
    learn: dict
    noise: EscapeNoise | None = None
    bias: bool = False
    source: str | None = None
    pooling: MaxPool | None = None

    @property
    def states(self):
        """Names of what can be recorded, the membrane first."""
        return [] if self.kind in ("input", "pooling") else list(self.neuron.states)

    def known_states(self, *more):
        """For messages about states: their full names, or why there are none."""
        why = "none, it is an input" if self.kind == "input" else "none, its units pool spikes"
        return (
            ", ".join(f"{self.name}.{state}" for state in (*self.states, *more))
            if self.states
            else why
        )


@dataclass(frozen=True)
class Projection:
    """All synapses from population `pre` onto `receptor` of population `post`.

    delay      seconds, a multiple of the time step, or None where every synapse has its own (in `network.synapses`)
    synapses   the rule that says which pairs are connected; None: all of them
    plasticity TsodyksMarkram, InhibitorySTDP or None
    frozen     training leaves its weights as they are
    gradient_to_source   whether gradients flow through it to its source
    """

    name: str
    pre: str
    post: str
    receptor: str
    delay: float | None
    non_negative: bool
    synapses: object = None
    plasticity: object = field(default=None, repr=False)
    frozen: bool = field(default=False, repr=False)
    gradient_to_source: bool = field(default=True, repr=False)


class Network:
    """A graph of populations and projections, simulated in steps of dt (s). Times become steps as support/timegrid.py says.

        net = Network(dt=2e-3)
        x = net.input(700)
        E = net.population(128, ei_lif(), sign="excitatory", name="E")
        out = net.readout(10, tau_mem=0.7)
        net.connect(x, E)
        net.connect(E, out)

    dtype: float32 (default) or float64, of weights and states.
    """

    def __init__(self, dt, dtype=np.float32):
        self.dt = checks.time(dt, "dt", above=0, plausible=plausible.STEP)
        self.dtype = _dtype(dtype)
        self._populations, self._projections = {}, {}
        self.weights = {}  # projection name -> array (pre, post), or number or array (synapses,), in the order of set_weights
        self.synapses = {}  # name of a sparse projection -> Synapses
        # (population, time constant or "jump" or "bias") -> p, with tau = 2 tau_0 sigmoid(p), jump = jump_0 exp(p), bias = p
        self.parameters = {}

    # ---------------------------------------------------------------------------------------- build

    def input(self, n, *, name="input", sign="unsigned"):
        """A source of external spikes. Unsigned inputs excite where the receptors have signs (`ei_lif`)."""
        return self._add(Population(name, n, "input", sign, None, None, 0.0, {}))

    def population(
        self,
        n,
        neuron,
        sign="unsigned",
        *,
        name=None,
        surrogate=SuperSpike(),
        initial=0.0,
        learn=None,
        noise=None,
        bias=None,
    ):
        """n spiking neurons. initial: U at the start of a trial. learn: for instance {"mem": "neuron", "exc": "population"}.

        Names in learn: time constants of the neuron, and "jump" for what its own spikes add (adaptation).
        noise: spikes at random, such as SigmoidEscape(20) (escape.py).
        bias: a constant current for every neuron, on the right-hand side of tau_mem dU/dt = -U + …, that training changes: where it
        starts, a number or an array (n,). None: there is none (fixed currents are given to `run` and `simulate`).
        """
        name = (
            f"population_{sum(p.kind == 'spiking' for p in self.populations)}"
            if name is None
            else name
        )
        return self._add(
            Population(
                name,
                n,
                "spiking",
                sign,
                neuron,
                surrogate,
                initial,
                _learned(learn),
                noise,
                bias is not None,
            ),
            bias,
        )

    def readout(
        self,
        n,
        *,
        tau_mem=0.1,
        tau_syn=10e-3,
        name="readout",
        initial=0.0,
        integrator="exact",
        learn=None,
        bias=None,
    ):
        """n leaky integrators without threshold; losses look at their U. bias: as for `population`."""
        return self._add(
            Population(
                name,
                n,
                "readout",
                "unsigned",
                leaky_readout(tau_mem=tau_mem, tau_syn=tau_syn, integrator=integrator),
                None,
                initial,
                _learned(learn),
                bias=bias is not None,
            ),
            bias,
        )

    def pool(self, source, pooling, *, name=None):
        """Units that pool the spikes of neighbours in `source`, a spiking population (or one that pools) or its name.

            S_g[n] = max over the neurons i of window g of S_i[n]      in the same step: a unit spikes when one of its window does

        pooling   MaxPool(shape, size, stride), whose shape is that of the feature maps of `source`
        Projections leave from the units as from neurons, with delays of their own; the sign (Dale's law) is that of the source. The
        units have no states, no weights and nothing to learn, and receive nothing but those spikes.

        Gradient: dL/dS_g goes to the neuron of the window with the largest S_i. Where these are equal, as spikes mostly are, it goes to
        the one with the largest U* - theta, and of those to the first: since the smooth twin of a spike grows with U* - theta, this is
        the limit of the gradient of the twin, whose spikes differ.
        """
        source = self._own(source, "source")
        if source.kind == "input":
            raise ValueError(
                f"{source.name!r} is an input: pool its spike trains before they enter, spikes, shape = bs.max_pool(spikes, …)."
            )
        if source.kind == "readout":
            raise ValueError(
                f"{source.name!r} is a readout: it never spikes, so there is nothing to pool."
            )
        if not isinstance(pooling, MaxPool):
            raise ValueError(
                f"pooling is {shown(pooling)}; it must be MaxPool(shape, size), with the shape of the feature maps of {source.name!r}."
            )
        if source.n != np.prod(pooling.shape):
            raise ValueError(
                f"{source.name!r} has {source.n} neurons; feature maps of shape {pooling.shape} have {int(np.prod(pooling.shape))}."
            )
        return self._add(
            Population(
                f"{source.name} pooled" if name is None else name,
                int(np.prod(pooling.output_shape)),
                "pooling",
                source.sign,
                pooling_unit(self.dt),
                source.surrogate,
                0.0,
                {},
                source=source.name,
                pooling=pooling,
            )
        )

    def connect(
        self,
        pre,
        post,
        *,
        delay=0.0,
        weights=None,
        receptor=None,
        name=None,
        synapses=None,
        seed=None,
        plasticity=None,
        frozen=False,
        gradient_to_source=True,
    ):
        """Synapses from `pre` to `post` (populations or their names).

        delay      seconds >= 0, rounded to the nearest step, int(delay / dt + 0.5), with a RoundingWarning where that changes it; the
                   projection shows what it became. 0 arrives in the step of the spike. With `synapses` also an array (synapses,) or a
                   distribution (which is rounded without a warning)
        weights    (pre, post), or None until an initializer sets them; or a distribution, such as Normal(0.2, 0.02, low=0) or
                   0.2 * LogNormal(0.5), or any function (rng, size) -> values. With `synapses` also a number for all (costs no memory;
                   training keeps it one) or an array (synapses,), for Pairs in the order of the pairs (see set_weights). Of a
                   Convolution: the kernels (filters, channels, …). Of a layer of PyTorch: interop.from_torch(layer.weight)
        receptor   default: that of the sign of `pre`; onto readouts one that takes weights of either sign
        synapses   which pairs are connected: Bernoulli(p), FixedInDegree(k), FixedOutDegree(k), FixedTotal(n), OneToOne(),
                   FanOut(), BlockDiagonal(blocks), Pairs(pre, post), from_scipy(matrix), Convolution(shape, filters, kernel),
                   network.synapses[name] of another projection; None: all of them, as a dense array
        seed       a whole number >= 0 or a numpy Generator (which gives one), needed where synapses, weights or delays are random. One
                   seed serves a whole network: what is drawn depends on it *and on the name of the projection*, and targets, weights and
                   delays have streams of their own, so that projections with one seed are independent
        plasticity TsodyksMarkram(…), short-term, or InhibitorySTDP(…), on sparse projections of inhibitory populations; for `simulate`
        frozen     True: training leaves the weights as they are, and takes no gradients by them
        gradient_to_source   False: gradients do not flow through this projection to `pre`
        """
        pre, post = (self._own(given, what) for given, what in ((pre, "pre"), (post, "post")))
        if post.kind == "input":
            raise ValueError(
                f"{post.name!r} is an input: its spikes come from data, so nothing can project onto it."
            )
        if pre.kind == "readout":
            raise ValueError(
                f"{pre.name!r} is a readout: it never spikes, so it cannot project onto anything."
            )
        if post.kind == "pooling":
            raise ValueError(
                f"{post.name!r} pools the spikes of {post.source!r} and receives nothing else: project onto that."
            )
        if pre.kind == "pooling" and plasticity is not None:
            raise ValueError(
                f"{pre.name!r} pools spikes: plastic projections come from neurons. Connect {pre.source!r} instead."
            )
        receptor = self._receptor(pre, post, receptor)
        name = f"{pre.name}->{post.name}" if name is None else name
        if not checks.is_text(name) or not name:
            refuse(
                "the name of a projection",
                name,
                "a non-empty text of characters that files can hold",
            )
        if name in self._projections:
            raise ValueError(f"there is a projection {name!r} already; give this one another name.")
        seed = None if seed is None else whole_seed(seed, f"projection {name!r}: seed")
        if isinstance(weights, type):
            raise ValueError(
                f"projection {name!r}: weights are the class {weights.__name__}; give a distribution, such as 0.2 * Exponential()."
            )
        delay = delay if is_random(delay) else seconds(delay, "delay")
        one_delay = not is_random(delay) and not checks.has_axes(delay)
        if not is_random(delay):
            delay = self.on_grid(name, delay)
        projection = Projection(
            name,
            pre.name,
            post.name,
            receptor,
            delay if one_delay else None,
            post.neuron.receptors[receptor].sign != 0,
            synapses,
            plasticity,
            flag(frozen, "frozen"),
            flag(gradient_to_source, "gradient_to_source"),
        )
        if synapses is None and not one_delay:
            raise ValueError(
                f"projection {name!r}: a delay for every synapse needs a sparse projection; give synapses=…."
            )
        if synapses is None and seed is None and is_random(weights):
            raise ValueError(
                f"projection {name!r} is drawn at random: give a seed, a whole number or a numpy Generator."
            )
        drawn = is_random(weights)
        if synapses is not None:
            weights = self._connect_sparse(projection, delay, weights, seed)
        elif drawn:
            check_room(f"projection {name!r}", pre.n * post.n, self.dtype.itemsize, "weights")
            weights = draw_weights(
                weights, pre.n * post.n, _key(seed, name, "weights"), self.dtype
            ).reshape(pre.n, post.n)
        self._projections[name] = projection
        try:
            check_plasticity(self, projection)
            if weights is not None:
                self.set_weights(name, weights, copy=not drawn)
        except ValueError:
            del self._projections[name]
            self.synapses.pop(name, None)
            raise
        return projection

    def on_grid(self, name, delay):
        """Given delays (s), one or one for every synapse, as multiples of dt."""
        what, several = f"projection {shown(name)}", checks.has_axes(delay)
        delay = (checks.reals if several else checks.time)(delay, f"{what}: delay")
        steps = delay_steps(delay, self.dt, what)
        warn_if_implausible(
            delay, f"{what}: {'the longest ' if several else ''}delay", plausible.DELAY
        )
        timegrid.warn_if_rounded(delay, steps, self.dt, f"{what}: delay")
        return steps * self.dt if several else timegrid.on_grid(delay, steps, self.dt)

    def _connect_sparse(self, projection, delay, weights, seed):
        """Build and keep the synapses; returns their weights, drawn if they are random, or None."""
        name, rule = projection.name, projection.synapses
        if isinstance(rule, type) or not hasattr(rule, "build"):
            raise ValueError(
                f"projection {name!r}: synapses is {shown(rule)}; it must be a rule such as Bernoulli(0.1) or "
                "FixedInDegree(100), Pairs(pre, post), or from_scipy(matrix)."
            )
        weights = getattr(rule, "weights", None) if weights is None else weights
        if seed is None and (
            getattr(rule, "random", True) or is_random(weights) or is_random(delay)
        ):
            raise ValueError(
                f"projection {name!r} is drawn at random: give a seed, a whole number or a numpy Generator."
            )
        first, target, shared = rule.build(
            self[projection.pre].n,
            self[projection.post].n,
            projection.pre == projection.post,
            None if seed is None else stream(seed, name, "targets"),
        )
        index, shape = (None, None) if shared is None else shared
        synapses = Synapses(first, target, 0, self[projection.post].n, index, shape)
        if synapses.shares_weights and projection.plasticity is not None:
            raise ValueError(
                f"projection {name!r}: synapses of {rule!r} share weights, which cannot be plastic."
            )
        if is_random(delay):
            steps = draw_delays(delay, target.size, _key(seed, name, "delays"), self.dt, name)
        else:
            steps = timegrid.nearest_steps(delay, self.dt)
        if projection.delay is None and not is_random(delay):
            _check_size(name, "delays", steps, target.size)
            steps = compact_delays(
                steps if index is None or synapses.shares_weights else steps[index]
            )
        if is_random(weights):
            shape = (target.size,) if shape is None else shape
            weights = draw_weights(
                weights, int(np.prod(shape)), _key(seed, name, "weights"), self.dtype
            ).reshape(shape)
        for array in (first, target, steps, index):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        self.synapses[name] = replace(synapses, delay=steps)
        return weights

    def set_weights(self, projection, weights, *, copy=True):
        """Set the weights of a projection; checked for shape, finiteness and Dale's law, and copied.

        Dense: (pre, post). Sparse: one number for all synapses, or (synapses,): of Pairs(pre, post) in the order of these pairs, of
        other rules in that of `network.synapses`. Convolution: the kernels (filters, channels, …), or one number for all of their
        elements. `network.weights`, gradients and checkpoints have the same order; `network.indices` says which weight joins whom.
        """
        projection = self.projection(projection)
        name, synapses = projection.name, self.synapses.get(projection.name)
        weights = _checked_weights(name, weights, self.dtype, flag(copy, "copy"))
        if synapses is None:
            if weights.shape != (shape := (self[projection.pre].n, self[projection.post].n)):
                raise ValueError(
                    f"projection {name!r}: weights have shape {weights.shape}; they must be (pre, post) = {shape}."
                )
        elif synapses.shares_weights:
            if weights.ndim and weights.shape != synapses.weight_shape:
                raise ValueError(
                    f"projection {name!r}: weights have shape {weights.shape}; the kernels of its "
                    f"{type(projection.synapses).__name__} are {synapses.weight_shape}."
                )
            weights = np.array(np.broadcast_to(weights, synapses.weight_shape))
        elif weights.ndim:
            _check_size(name, "weights", weights, synapses.size)
        dale.check_weights(name, weights, projection.non_negative)
        check_plasticity(self, projection, weights)
        self.weights[name] = weights if weights.ndim else self.dtype.type(weights)

    # ----------------------------------------------------------------------------------------- look

    def __getitem__(self, name):
        """The population of that name."""
        if name not in self:
            raise UnknownName(
                f"there is no population {shown(name)}; there are {', '.join(self._populations) or 'none yet'}."
            )
        return self._populations[name]

    def __contains__(self, name):
        return isinstance(name, str) and name in self._populations

    def __iter__(self):
        """Over the names of the populations."""
        return iter(self._populations)

    def __len__(self):
        """Number of populations."""
        return len(self._populations)

    def __bool__(self):
        return True  # a network without populations, too, is one

    def _own(self, thing, what):
        """The population that was given, itself or by its name."""
        population = self[_name(thing, what)]
        if isinstance(thing, Population) and population is not thing:
            raise ValueError(
                f"{what}: {thing.name!r} is a population of another network; this one has one of the same name. Give the "
                "name, or its own."
            )
        return population

    @property
    def populations(self):
        return list(self._populations.values())

    @property
    def projections(self):
        return list(self._projections.values())

    def projection(self, projection):
        """The projection with that name (or itself)."""
        name = projection.name if isinstance(projection, Projection) else projection
        if not isinstance(name, str) or name not in self._projections:
            raise UnknownName(
                f"there is no projection {shown(name)}; there are {', '.join(self._projections) or 'none yet'}."
            )
        return self._projections[name]

    @property
    def inputs(self):
        return [p for p in self.populations if p.kind == "input"]

    @property
    def spiking(self):
        return [p for p in self.populations if p.kind == "spiking"]

    @property
    def readouts(self):
        return [p for p in self.populations if p.kind == "readout"]

    @property
    def pooling(self):
        return [p for p in self.populations if p.kind == "pooling"]

    @property
    def firing(self):
        """Populations with spikes of their own making: spiking ones, then those that pool."""
        return self.spiking + self.pooling

    @property
    def sources(self):
        """What projections can come from."""
        return self.inputs + self.firing

    def delay_steps(self, projection):
        """Delay in steps; where every synapse has its own, an array (synapses,)."""
        projection = self.projection(projection)
        return (
            timegrid.nearest_steps(projection.delay, self.dt)
            if projection.delay is not None
            else self.synapses[projection.name].delay
        )

    def indices(self, projection):
        """(j, i, w, d) of every synapse of a projection: presynaptic and postsynaptic neuron, weight, delay (s).

        In the order of `network.synapses`, by j and then i, whatever the order of Pairs was.
        """
        projection = self.projection(projection)
        weights = self.weights.get(projection.name, np.nan)
        if projection.name in self.synapses:
            synapses = self.synapses[projection.name]
            j, i, weights = (
                synapses.sources,
                synapses.target.astype(np.int32),
                synapses.weight_of_each(weights),
            )
        else:
            j, i = np.indices((self[projection.pre].n, self[projection.post].n), np.int32).reshape(
                2, -1
            )
        w = np.broadcast_to(np.ravel(weights) if np.ndim(weights) else weights, j.shape)
        return j, i, w, np.broadcast_to(self.delay_steps(projection) * self.dt, j.shape)

    def weight_shape(self, projection):
        """Shape of the weights that an initializer gives a projection: (pre, post), (synapses,), or that of shared ones."""
        projection = self.projection(projection)
        if projection.name not in self.synapses:
            return self[projection.pre].n, self[projection.post].n
        synapses = self.synapses[projection.name]
        return synapses.weight_shape if synapses.shares_weights else (synapses.size,)

    def in_degree(self, projection):
        """Expected number of synapses of a target neuron; of a convolution, of a neuron away from the edges."""
        projection = self.projection(projection)
        if projection.name not in self.synapses:
            return self[projection.pre].n
        synapses = self.synapses[projection.name]
        return getattr(projection.synapses, "in_degree", synapses.size / synapses.n_post)

    def multiplicity(self, projection):
        """Mean square over mean of the number of synapses of a connected pair: 1 unless some have several (Synapses.multiplicity)."""
        projection = self.projection(projection)
        return (
            self.synapses[projection.name].multiplicity if projection.name in self.synapses else 1.0
        )

    def afferent_sums(self, projection, values):
        """(post,) sums over the synapses of each target neuron. values: an array like the weights of the projection."""
        projection = self.projection(projection)
        values = self._like_weights(projection, values, "values")
        if projection.name not in self.synapses:
            return values.sum(axis=0)
        synapses = self.synapses[projection.name]
        return np.bincount(synapses.target, synapses.weight_of_each(values), synapses.n_post)

    def afferent_squares(self, projection, weights):
        """(post,) sums over the sources of each target neuron of their squared weight, that of several synapses being their sum."""
        projection = self.projection(projection)
        weights = self._like_weights(projection, weights, "weights")
        if projection.name not in self.synapses:
            return (weights**2).sum(axis=0)
        return self.synapses[projection.name].squares(weights)

    def _like_weights(self, projection, values, what):
        """Real numbers of the shape of the weights of a projection; of a sparse one also one number for all."""
        kind = (
            values.dtype
            if getattr(values, "dtype", None) in (np.float32, np.float64)
            else np.float64
        )
        values, shape = reals(values, what, dtype=kind), self.weight_shape(projection)
        if values.shape != shape and (values.ndim or projection.name not in self.synapses):
            raise ValueError(
                f"projection {projection.name!r}: {what} have shape {values.shape}; its weights have {shape}."
            )
        return values

    def bias(self, population):
        """(n,) the constant current of every neuron; zeros where there is none."""
        population = self[_name(population)]
        return (
            self.parameters[population.name, "bias"] if population.bias else np.zeros(population.n)
        )

    def time_constants(self, population):
        """Time constants of a population (s) with what training has changed: tau = 2 tau_0 sigmoid(p)."""
        population = self[_name(population)]
        taus = dict(population.neuron.time_constants)
        for name in set(population.learn) & set(taus):
            p = self.parameters[population.name, name]
            taus[name] = 2 * taus[name] / (1 + np.exp(-p))
        return taus

    def spike_jumps(self, population):
        """State -> what a spike adds to that of its own neuron, with what training has changed: jump = jump_0 exp(p)."""
        population = self[_name(population)]
        factor = (
            np.exp(self.parameters[population.name, "jump"]) if "jump" in population.learn else 1.0
        )
        return (
            {state: jump * factor for state, jump in population.neuron.spike_jumps.items()}
            if population.neuron
            else {}
        )

    def psp(self, projection, n_steps):
        """(n_steps,) or (n_steps, n) what a spike of weight 1 does to U of its targets, step by step.

        With learned time constants as they are now. ValueError for targets that are not linear in U.
        """
        projection = self.projection(projection)
        taus = self.time_constants(projection.post)
        return psp(self[projection.post].neuron, self.dt, projection.receptor, n_steps, taus)

    def fingerprint(self):
        """A hash of everything but weights and time-constant parameters: two networks share it if their arrays fit."""
        text = [self.dt, str(self.dtype), [fingerprint.plain(p) for p in self.populations]]
        for p in self.projections:  # of a rule counts what it has built
            text.append(
                [
                    p.name,
                    p.pre,
                    p.post,
                    p.receptor,
                    fingerprint.plain(p.delay),
                    type(p.synapses).__name__,
                    fingerprint.plain(p.plasticity),
                ]
            )
        text += [synapses.digest for synapses in self.synapses.values()]
        return fingerprint.digest(text)

    # --------------------------------------------------------------------------------------- checks

    def _add(self, population, bias=None):
        name, n = population.name, population.n
        if not checks.is_text(name) or not name or any(mark in name for mark in (".", "->", "/")):
            raise ValueError(
                f"population name {shown(name)}: it must be a non-empty text of characters that files can hold, without '.', '->' and "
                "'/', which separate populations from states, from each other, and groups in files."
            )
        if name in self._populations:
            raise ValueError(f"there is a population {name!r} already; give this one another name.")
        n = whole(n, f"population {name!r}: n, the number of neurons,", 1, _MOST)
        if not isinstance(population.sign, str) or population.sign not in SIGNS:
            raise ValueError(
                f"population {name!r}: sign {shown(population.sign)} is not one of {', '.join(SIGNS)}."
            )
        initial = real(population.initial, f"population {name!r}: initial")
        reals(
            initial, f"population {name!r}: initial", dtype=self.dtype
        )  # finite in single precision, too
        population = replace(population, n=n, initial=initial)
        if population.kind != "input":
            self._check_neuron(population)
        if bias is not None:
            self._check_bias(population, bias)
        self._populations[name] = population
        for tau, shared in population.learn.items():
            self.parameters[name, tau] = np.zeros(() if shared == "population" else (n,))
        if bias is not None:
            self.parameters[name, "bias"] = np.array(np.broadcast_to(np.asarray(bias, float), n))
        return population

    def _check_bias(self, population, bias):
        name, n = population.name, population.n
        if population.neuron.reversal:
            raise ValueError(
                f"population {name!r}: {population.neuron.model} takes no bias: what a constant current does there depends "
                "on the conductances. Give currents to run or simulate."
            )
        bias = reals(bias, f"population {name!r}: bias", dtype=self.dtype)
        if bias.shape not in ((), (n,)):
            raise ValueError(
                f"population {name!r}: bias has shape {bias.shape}; it must be one finite number or ({n},)."
            )

    def _check_neuron(self, population):
        name, neuron = population.name, population.neuron
        if not isinstance(neuron, Neuron):
            raise ValueError(
                f"population {name!r}: {shown(neuron)} is not a neuron model; use lif(...) or ei_lif(...)."
            )
        if population.kind == "spiking" and not isinstance(population.surrogate, Surrogate):
            raise ValueError(
                f"population {name!r}: surrogate is {shown(population.surrogate)}; use for instance SuperSpike(20)."
            )
        if population.noise is not None and not isinstance(population.noise, EscapeNoise):
            raise ValueError(
                f"population {name!r}: noise is {shown(population.noise)}; use SigmoidEscape(…) or ExponentialEscape(…)."
            )
        for tau, value in neuron.time_constants.items():
            value = np.asarray(value)
            if value.ndim == 1 and value.size != population.n:
                raise ValueError(
                    f"population {name!r}: {value.size} values of time constant {tau!r} for {population.n} neurons."
                )
            if value.min() < self.dt:
                raise ValueError(
                    f"population {name!r}: time constant {tau!r} is {value.min():g} s, below the time step dt = "
                    f"{self.dt:g} s, which is too coarse to resolve it. Use a smaller dt."
                )
        for what, most in (("refractory", _MOST - 1), ("jump_delay", 65535)):  # of 32 and 16 bits
            if (period := getattr(neuron, what)) / self.dt >= most + 0.5:
                raise ValueError(
                    f"population {name!r}: {what} is {period:g} s, {period / self.dt:.3g} steps of dt = {self.dt:g} s; it can be {most} "
                    "steps at most."
                )
        neuron.warn_if_rounded(self.dt, f"population {name!r}")
        for state, jump in neuron.spike_jumps.items():
            if np.ndim(jump) and np.size(jump) != population.n:
                raise ValueError(
                    f"population {name!r}: {np.size(jump)} values of the jump of {state} for {population.n} neurons."
                )
        known = [*neuron.time_constants, *(["jump"] if neuron.spike_jumps else [])]
        for tau, shared in population.learn.items():
            if (
                tau not in known
                or not isinstance(shared, str)
                or shared not in ("population", "neuron")
            ):
                raise ValueError(
                    f"population {name!r}: learn has {tau!r}: {shared!r}; it maps names of what can be learned "
                    f"({', '.join(known)}) to 'population' or 'neuron'."
                )

    def _receptor(self, pre, post, receptor):
        receptors = post.neuron.receptors
        if receptor is None:
            receptor = {"excitatory": "exc", "inhibitory": "inh"}.get(pre.sign, "syn")
            if post.kind == "readout":
                receptor = "syn"
            if receptor not in receptors and receptor == "syn":
                receptor = "exc"
        if not isinstance(receptor, str) or receptor not in receptors:
            raise ValueError(
                f"population {post.name!r} ({post.neuron.model}) has no receptor {shown(receptor)}; it has "
                f"{', '.join(receptors)}."
            )
        sign = {"excitatory": +1, "inhibitory": -1}.get(pre.sign, 0)
        if (
            post.kind != "readout"
            and sign * receptors[receptor].sign < 0
            or (sign and post.kind != "readout" and receptors[receptor].sign == 0)
        ):
            raise ValueError(
                f"{pre.name!r} is {pre.sign}, but receptor {receptor!r} of {post.name!r} "
                + (
                    "takes weights of either sign"
                    if receptors[receptor].sign == 0
                    else "has the other sign"
                )
                + ": that would break Dale's law."
            )
        return receptor


def _check_size(name, what, values, size):
    if values.shape != (size,):
        raise ValueError(
            f"projection {name!r}: {what} have shape {values.shape}; they must be one number or ({size},), one for "
            "every synapse."
        )


def _name(thing, what="the population"):
    if isinstance(thing, (str, Population)):
        return thing if isinstance(thing, str) else thing.name
    return refuse(what, thing, "a population of the network, or its name")


def _learned(learn):
    if not isinstance(learn, (dict, type(None))):
        refuse("learn", learn, 'a dict, such as {"mem": "neuron"}')
    return dict(learn or {})


def _dtype(dtype):
    """float32 or float64; what numpy takes for no type is refused likewise."""
    try:
        found = None if dtype is None else np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    return (
        found
        if found in (np.float32, np.float64)
        else refuse("dtype", dtype, "np.float32 or np.float64", "the kernels exist for these")
    )


def _key(seed, *names):
    """A whole number that the random numbers of one part of a projection depend on."""
    return int(stream(seed, *names).integers(2**63))


def _checked_weights(name, weights, dtype, copy):
    """Weights as a finite array of the network's type, of any shape. Those that have it are left to dale.check_weights: they may be many."""
    what = f"projection {name!r}: weights"
    if is_random(weights):
        raise ValueError(
            f"{what} are {shown(weights)}; set_weights takes numbers. Give distributions to connect, with a seed."
        )
    if hasattr(weights, "detach"):
        raise ValueError(
            f"{what} are a tensor of PyTorch, whose layers have (post, pre): give bs.interop.from_torch(weights), which transposes, "
            "or weights.detach().numpy() where they are (pre, post) already."
        )
    if type(weights) is not np.ndarray or weights.dtype != dtype:
        return np.array(reals(weights, what, dtype=dtype), copy=copy or None)
    return np.array(weights, copy=copy or None)
