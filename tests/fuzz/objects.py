"""What the calls of registry.py are made with, and what is done with what they return."""

import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

STEP = 1e-3


class Frame(dict):
    """As a data frame: columns by name."""

    @property
    def columns(self):
        return list(self)


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
    def unequal(self):
        ends = [0.02, 0.01, 0.0155, 0.02, 0.003, 0.02]
        times = [[[end / 3], [], [end / 2, end / 2], [0.0]] for end in ends]
        return bs.SpikeTrains.from_lists(times, ends=ends, labels=[0, 1, 0, 1, 0, 1])

    @cached_property
    def silent(self):
        return bs.SpikeTrains([], [], [0, 0], 4, 0.02)

    @cached_property
    def other_spikes(self):
        return bs.data.poisson(100.0, 3, 0.02, 6, seed=1)

    def _network(self, weights=True, bias=None, plasticity=False):
        rng, net = np.random.default_rng(0), bs.Network(STEP)
        x, E = (
            net.input(4, name="x"),
            net.population(3, bs.ei_lif(), "excitatory", name="E", bias=bias),
        )
        I, out = net.population(2, bs.ei_lif(), "inhibitory", name="I"), net.readout(2)
        for pre, post in ((x, E), (x, I), (E, I), (I, E), (I, I), (E, out)):
            net.connect(
                pre, post, weights=rng.exponential(2.0, (pre.n, post.n)) if weights else None
            )
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
        E = net.population(4, bs.ei_lif(), "excitatory", name="E")
        net.connect(E, E, weights=0.1 * np.ones((4, 4)))
        return net

    @cached_property
    def circuit(self):
        """Sparse, without inputs, for `simulate`."""
        net = bs.Network(STEP)
        E, I = (
            net.population(6, bs.ei_lif(), "excitatory", name="E"),
            net.population(3, bs.ei_lif(), "inhibitory", name="I"),
        )
        for k, (pre, post) in enumerate(((E, E), (E, I), (I, E), (I, I))):
            net.connect(pre, post, delay=1e-3, weights=0.1, synapses=bs.FixedInDegree(2), seed=k)
        return net

    @cached_property
    def background(self):
        return [bs.PoissonInput("E", 2000.0, 0.3), bs.PoissonInput("I", 1000.0, 0.3)]

    @cached_property
    def trace(self):
        return bs.run(
            self.net, self.spikes, record=["E.U", "E.I_exc", "E.I_inh"], tape=True, threads=1
        )

    @cached_property
    def bare_trace(self):
        return bs.run(self.net, self.spikes, threads=1)

    @cached_property
    def found(self):
        return bs.gradient(
            self.trace,
            states={"readout.U": np.ones_like(self.trace.states["readout.U"])},
            record=["E.U"],
            threads=1,
        )

    @cached_property
    def simulation(self):
        return bs.simulate(
            self.circuit,
            0.05,
            background=self.background,
            record={"E.U": [0, 1]},
            progress=False,
            threads=1,
        )

    @cached_property
    def history(self):
        return bs.train(
            self.net, self.spikes, epochs=2, batch=3, validation=0.34, progress=False, threads=1
        )

    @cached_property
    def axes(self):
        return list(Figure().subplots(1, 2))

    @cached_property
    def report(self):
        return bs.fluctuation_driven(self.bare, self.spikes, closed_loop=False, progress=False)

    @cached_property
    def comparison(self):
        return bs.brian.compare(self.net, self.spikes[:1], progress=False)


# ------------------------------------------------------------------------ what descriptions are for


def in_network(**options):
    """A neuron, surrogate or noise in a network that is run."""

    def use(c, result):
        net = bs.Network(STEP)
        x, E = (
            net.input(4, name="x"),
            net.population(3, **({"neuron": bs.lif()} | dict.fromkeys(options, result))),
        )
        receptor = next(iter(E.neuron.receptors))
        net.connect(x, E, weights=np.ones((4, 3)), receptor=receptor)
        return bs.run(net, c.spikes, threads=1).states

    return use


def drawn(c, result):
    """A distribution as the weights of a projection."""
    c.circuit.connect("E", "I", name="new", synapses=bs.Bernoulli(0.5), weights=result, seed=3)
    return c.circuit.weights["new"]


def initializes(c, result):
    bs.fluctuation_driven(
        c.bare, family=result, assumed_rates=20.0, closed_loop=False, progress=False
    )
    return c.bare.weights


def wires(c, result):
    c.circuit.connect("E", "I", name="new", synapses=result, weights=0.1, seed=3)
    return c.circuit.weights["new"]


def trains(**options):
    def use(c, result):
        return bs.train(
            c.net,
            c.spikes,
            epochs=1,
            batch=3,
            progress=False,
            threads=1,
            **{key: of(result) for key, of in options.items()},
        ).loss

    return use


def evaluates(readout=None, targets=None):
    def use(c, result):
        found = bs.evaluate(
            c.net,
            c.spikes,
            targets(c) if targets else None,
            loss=result,
            readout=readout,
            threads=1,
        )
        return found.loss, found.score

    return use


def as_background(c, result):
    return bs.simulate(
        c.circuit, 0.02, background=[result], record={"E.U": [0]}, progress=False, threads=1
    ).states


def plastic(pre, post):
    def use(c, result):
        c.circuit.connect(
            pre,
            post,
            delay=1e-3,
            weights=0.1,
            name="new",
            synapses=bs.Bernoulli(0.9),
            seed=3,
            plasticity=result,
        )
        return bs.simulate(
            c.circuit, 0.02, background=c.background, progress=False, threads=1
        ).weights["new"]

    return use


def augments(c, result):
    return bs.augment(c.spikes, [result], seed=0)


def shown(c, drawn):
    home = drawn if hasattr(drawn, "savefig") else np.ravel(drawn)[0].figure
    home.savefig(c.folder / "figure.png", dpi=20)


def EACH(result):
    return result


def IN_LIST(result):
    return [result]


def a_readout(c):
    return np.random.default_rng(0).normal(0, 1, (6, 20, 2))


TASK = {"rate": 40.0, "response": 0.01, "n_per_pool": 2, "background": 1.0, "dt": 2e-3, "seed": 0}


def of_task(c, task):
    return task.spikes, task.targets


def simulated(c, neuron):
    net = bs.Network(1e-4)
    net.population(3, neuron, "excitatory", name="E")
    return bs.simulate(
        net,
        2e-3,
        background=[bs.Current("E", 0.01)],
        record={"E.U": [0]},
        progress=False,
        threads=1,
    ).states


def matrix():
    from scipy.sparse import coo_matrix

    return coo_matrix(([1.0, 2.0], ([0, 1], [1, 0])), shape=(6, 3))


def scipy_normal():
    from scipy.stats import norm

    return norm(0, 1)


def recordings():
    fields = [("t", np.int64), ("x", np.int16), ("y", np.int16), ("p", np.int8)]
    return [np.array([(1, 0, 1, 1), (900, 3, 3, 0)], fields), np.array([(5, 2, 2, 1)], fields)]


def saved(c, save, what):
    save(what, c.folder / "saved.npz")
    return str(c.folder / "saved.npz")


def streamed(c):
    bs.simulate(
        c.circuit,
        0.02,
        background=c.background,
        progress=False,
        threads=1,
        out=c.folder / "streamed.h5",
    )
    return str(c.folder / "streamed.h5")


def shd(c):
    """A file such as those of the Spiking Heidelberg Digits, with two trials."""
    import h5py

    with h5py.File(c.folder / "shd_train.h5", "w") as file:
        for what, kind, parts in (
            ("times", np.float16, ([0.1, 0.2], [0.3])),
            ("units", np.int16, ([1, 699], [5])),
        ):
            data = file.create_dataset(f"spikes/{what}", (2,), h5py.vlen_dtype(kind))
            for k, part in enumerate(parts):
                data[k] = np.array(part, kind)
        file["labels"], file["extra/speaker"] = np.array([0, 3]), np.array([1, 2])
    return c.folder / "shd_train.h5"
