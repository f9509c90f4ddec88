"""The regime of a circuit in words: what is said, and what is not."""

import numpy as np
import pytest

import biosnn as bs
from tests.theory.circuits import NEURONS, after_warm_up, stabilized


def test_warnings_in_words():
    net = bs.Network(1e-4)
    for name in ("quiet", "fast"):
        net.population(10, NEURONS["delta"], name=name)
    report = bs.regime(net, [bs.Current("fast", 0.5), bs.PoissonInput("quiet", 100.0, 0.1e-3)])
    text = " ".join(report.warnings)
    assert (
        "quiet is silent" in text
        and "fast is saturated" in text
        and "fast is unbalanced" not in text
    )
    assert report["fast"].predicted.rate == pytest.approx(
        1 / (2e-3 + 20e-3 * np.log(0.49 / 0.48)), rel=1e-6
    )
    assert "threshold" in str(report)


def test_too_few_spikes_are_no_reason_for_a_warning():
    """1000 unconnected neurons of 1.5 Hz.

    A second says nothing about their intervals, thirty agree with theory.
    """
    net, neuron = bs.Network(1e-3), bs.lif(tau_mem=20e-3, tau_syn=5e-3)
    net.population(1000, neuron, name="E")
    background = [bs.PoissonInput("E", 1500.0, 0.107)]
    reports = {
        seconds: bs.regime(net, background, after_warm_up(net, seconds, background))
        for seconds in (0.1, 1.0, 30.0)
    }
    for seconds, report in reports.items():
        assert not report.warnings, (seconds, report.warnings)
        assert 1.0 < report["E"].measured.rate < 2.2
    row = reports[30.0]["E"]
    assert row.measured.cv == pytest.approx(0.9, abs=0.06) and row.measured.errors.cv < 0.01
    assert (
        "few" in str(reports[0.1]).split("few:")[0]
        and "few" not in str(reports[30.0]).split("few:")[0]
    )
    short = reports[1.0]["E"].measured
    assert (
        abs(short.cv - row.measured.cv) < 3 * short.errors.cv
        and "few" in str(reports[1.0]).split("few:")[0]
    )
    net = bs.Network(1e-3)
    net.population(
        3, neuron, name="E"
    )  # no spike in 0.1 s of three neurons: not silent, as far as one can tell
    run = after_warm_up(net, 0.1, background)
    assert run.counts["E"] == 0 and not bs.regime(net, background, run).warnings


def test_few_spikes_in_short_windows_do_not_hide_what_is_plain():
    """A clock is regular after a quarter of a second.

    And so is a population that spikes together synchronous.
    """
    net = bs.Network(1e-3)
    net.population(50, bs.lif(), name="E")
    report = bs.regime(
        net, [bs.PoissonInput("E", 2000.0, 0.05)], after_warm_up(net, 0.25, [bs.Current("E", 2.0)])
    )
    text = " ".join(report.warnings)
    assert (
        report["E"].measured.cv < 0.05
        and "E is synchronous: chi = 1.00" in text
        and "more regular" in text
    )
    quiet = bs.Network(1e-3)
    quiet.population(1000, bs.lif(), name="E")
    background = [bs.PoissonInput("E", 1500.0, 0.08)]
    text = " ".join(bs.regime(quiet, background, after_warm_up(quiet, 0.2)).warnings)
    assert (
        "E is silent: it fires at 0 Hz" in text and "background" in text
    ) or "E fires at 0 Hz where theory has" in text


def test_ordinary_circuits_are_balanced():
    """The four states of Brunel's model A, driven by excitation from outside.

    Without enough inhibition they are not. CUBA and COBA: test_models.
    """

    def brunel(g, eta):
        net, neuron = bs.Network(1e-4), NEURONS["delta"]
        e, i = (
            net.population(1000, neuron, "excitatory", name="E"),
            net.population(250, neuron, "inhibitory", name="I"),
        )
        for k, post in enumerate((e, i)):
            net.connect(
                e, post, delay=1.5e-3, weights=0.1e-3, synapses=bs.FixedInDegree(1000), seed=k
            )
            net.connect(
                i,
                post,
                delay=1.5e-3,
                weights=g * 0.1e-3,
                synapses=bs.FixedInDegree(250),
                seed=k + 2,
            )
        return bs.regime(net, [bs.PoissonInput(name, eta * 10e3, 0.1e-3) for name in "EI"])

    for g, eta in ((3.0, 2.0), (6.0, 4.0), (5.0, 2.0), (4.5, 0.9)):
        report = brunel(g, eta)
        assert (
            "unbalanced" not in " ".join(report.warnings) and 0.5 < report["E"].cancelled < 0.95
        ), (g, eta)
    assert "saturated" in " ".join(brunel(3.0, 2.0).warnings)
    assert brunel(0.5, 1.5)["E"].cancelled < 0.2 and "saturated" in " ".join(
        brunel(0.5, 1.5).warnings
    )


def test_a_circuit_that_its_mean_drives_is_unbalanced():
    net, _ = stabilized(inhibition=0.01)
    net.set_weights("E->E", 0.001)
    currents = [bs.Current(name, 4.0) for name in "EI"]
    report = bs.regime(net, currents, after_warm_up(net, 1.2, currents))
    text = " ".join(report.warnings)
    assert (
        "E is unbalanced: excitation prevails. Inhibition cancels " in text
        and "above the threshold 1: its mean makes it fire" in text
    )
    assert 0 < report["E"].cancelled < 0.3 and report["E"].measured.mu > 3
    strong, _ = stabilized()
    assert "unbalanced" not in " ".join(
        bs.regime(strong, currents, after_warm_up(strong, 1.2, currents)).warnings
    )
    alone = bs.Network(1e-3)
    alone.population(10, bs.lif(), name="E")
    assert (
        np.isnan(bs.regime(alone, [bs.Current("E", 4.0)])["E"].cancelled)
        and not bs.regime(alone, [bs.Current("E", 4.0)]).warnings
    )


def test_the_table_fits_into_eighty_columns():
    from rich.console import Console

    net, neuron = bs.Network(1e-4), NEURONS["conductance"]
    e, i = (
        net.population(80, neuron, "excitatory", name="excitatory cells of layer four"),
        net.population(20, neuron, "inhibitory", name="I"),
    )
    for post in (e, i):
        net.connect(e, post, weights=0.1, synapses=bs.FixedInDegree(8), seed=1)
        net.connect(i, post, weights=1.1, synapses=bs.FixedInDegree(2), seed=2)
    background = [bs.PoissonInput(p, 5000.0, 0.02) for p in (e, i)]
    console = Console(width=80, record=True, file=open("/dev/null", "w"))
    report = bs.regime(net, background, after_warm_up(net, 1.2, background))
    console.print(report)
    text = console.export_text()
    assert "…" not in text and "measured" in text and "theory*: at the measured rates" in text
    assert "theory*: at the measured rates" in repr(report) and "theory*:" in report._repr_html_()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(network="net"), "network is 'net'; it must be a Network"),
        (dict(simulation=1), "simulation is 1; it must be what simulate returns"),
        (dict(bin_width=None), "bin_width is None; it must be a finite number in seconds"),
        (dict(bin_width=1e-5), "bin_width is 1e-05; .* >= 0.0001"),
        (dict(rates="5 Hz"), "rates is '5 Hz'; it must be a finite number in hertz"),
        (dict(rates={"x": None}), "the rate of 'x' is None"),
        (dict(rates={"x": np.ones(3)}), "the rate of 'x' is an array of shape"),
        (dict(background={"E": 1.0}), "background is {'E': 1.0}; it must be a list"),
    ],
)
def test_arguments_of_regime(arguments, words):
    net = bs.Network(1e-4)
    net.connect(
        net.input(3, name="x"), net.population(2, bs.lif(), name="E"), weights=np.ones((3, 2))
    )
    with pytest.raises(ValueError, match=words):
        bs.regime(**{"network": net, "rates": 5.0} | arguments)


def test_what_is_no_part_of_the_theory_is_noted():
    net = bs.Network(1e-3)
    net.population(5, bs.bounded(bs.lif(), low=-0.2), name="E", noise=bs.SigmoidEscape(20))
    net.population(5, bs.lif(), name="plain")
    text = " ".join(bs.regime(net, [bs.Current("E", 1.2), bs.Current("plain", 1.2)]).warnings)
    assert (
        "E has escape noise, SigmoidEscape" in text
        and "membrane of E is held between -0.2 and inf" in text
        and "plain" not in text
    )


def test_regime_says_what_it_needs():
    net = bs.Network(1e-3)
    with pytest.raises(ValueError, match="no spiking populations"):
        bs.regime(net)
    net.connect(net.input(3), net.population(2, bs.lif(), name="E"), weights=np.ones((3, 2)))
    with pytest.raises(ValueError, match="rates has imput; the network has only the inputs input"):
        bs.regime(net, rates={"input": 1.0, "imput": 1.0})
