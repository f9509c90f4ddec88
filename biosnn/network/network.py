"""The description of a network: its projections, synapses and weights.

What adds populations is in network_populations.py, what only looks in network_view.py. Weights of a
dense projection are an array (pre, post), those of a sparse one a number or an array (synapses,).
Delays and time constants are in seconds. Weights of PyTorch's layers lie the other way round:
interop.from_torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..support import checks, plausible, timegrid
from ..support.checks import flag, refuse, shown
from ..support.seeds import whole_seed
from ..support.units import Seconds, seconds
from ..support.warn import warn_if_implausible
from . import connecting, dale, network_checks
from .connectivity import Rule
from .drawing import Drawn, Random, delay_steps, is_random
from .network_populations import NetworkPopulations
from .plasticity import Plasticity, check_plasticity
from .population import Population
from .profiles import Profile
from .projection import Projection


class Network(NetworkPopulations):
    """A graph of populations and projections, simulated in steps of dt.

    Parameters
    ----------
    dt
        The time step in seconds. Times become steps as support/timegrid.py says.
    dtype
        float32 (default) or float64, of weights and states.

    Attributes
    ----------
    synapses
        Name of a sparse projection -> Synapses. Those of a large projection are drawn, from its
        rule and seed, when somebody looks at them, and then kept; likewise its weights. `simulate`
        draws what it needs a piece at a time, and keeps what takes little memory.
    parameters
        What training may change besides weights: (population, name) -> p, where the name is that of
        a time constant, tau = 2 tau_0 sigmoid(p), "threshold", theta = theta_0 + p, "jump",
        jump = jump_0 exp(p), or "bias".

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=2e-3)
    >>> x = net.input(700)
    >>> E = net.population(128, bs.ei_lif(), "excitatory", name="E")
    >>> out = net.readout(10, tau_mem=0.7)
    >>> in_e = net.connect(x, E)
    >>> e_out = net.connect(E, out, delay=2e-3)
    >>> net
    Network of 128 neurons
      time step  2 ms, float32
      memory     0 bytes of weights and synapses
    <BLANKLINE>
    Populations
    name     neurons        sign    model
    ─────────────────────────────────────
    input        700    unsigned    input
    E            128  excitatory   ei_lif
    readout       10    unsigned  readout
    <BLANKLINE>
    Projections
    name        receptor  delay  synapses  weights
    ──────────────────────────────────────────────
    input->E         exc   0 ms    89,600  not set
    E->readout       syn   2 ms     1,280  not set

    Populations are found by their names:

    >>> net["E"].n, "I" in net, len(net), list(net)
    (128, False, 3, ['input', 'E', 'readout'])
    """

    def __init__(self, dt: Seconds, dtype: DTypeLike = np.float32) -> None:
        self.dt = checks.time(dt, "dt", above=0, plausible=plausible.STEP)
        self.dtype = network_checks.checked_dtype(dtype)
        self._populations = {}
        self._projections = {}
        self.weights = {}
        self.synapses = {}
        self.parameters = {}

    def connect(
        self,
        pre: Population | str,
        post: Population | str,
        *,
        delay: Seconds | Random | Profile = 0.0,
        weights: ArrayLike | Random | Profile | None = None,
        receptor: str | None = None,
        name: str | None = None,
        synapses: Rule | None = None,
        seed: int | np.random.Generator | None = None,
        plasticity: Plasticity | None = None,
        frozen: bool = False,
        gradient_to_source: bool = True,
    ) -> Projection:
        """Add synapses from `pre` to `post`.

        Parameters
        ----------
        pre, post
            Populations or their names.
        delay
            Seconds >= 0, rounded to the nearest step, int(delay / dt + 0.5), with a
            RoundingWarning where that changes it; the projection shows what it became. 0 arrives in
            the step of the spike. With `synapses` also an array (synapses,), or a distribution or
            bs.space.Conduction(velocity) (which are rounded without a warning).
        weights
            (pre, post), or None until an initializer sets them; or a distribution, such as
            Normal(0.2, 0.02, low=0) or LogNormal(0.2, 0.5), or any function (rng, size) -> values;
            or one of distance, such as bs.space.Gaussian(1e-4, peak=0.2).
            With `synapses` also a number for all (costs no memory; training keeps it one) or an
            array (synapses,), for Pairs in the order of the pairs (see `set_weights`). Of a
            Convolution: the kernels (filters, channels, …). Of a layer of PyTorch:
            interop.from_torch(layer.weight).
        receptor
            Default: that of the sign of `pre`; onto readouts one that takes weights of either sign.
        name
            Name of the projection; default "pre->post".
        synapses
            Which pairs are connected: Bernoulli(p), FixedInDegree(k), FixedOutDegree(k),
            FixedTotal(n), OneToOne(), FanOut(), BlockDiagonal(blocks), Pairs(pre, post),
            from_scipy(matrix), Convolution(shape, filters, kernel), network.synapses[name] of
            another projection, a rule by distance of `bs.space`, or a `Rule` of your own; None: all
            of them, as a dense array.
        seed
            A whole number >= 0 or a numpy Generator (which gives one), needed where synapses,
            weights or delays are random. One seed serves a whole network: what is drawn depends on
            it *and on the name of the projection*, and targets, weights and delays have streams of
            their own, so that projections with one seed are independent.
        plasticity
            TsodyksMarkram(…), short-term, SaturatingGating(…), of NMDA receptors, or
            InhibitorySTDP(…), on sparse projections of inhibitory populations.
        frozen
            Whether training leaves the weights as they are, and computes no gradients with respect
            to them.
        gradient_to_source
            Whether gradients flow through this projection to `pre`.

        Returns
        -------
        The projection.

        Raises
        ------
        ValueError
            If an argument is not possible, or would break Dale's law. The network is then as
            before.
        """
        pre = self.own(pre, "pre")
        post = self.own(post, "post")
        network_checks.check_ends(pre, post, plasticity)
        receptor = network_checks.receptor_of(pre, post, receptor)
        name = self._free_name(f"{pre.name}->{post.name}" if name is None else name)
        seed = None if seed is None else whole_seed(seed, f"projection {name!r}: seed")
        network_checks.check_sources(name, weights, delay)
        drawn = is_random(delay) or isinstance(delay, Profile)
        delays: Any = delay if drawn else self.on_grid(name, seconds(delay, "delay"))
        one_delay = not drawn and not checks.has_axes(delays)
        assert post.neuron is not None  # it is no input
        projection = Projection(
            name=name,
            pre=pre.name,
            post=post.name,
            receptor=receptor,
            delay=delays if one_delay else None,
            non_negative=post.neuron.receptors[receptor].sign != 0,
            synapses=synapses,
            plasticity=plasticity,
            frozen=flag(frozen, "frozen"),
            gradient_to_source=flag(gradient_to_source, "gradient_to_source"),
        )
        with self.all_or_nothing():
            self._build(projection, delays, weights, seed)
        return projection

    def _free_name(self, name):
        """A name that no projection has yet."""
        if not checks.is_text(name) or not name:
            allowed = "a non-empty text of characters that files can hold"
            refuse("the name of a projection", name, allowed)
        if name in self._projections:
            raise ValueError(f"there is a projection {name!r} already; give this one another name.")
        return name

    def _build(self, projection, delay, weights, seed):
        """Draw what is random, and keep the projection with its synapses and weights."""
        name, drawn = projection.name, is_random(weights) or isinstance(weights, Profile)
        if projection.synapses is not None:
            self.synapses[name], weights = connecting.sparse(self, projection, delay, weights, seed)
        else:
            weights = connecting.dense(self, projection, weights, seed)
        self._projections[name] = projection
        check_plasticity(self, projection)
        if isinstance(weights, Drawn):
            self.weights[name] = weights
        elif weights is not None:
            self.set_weights(name, weights, copy=not drawn)

    def on_grid(self, name: str, delay: Any) -> Any:
        """Return given delays as multiples of dt.

        Parameters
        ----------
        name
            Name of the projection, for messages.
        delay
            Seconds, one number or one for every synapse.

        Returns
        -------
        Seconds, what the delays become.

        Warns
        -----
        RoundingWarning
            Where that changes a delay.
        """
        what, several = f"projection {shown(name)}", checks.has_axes(delay)
        delay = (checks.reals if several else checks.time)(delay, f"{what}: delay")
        steps = delay_steps(delay, self.dt, what)
        longest = f"{what}: {'the longest ' if several else ''}delay"
        warn_if_implausible(delay, longest, plausible.DELAY)
        timegrid.warn_if_rounded(delay, steps, self.dt, f"{what}: delay")
        return steps * self.dt if several else timegrid.on_grid(delay, steps, self.dt)

    def set_weights(
        self, projection: Projection | str, weights: ArrayLike, *, copy: bool = True
    ) -> None:
        """Set the weights of a projection.

        Parameters
        ----------
        projection
            One of the network, or its name.
        weights
            Dense: (pre, post). Sparse: one number for all synapses, or (synapses,): of
            Pairs(pre, post) in the order of these pairs, of other rules in that of
            `network.synapses`. Convolution: the kernels (filters, channels, …), or one number for
            all of their elements. `network.weights`, gradients and checkpoints have the same order;
            `network.indices` says which weight joins whom.
        copy
            Whether the array is copied.

        Raises
        ------
        ValueError
            If the shape is wrong, or a weight is not finite or violates Dale's law.
        """
        projection = self.projection(projection)
        name, synapses = projection.name, self.synapses.get(projection.name)
        weights = network_checks.checked_weights(name, weights, self.dtype, flag(copy, "copy"))
        if synapses is None:
            shape = (self[projection.pre].n, self[projection.post].n)
            if weights.shape != shape:
                raise ValueError(
                    f"projection {name!r}: weights have shape {weights.shape}; they must be (pre, "
                    f"post) = {shape}."
                )
        elif synapses.shares_weights:
            if weights.ndim and weights.shape != synapses.weight_shape:
                raise ValueError(
                    f"projection {name!r}: weights have shape {weights.shape}; the kernels of its "
                    f"{type(projection.synapses).__name__} are {synapses.weight_shape}."
                )
            weights = np.array(np.broadcast_to(weights, self.weight_shape(projection)))
        elif weights.ndim:
            network_checks.check_size(name, "weights", weights, synapses.size)
        dale.check_weights(name, weights, projection.non_negative)
        check_plasticity(self, projection, weights)
        self.weights[name] = weights if weights.ndim else self.dtype.type(weights)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Return a context in which an error leaves the network as it was before.

        Examples
        --------
        >>> net = Network(dt=1e-3)
        >>> try:
        ...     with net.all_or_nothing():
        ...         x = net.input(10)
        ...         net.connect(x, "nowhere")
        ... except KeyError:
        ...     print(len(net))
        0
        """
        parts: tuple[Any, ...] = (
            self._populations,
            self._projections,
            self.weights,
            self.synapses,
            self.parameters,
        )
        before = [part.copy() for part in parts]
        try:
            yield
        except BaseException:
            for part, content in zip(parts, before, strict=True):
                part.clear()
                part.update(content)
            raise
