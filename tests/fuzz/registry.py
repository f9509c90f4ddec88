"""Every public name with arguments that are right, on networks of a few neurons.

CALLS: name -> function of Objects that returns (function, arguments by name) or (function, arguments, what to do with the result, so that
descriptions meet what they are for). Objects are made anew for every case.
"""
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

import biosnn as bs

STEP = 1e-3


class Objects:
    """What arguments are made of, each when it is asked for first."""

    @cached_property
    def folder(self):
        self._folder = tempfile.TemporaryDirectory()
        return Path(self._folder.name)

    @cached_property
    def spikes(self):
        return bs.data.poisson(100.0, 4, 0.02, 6, seed=0, labels=[0, 1, 0, 1, 0, 1])

    @cached_property
    def long_spikes(self):
        return bs.data.poisson(100.0, 4, 0.2, 2, seed=0)

    @cached_property
    def silent(self):
        return bs.SpikeTrains([], [], [0, 0], 4, 0.02)

    @cached_property
    def other_spikes(self):
        return bs.data.poisson(100.0, 3, 0.02, 6, seed=1)

    def _network(self, weights=True, bias=None, plasticity=False):
        rng, net = np.random.default_rng(0), bs.Network(STEP)
        x, E = net.input(4, "x"), net.population(3, bs.ei_lif(), "excitatory", "E", bias=bias)
        I, out = net.population(2, bs.ei_lif(), "inhibitory", "I"), net.readout(2)
        for pre, post in ((x, E), (x, I), (E, I), (I, E), (I, I), (E, out)):
            net.connect(pre, post, weights=rng.exponential(2.0, (pre.n, post.n)) if weights else None)
        return net

    @cached_property
    def net(self):
        return self._network()

    @cached_property
    def bare(self):
        return self._network(weights=False)

    @cached_property
    def other(self):
        net = bs.Network(STEP, np.float64)
        E = net.population(4, bs.ei_lif(), "excitatory", "E")
        net.connect(E, E, weights=0.1 * np.ones((4, 4)))
        return net

    @cached_property
    def circuit(self):
        """Sparse, without inputs, for `simulate`."""
        net = bs.Network(STEP)
        E, I = net.population(6, bs.ei_lif(), "excitatory", "E"), net.population(3, bs.ei_lif(), "inhibitory", "I")
        for k, (pre, post) in enumerate(((E, E), (E, I), (I, E), (I, I))):
            net.connect(pre, post, 1e-3, 0.1, synapses=bs.FixedInDegree(2), seed=k)
        return net

    @cached_property
    def background(self):
        return [bs.PoissonInput("E", 2000.0, 0.3), bs.PoissonInput("I", 1000.0, 0.3)]

    @cached_property
    def trace(self):
        return bs.run(self.net, self.spikes, record=["E.U", "E.I_exc", "E.I_inh"], tape=True, threads=1)

    @cached_property
    def bare_trace(self):
        return bs.run(self.net, self.spikes, threads=1)

    @cached_property
    def found(self):
        return bs.gradient(self.trace, {"readout.U": np.ones_like(self.trace.states["readout.U"])}, record=["E.U"], threads=1)

    @cached_property
    def simulation(self):
        return bs.simulate(self.circuit, 0.05, background=self.background, record={"E.U": [0, 1]}, progress=False, threads=1)

    @cached_property
    def history(self):
        return bs.train(self.net, self.spikes, epochs=2, batch=3, validation=0.34, progress=False, threads=1)

    @cached_property
    def report(self):
        return bs.fluctuation_driven(self.bare, self.spikes, closed_loop=False, progress=False)

    @cached_property
    def comparison(self):
        return bs.brian.compare(self.net, self.spikes[:1], progress=False)


# ------------------------------------------------------------------------------------------ what descriptions are for

def _in_network(**options):
    """A neuron, surrogate or noise in a network that is run."""
    def use(c, result):
        net = bs.Network(STEP)
        x, E = net.input(4, "x"), net.population(3, **({"neuron": bs.lif()} | {key: result for key in options}))
        receptor = next(iter(E.neuron.receptors))
        net.connect(x, E, weights=np.ones((4, 3)), receptor=receptor)
        return bs.run(net, c.spikes, threads=1).states
    return use


def _drawn(c, result):
    """A distribution as the weights of a projection."""
    c.circuit.connect("E", "I", name="new", synapses=bs.Bernoulli(0.5), weights=result, seed=3)
    return c.circuit.weights["new"]


def _initializes(c, result):
    bs.fluctuation_driven(c.bare, family=result, rates=20.0, closed_loop=False, progress=False)
    return c.bare.weights


def _wires(c, result):
    c.circuit.connect("E", "I", name="new", synapses=result, weights=0.1, seed=3)
    return c.circuit.weights["new"]


def _trains(**options):
    def use(c, result):
        return bs.train(c.net, c.spikes, epochs=1, batch=3, progress=False, threads=1, **{key: of(result) for key, of in options.items()}).loss
    return use


def _evaluates(readout=None, targets=None):
    def use(c, result):
        found = bs.evaluate(c.net, c.spikes, targets(c) if targets else None, loss=result, readout=readout, threads=1)
        return found.loss, found.accuracy
    return use


def _as_background(c, result):
    return bs.simulate(c.circuit, 0.02, background=[result], record={"E.U": [0]}, progress=False, threads=1).states


def _plastic(pre, post):
    def use(c, result):
        c.circuit.connect(pre, post, 1e-3, 0.1, name="new", synapses=bs.Bernoulli(0.9), seed=3, plasticity=result)
        return bs.simulate(c.circuit, 0.02, background=c.background, progress=False, threads=1).weights["new"]
    return use


def _augments(c, result):
    return bs.augment(c.spikes, [result], 0)


def _shown(c, figure):
    figure.savefig(c.folder / "figure.png", dpi=20)


_EACH = lambda result: result                    # noqa: E731
_IN_LIST = lambda result: [result]               # noqa: E731


def _readout(c):
    return np.random.default_rng(0).normal(0, 1, (6, 20, 2))


# ------------------------------------------------------------------------------------------ calls

CALLS = {
    # networks
    "Network": lambda c: (bs.Network, {"dt": STEP, "dtype": np.float32}),
    "Network.input": lambda c: (bs.Network(STEP).input, {"n": 3, "name": "x", "sign": "excitatory"}),
    "Network.population": lambda c: (c.net.population, {"n": 3, "neuron": bs.ei_lif(), "sign": "excitatory", "name": "P", "surrogate": bs.SuperSpike(),
                                                        "initial": 0.0, "learn": {"mem": "neuron"}, "noise": bs.SigmoidEscape(), "bias": 0.0},
                                     lambda c, p: bs.run(c.net, c.spikes, record=["P.U"], threads=1).states),
    "Network.readout": lambda c: (c.net.readout, {"n": 2, "tau_mem": 0.1, "tau_syn": 0.01, "name": "R", "initial": 0.0, "integrator": "exact",
                                                  "learn": {"mem": "neuron"}, "bias": 0.0},
                                  lambda c, p: bs.run(c.net, c.spikes, threads=1).states),
    "Network.pool": lambda c: (c.circuit.pool, {"source": "E", "pooling": bs.MaxPool((1, 2, 3), (1, 3)), "name": "pooled"}),
    "Network.connect": lambda c: (c.net.connect, {"pre": "E", "post": "I", "delay": 2e-3, "weights": np.ones((3, 2)), "receptor": "exc", "name": "new",
                                                  "seed": 1, "frozen": False, "gradient_to_source": True},
                                  lambda c, p: bs.run(c.net, c.spikes, record=["I.U"], threads=1).states),
    "Network.connect sparse": lambda c: (c.circuit.connect, {"pre": "I", "post": "I", "delay": bs.UniformBetween(1e-3, 3e-3), "weights": bs.Normal(0.2, 0.02),
                                                             "name": "new", "synapses": bs.Bernoulli(0.5), "seed": 1, "plasticity": None},
                                         lambda c, p: bs.simulate(c.circuit, 0.01, progress=False, threads=1)),
    "Network.connect plastic": lambda c: (c.circuit.connect, {"pre": "I", "post": "E", "delay": 1e-3, "weights": 0.2, "name": "new",
                                                              "synapses": bs.Bernoulli(0.5), "seed": 1, "plasticity": bs.InhibitorySTDP(0.1, 5.0)},
                                          lambda c, p: bs.simulate(c.circuit, 0.01, progress=False, threads=1)),
    "Network.set_weights": lambda c: (c.net.set_weights, {"projection": "E->I", "weights": np.ones((3, 2)), "copy": True},
                                      lambda c, _: bs.run(c.net, c.spikes, threads=1).states),
    "Network.set_weights sparse": lambda c: (c.circuit.set_weights, {"projection": "E->I", "weights": 0.2, "copy": True},
                                             lambda c, _: bs.simulate(c.circuit, 0.01, progress=False, threads=1).states),
    "Network[]": lambda c: (c.net.__getitem__, {"name": "E"}),
    "in Network": lambda c: (lambda name: name in c.net, {"name": "E"}),
    "list(Network)": lambda c: (lambda: list(c.net), {}),
    "Network.afferent_squares": lambda c: (c.net.afferent_squares, {"projection": "E->I", "weights": np.ones((3, 2))}),
    "Network.afferent_sums": lambda c: (c.circuit.afferent_sums, {"projection": "E->I", "values": np.ones(6)}),
    "Network.bias": lambda c: (c.net.bias, {"population": "E"}),
    "Network.delay_steps": lambda c: (c.net.delay_steps, {"projection": "E->I"}),
    "Network.fingerprint": lambda c: (c.net.fingerprint, {}),
    "Network.in_degree": lambda c: (c.net.in_degree, {"projection": "E->I"}),
    "Network.indices": lambda c: (c.net.indices, {"projection": "E->I"}),
    "Network.multiplicity": lambda c: (c.net.multiplicity, {"projection": "E->I"}),
    "Network.projection": lambda c: (c.net.projection, {"projection": "E->I"}),
    "Network.spike_jumps": lambda c: (c.net.spike_jumps, {"population": "E"}),
    "Network.time_constants": lambda c: (c.net.time_constants, {"population": "E"}),
    "Network.weight_shape": lambda c: (c.net.weight_shape, {"projection": "E->I"}),
    "audit": lambda c: (bs.audit, {"network": c.net}),
    "recurrent_projections": lambda c: (bs.recurrent_projections, {"network": c.net}),
    "time_rescale": lambda c: (bs.time_rescale, {"network": c.net, "dt": 2e-3}, lambda c, net: net.weights),
    "layer": lambda c: (bs.layer, {"network": c.net, "source": "E", "n": 2, "name": "L", "neuron": bs.lif(), "recurrent": True, "delay": 0.0,
                                   "surrogate": bs.SuperSpike()}),
    "dalian_layer": lambda c: (bs.dalian_layer, {"network": c.net, "source": "E", "n_exc": 2, "n_inh": 2, "name": "L", "neuron": bs.ei_lif(),
                                                 "recurrent_excitation": True, "delay": 0.0, "surrogate": bs.SuperSpike()}),
    "convolutional_layer": lambda c: (bs.convolutional_layer, {"network": c.net, "source": "x", "shape": (1, 4), "filters": 2, "kernel": 2, "stride": 1,
                                                               "padding": 0, "recurrent_kernel": 1, "name": "C", "neuron": bs.lif(), "delay": 0.0,
                                                               "surrogate": bs.SuperSpike()}),
    "dalian_convolutional_layer": lambda c: (bs.dalian_convolutional_layer, {
        "network": c.net, "source": "x", "shape": (1, 4), "exc_filters": 2, "inh_filters": 1, "kernel": 2, "stride": 1, "padding": 0,
        "recurrent_kernel": 1, "name": "C", "neuron": bs.ei_lif(), "recurrent_excitation": True, "delay": 0.0, "surrogate": bs.SuperSpike()}),
    # rules
    "Bernoulli": lambda c: (bs.Bernoulli, {"p": 0.5, "self_connections": True}, _wires),
    "BlockDiagonal": lambda c: (bs.BlockDiagonal, {"blocks": 3}, _wires),
    "Convolution": lambda c: (bs.Convolution, {"shape": (1, 6), "filters": 1, "kernel": 4, "stride": 1, "padding": 0},
                              lambda c, rule: (_wires(c, rule), rule.in_degree, rule.output_shape)),
    "FanOut": lambda c: (bs.FanOut, {}, lambda c, rule: c.circuit.connect("I", "E", name="new", synapses=rule, weights=0.1)),
    "FixedInDegree": lambda c: (bs.FixedInDegree, {"k": 2, "self_connections": True, "multiple": True}, _wires),
    "FixedOutDegree": lambda c: (bs.FixedOutDegree, {"k": 2, "self_connections": True, "multiple": True}, _wires),
    "FixedTotal": lambda c: (bs.FixedTotal, {"n": 5, "self_connections": True, "multiple": True}, _wires),
    "OneToOne": lambda c: (bs.OneToOne, {"tied": False}, lambda c, rule: c.circuit.connect("E", "E", name="new", synapses=rule, weights=0.1)),
    "Pairs": lambda c: (bs.Pairs, {"pre": [0, 1, 2], "post": [1, 1, 0], "weights": [1.0, 2.0, 3.0]},
                        lambda c, rule: c.circuit.connect("E", "I", name="new", synapses=rule)),
    "from_scipy": lambda c: (bs.from_scipy, {"matrix": _matrix()}, lambda c, rule: c.circuit.connect("E", "I", name="new", synapses=rule)),
    "MaxPool": lambda c: (bs.MaxPool, {"shape": (1, 2, 3), "size": (1, 3), "stride": 1}, lambda c, pool: (pool.output_shape, pool.windows)),
    "max_pool": lambda c: (bs.max_pool, {"spikes": c.spikes, "shape": (2, 2), "kernel": 2}),
    # neurons, surrogates, noise
    "lif": lambda c: (bs.lif, {"tau_mem": 0.02, "tau_syn": 0.01, "threshold": 1.0, "reset": 0.0, "refractory": 2e-3, "integrator": "exact"},
                      _in_network(neuron=1)),
    "ei_lif": lambda c: (bs.ei_lif, {"tau_mem": 0.02, "tau_exc": 0.01, "tau_inh": 0.02, "threshold": 1.0, "reset": 0.0, "refractory": 0.0,
                                     "integrator": "exact"}, _in_network(neuron=1)),
    "lif_delta": lambda c: (bs.lif_delta, {"tau_mem": 0.02, "threshold": 1.0, "reset": 0.0, "refractory": 0.0, "integrator": "exact"},
                            _in_network(neuron=1)),
    "adaptive_lif": lambda c: (bs.adaptive_lif, {"tau_mem": 0.02, "tau_syn": 0.01, "tau_adapt": 0.1, "jump": 0.1, "threshold": 1.0, "reset": 0.0,
                                                 "refractory": 0.0, "integrator": "exact", "jump_delay": 0.0}, _in_network(neuron=1)),
    "ei_adaptive_lif": lambda c: (bs.ei_adaptive_lif, {"tau_mem": 0.02, "tau_exc": 0.01, "tau_inh": 0.02, "tau_adapt": 0.1, "jump": 0.1,
                                                       "threshold": 1.0, "reset": 0.0, "refractory": 0.0, "jump_delay": 2e-3}, _in_network(neuron=1)),
    "ampa_nmda_gaba": lambda c: (bs.ampa_nmda_gaba, {"tau_mem": 0.02, "tau_ampa": 0.005, "tau_nmda": 0.1, "tau_gaba": 0.01, "threshold": 1.0,
                                                     "reset": 0.0, "refractory": 0.0}, _in_network(neuron=1)),
    "conductance_lif": lambda c: (bs.conductance_lif, {"tau_mem": 0.02, "tau_exc": 0.005, "tau_inh": 0.01, "reversal_exc": 0.06, "reversal_inh": -0.02,
                                                       "threshold": 0.01, "reset": 0.0, "refractory": 0.005}, _in_network(neuron=1)),
    "alpha_conductance_lif": lambda c: (bs.alpha_conductance_lif, {"tau_mem": 0.02, "tau_exc": 0.005, "reversal_exc": 0.06, "threshold": 0.01,
                                                                   "refractory": 0.005}, _in_network(neuron=1)),
    "adex": lambda c: (bs.adex, {"tau_mem": 0.01, "tau_adapt": 0.144, "a": 0.13, "b": 0.003, "slope": 0.002, "onset": 0.02, "peak": 0.09, "reset": 0.0},
                       _simulated),
    "izhikevich": lambda c: (bs.izhikevich, {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "tau_exc": 0.005, "peak": 30.0}, _simulated),
    "leaky_readout": lambda c: (bs.leaky_readout, {"tau_mem": 0.1, "tau_syn": 0.01, "integrator": "exact"}),
    "bounded": lambda c: (bs.bounded, {"neuron": bs.lif(), "low": -1.0, "high": 2.0}, _in_network(neuron=1)),
    "log_normal_time_constants": lambda c: (bs.log_normal_time_constants, {"mean": 0.02, "spread": 0.3, "n": 3, "seed": 0}),
    **{name: (lambda kind: lambda c: (kind, {"steepness": 20.0}, lambda c, s: (s.derivative([0.0, 0.1]), s.twin(0.1), s.support)))(getattr(bs, name))
       for name in ("SuperSpike", "Sigmoid", "Triangular", "Gaussian", "Arctan", "MultiGaussian", "AsymptoticSuperSpike", "ExponentialSurrogate")},
    "TruncatedSuperSpike": lambda c: (bs.TruncatedSuperSpike, {"steepness": 20.0, "cutoff": 0.2}, _in_network(surrogate=1)),
    "SuperSpike.derivative": lambda c: (bs.SuperSpike().derivative, {"x": [0.0, 0.1]}),
    "Triangular.twin": lambda c: (bs.Triangular().twin, {"x": 0.1}),
    "SigmoidEscape": lambda c: (bs.SigmoidEscape, {"steepness": 20.0}, _in_network(noise=1)),
    "SigmoidEscape.probability": lambda c: (bs.SigmoidEscape().probability, {"x": 0.1}),
    "ExponentialEscape": lambda c: (bs.ExponentialEscape, {"steepness": 20.0, "rate": 100.0}, _in_network(noise=1)),
    "ExponentialEscape.probability": lambda c: (bs.ExponentialEscape().probability, {"x": 0.1, "dt": STEP}),
    # weights
    **{name: (lambda kind: lambda c: (kind, {}, _initializes))(getattr(bs, name)) for name in ("Exponential", "HalfNormal", "Uniform", "ConstantWeights")},
    "LogNormal": lambda c: (bs.LogNormal, {"spread": 0.5}, _initializes),
    "Gamma": lambda c: (bs.Gamma, {"shape": 2.0}, _initializes),
    "Normal": lambda c: (bs.Normal, {"mean": 0.2, "sd": 0.02, "low": 0.0, "high": 1.0}, _drawn),
    "UniformBetween": lambda c: (bs.UniformBetween, {"low": 0.1, "high": 0.3}, _drawn),
    "number * family": lambda c: (lambda mean: mean * bs.Exponential(), {"mean": 0.2}, _drawn),
    "Exponential.draw": lambda c: (bs.Exponential().draw, {"rng": np.random.default_rng(0), "shape": (2, 3)}),
    "Normal.draw": lambda c: (bs.Normal(0.2, 0.1).draw, {"rng": np.random.default_rng(0), "size": 3}),
    "Exponential.density": lambda c: (bs.Exponential().density, {"w": np.linspace(0, 1, 4), "mean": 0.2}),
    "kaiming": lambda c: (bs.kaiming, {"network": c.bare, "seed": 0, "sparse": 0.0}, lambda c, _: c.bare.weights),
    "xavier": lambda c: (bs.xavier, {"network": c.bare, "seed": 0, "sparse": 0.0}, lambda c, _: c.bare.weights),
    "random_weights": lambda c: (bs.random_weights, {"network": c.bare, "distribution": _normal(), "seed": 0, "sparse": 0.1, "scale": True},
                                 lambda c, _: c.bare.weights),
    "fluctuation_driven": lambda c: (bs.fluctuation_driven, {
        "network": c.bare, "spikes": c.spikes, "mu_u": 0.0, "sigma_u": 1.0, "alpha": 0.9, "family": bs.Exponential(), "rates": None, "closed_loop": False,
        "balance": "population", "shares": {"x->I": 0.5, "E->I": 0.5}, "merge": True, "seed": 0, "threads": 1, "progress": False},
        lambda c, report: (c.bare.weights, report.as_dict(), str(report))),
    "fluctuation_driven xi": lambda c: (bs.fluctuation_driven, {
        "network": c.bare, "xi": {"E": 1.0, "I": 1.0}, "alpha": {"E": 0.9, "I": 0.9}, "family": {"E->I": bs.Gamma(2.0), **dict.fromkeys(("x->E", "x->I", "I->E", "I->I"), bs.Exponential())}, "rates": {"x": 20.0}, "balance": "neuron",
        "progress": False}, lambda c, report: c.bare.weights),
    "fluctuation_driven background": lambda c: (bs.fluctuation_driven, {
        "network": c.circuit, "background": [bs.PoissonInput(name, 500.0, 0.02) for name in "EI"], "mu_u": {"E": 0.0, "I": 0.0},
        "sigma_u": {"E": 0.5, "I": 0.5}, "rate": None, "shares": None, "closed_loop": False, "seed": 0,
        "progress": False}, lambda c, report: c.circuit.weights),
    # background
    "PoissonInput": lambda c: (bs.PoissonInput, {"population": "E", "rate": 500.0, "weight": 0.1, "receptor": "exc"}, _as_background),
    "PoissonInput changing": lambda c: (bs.PoissonInput, {"population": "E", "rate": ([0.0, 0.01], [500.0, 100.0]), "weight": 0.1}, _as_background),
    "Current": lambda c: (bs.Current, {"population": "E", "values": 0.5}, _as_background),
    "Current changing": lambda c: (bs.Current, {"population": "E", "values": ([0.0, 0.01], [0.5, 0.1])}, _as_background),
    "OrnsteinUhlenbeck": lambda c: (bs.OrnsteinUhlenbeck, {"population": "E", "mean": 0.5, "sd": 0.2, "tau": 5e-3}, _as_background),
    "InhibitorySTDP": lambda c: (bs.InhibitorySTDP, {"eta": 0.1, "target_rate": 5.0, "tau": 0.02, "w_max": 2.0}, _plastic("I", "E")),
    "TsodyksMarkram": lambda c: (bs.TsodyksMarkram, {"utilization": 0.5, "tau_rec": 0.8, "tau_facil": 0.1}, _plastic("E", "I")),
    "TsodyksMarkram.steady_state": lambda c: (bs.TsodyksMarkram().steady_state, {"rate": 5.0}),
    # spike trains
    "SpikeTrains": lambda c: (bs.SpikeTrains, {"times": [0.001, 0.002, 0.001], "units": [0, 1, 1], "offsets": [0, 2, 3], "n_units": 2, "duration": 0.01,
                                               "labels": [0, 1]}, lambda c, trains: (repr(trains), bs.bin_spikes(trains, STEP))),
    "SpikeTrains.from_events": lambda c: (bs.SpikeTrains.from_events, {"times": [0.001, 0.002, 0.001], "units": [0, 1, 1], "trials": [0, 0, 1], "n_trials": 2,
                                                                       "n_units": 2, "duration": 0.01, "labels": [0, 1]}),
    "SpikeTrains[]": lambda c: (c.spikes.__getitem__, {"index": 0}),
    "from_dense": lambda c: (bs.from_dense, {"counts": np.ones((2, 3, 4)), "dt": STEP, "labels": [0, 1]}),
    "bin_spikes": lambda c: (bs.bin_spikes, {"spikes": c.spikes, "dt": STEP, "merge": True}),
    "augment": lambda c: (bs.augment, {"spikes": c.spikes, "augmentations": [bs.Drop(0.1), bs.TimeShift(1e-3)], "seed": 0}),
    **{name: (lambda kind, argument, value: lambda c: (kind, {argument: value}, _augments))(getattr(bs, name), argument, value)
       for name, argument, value in (("Blend", "probability", 0.5), ("ChannelJitter", "spread", 1.0), ("ChannelMask", "most", 2), ("ChannelShift", "spread", 1.0),
                                     ("Drop", "probability", 0.1), ("Insert", "rate", 10.0), ("TimeJitter", "spread", 1e-3), ("TimeShift", "most", 1e-3),
                                     ("TimeStretch", "spread", 0.1))},
    # running
    "run": lambda c: (bs.run, {"network": c.net, "spikes": c.spikes, "record": ["E.U"], "currents": {"E": np.ones(3)}, "threads": 1, "merge": True,
                               "tape": False, "moments": ["I.U"], "seed": 0}, lambda c, trace: (trace.states, trace.spikes, trace.mean)),
    "run without inputs": lambda c: (bs.run, {"network": c.circuit, "currents": {"E": 2 * np.ones(6)}, "duration": 0.01, "threads": 1}),
    "run on": lambda c: (bs.run, {"network": c.net, "spikes": c.spikes, "state": c.trace.state, "threads": 1}),
    "gradient": lambda c: (bs.gradient, {"trace": c.trace, "states": {"readout.U": np.ones((6, 20, 2))}, "spikes": {"E": np.ones((6, 20, 3))},
                                         "counts": {"E": np.ones((6, 3))}, "differentiate_reset": False, "threads": 1, "truncate": 5e-3,
                                         "record": ["E.U"], "per_step": ["E->I"]}, lambda c, found: (found.weights, found.states, found.per_step)),
    "simulate": lambda c: (bs.simulate, {
        "network": c.circuit, "duration": 0.02, "background": c.background, "record": {"E.U": [0]}, "every": 1, "record_spikes": ["E"], "rate_bin": 5e-3,
        "initial": {"E.U": 0.5}, "seed": 0, "threads": 1, "progress": False, "out": str(c.folder / "spikes.h5"), "merge": True},
        lambda c, s: (s.states, s.spikes, s.rates, str(s))),
    "simulate with spikes": lambda c: (bs.simulate, {"network": c.net, "duration": 0.02, "spikes": {"x": c.spikes[0]}, "record": {"E.U": slice(2)},
                                                     "state": None, "progress": False, "threads": 1}),
    "simulate on": lambda c: (bs.simulate, {"network": c.circuit, "duration": 0.02, "background": c.background, "state": c.simulation.state,
                                            "progress": False, "threads": 1}),
    "regime": lambda c: (bs.regime, {"network": c.circuit, "background": c.background, "simulation": c.simulation, "rates": None, "width": 2e-3},
                         lambda c, r: str(r)),
    "regime with inputs": lambda c: (bs.regime, {"network": c.net, "rates": {"x": 20.0}}),
    "save_state": lambda c: (bs.save_state, {"state": c.trace.state, "path": str(c.folder / "state.npz")}),
    "load_state": lambda c: (bs.load_state, {"path": _saved(c, bs.save_state, c.trace.state)}),
    "save_weights": lambda c: (bs.save_weights, {"network": c.net, "path": str(c.folder / "weights.npz")}),
    "load_weights": lambda c: (bs.load_weights, {"network": c.net, "path": _saved(c, bs.save_weights, c.net)}, lambda c, _: c.net.weights),
    "read_spikes": lambda c: (bs.read_spikes, {"path": _streamed(c), "run": None}),
    # training
    "train": lambda c: (bs.train, {
        "network": c.net, "spikes": c.spikes, "targets": [0, 1, 0, 1, 0, 1], "epochs": 1, "loss": bs.MaxOverTimeCrossEntropy(), "optimizer": bs.Adam(),
        "schedule": bs.Constant(), "regularizers": [bs.upper_bound(0.1, 4)], "batch": 3, "validation": 0.34, "augment": [bs.Drop(0.1)], "dropout": 0.1,
        "clip": 1.0, "constraints": [bs.WeightConstraint(high=5.0)], "readout": "readout", "early_stopping": 2, "seed": 0, "out": str(c.folder),
        "start": "new", "threads": 1, "differentiate_reset": False, "truncate": 5e-3, "progress": False}, lambda c, h: (c.net.weights, h.loss)),
    "train with mask": lambda c: (bs.train, {
        "network": c.net, "spikes": {"x": c.spikes}, "mask": np.ones((6, 20)), "epochs": 1, "loss": bs.EveryStepCrossEntropy(), "batch": 3,
        "validation": c.spikes, "validation_targets": np.zeros(6, int), "validation_mask": np.ones((6, 20)), "stateful": True, "progress": False,
        "threads": 1}, lambda c, h: c.net.weights),
    "train several": lambda c: (bs.train, {
        "network": c.net, "spikes": c.spikes, "targets": {"readout": [0, 1, 0, 1, 0, 1]}, "epochs": 1, "dropout": {"E": 0.1},
        "loss": {"readout": (bs.MaxOverTimeCrossEntropy(), 0.5)}, "progress": False, "threads": 1}, lambda c, h: c.net.weights),
    "prime": lambda c: (bs.prime, {"network": c.net, "spikes": c.spikes, "epochs": 1, "regularizers": [bs.lower_bound(10, 1)], "progress": False, "threads": 1},
                        lambda c, h: c.net.weights),
    "evaluate": lambda c: (bs.evaluate, {"network": c.net, "spikes": c.spikes, "targets": [0, 1, 0, 1, 0, 1], "mask": None, "loss": bs.MaxOverTimeCrossEntropy(),
                                         "readout": "readout", "batch": 3, "threads": 1, "seed": 0, "stateful": False},
                           lambda c, e: (e.loss, e.accuracy, e.rates)),
    "History": lambda c: (bs.History, {name: getattr(c.history, name) for name in ("loss", "accuracy", "regularizer", "validation_loss",
                                                                                   "validation_accuracy", "learning_rate", "seconds")},
                          lambda c, h: (h.best_epoch, h.watched, h.as_dict())),
    "Adam": lambda c: (bs.Adam, {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}, _trains(optimizer=_EACH)),
    "AdamW": lambda c: (bs.AdamW, {"learning_rate": 1e-3, "weight_decay": 0.01}, _trains(optimizer=_EACH)),
    "SGD": lambda c: (bs.SGD, {"learning_rate": 1e-3, "momentum": 0.5}, _trains(optimizer=_EACH)),
    "SMORMS3": lambda c: (bs.SMORMS3, {"learning_rate": 1e-3, "epsilon": 1e-16}, _trains(optimizer=_EACH)),
    "Constant": lambda c: (bs.Constant, {}, _trains(schedule=_EACH)),
    "Cosine": lambda c: (bs.Cosine, {"final": 0.1, "warmup": 0.1}, _trains(schedule=_EACH)),
    "Step": lambda c: (bs.Step, {"at": (0.5, 0.75), "decay": 0.1}, _trains(schedule=_EACH)),
    "OnPlateau": lambda c: (bs.OnPlateau, {"patience": 2, "decay": 0.5}, _trains(schedule=_EACH)),
    "upper_bound": lambda c: (bs.upper_bound, {"strength": 0.1, "threshold": 4, "power": 2, "per": "population", "populations": ["E"]},
                              _trains(regularizers=_IN_LIST)),
    "lower_bound": lambda c: (bs.lower_bound, {"strength": 0.1, "threshold": 4, "power": 1, "per": "neuron", "populations": "E"},
                              _trains(regularizers=_IN_LIST)),
    "WeightPenalty": lambda c: (bs.WeightPenalty, {"strength": 0.1, "power": 2, "projections": ["E->I"]}, _trains(regularizers=_IN_LIST)),
    "WeightConstraint": lambda c: (bs.WeightConstraint, {"low": 0.0, "high": 5.0, "norm": 10.0, "projections": ["E->I"]}, _trains(constraints=_IN_LIST)),
    # losses
    **{name: (lambda kind: lambda c: (kind, {}, _evaluates()))(getattr(bs, name))
       for name in ("EveryStepCrossEntropy", "LastStepCrossEntropy", "MaxOverTimeCrossEntropy", "MeanOverTimeCrossEntropy", "SumOverTimeCrossEntropy")},
    "FocalLoss": lambda c: (bs.FocalLoss, {"gamma": 2.0, "over": bs.MaxOverTimeCrossEntropy()}, _evaluates()),
    "MeanSquaredError": lambda c: (bs.MeanSquaredError, {}, _evaluates(targets=lambda c: np.ones((6, 20, 2)))),
    "PatternRegression": lambda c: (bs.PatternRegression, {"patterns": {0: [0.0, 1.0], 1: [1.0, 0.0]}}, _evaluates()),
    "TimeToFirstSpike": lambda c: (bs.TimeToFirstSpike, {"sharpness": 20.0}, _evaluates("E")),
    "VanRossumDistance": lambda c: (bs.VanRossumDistance, {"tau": 0.01, "dt": STEP}, _evaluates("E", lambda c: c.trace.spikes["E"])),
    **{f"{name}.value_and_gradient": (lambda kind, mask, target: lambda c: (kind().value_and_gradient, {"readout": _readout(c), "target": target(c), "mask": mask}))
       (getattr(bs, name), mask, target) for name, mask, target in (
           ("MaxOverTimeCrossEntropy", None, lambda c: np.arange(6) % 2), ("EveryStepCrossEntropy", np.ones((6, 20)), lambda c: np.arange(6) % 2),
           ("MeanSquaredError", np.ones((6, 20)), lambda c: np.ones((6, 20, 2))), ("TimeToFirstSpike", None, lambda c: np.arange(6) % 2))},
    **{f"{name}.predict": (lambda kind: lambda c: (kind().predict, {"readout": _readout(c), "mask": None}))(getattr(bs, name))
       for name in ("SumOverTimeCrossEntropy", "EveryStepCrossEntropy")},
    **{f"{name}.score": (lambda kind, target: lambda c: (kind().score, {"readout": _readout(c), "target": target}))(getattr(bs, name), target)
       for name, target in (("MeanSquaredError", np.ones((6, 20, 2))), ("LastStepCrossEntropy", np.arange(6) % 2))},
    "VanRossumDistance.distances": lambda c: (bs.VanRossumDistance(0.01, STEP).distances, {"spikes": np.ones((6, 20, 3)), "target": np.zeros((6, 20, 3))}),
    "TimeToFirstSpike.latency": lambda c: (bs.TimeToFirstSpike().latency, {"spikes": np.ones((6, 20, 3))}),
    # data
    "data.poisson": lambda c: (bs.data.poisson, {"rates": 20.0, "n_units": 4, "duration": 0.02, "n_trials": 3, "seed": 0, "labels": [0, 1, 0]}),
    "data.randman": lambda c: (bs.data.randman, {"n_classes": 2, "n_units": 3, "n_spikes": 1, "dimension": 1, "smoothness": 2.0, "samples_per_class": 3,
                                                 "duration": 0.2, "active": 0.1, "seed": 0}),
    "data.spaghetti": lambda c: (bs.data.spaghetti, {"n_classes": 2, "n_units": 3, "n_spikes": 2, "smoothness": 2.0, "samples_per_class": 3, "duration": 0.2,
                                                     "active": 0.1, "seed": 0}),
    "data.halo": lambda c: (bs.data.halo, {"n_classes": 2, "n_units": 3, "dimension": 1, "smoothness": 2.0, "displacement": 0.1, "noise": 0.01,
                                           "samples_per_class": 3, "duration": 0.2, "active": 0.1, "seed": 0}),
    "data.tempotron": lambda c: (bs.data.tempotron, {"n_patterns": 4, "n_units": 3, "n_classes": 2, "duration": 0.5, "seed": 0}),
    "data.split": lambda c: (bs.data.split, {"spikes": c.spikes, "fractions": (0.5, 0.5), "seed": 0}),
    "data.perceptual_decision": lambda c: (bs.data.perceptual_decision, {"n_trials": 2, "coherences": (0.1, 0.2), **_TASK, "fixation": 0.01, "stimulus": 0.01},
                                           _task),
    "data.context_dependent_decision": lambda c: (bs.data.context_dependent_decision, {"n_trials": 2, "coherences": (0.1,), **_TASK, "fixation": 0.01,
                                                                                       "stimulus": 0.01}, _task),
    "data.working_memory": lambda c: (bs.data.working_memory, {"n_trials": 2, "n_items": 2, **_TASK, "cue": 0.01, "delay": (0.01, 0.02)}, _task),
    "data.delayed_match_to_sample": lambda c: (bs.data.delayed_match_to_sample, {"n_trials": 2, "n_items": 2, **_TASK, "sample": 0.01, "delay": 0.01, "test": 0.01},
                                               _task),
    "data.from_event_arrays": lambda c: (bs.data.from_event_arrays, {"recordings": _recordings(), "sensor_size": (4, 4, 2), "labels": [0, 1], "duration": 0.02,
                                                                     "time_unit": 1e-6, "pool": 2, "dtype": np.float64}),
    "data.load_shd": lambda c: (bs.data.load_shd, {"path": _shd(c), "duration": 0.5, "n_units": 700, "dtype": np.float32}),
    "data.load_speakers": lambda c: (bs.data.load_speakers, {"path": _shd(c)}),
    # statistics
    "stats.firing_rates": lambda c: (bs.stats.firing_rates, {"spikes": c.spikes}),
    "stats.rate_over_time": lambda c: (bs.stats.rate_over_time, {"spikes": c.spikes, "width": 5e-3}),
    "stats.interspike_intervals": lambda c: (bs.stats.interspike_intervals, {"spikes": c.spikes}),
    "stats.isi_cv": lambda c: (bs.stats.isi_cv, {"spikes": c.long_spikes, "minimum": 3}),
    "stats.fano_factor": lambda c: (bs.stats.fano_factor, {"spikes": c.spikes, "window": 5e-3}),
    "stats.synchrony": lambda c: (bs.stats.synchrony, {"spikes": c.spikes, "width": 5e-3}),
    "stats.correlations": lambda c: (bs.stats.correlations, {"spikes": c.spikes, "width": 5e-3, "pairs": 3, "seed": 0}),
    "stats.cross_correlogram": lambda c: (bs.stats.cross_correlogram, {"pre": c.spikes, "post": c.spikes, "pairs": [[0, 1], [1, 2]], "reach": 5e-3,
                                                                       "width": 1e-3}),
    "stats.ei_balance": lambda c: (bs.stats.ei_balance, {"excitatory": np.ones((2, 5, 3)), "inhibitory": np.ones((2, 5, 3))}),
    # pictures
    "plot.colour": lambda c: (bs.plot.colour, {"population": c.net["E"]}),
    "plot.activity": lambda c: (bs.plot.activity, {"trace": c.trace, "trial": 0, "units": 3}, _shown),
    "plot.membrane": lambda c: (bs.plot.membrane, {"trace": c.trace, "population": "E", "neuron": 0, "trial": 0, "theory": None}, _shown),
    "plot.currents": lambda c: (bs.plot.currents, {"trace": c.trace, "population": "E", "neuron": 0, "trial": 0}, _shown),
    "plot.gradients": lambda c: (bs.plot.gradients, {"trace": c.trace, "found": c.found}, _shown),
    "plot.history": lambda c: (bs.plot.history, {"history": c.history, "others": {"other": c.history}, "label": "this"}, _shown),
    "plot.weights": lambda c: (bs.plot.weights, {"network": c.net, "report": None}, _shown),
    "plot.initializer": lambda c: (bs.plot.initializer, {"report": c.report}, _shown),
}

CALLS_OF_BRIAN2 = {
    "brian.compare": lambda c: (bs.brian.compare, {"network": c.net, "spikes": c.spikes[:1], "record": ["E.U"], "currents": {"E": np.ones(3)}, "progress": False,
                                                   "against": None, "target": "numpy"}),
    "brian.to_brian2": lambda c: (bs.brian.to_brian2, {"network": c.net, "spikes": c.spikes[:1], "record": ["E.U"], "currents": {"E": np.ones(3)}}),
    "brian.script": lambda c: (bs.brian.script, {"network": c.net, "spikes": c.spikes[:1], "path": str(c.folder / "script.py"), "currents": None}),
    "plot.comparison": lambda c: (bs.plot.comparison, {"report": c.comparison, "population": "E", "neuron": 0}, _shown),
}

_TASK = {"rate": 40.0, "response": 0.01, "n_per_pool": 2, "background": 1.0, "dt": 2e-3, "seed": 0}

#: Public names without a call of their own, and why.
LEFT_OUT = {
    "Simulation": "made by simulate", "data.Task": "made by the tasks", "stats.EIBalance": "made by ei_balance", "brian.BrianNetwork": "made by to_brian2",
    "brian.Comparison": "made by compare", "brian.Divergence": "made by compare", "brian.require_brian2": "takes nothing",
    "data.fetch_shd": "downloads",
    "brian": "a module", "data": "a module", "plot": "a module", "stats": "a module"}


def _task(c, task):
    return task.spikes, task.targets


def _simulated(c, neuron):
    net = bs.Network(1e-4)
    net.population(3, neuron, "excitatory", "E")
    return bs.simulate(net, 2e-3, background=[bs.Current("E", 0.01)], record={"E.U": [0]}, progress=False, threads=1).states


def _matrix():
    from scipy.sparse import coo_matrix
    return coo_matrix(([1.0, 2.0], ([0, 1], [1, 0])), shape=(6, 3))


def _normal():
    from scipy.stats import norm
    return norm(0, 1)


def _recordings():
    fields = [("t", np.int64), ("x", np.int16), ("y", np.int16), ("p", np.int8)]
    return [np.array([(1, 0, 1, 1), (900, 3, 3, 0)], fields), np.array([(5, 2, 2, 1)], fields)]


def _saved(c, save, what):
    save(what, c.folder / "saved.npz")
    return str(c.folder / "saved.npz")


def _streamed(c):
    bs.simulate(c.circuit, 0.02, background=c.background, progress=False, threads=1, out=c.folder / "streamed.h5")
    return str(c.folder / "streamed.h5")


def _shd(c):
    """A file such as those of the Spiking Heidelberg Digits, with two trials."""
    import h5py
    with h5py.File(c.folder / "shd_train.h5", "w") as file:
        for what, kind, parts in (("times", np.float16, ([0.1, 0.2], [0.3])), ("units", np.int16, ([1, 699], [5]))):
            data = file.create_dataset(f"spikes/{what}", (2,), h5py.vlen_dtype(kind))
            for k, part in enumerate(parts):
                data[k] = np.array(part, kind)
        file["labels"], file["extra/speaker"] = np.array([0, 3]), np.array([1, 2])
    return c.folder / "shd_train.h5"
