"""Checks of arguments, seeds and warnings."""

import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from biosnn.support import checks, seeds
from biosnn.support.warn import UnitWarning


class Hostile:
    """Whose repr fails."""

    def __repr__(self):
        raise RuntimeError


NO_NUMBERS = [
    None,
    "3",
    b"3",
    True,
    np.True_,
    1j,
    [3],
    (3,),
    np.array([3]),
    {},
    object(),
    int,
    lambda: 3,
    Hostile(),
    Decimal(3),
    np.nan,
]


@pytest.mark.parametrize(
    "given", [7, np.int8(7), np.uint64(7), np.array(7), np.array(7, np.uint16)]
)
def test_whole_numbers_become_int(given):
    found = checks.whole(given, "k", 1, 9)
    assert type(found) is int and found == 7


@pytest.mark.parametrize(
    "given",
    [*NO_NUMBERS, 7.0, np.float32(7), Fraction(7), 0, 10, -1, 2**63, np.uint64(2**63 + 3), np.inf],
)
def test_what_is_no_whole_number_from_1_to_9(given):
    with pytest.raises(ValueError, match=r"^k is .*; it must be a whole number from 1 to 9\.$"):
        checks.whole(given, "k", 1, 9)


def test_whole_numbers_fit_into_64_bits():
    assert checks.whole(2**63 - 1, "k") == 2**63 - 1 and checks.whole(-(2**63), "k") == -(2**63)
    for given in (2**63, np.uint64(2**63), -(2**63) - 1):
        with pytest.raises(ValueError, match="64 bits"):
            checks.whole(given, "k")
    with pytest.raises(ValueError, match="from 0 to 9223372036854775807: there is no more memory"):
        checks.whole(np.uint64(2**63 + 3), "k", 0, why="there is no more memory")


@pytest.mark.parametrize(
    "given, wanted",
    [
        (2, 2.0),
        (np.int8(2), 2.0),
        (np.float32(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        (np.array(1.5), 1.5),
        (np.longdouble(1), 1.0),
    ],
)
def test_real_numbers_become_float(given, wanted):
    found = checks.real(given, "x")
    assert type(found) is float and found == wanted


@pytest.mark.parametrize("given", [*NO_NUMBERS, np.inf, -np.inf, 10**400])
def test_what_is_no_real_number(given):
    with pytest.raises(ValueError, match="^x is .*; it must be a finite number"):
        checks.real(given, "x")


def test_bounds_of_real_numbers():
    assert checks.real(0, "p", 0, 1) == 0 and checks.real(np.inf, "x", infinite=True) == np.inf
    for bounds, wrong in (
        ({"low": 0, "high": 1}, (-1e-9, 1.1)),
        ({"above": 0}, (0, -1)),
        ({"below": 1}, (1, 2)),
        ({"low": 0, "infinite": True}, (np.nan, -1)),
    ):
        for value in wrong:
            with pytest.raises(ValueError, match="^p is"):
                checks.real(value, "p", **bounds)
    with pytest.raises(
        ValueError, match=r"^p is 2; it must be a finite number in hertz > 0 and < 1\.$"
    ):
        checks.real(2, "p", above=0, below=1, unit="hertz")


def test_times_that_can_hardly_be_seconds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checks.time(0.02, "tau", above=0, plausible=1) == 0.02
    with pytest.warns(UnitWarning, match="tau is 20 s.*20e-3") as found:
        assert checks.time(20, "tau", above=0, plausible=1) == 20
    assert Path(found[0].filename) == Path(
        __file__
    )  # it points at the caller, not into the package
    with pytest.raises(ValueError, match="tau is 'a'; it must be a finite number in seconds > 0"):
        checks.time("a", "tau", above=0)
    with pytest.raises(ValueError, match="rate is -1; it must be a finite number in hertz >= 0"):
        checks.rate(-1, "rate")


def test_flags_are_flags():
    assert checks.flag(np.True_, "f") is True and checks.flag(False, "f") is False
    for given in (0, 1, 2, None, "yes", np.int64(1), [True]):
        with pytest.raises(ValueError, match="^f is .*; it must be True or False"):
            checks.flag(given, "f")


def test_arrays_of_whole_numbers():
    found = checks.wholes(np.array([1, 2], np.uint16), "units", 0, 2, shape=(2,))
    assert found.dtype == np.int64 and found.tolist() == [1, 2]
    assert checks.wholes([], "units").size == 0
    for given, words in (
        ([1.0], "not floating-point"),
        ([True], "not flags"),
        (["a"], "not texts"),
        ([[1], [1, 2]], "array of whole"),
        ([None], "array of whole"),
        ([3], "run from 3 to 3; they must be whole numbers from 0 to 2"),
        (np.array([2**63], np.uint64), "from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=f"^units .*{words}"):
            checks.wholes(given, "units", 0, 2)
    with pytest.raises(ValueError, match="64 bits"):
        checks.wholes(np.array([2**63], np.uint64), "units")
    with pytest.raises(ValueError, match=r"units has shape \(1, 2\); it must be \(any,\)"):
        checks.wholes([[1, 2]], "units", shape=(None,))


def test_arrays_of_real_numbers():
    given = np.array([0.5, 1.0])
    assert checks.reals(given, "w") is given
    assert checks.reals([1, 2], "w", dtype=np.float32).dtype == np.float32
    for values, words in (
        ([0, np.nan], "value nan at 1"),
        ([[0, np.inf]], r"value inf at \(0, 1\)"),
        ([-1], "value -1 at 0.*>= 0"),
        ([1j], "not complex"),
        ("text", "not texts"),
        ([object()], "array of real"),
        (np.datetime64("2020-01-01"), "of type"),
    ):
        with pytest.raises(ValueError, match=f"^w .*{words}"):
            checks.reals(values, "w", 0)
    with pytest.raises(ValueError, match="value 1e.39; float32 holds numbers up to 3.4e.38"):
        checks.reals([1e39], "w", dtype=np.float32)  # finite as given, not as stored
    with pytest.raises(ValueError, match="without masked elements"):
        checks.reals(np.ma.array([1.0, 2.0], mask=[False, True]), "w")
    assert checks.reals(np.ma.array([1.0, 2.0]), "w").tolist() == [1, 2]


def test_choices_instances_lists_and_paths():
    assert checks.choice("b", "mode", ("a", "b")) == "b"
    for given in ("c", None, 1, ["a"], np.array(["a", "b"])):
        with pytest.raises(ValueError, match="mode is .*; it must be one of 'a', 'b'"):
            checks.choice(given, "mode", ("a", "b"))
    with pytest.raises(ValueError, match="net is the class int; it must be a number"):
        checks.instance(int, "net", str, "a number")
    assert checks.several(iter([1, 2]), "record", "'E.U'") == (1, 2)
    for given in (None, "E.U", {"E.U": 1}, 3):
        with pytest.raises(ValueError, match="must be a list, such as"):
            checks.several(given, "record", "'E.U'")
    assert checks.path("a/b", "out") == Path("a/b")
    for given in (None, 3, "", "a\0b", b"a", ["a"]):
        with pytest.raises(ValueError, match="out is .*; it must be a path"):
            checks.path(given, "out")


def test_messages_stay_short():
    for given in (
        "x" * 10**6,
        list(range(10**6)),
        np.zeros((1000, 1000)),
        Hostile(),
        dict.fromkeys(range(1000), "y" * 100),
    ):
        with pytest.raises(ValueError) as error:
            checks.whole(given, "k", 1)
        assert len(str(error.value)) < 160


# -------------------------------------------------------------------------------------------- seeds


def test_seeds():
    assert seeds.whole_seed(np.int8(5)) == 5 and seeds.whole_seed(
        np.random.default_rng(0)
    ) == seeds.whole_seed(np.random.default_rng(0))
    rng = np.random.default_rng(3)
    assert seeds.generator(rng) is rng
    assert seeds.generator(3).integers(1 << 40) == np.random.default_rng(3).integers(1 << 40)
    for given in (None, -1, 1.5, "a", True, [1]):
        with pytest.raises(
            ValueError, match="seed is .*; it must be a whole number >= 0, or a numpy Generator"
        ):
            seeds.generator(given)


@pytest.mark.statistical
def test_streams_of_one_seed_are_independent():
    assert seeds.stream(1, "E->E", "targets").integers(1 << 60) == seeds.stream(
        1, "E->E", "targets"
    ).integers(1 << 60)
    draws = [
        seeds.stream(seed, *names).standard_normal(4000)
        for seed in (0, 1)
        for names in (
            ("E->E", "targets"),
            ("E->I", "targets"),
            ("E->E", "weights"),
            ("E->Etargets",),
            ("E->E", "", "targets"),
        )
    ]
    correlations = np.corrcoef(draws)[np.triu_indices(len(draws), 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)
    assert stats.kstest(np.concatenate(draws), "norm").pvalue > 1e-3


# ------------------------------------------------------------------- what looks like something else


class Tensor:
    """Has `dim` and `to` as torch tensors do, and refuses numpy in words of its own."""

    def dim(self):
        return 1

    def to(self, *args):
        return self

    def __array__(self, *args, **kwargs):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


class Volts:
    """A quantity of Brian2 that is no time."""

    class dim:
        @staticmethod
        def get_dimension(base):
            return {"metre": 2.0, "kilogram": 1.0, "second": -3.0, "ampere": -1.0}.get(base, 0.0)

    def __array__(self, *args, **kwargs):
        return np.array(2.0)


def test_what_looks_like_a_quantity_or_a_number():
    with pytest.raises(
        ValueError, match="tau is of type Tensor; it must be a finite number in seconds > 0"
    ):
        checks.time(Tensor(), "tau", above=0)
    with pytest.raises(
        ValueError, match="w is of type Tensor; it must be an array of real numbers"
    ):
        checks.reals(Tensor(), "w")
    with pytest.raises(ValueError, match="which is not a time"):
        checks.time(Volts(), "tau")
    for given in (Volts(), [Volts(), Volts()]):
        with pytest.raises(ValueError, match="an array of real numbers without a unit"):
            checks.reals(given, "w")
    for check in (checks.whole, checks.real, checks.reals, checks.wholes):
        with pytest.raises(ValueError):
            check(np.timedelta64(3, "ms"), "k")
    assert str(checks.real(-0.0, "x")) == "0.0"
    with pytest.raises(ValueError, match="not flags"):
        checks.reals([True, False], "mask")
    assert checks.reals([True, False], "mask", flags=True).tolist() == [1.0, 0.0]


def test_texts_and_paths():
    assert checks.texts("E", "names", "'E'") == ("E",) and checks.texts(
        ["E", np.str_("I")], "names", "'E'"
    ) == ("E", "I")
    for given in (None, 3, [1], {"E": 1}, b"E", np.array("E"), ["E", None]):
        with pytest.raises(ValueError, match="names"):
            checks.texts(given, "names", "'E'")
    with pytest.raises(
        ValueError, match="out is .*; it must be a path: file names have no such characters"
    ):
        checks.path("\ud800", "out")
