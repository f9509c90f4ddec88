"""Which points a sweep has, their seeds, and what they are known by."""

import copy
import functools
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import kstest

import biosnn as bs
from biosnn.experiments import function_version, points
from tests.experiments import functions
from tests.experiments.functions import generated, helped, noisy, square


def jobs(function, grid, seeds=1, seed=0, paired=True):
    known = function_version.described(function)
    return points.jobs(function, known, points.combinations(grid), seeds, seed, paired)


def test_every_combination_is_there_once_the_last_name_varies_fastest():
    found = points.combinations({"a": np.array([1, 2]), "b": ("u", "v", "w"), "c": 0.5})
    assert found == [{"a": a, "b": b, "c": 0.5} for a in (1, 2) for b in ("u", "v", "w")]
    assert type(found[0]["a"]) is int


def test_a_list_of_points_stays_in_its_order():
    rows = [{"x": 3, "y": 1.0}, {"y": 2.0, "x": 1}]
    assert points.combinations(rows) == [{"x": 3, "y": 1.0}, {"x": 1, "y": 2.0}]


@pytest.mark.parametrize(
    "grid, words",
    [
        ([], "no points"),
        ({"x": []}, "is empty"),
        ([{"x": 1}, {"y": 1}], "different parameters"),
        ({"x": [np.nan]}, "numbers, texts"),
        ({"x": [bs.lif()]}, "columns of the table"),
        ({"x": np.ones((2, 2))}, "one axis"),
        ({"seed": [1]}, "give seeds"),
        ({"two words": [1]}, "name of an argument"),
        ("x", "dict of lists"),
        (3, "dict of lists"),
    ],
)
def test_what_is_no_grid_is_refused(grid, words):
    with pytest.raises(ValueError, match=words):
        points.combinations(grid)


@pytest.mark.parametrize(
    "function, grid, seeds, words",
    [
        (square, {"y": [1]}, 1, "cannot be called"),
        (square, {}, 1, "cannot be called"),
        (square, {"x": [1]}, 2, "no argument named seed"),
        (square, {"x": [1, 1.0]}, 1, "twice"),
        (noisy, {"x": [1]}, [1, 1], "different whole numbers"),
        (noisy, {"x": [1]}, 0, ">= 1"),
        (noisy, {"x": [1]}, [-1], ">= 0"),
    ],
)
def test_points_that_the_function_cannot_compute_are_refused(function, grid, seeds, words):
    with pytest.raises(ValueError, match=words):
        jobs(function, grid, seeds)


def test_seeds_are_streams_of_seed_and_index():
    few, many = (jobs(noisy, {"x": [1, 2]}, n) for n in (2, 3))
    of_x = {x: [job.seed for job in many if job.parameters["x"] == x] for x in (1, 2)}
    assert of_x[1] == of_x[2] and len(set(of_x[1])) == 3  # paired
    assert [job.seed for job in few][:2] == of_x[1][:2]  # more seeds: the first are the same
    assert all(0 <= seed < 2**53 for seed in of_x[1])
    other = jobs(noisy, {"x": [1, 2]}, 3, seed=1)
    assert not {job.seed for job in many} & {job.seed for job in other}


def test_seeds_of_points_that_are_not_paired_differ_and_need_no_order():
    forward = jobs(noisy, {"x": [1, 2, 3]}, 4, paired=False)
    backward = jobs(noisy, {"x": [3, 2, 1]}, 4, paired=False)
    assert len({job.seed for job in forward}) == 12
    assert {job.key: job.seed for job in forward} == {job.key: job.seed for job in backward}


def test_given_seeds_reach_the_function_as_they_are():
    found = bs.sweep(noisy, {"x": [1]}, seeds=[7, 0], executor=1, progress=False)
    assert found["seed_given"].tolist() == [7, 0] == found["seed"].tolist()
    drawn = bs.sweep(generated, {"x": [1]}, seeds=[7], executor=1, progress=False)
    assert drawn["sum"][0] == 1 + np.random.default_rng(7).random()


def test_a_key_follows_from_values_alone():
    one = jobs(lambda a, b: 0, [{"a": 1, "b": 2.5}])[0].key
    assert jobs(lambda a, b: 0, [{"b": np.float64(2.5), "a": 1.0}])[0].key == one
    assert jobs(lambda a, b: 0, [{"a": 1, "b": 2.25}])[0].key != one
    assert jobs(lambda a, b: 1, [{"a": 1, "b": 2.5}])[0].key != one


# ------------------------------------------------------------------------------------------ version


def made(text, **names):
    """The function f of a source, as if its file had it."""
    import linecache

    file = f"<{hash(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {"__name__": "study", **names}
    exec(compile(text, file, "exec"), space)
    return space["f"]


SOURCE = '''def g(x):
    return x + 1

def f(x):
    """Words."""
    return {"y": g(x) * SCALE}
'''


@pytest.mark.parametrize(
    "old, new, same",
    [
        ("", "", True),
        ("Words.", "Other words.", True),
        ('"y": g(x)', '"y":  g( x )', True),
        ("    return {", "    # a comment\n    return {", True),
        ("g(x) *", "g(x) +", False),
        ("x + 1", "x + 2", False),  # of a function that it calls
    ],
)
def test_a_version_changes_with_the_code_and_not_with_comments(old, new, same):
    changed = made(SOURCE.replace(old, new), SCALE=3)
    versions = [function_version.described(f)[1] for f in (made(SOURCE, SCALE=3), changed)]
    assert (versions[0] == versions[1]) is same


def test_a_version_changes_with_numbers_outside(monkeypatch):
    before = function_version.described(helped)
    monkeypatch.setattr(functions, "FACTOR", 3)
    assert function_version.described(helped) != before
    assert function_version.described(helped, "1") == ("helped", "1")


def network(weight, frozen=False):
    net = bs.Network(dt=1e-3)
    cells = net.population(2, bs.lif(), name="A")
    net.connect(cells, cells, weights=np.full((2, 2), weight), frozen=frozen)
    return net


def trains(time):
    return bs.SpikeTrains.from_units([[time]], duration=1.0)


class Rule:
    """A rule of the user, with numbers."""

    gain = 1

    def __init__(self, value):
        self.value = value


class OtherRule(Rule):
    """The same with another method."""

    def double(self):
        return 2 * self.value


THINGS = {
    "an array": (np.ones(3), np.ones(4)),
    "weights": (network(1.0), network(2.0)),
    "training": (network(1.0), network(1.0, frozen=True)),
    "spikes": (trains(0.1), trains(0.2)),
    "a dict": ({"a": np.ones(2)}, {"a": np.zeros(2)}),
    "a neuron": ([bs.lif()], [bs.lif(tau_mem=0.03)]),
    "an object": (Rule(1), Rule(2)),
    "a class": (Rule, OtherRule),
    "a set": ({"a", "b", "c"}, {"a", "b"}),
    "a sparse matrix": (csr_matrix(np.eye(2)), csr_matrix(2 * np.eye(2))),
}


def with_data(x, gain=1.0, data=None):
    return {"y": x * gain}


def with_default(data):
    def inner(x, *, used=data):
        return {"y": used}

    return inner


def with_closure(data):
    return lambda x: {"y": data}


def with_argument(data):
    return functools.partial(with_data, data=data)


@pytest.mark.parametrize("made_with", [with_default, with_closure, with_argument])
@pytest.mark.parametrize("one, other", THINGS.values(), ids=THINGS)
def test_a_version_changes_with_things_outside(made_with, one, other, recwarn):
    known = function_version.described(made_with(one), kept=True)
    assert known == function_version.described(made_with(copy.deepcopy(one)))
    assert known != function_version.described(made_with(other))
    assert not recwarn.list


def test_versions_are_the_same_in_every_process():
    words = "from tests.experiments import test_points as t; print(t.versions())"
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", words],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == versions(), done.stderr


def versions():
    """Versions of functions that use each of THINGS."""
    return " ".join(function_version.described(with_closure(one))[1] for one, _ in THINGS.values())


def test_a_run_outside_counts_as_what_it_found_and_not_how_long_it_took():
    net = network(1.0)
    options = {"background": [bs.Current("A", 2.0)], "progress": False}
    for run in (
        lambda seconds: bs.simulate(net, seconds, **options),
        lambda seconds: bs.run(net, duration=seconds, currents={"A": 2.0}),
    ):
        one, same, other = (
            function_version.described(with_closure(run(seconds)), kept=True)
            for seconds in (0.05, 0.05, 0.04)
        )
        assert one == same != other


def test_a_number_of_a_partial_counts_beside_a_network():
    net = network(1.0)
    one, other = (
        function_version.described(functools.partial(with_data, gain=gain, data=net))
        for gain in (1.0, 2.0)
    )
    assert one != other


def test_what_cannot_be_told_is_a_warning_where_results_are_stored(recwarn):
    function = with_closure(np.random.default_rng(1))
    function_version.described(function)
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"uses data \(Generator\), and nobody can tell"):
        function_version.described(function, kept=True)


def test_seed_and_generator_of_one_function_are_independent():
    (job,) = jobs(lambda seed, rng: {}, {})
    given = points.arguments(job, ("seed", "rng"))
    assert given["rng"].random() != np.random.default_rng(given["seed"]).random()


@pytest.mark.parametrize("function", [3, "f", int, np.add])
def test_what_has_no_code_is_refused(function):
    with pytest.raises(ValueError, match="function is"):
        function_version.described(function)


# ------------------------------------------------------------------------------------------- design


@pytest.mark.parametrize("method", ["sobol", "halton", "latin_hypercube", "random"])
def test_designs_fill_ranges(method):
    ranges = {"g": (3.0, 8.0), "tau": (1e-3, 0.1), "n": (1, 4)}
    design = bs.experiments.design
    found = design(ranges, 256, method=method, log=["tau"], whole=["n"], seed=3)
    assert len(found) == 256 and list(found[0]) == ["g", "tau", "n"]
    g, tau = (np.array([point[name] for point in found]) for name in ("g", "tau"))
    limit = 0.1 if method == "random" else 0.02
    assert kstest(g, "uniform", (3, 5)).statistic < limit
    assert kstest(np.log(tau), "uniform", (np.log(1e-3), np.log(100))).statistic < limit
    counts = np.bincount([point["n"] for point in found])
    assert counts.size == 5 and counts[1:].min() > 40 and counts[1:].max() < 90
    assert found == design(ranges, 256, method=method, log=["tau"], whole=["n"], seed=3)
    if method != "latin_hypercube":
        assert design(ranges, 32, method=method, log=["tau"], whole=["n"], seed=3) == found[:32]


@pytest.mark.parametrize(
    "ranges, options, words",
    [
        ({"g": (2.0, 1.0)}, {}, "rise"),
        ({"g": (0.0, 1.0)}, {"log": ["g"]}, "above 0"),
        ({"g": (0.5, 2)}, {"whole": ["g"]}, "whole numbers"),
        ({"g": (0, 1)}, {"log": ["h"]}, "one of log"),
        ({"g": 3.0}, {}, "shape"),
        ({}, {}, "a dict"),
        ({"g": (0, 1)}, {"method": "grid"}, "sobol"),
    ],
)
def test_what_is_no_range_is_refused(ranges, options, words):
    with pytest.raises(ValueError, match=words):
        bs.experiments.design(ranges, 4, **options)
