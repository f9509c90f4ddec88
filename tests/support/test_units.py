"""Quantities of Brian2, pint and quantities where seconds or hertz are meant. The last two are
imitated: they need not be installed.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.support.units import hertz, seconds

UNITS = {
    "s": (1.0, "time"),
    "ms": (1e-3, "time"),
    "second": (1.0, "time"),
    "Hz": (1.0, "rate"),
    "hertz": (1.0, "rate"),
    "kHz": (1e3, "rate"),
    "mV": (1e-3, "voltage"),
}


class Pint:
    """As pint.Quantity: to(unit) converts, magnitude is the number; DimensionalityError is a
    TypeError.
    """

    def __init__(self, magnitude, unit):
        self.magnitude, self.unit = magnitude, unit

    def to(self, unit):
        if UNITS[unit][1] != UNITS[self.unit][1]:
            raise TypeError(f"Cannot convert from '{self.unit}' to '{unit}'")
        return Pint(self.magnitude * UNITS[self.unit][0] / UNITS[unit][0], unit)


class Quantities(np.ndarray):
    """As quantities.Quantity: an array with rescale(unit) and magnitude; a wrong unit is a
    ValueError.
    """

    def __new__(cls, data, unit):
        array = np.array(data, float).view(cls)
        array.unit = unit
        return array

    @property
    def magnitude(self):
        return self.view(np.ndarray)

    def rescale(self, unit):
        if UNITS[unit][1] != UNITS[self.unit][1]:
            raise ValueError(f"Unable to convert between units of {self.unit} and {unit}")
        return Quantities(self.magnitude * UNITS[self.unit][0] / UNITS[unit][0], unit)


def brian2(number, unit):
    b2 = pytest.importorskip("brian2")
    return number * {"s": b2.second, "ms": b2.ms, "Hz": b2.Hz, "kHz": b2.kHz, "mV": b2.mV}[unit]


@pytest.mark.parametrize("quantity", [Pint, Quantities, brian2])
def test_numbers_and_arrays(quantity):
    assert (
        seconds(quantity(10.0, "ms")) == pytest.approx(10e-3, rel=1e-15)
        and type(seconds(quantity(10.0, "ms"))) is float
    )
    assert hertz(quantity(2.0, "kHz")) == 2000.0
    array = seconds(quantity(np.array([1.0, 2.0]), "ms"))
    assert type(array) is np.ndarray and np.allclose(array, [1e-3, 2e-3], rtol=1e-15)
    assert np.allclose(seconds([quantity(1.0, "ms"), quantity(2.0, "s")]), [1e-3, 2.0])
    for convert, wrong, words in (
        (
            seconds,
            quantity(3.0, "mV"),
            "delay is .* not a time; give a number of seconds, or a quantity such as 10",
        ),
        (seconds, quantity(3.0, "Hz"), "not a time"),
        (
            hertz,
            quantity(3.0, "ms"),
            r"not a rate; give a number of hertz, or a quantity such as 5\*Hz",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            convert(wrong, "delay")


def test_plain_numbers_pass_untouched():
    array = np.arange(3.0)
    assert (
        seconds(array) is array
        and seconds(2) == 2
        and seconds(None) is None
        and hertz(np.float32(3)) == 3
    )


@pytest.mark.parametrize("quantity", [Pint, Quantities, brian2])
def test_a_network_with_units_is_the_network_without(quantity):
    def build(ms, hz):
        net = bs.Network(dt=ms(1.0))
        x = net.input(20)
        a = net.population(
            3,
            bs.lif(tau_mem=ms(20.0), tau_syn=ms(np.array([8.0, 9.0, 10.0])), refractory=ms(2.0)),
            name="A",
        )
        net.connect(x, a, delay=ms(3.0), weights=np.full((20, 3), 0.4), receptor="exc")
        net.connect(a, net.readout(2, tau_mem=ms(100.0)), weights=np.ones((3, 2)))
        return net, bs.data.poisson(hz(20.0), 20, ms(300.0), seed=1)

    (plain, spikes), (net, others) = (
        build(lambda x: x * 1e-3, lambda x: x),
        build(lambda x: quantity(x, "ms"), lambda x: quantity(x, "Hz")),
    )
    assert np.array_equal(spikes.times, others.times) and plain.fingerprint() == net.fingerprint()
    mine, other = bs.run(plain, spikes), bs.run(net, others)
    assert mine.counts["A"].sum() > 0 and np.array_equal(
        mine.states["readout.U"], other.states["readout.U"]
    )
    trains = bs.SpikeTrains.from_events(
        quantity(np.array([5.0, 1.0]), "ms"),
        [0, 1],
        [0, 0],
        n_trials=1,
        n_units=2,
        duration=quantity(10.0, "ms"),
    )
    assert np.allclose(trains.times, [1e-3, 5e-3]) and trains.duration == pytest.approx(10e-3)


@pytest.mark.parametrize("quantity", [Pint, Quantities, brian2])
def test_units_of_plasticity_statistics_and_data(quantity):
    ms, hz = (lambda x: quantity(x, "ms")), (lambda x: quantity(x, "Hz"))
    assert bs.TsodyksMarkram(0.5, ms(800.0), ms(100.0)) == bs.TsodyksMarkram(0.5, 0.8, 0.1)
    assert bs.InhibitorySTDP(0.1, hz(3.0), ms(20.0)) == bs.InhibitorySTDP(0.1, 3.0, 20e-3)
    spikes = bs.data.poisson(50.0, 20, 0.3, 5, seed=1)
    for function, width in (
        (bs.stats.synchrony, 10.0),
        (bs.stats.fano_factor, 50.0),
        (bs.stats.rate_over_time, 30.0),
    ):
        np.testing.assert_allclose(
            function(spikes, ms(width)), function(spikes, width * 1e-3), rtol=1e-12
        )
    for make in (bs.data.randman, bs.data.spaghetti):
        one, other = (
            make(
                n_classes=2,
                n_units=10,
                n_spikes=5,
                samples_per_class=3,
                duration=duration,
                active=active,
                seed=0,
            )
            for duration, active in ((0.3, 0.2), (ms(300.0), ms(200.0)))
        )
        np.testing.assert_allclose(one.times, other.times, rtol=1e-6)
    net = bs.Network(1e-3)
    net.connect(net.input(20), net.population(3, bs.lif(), name="A"), weights=np.ones((20, 3)))
    done = bs.simulate(
        net, ms(100.0), bs.data.poisson(20.0, 20, 0.1, seed=1), rate_bin=ms(20.0), progress=False
    )
    assert done.binned["A"].size == 5 and done.rate_bin == pytest.approx(0.02)


@pytest.mark.parametrize("quantity", [Pint, Quantities, brian2])
def test_a_wrong_dimension_says_where(quantity):
    net = bs.Network(1e-3)
    x, a = net.input(2), net.population(1, bs.lif(), name="A")
    for call, words in (
        (lambda: bs.Network(quantity(1.0, "mV")), "dt is"),
        (lambda: net.connect(x, a, delay=quantity(1.0, "Hz")), "delay is"),
        (lambda: bs.lif(tau_mem=quantity(1.0, "mV")), "time constant mem is"),
        (lambda: bs.lif(refractory=quantity(1.0, "Hz")), "refractory is"),
        (lambda: bs.data.poisson(quantity(1.0, "ms"), 2, 1.0, seed=0), "rates is"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
