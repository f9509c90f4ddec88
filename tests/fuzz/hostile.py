"""Values that nobody should give, by name: each is a function of the objects of a case.

None of them is wrong everywhere: a text fits where a name is meant. What counts is how a call
answers.
"""

import datetime
import enum
import pathlib
from decimal import Decimal
from fractions import Fraction

import numpy as np

import biosnn as bs


class WithDim:
    """Has `dim`, as quantities of Brian2 have, and nothing else."""

    dim = 3


class Tensor:
    """As a torch tensor: dim(), to(), shape, and words of its own where numpy asks for values."""

    shape, dtype = (3,), "float32"

    def dim(self):
        return 1

    def to(self, *args, **kwargs):
        return self

    def __len__(self):
        return 3

    def __array__(self, *args, **kwargs):
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )

    def __float__(self):
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")


class OpenTensor(Tensor):
    """A tensor that numpy can read."""

    def __array__(self, *args, **kwargs):
        return np.ones(3, np.float32)


class Volts:
    """As a quantity of Brian2 that is no time."""

    class dim:
        @staticmethod
        def get_dimension(base):
            return {"metre": 2.0, "kilogram": 1.0, "second": -3.0, "ampere": -1.0}.get(base, 0.0)

    def __array__(self, *args, **kwargs):
        return np.array(2.0)

    def __float__(self):
        return 2.0


class DimensionalityError(Exception):
    """As that of pint, which is no ValueError."""


class Metres:
    """As a quantity of pint that is no time."""

    magnitude = 3.0

    def to(self, unit):
        raise DimensionalityError(f"Cannot convert from 'meter' to '{unit}'")


class Grams:
    """As a quantity of the package quantities that is no time."""

    magnitude = 3.0

    def rescale(self, unit):
        raise ValueError(f'Unable to convert between units of "g" and "{unit}"')


class NoRepr:
    """Its repr fails."""

    def __repr__(self):
        raise RuntimeError("no repr")


class Liar:
    """Has a length, and elements that cannot be had."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise RuntimeError("no element")


class Kind(enum.Enum):
    ONE = 1


class TextOfItsOwn(str):
    pass


def _plain():
    """Values that do not depend on the objects of the case."""
    objects = np.empty(2, object)
    objects[:] = [None, "E"]
    return {
        "None": None,
        "text E": "E",
        "text empty": "",
        "text unknown": "no such thing",
        "text number": "0.5",
        "text long": "x" * 10000,
        "text with zero": "a\0b",
        "text lone surrogate": "\ud800",
        "text of its own class": TextOfItsOwn("E"),
        "np.str_": np.str_("E"),
        "bytes": b"E",
        "bytearray": bytearray(b"E"),
        "True": True,
        "False": False,
        "np.bool_": np.bool_(True),
        "nan": np.nan,
        "inf": np.inf,
        "-inf": -np.inf,
        "-1": -1,
        "0": 0,
        "0.5": 0.5,
        "1.5": 1.5,
        "-0.5": -0.5,
        "1e39": 1e39,
        "1e300": 1e300,
        "1e-300": 1e-300,
        "-0.0": -0.0,
        "2**63": 2**63,
        "-2**63-1": -(2**63) - 1,
        "10**400": 10**400,
        "np.uint64": np.uint64(2**63 + 3),
        "np.int8 3": np.int8(3),
        "np.uint8 200": np.uint8(200),
        "np.float16": np.float16(0.5),
        "np.float32": np.float32(0.5),
        "np.longdouble": np.longdouble(0.5),
        "Fraction": Fraction(1, 3),
        "Decimal": Decimal("0.5"),
        "complex": 1j,
        "np.complex64": np.complex64(1 + 0j),
        "timedelta": datetime.timedelta(seconds=1),
        "np.timedelta64": np.timedelta64(3, "ms"),
        "np.datetime64": np.datetime64("2020-01-01"),
        "[]": [],
        "()": (),
        "[1, 2]": [1, 2],
        "(1, 2)": (1, 2),
        "(1, 2, 3)": (1, 2, 3),
        "['E']": ["E"],
        "['no', 'such']": ["no", "such"],
        "[None]": [None],
        "ragged": [[1], [1, 2]],
        "nested": [[[1.0]]],
        "{}": {},
        "{'a': 1}": {"a": 1},
        "{1: 2}": {1: 2},
        "{'E': None}": {"E": None},
        "set": {1, 2},
        "range": range(3),
        "slice": slice(None),
        "Ellipsis": ...,
        "NotImplemented": NotImplemented,
        "object": object(),
        "class int": int,
        "class Adam": bs.Adam,
        "enum": Kind.ONE,
        "module": np,
        "exception": ValueError("given"),
        "array empty": np.empty(0),
        "array (0, 3)": np.empty((0, 3)),
        "array 0-d": np.array(0.5),
        "array 0-d text": np.array("E"),
        "array 0-d object": np.array(None, object),
        "array ones": np.ones(3),
        "array ints": np.arange(3),
        "array int8": np.array([100, 100, 100], np.int8),
        "array uint64": np.full(3, 2**63 + 3, np.uint64),
        "array float16": np.ones(3, np.float16),
        "array longdouble": np.ones(3, np.longdouble),
        "array 2-d": np.ones((3, 2)),
        "array square": np.ones((3, 3)),
        "array 3-d": np.ones((2, 3, 4)),
        "array 5-d": np.ones((1,) * 5),
        "array nan": np.full(3, np.nan),
        "array inf": np.full(3, np.inf),
        "array negative": np.full(3, -1.0),
        "array huge": np.full(3, 1e39),
        "array text": np.array(["a", "b", "c"]),
        "array bytes": np.array([b"a"]),
        "array flags": np.array([True, False, True]),
        "array complex": np.ones(3, complex),
        "array objects": objects,
        "array fractions": np.array([Fraction(1, 3)] * 3, object),
        "array masked": np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
        "np.ma.masked": np.ma.masked,
        "np.matrix": np.matrix([[1.0, 2.0]]),
        "array datetime": np.array(["2020-01-01"], "datetime64[s]"),
        "array timedelta": np.array([1, 2, 3], "timedelta64[ms]"),
        "array structured": np.zeros(2, [("t", int), ("x", int)]),
        "array big-endian": np.ones(3, ">f8"),
        "memoryview": memoryview(b"abc"),
        "WithDim": WithDim(),
        "Tensor": Tensor(),
        "OpenTensor": OpenTensor(),
        "Volts": Volts(),
        "Metres": Metres(),
        "Grams": Grams(),
        "list of Volts": [Volts(), Volts()],
        "list of Tensor": [Tensor()],
        "NoRepr": NoRepr(),
        "Liar": Liar(),
        "path of nothing": "/no/such/folder/file",
        "path of a folder": "/",
        "path of a device": pathlib.Path("/dev/null"),
    }


HOSTILE = {name: (lambda value: lambda c: value)(value) for name, value in _plain().items()}
HOSTILE |= {
    "lambda": lambda c: lambda: None,
    "lambda (rng, size)": lambda c: lambda rng, size: "text",
    "generator": lambda c: (k for k in "ab"),
    "np Generator": lambda c: np.random.default_rng(0),
    "np RandomState": lambda c: np.random.RandomState(0),
    "self in list": lambda c: _endless(),
    "SpikeTrains": lambda c: c.spikes,
    "SpikeTrains no trials": lambda c: c.spikes[:0],
    "SpikeTrains with ends": lambda c: c.unequal,
    "SpikeTrains silent": lambda c: c.silent,
    "SpikeTrains of 3 units": lambda c: c.other_spikes,
    "SpikeTrains class": lambda c: bs.SpikeTrains,
    "dict of SpikeTrains": lambda c: {"x": c.spikes},
    "dict of others": lambda c: {"no": c.spikes},
    "list of SpikeTrains": lambda c: [c.spikes],
    "network": lambda c: c.net,
    "other network": lambda c: c.other,
    "network without weights": lambda c: c.bare,
    "empty network": lambda c: bs.Network(1e-3),
    "Network class": lambda c: bs.Network,
    "population": lambda c: c.net["E"],
    "population of another": lambda c: c.other["E"],
    "projection": lambda c: c.net.projections[0],
    "projection of another": lambda c: c.other.projections[0],
    "readout": lambda c: c.net["readout"],
    "trace": lambda c: c.trace,
    "trace without tape": lambda c: c.bare_trace,
    "simulation": lambda c: c.simulation,
    "state of a run": lambda c: c.trace.state,
    "state of a simulation": lambda c: c.simulation.state,
    "history": lambda c: c.history,
    "Adam": lambda c: bs.Adam(),
    "Cosine": lambda c: bs.schedules.Cosine(),
    "loss": lambda c: bs.MaxOverTimeCrossEntropy(),
    "spike loss": lambda c: bs.TimeToFirstSpike(),
    "neuron": lambda c: bs.ei_lif(),
    "neuron lif": lambda c: bs.lif(),
    "surrogate": lambda c: bs.SuperSpike(),
    "escape": lambda c: bs.SigmoidEscape(),
    "rule": lambda c: bs.Bernoulli(0.5),
    "Pairs": lambda c: bs.Pairs([0], [1]),
    "Convolution": lambda c: bs.Convolution((1, 4), 1, 2),
    "MaxPool": lambda c: bs.MaxPool((1, 4), 2),
    "family": lambda c: bs.families.Exponential(),
    "distribution": lambda c: bs.Normal(0.2, 0.1),
    "PoissonInput": lambda c: bs.PoissonInput("E", 5.0, 0.1),
    "PoissonInput of none": lambda c: bs.PoissonInput("no", 5.0, 0.1),
    "Current": lambda c: bs.Current("E", 0.1),
    "penalty": lambda c: bs.WeightPenalty(0.1),
    "bound": lambda c: bs.upper_bound(0.1, 4),
    "constraint": lambda c: bs.WeightConstraint(high=1.0),
    "augmentation": lambda c: bs.Drop(0.1),
    "plasticity": lambda c: bs.TsodyksMarkram(),
    "stdp": lambda c: bs.InhibitorySTDP(0.1, 5.0),
    "report": lambda c: c.report,
}


def _endless():
    endless = []
    endless.append(endless)
    return endless


#: Values that hold NaN themselves, or numbers so large that sums of them are infinite.
NOT_FINITE = {"nan", "array nan", "inf", "-inf", "array inf"}
