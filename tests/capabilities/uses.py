"""What can be done with a network, and how each use is checked on a small one.

A check returns nothing, raises ValueError where the use is refused, AssertionError where it is
wrong.
"""

import numpy as np

import biosnn as bs
from biosnn.engine.realization import realize
from tests import gradcheck, naive
from tests.kernels.circuit import loss_of

#: Largest difference from the naive reference, of the largest value.
CLOSE = 1e-10


def dense(trains, setup):
    """(step, neuron) spikes of one trial."""
    counts = np.zeros((setup.steps, trains.n_units))
    steps = np.floor(trains.times / setup.network.dt + 1e-3).astype(int)
    np.add.at(counts, (steps, trains.units), 1)
    return counts


def arguments(setup):
    """What `run` and `simulate` are both given."""
    given = {"background": setup.background, "initial": setup.initial, "seed": setup.seed}
    return given | {"record": setup.record} | setup.options


def simulated(setup):
    """One trial by `simulate`."""
    return bs.simulate(
        setup.network, setup.duration, setup.spikes, progress=False, **arguments(setup)
    )


def ran(setup):
    """All trials by `run`."""
    return bs.run(setup.network, setup.spikes, currents=setup.currents, **arguments(setup))


def simulate(setup):
    """The first trial, as the naive reference has it."""
    one = setup.trial(0)
    found = simulated(one)
    spikes = {p.name: dense(found.spikes[p.name], one) for p in one.network.firing}
    agree(one, spikes, found.states, getattr(found, "weights", {}))


def run(setup):
    """Every trial as the naive reference has it, and the first as `simulate`, bit by bit."""
    found = ran(setup)
    for b in range(1 if setup.is_random else setup.trials):
        one = setup.trial(b)
        spikes = {p.name: dense(found.spikes[p.name][b], one) for p in one.network.firing}
        agree(one, spikes, {name: u[b] for name, u in found.states.items()})
    if setup.is_random:
        assert not np.array_equal(found.states["E.U"][0], found.states["E.U"][1])
    if not setup.currents:
        other = simulated(setup.trial(0))
        for name, values in other.states.items():
            np.testing.assert_array_equal(found.states[name][0, : len(values)], values)


def agree(one, spikes, states, weights=None):
    """Spikes are those of the naive reference, states nearly."""
    expected = reference(one, spikes)
    assert sum(s.sum() for s in spikes.values()) > 10, "nothing happens"
    for name, values in spikes.items():
        np.testing.assert_array_equal(values, expected["spikes"][name], err_msg=name)
    for name, values in states.items():
        there = expected["states"][tuple(name.split("."))]
        scale = CLOSE * np.abs(there).max()
        np.testing.assert_allclose(values[: len(there)], there, rtol=0, atol=scale, err_msg=name)
    for name, values in expected["weights"].items():
        np.testing.assert_allclose(weights[name], values, rtol=0, atol=CLOSE)


def counts_of(one):
    """Input -> (step, unit) counts."""
    if one.spikes is None:
        return {}
    merge = one.options.get("merge", True)
    return {"x": bs.bin_spikes(one.spikes, one.network.dt, merge=merge).dense()[0]}


def reference(one, spikes=None):
    """One trial by tests.naive; spikes of escape noise are handed over."""
    network, more = one.network, translated(one)
    drawn = {p.name: spikes[p.name] for p in network.spiking if p.noise} if spikes else {}
    given = realize(network, one.steps, one.background, one.initial, one.seed)
    return naive.run(
        more.pop("network", network),
        counts_of(one),
        initial=given.initial,
        steps=one.steps,
        drawn=drawn,
        **naive.handed_over(one.background, given),
        **more,
    )


def translated(one):
    """Perturbations and currents in the words of the naive reference."""
    network, steps = one.network, one.steps
    currents, held = dict(one.currents), {}
    for each in one.options.get("perturbations", ()):
        if isinstance(each, (bs.perturb.Scale, bs.perturb.LesionSynapses)):
            network = bs.perturb.apply(network, [each])
            continue
        population, neurons = each.of(network)
        first = round((getattr(each, "start", None) or 0.0) / network.dt)
        last = round((getattr(each, "stop", None) or one.duration) / network.dt)
        where = np.ix_(np.arange(first, last), neurons)
        if isinstance(each, bs.perturb.Stimulate):
            current = np.array(currents.get(population.name, np.zeros((steps, population.n))))
            current[where] += each.current
            currents[population.name] = current
            continue
        values = held.setdefault(population.name, np.full((steps, population.n), np.nan))
        values[where] = getattr(each, "value", population.neuron.reset)
    return {"network": network, "currents": currents, "held": held}


def gradient(setup):
    """The exact gradient of the smooth twin, and with spikes that of the naive adjoint."""
    whole = {
        name: np.array(np.broadcast_to(values, (setup.trials, *values.shape[1:])))
        for name, values in setup.currents.items()
    }
    error = gradcheck.relative_error(
        setup.network,
        setup.spikes,
        loss_of(),
        whole or None,
        steps=setup.steps_of_weights,
        background=setup.background,
        initial=setup.initial,
        seed=setup.seed,
        **setup.options,
    )
    assert error < 1e-6, error
    if not any(p.plasticity for p in setup.network.projections):
        with_spikes(setup.trial(0))


def with_spikes(one):
    """The gradient by the weights, with the spikes of one trial, is that of the naive adjoint."""
    given = arguments(one) | {"record": ()}
    trace = bs.run(one.network, one.spikes, currents=one.currents, tape=True, **given)
    found = bs.gradient(trace, states={"out.U": np.ones_like(trace.states["out.U"])})
    spikes = {p.name: dense(trace.spikes[p.name], one) for p in one.network.firing}
    forward, more = reference(one, spikes), translated(one)
    currents = dict(more["currents"])
    given = naive.handed_over(
        one.background, realize(one.network, one.steps, one.background, one.initial, one.seed)
    )
    for name, values in given["noise"].items():
        currents[name] = currents.get(name, 0.0) + values
    ones = {("out", "U"): np.ones((one.steps, 2))}
    expected = naive.gradient(more["network"], counts_of(one), forward, ones, currents=currents)
    for name, values in found.weights.items():
        scale = CLOSE * max(1e-3, np.abs(expected["weights"][name]).max())
        np.testing.assert_allclose(
            values, expected["weights"][name], rtol=0, atol=scale, err_msg=name
        )


def brian(setup):
    """Brian2 has the same spikes, and states that agree."""
    network, currents = setup.network, dict(setup.currents)
    for each in setup.options.get("perturbations", ()):
        if isinstance(each, bs.perturb.Stimulate):
            currents = translated(setup.trial(0))["currents"]
        else:
            network = bs.perturb.apply(network, [each])
    report = bs.brian.compare(
        network,
        setup.spikes,
        currents=currents or None,
        background=setup.background,
        initial=setup.initial,
        seed=setup.seed,
        progress=False,
    )
    assert report.identical, str(report)
    for name, (difference, scale) in report.states.items():
        assert difference <= CLOSE * max(scale, 1e-12), (name, difference, scale)


def initializer(setup):
    """Free membranes, as they are measured, have the mean and deviation that were asked for."""
    scale = setup.scale
    if setup.background:
        given = {"background": setup.background, "mu_u": 0.8 * scale, "sigma_u": 0.4 * scale}
    else:
        given = {"spikes": setup.spikes, "mu_u": 0.0, "sigma_u": 0.3 * scale}
        if setup.network["E"].neuron.magnesium:  # fast and slow synapses
            shares = {"xI": 0.9, "EI": 0.1}
            given |= {"mu_u": 0.6, "sigma_u": 0.2, "shares": shares}
        given["merge"] = setup.options.get("merge", True)
    near(bs.fluctuation_driven(setup.network, seed=1, progress=False, **given))


def near(report):
    """Measured moments beside targets."""
    for row in report.populations:
        mu, sigma = row.target.mu, row.target.sigma
        assert abs(row.measured.mu - mu) < 0.15 * sigma, (row.name, row.measured.mu, mu)
        assert abs(row.measured.sigma / sigma - 1) < 0.1, (row.name, row.measured.sigma, sigma)


def theory(setup):
    """Membranes and rates of mean-field theory beside a simulation."""
    net, background = setup.network, setup.background
    bs.regime(net, background)
    warm = bs.simulate(net, 0.3, background=background, seed=1, progress=False)
    done = bs.simulate(net, setup.duration, background=background, state=warm.state, progress=False)
    report = bs.regime(net, background, done)
    noisy = any(p.noise for p in net.spiking)
    assert noisy == any("has escape noise" in text for text in report.warnings)
    for row in report.populations:
        said, found = row.at_rates, row.measured
        assert abs(said.mu - found.mu) < 0.3 * found.sigma, (row.name, said.mu, found.mu)
        assert abs(said.sigma / found.sigma - 1) < 0.15, (row.name, said.sigma, found.sigma)
        rates = row.predicted.rate, found.rate
        assert noisy or abs(rates[0] - rates[1]) < 1.0 + 0.25 * found.rate, (row.name, rates)


CHECKS = {
    "simulate": simulate,
    "run": run,
    "gradient": gradient,
    "brian": brian,
    "initializer": initializer,
    "theory": theory,
}
