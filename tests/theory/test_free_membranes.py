"""The free membrane of a simulation is what copies that never spike do."""

import numpy as np
import pytest

import biosnn as bs
from tests.theory.circuits import SMALL, after_warm_up, measured, small, stabilized


@pytest.mark.parametrize(
    "options",
    [{}, dict(record_spikes=[]), dict(record_spikes=["E"])],
    ids=["recorded", "not recorded", "some"],
)
def test_what_is_called_measured_is_what_copies_that_never_spike_do(options):
    """Of its own spikes, or of those of a circuit that goes on.

    Theory at the measured rates is another thing.
    """
    net, background = stabilized()
    mu, sigma, rates = measured(net, background)
    row = bs.regime(net, background, after_warm_up(net, 2.0, background, **options))["E"]
    assert row.measured.rate == pytest.approx(rates["E"], rel=0.05)
    assert row.measured.mu == pytest.approx(mu, abs=0.01) and row.measured.sigma == pytest.approx(
        sigma, rel=0.03
    )
    assert (
        row.at_rates.sigma == pytest.approx(row.predicted.sigma, rel=0.05)
        and row.at_rates.sigma > 1.2 * row.measured.sigma
    )
    assert row.membrane == (row.measured.mu, row.measured.sigma)


def test_the_free_membrane_of_a_short_simulation_is_that_of_its_continuation():
    net, background = stabilized()
    long, short = (
        bs.regime(net, background, after_warm_up(net, seconds, background))["E"]
        for seconds in (2.0, 0.05)
    )
    assert short.measured.sigma == pytest.approx(
        long.measured.sigma, rel=0.03
    ) and short.measured.mu == pytest.approx(long.measured.mu, abs=0.01)


def test_the_free_membrane_with_background_that_changes_and_readouts():
    """Neurons that never spike have the membrane of their copies.

    At the time of the background at which the simulation began.
    """
    net = bs.Network(1e-3, np.float64)
    e = net.population(
        40, bs.lif(threshold=50.0), "excitatory", name="E", bias=np.linspace(0, 1, 40)
    )
    net.connect(e, net.readout(2))
    net.set_weights("E->readout", np.ones((40, 2)))
    background = [
        bs.Current("E", ([0.0, 0.7], [1.0, 3.0])),
        bs.OrnsteinUhlenbeck("E", 0.5, 0.4, 0.05),
        bs.PoissonInput("E", ([0.0, 0.5], [[500.0] * 40, [2000.0] * 40]), 0.1),
    ]
    warm = bs.simulate(net, 0.8, background=background, progress=False)
    run = bs.simulate(
        net,
        4.0,
        background=background,
        state=warm.state,
        record={"E.U": slice(None)},
        progress=False,
    )
    row = bs.regime(net, background, run)["E"]
    assert row.measured.mu == pytest.approx(row.recorded.mu, rel=0.01) == row.at_rates.mu
    assert row.measured.sigma == pytest.approx(row.recorded.sigma, rel=0.06)


@pytest.mark.statistical
def test_without_the_spikes_of_inputs_there_is_theory_at_the_measured_rates():
    net = small()
    bs.fluctuation_driven(net, assumed_rates=5.0, closed_loop=False, **SMALL)
    options = dict(
        background=SMALL["background"],
        spikes=lambda seconds, seed: bs.data.poisson(5.0, 30, seconds, seed=seed),
    )
    for record, unknown in ((None, "E"), (["x", "I"], "E, I"), (["x", "E", "I"], "")):
        report = bs.regime(
            net, SMALL["background"], after_warm_up(net, 1.5, record_spikes=record, **options)
        )
        text = " ".join(report.warnings)
        assert [name for name in "EI" if np.isnan(report[name].measured.sigma)] == [
            name for name in "EI" if name in unknown
        ], record
        assert ("was not measured" in text) == bool(unknown) and (
            not unknown
            or "record_spikes=[…, 'x']" in text
            or "with the spikes of all populations" in text
        )
        assert np.isfinite([report[name].at_rates.sigma for name in "EI"]).all()
    assert report["E"].measured.sigma == pytest.approx(report["E"].at_rates.sigma, rel=0.35)
    report = bs.regime(
        net, SMALL["background"], after_warm_up(net, 0.5, record_spikes=["x", "E", "I"], **options)
    )
    assert "that takes 1.1 s" in " ".join(report.warnings) and report["E"].membrane == (
        report["E"].at_rates.mu,
        report["E"].at_rates.sigma,
    )


def test_a_background_that_is_not_that_of_the_simulation_is_noticed():
    net, background = stabilized()
    run = after_warm_up(net, 1.2, background)
    assert "is `background` that of the simulation?" in " ".join(
        bs.regime(net, [bs.Current("E", -50.0), bs.Current("I", -50.0)], run).warnings
    )
    assert "is `background`" not in " ".join(bs.regime(net, background, run).warnings)
