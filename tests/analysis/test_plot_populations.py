"""Spectra, correlograms, distributions, phase planes and connectivity show the numbers."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

import biosnn as bs
from biosnn.analysis import plot, stats

from .pictures import dalian, legend_of

# ----------------------------------------------------------------------------------------- spectrum


def test_the_spectrum_of_poisson_trains_is_flat_at_its_dotted_line():
    spikes = bs.data.poisson(30.0, 50, 20.0, 3, seed=1)
    (axis,) = plot.spectrum(spikes, segment=0.25).axes
    density, level = axis.lines
    assert level.get_ydata()[0] == pytest.approx(2 * 30.0 / 50, rel=0.02)
    assert density.get_ydata()[1:].mean() == pytest.approx(level.get_ydata()[0], rel=0.03)
    assert density.get_xdata()[0] == pytest.approx(4.0)
    assert density.get_xdata()[-1] == pytest.approx(500.0)
    assert list(legend_of(axis.get_figure())) == ["independent Poisson"]


def test_the_power_of_a_wave_is_its_variance():
    """Half of the units fire in every 5th of 25 bins of 1 ms: a wave of 40 Hz."""
    times = np.concatenate([k * 25e-3 + np.arange(10) * 1e-3 + 0.2e-3 for k in range(80)])
    units = np.zeros(times.size, int)
    spikes = bs.SpikeTrains(times, units, [0, times.size], 1, 2.0)
    (axis,) = plot.spectrum(spikes, segment=0.5).axes
    f, power = axis.lines[0].get_data()
    rates = stats.rate_over_time(spikes, 1e-3)[1]
    assert np.nansum(power) * f[0] == pytest.approx(rates.var(), rel=0.05)
    assert f[np.nanargmax(power)] == pytest.approx(40.0)


def test_the_spectrum_of_a_window_leaves_the_rest_out():
    late = bs.data.poisson(100.0, 20, 2.0, seed=2)
    keep = late.times >= 1.0
    spikes = bs.SpikeTrains(late.times[keep], late.units[keep], [0, keep.sum()], 20, 2.0)
    early = plot.spectrum({"A": spikes}, stop=1.0)
    assert [text.get_text() for text in early.axes[0].texts] == ["no spikes"]
    assert list(legend_of(early)) == ["A"]
    level = plot.spectrum(spikes, start=1.0).axes[0].lines[1].get_ydata()[0]
    assert level == pytest.approx(2 * keep.sum() / 20 / 20)


# ------------------------------------------------------------------------------------- correlograms


def test_correlograms_are_those_of_all_pairs():
    rng = np.random.default_rng(3)
    a = bs.SpikeTrains.from_units([rng.uniform(0.2, 1.8, 60) for _ in range(3)], duration=2.0)
    b = bs.SpikeTrains.from_units([a.times[a.units == k] + 5.5e-3 for k in range(2)], duration=2.0)
    figure = plot.correlograms({"a": a, "b": b}, reach=20e-3, bin_width=1e-3)
    panels = np.array(figure.axes).reshape(2, 2)
    for pre, row in zip((a, b), panels):
        for post, axis in zip((a, b), row):
            i, j = np.indices((pre.n_units, post.n_units)).reshape(2, -1)
            apart = i != j if pre is post else np.full(i.size, True)
            _, rates = stats.cross_correlogram(
                pre, post, (i[apart], j[apart]), reach=20e-3, bin_width=1e-3
            )
            values, edges, _ = axis.patches[0].get_data()
            np.testing.assert_array_equal(values, rates)
            assert edges[0] == pytest.approx(-20) and edges[-1] == pytest.approx(20)
            mean = axis.lines[1].get_ydata()[0]
            assert mean == pytest.approx(stats.firing_rates(post).mean())
    assert panels[0, 1].get_title() == "b around spikes of a"
    values, edges, _ = panels[0, 1].patches[0].get_data()
    assert edges[values.argmax()] == pytest.approx(5.0)


def test_a_unit_is_never_paired_with_itself():
    one = bs.SpikeTrains.from_units([np.arange(0.1, 0.9, 0.1)], duration=1.0)
    (axis,) = plot.correlograms(one).axes
    assert not axis.patches and "no pair of units" in axis.texts[0].get_text()


def test_a_seed_chooses_units_that_spike():
    spikes = bs.data.poisson(20.0, 60, 1.0, seed=5)
    draws = [
        plot.correlograms(spikes, units=5, seed=seed).axes[0].patches[0].get_data().values
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.any(draws[0] != draws[2])


@pytest.mark.parametrize(
    "options, reach",
    [({}, 50), ({"bin_width": 3e-3}, 48), ({"stop": 0.06}, 30), ({"reach": 10e-3}, 10)],
)
def test_lags_fit_the_trial_and_the_bins(options, reach):
    spikes = bs.data.poisson(50.0, 10, 1.0, seed=1)
    axis = plot.correlograms(spikes, **options).axes[0]
    assert axis.get_xlim() == pytest.approx((-reach, reach))


# ------------------------------------------------------------------------------------ distributions


def test_distributions_are_those_of_stats():
    fast = bs.data.poisson(40.0, 200, 5.0, seed=1)
    slow = bs.data.poisson(0.2, 100, 5.0, seed=2)
    figure = plot.distributions({"fast": fast, "slow": slow})
    rates, cvs = figure.axes
    mean = stats.firing_rates(fast).mean()
    assert rates.lines[0].get_xdata()[0] == pytest.approx(mean)
    cv = stats.isi_cv(fast).mean()
    assert cvs.lines[0].get_xdata()[0] == pytest.approx(cv)
    shares, edges, _ = rates.patches[0].get_data()
    counts = np.histogram(stats.firing_rates(fast), edges)[0]
    np.testing.assert_allclose(shares, counts / 200)
    assert edges[0] == 0 and 0.98 < shares.sum() <= 1
    known = np.isfinite(stats.isi_cv(slow)).sum()
    words = list(legend_of(figure))
    assert words[0] == f"fast, {mean:.3g} Hz, CV {cv:.2f}"
    assert words[1].endswith(f"({known} of 100 neurons)" if known else "no CV")


def test_silence_has_a_rate_of_zero_and_no_cv():
    silent = bs.SpikeTrains([], np.empty(0, int), [0, 0], 5, 1.0)
    figure = plot.distributions({"A": silent})
    assert list(legend_of(figure)) == ["A, 0 Hz, no CV"]
    assert figure.axes[1].texts[0].get_text() == "no neuron has three intervals"
    assert figure.axes[0].get_xlim() == (0, 1)


# ------------------------------------------------------------------------------------- phase planes


def test_the_phase_plane_is_two_states_with_gaps_at_resets():
    net = bs.Network(dt=1e-4)
    net.population(2, bs.adex(), "excitatory", name="E")
    done = bs.simulate(
        net,
        0.1,
        background=[bs.Current("E", 0.04)],
        record=["E.U", "E.w_adapt"],
        progress=False,
        threads=1,
    )
    (axis,) = plot.phase_plane(done, "E", neuron=1).axes
    curve, start, resets = axis.lines[:3]
    x, y = curve.get_data()
    kept = np.isfinite(x)
    np.testing.assert_array_equal(x[kept], done.states["E.U"][:, 1])
    np.testing.assert_array_equal(y[kept], done.states["E.w_adapt"][:, 1])
    spikes = done.spikes["E"]
    n = np.sum(spikes.units == 1)
    assert n > 3 and np.sum(~kept) == resets.get_xdata().size == n
    np.testing.assert_allclose(resets.get_xdata(), done.network["E"].neuron.reset, atol=1e-7)
    assert start.get_xdata()[0] == done.states["E.U"][0, 1]
    assert list(legend_of(axis.get_figure())) == ["at 0 ms", "after a spike", "threshold"]
    assert axis.get_ylabel() == "w_adapt of E, neuron 1"


def test_states_of_a_phase_plane_are_those_that_there_are(trace):
    with pytest.raises(ValueError, match="'E' has no state w_adapt; its states are U, I_exc"):
        plot.phase_plane(trace, "E")
    with pytest.raises(ValueError, match="y is 3; it must be the name of a state"):
        plot.phase_plane(trace, "E", "U", 3)


# ------------------------------------------------------------------------------------- connectivity


def matrix(network, weights, names):
    """(post, pre) signed weights, summed over projections; naive."""
    first, total = {}, 0
    for name in names:
        first[name] = total
        total += network[name].n
    found = np.zeros((total, total))
    for p in network.projections:
        if p.pre not in names or p.post not in names:
            continue
        sign = -1 if network[p.pre].sign == "inhibitory" else 1
        if p.name in network.synapses:
            synapses = network.synapses[p.name]
            pairs = zip(synapses.sources, synapses.target, np.ravel(weights[p.name]))
        else:
            pairs = ((j, i, weights[p.name][j, i]) for j, i in np.ndindex(weights[p.name].shape))
        for j, i, w in pairs:
            found[first[p.post] + i, first[p.pre] + j] += sign * w
    return found


def image(figure):
    return np.array(figure.axes[0].collections[0].get_array())


def test_connectivity_of_a_dense_network_is_its_signed_weights():
    net = dalian()
    figure = plot.connectivity(net, ["E", "I"])
    np.testing.assert_allclose(image(figure), matrix(net, net.weights, ["E", "I"]), rtol=1e-6)
    whole = plot.connectivity(net)
    assert image(whole).shape == (12 + 4 + 3, 20 + 12 + 4)
    axis, bar = whole.axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["input", "E", "I"]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["E", "I", "readout"]
    assert bar.get_ylabel().replace("\n", " ") == "weight (inhibitory < 0)"
    np.testing.assert_allclose(image(whole)[16:, 20:32], net.weights["E->readout"].T)
    assert [to_hex(text.get_color()) for text in axis.get_xticklabels()[1:]] == [
        plot.EXCITATORY.lower(),
        plot.INHIBITORY.lower(),
    ]
    mesh = axis.collections[0]
    assert to_hex(mesh.cmap(1.0)) == plot.EXCITATORY.lower()
    assert to_hex(mesh.cmap(0.0)) == plot.INHIBITORY.lower()
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first population is on top


def sparse(n_exc, n_inh):
    net = bs.Network(1e-3)
    cells = [
        net.population(n_exc, bs.ei_lif(), "excitatory", name="E"),
        net.population(n_inh, bs.ei_lif(), "inhibitory", name="I"),
    ]
    for k, (pre, post) in enumerate((p, q) for p in cells for q in cells):
        rule = bs.Bernoulli(0.2)
        net.connect(pre, post, weights=bs.Uniform(0.1, 0.5), synapses=rule, seed=k)
    return net


def test_connectivity_of_a_sparse_network_is_its_signed_weights():
    net = sparse(30, 10)
    expected = matrix(net, net.weights, ["E", "I"])
    np.testing.assert_allclose(image(plot.connectivity(net)), expected, rtol=1e-6)


def test_pixels_of_a_large_network_are_means_over_their_pairs(monkeypatch):
    from biosnn.analysis import plot_connectivity

    monkeypatch.setattr(plot_connectivity, "_MOST", 20)
    monkeypatch.setattr(plot_connectivity, "_PART", 100)
    for net in (sparse(70, 21), dense(70, 21)):
        expected = matrix(net, net.weights, ["E", "I"])
        figure = plot.connectivity(net)
        mesh = figure.axes[0].collections[0]
        edges = np.unique(mesh.get_coordinates()[..., 0]).astype(int)
        assert 70 in edges and edges[-1] == 91 and len(edges) == 21
        means = [
            [expected[a:b, c:d].mean() for c, d in itertools.pairwise(edges)]
            for a, b in itertools.pairwise(edges)
        ]
        np.testing.assert_allclose(image(figure), means, rtol=1e-5, atol=1e-12)
        label = figure.axes[1].get_ylabel().replace("\n", " ")
        assert label == "mean weight of all pairs in a pixel (inhibitory < 0)"


def dense(n_exc, n_inh):
    net, rng = bs.Network(1e-3), np.random.default_rng(0)
    cells = [
        net.population(n_exc, bs.ei_lif(), "excitatory", name="E"),
        net.population(n_inh, bs.ei_lif(), "inhibitory", name="I"),
    ]
    for pre in cells:
        for post in cells:
            net.connect(pre, post, weights=rng.exponential(size=(pre.n, post.n)))
    return net


def test_a_simulation_shows_the_weights_at_its_end():
    net = bs.Network(1e-3)
    x = net.population(5, bs.lif(), "inhibitory", name="I")
    rule = bs.InhibitorySTDP(eta=0.05, target_rate=5.0)
    net.connect(x, x, weights=0.2, synapses=bs.Bernoulli(1.0), plasticity=rule, seed=1)
    done = bs.simulate(net, 0.3, background=[bs.Current("I", 1.5)], progress=False, threads=1)
    before, after = (image(plot.connectivity(each)) for each in (net, done))
    assert np.any(before != after)
    np.testing.assert_allclose(after, matrix(net, done.weights, ["I"]), rtol=1e-6)
    found = plot.weights(done).axes[0].get_title()
    assert f"mean {done.weights['I->I'].mean():.3g}" in found


def test_connectivity_needs_weights():
    net = bs.Network(1e-3)
    cells = net.population(3, bs.lif(), name="A")
    with pytest.raises(ValueError, match="there are no projections among A"):
        plot.connectivity(net)
    net.connect(cells, cells)
    with pytest.raises(ValueError, match="projections without weights: A->A"):
        plot.connectivity(net)
    with pytest.raises(ValueError, match="populations is 'B'; it must be one of 'A'"):
        plot.connectivity(net, "B")


# ---------------------------------------------------------------------------------------- confusion


def test_a_confusion_matrix_is_in_percent_of_each_class():
    counts = np.array([[30, 10, 0], [0, 0, 0], [1, 0, 399]])
    figure = plot.confusion(counts, ["a", "b", "$c"])
    axis, _ = figure.axes
    share = np.array(axis.images[0].get_array())
    np.testing.assert_allclose(share, [[75, 25, 0], [0, 0, 0], [0.25, 0, 99.75]])
    written = {text.get_position(): text.get_text() for text in axis.texts}
    assert written == {(0, 0): "75", (1, 0): "25", (2, 2): "100"}
    assert figure.get_suptitle() == "accuracy 97.5 % of 440 trials"
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b", "\\$c"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted class", "class")
    many = plot.confusion(np.eye(60, dtype=int)).axes[0]
    assert not many.texts and len(many.get_xticks()) == 20


# ---------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda s: plot.raster(None), "recording is None; it must be the Trace .* or a dict"),
        (lambda s: plot.rates([s]), "recording is .*; it must be the Trace"),
        (lambda s: plot.rates({}), "the recording holds no spikes"),
        (lambda s: plot.rates({1: s}), "a name of recording is 1"),
        (lambda s: plot.rates({"A": [1.0]}), r"recording\['A'\] is"),
        (lambda s: plot.rates({"A": s}, "B"), "populations has 'B', and there are spikes of A"),
        (lambda s: plot.rates({"A": s}, []), "populations is empty; give some of A"),
        (lambda s: plot.rates(s, trial=2), "trial is 2; .* from 0 to 1"),
        (lambda s: plot.rates(s, rate_bin=2), "rate_bin is 2.0 s; it must be a time in seconds"),
        (lambda s: plot.rates(s, rate_bin=0), "rate_bin is 0.0 s"),
        (lambda s: plot.raster(s, trial=2), "trial is 2; .* from 0 to 1"),
        (lambda s: plot.raster(s, units=0), "units is 0"),
        (lambda s: plot.raster(s, stop=300), "stop 300 s; they must be times in seconds"),
        (lambda s: plot.spectrum(s, segment=3e-3), "segment is 0.003 s, 3 steps of 0.001 s; .* 8"),
        (lambda s: plot.spectrum(s, segment=1.0), "at most the 500 steps of a trial"),
        (lambda s: plot.spectrum(s, rate_bin=0.1), "segment is 0.5 s, 5 steps"),
        (
            lambda s: plot.confusion(bs.Evaluation(0.1, 0.5, np.zeros(2), {})),
            "plot.confusion.found.confusion",
        ),
        (lambda s: plot.correlograms(s, reach=1.0), "reach is 1.0 s"),
        (lambda s: plot.correlograms(s, reach=0.3), "reach is 0.3 s; .* half the duration"),
        (
            lambda s: plot.correlograms(s, reach=0.1, bin_width=3e-3),
            "bin_width is 0.003 s; it must",
        ),
        (lambda s: plot.correlograms(s, units=0), "units is 0"),
        (lambda s: plot.correlograms(s, seed="a"), "seed is 'a'"),
        (lambda s: plot.confusion([1, 2]), r"counts have shape \(2,\); they must be numbers of"),
        (lambda s: plot.confusion([[0]]), "of at least one trial"),
        (lambda s: plot.confusion([[0.5]]), "counts"),
        (lambda s: plot.confusion([[1, -1], [0, 1]]), "they must be numbers of trials"),
        (
            lambda s: plot.confusion([[1]], ["a", "b"]),
            "names has 2 entries, .* classes 0 .. 0",
        ),
        (lambda s: plot.connectivity(s), "network is .*; it must be a Network"),
        (lambda s: plot.style(width=3), "width is 3; it must be a finite number in cm"),
    ],
)
def test_bad_input_says_what_was_given_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call(bs.data.poisson(20.0, 10, 0.5, 2, seed=1))
