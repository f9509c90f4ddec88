"""Processes that do one task together: exchanges, sums in order, errors on one of them."""

import sys
import threading

import numpy as np
import pytest

from biosnn.support import progress
from biosnn.support.ranks import ALONE, Ranks
from tests.support.communicators import Communicator, on_ranks


def joined(work):
    """work(ranks) as a task that all processes end alike."""

    def one(communicator):
        ranks = Ranks(communicator)
        with ranks.together():
            return work(ranks)

    return one


@pytest.fixture(autouse=True)
def own_hook(monkeypatch):
    """What prints errors is put back afterwards."""
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)


def test_alone_nothing_is_sent():
    total = np.zeros(3)
    with ALONE.together():
        assert ALONE.exchange(5) == [5] and ALONE.on_first(lambda: 6) == 6
        ALONE.in_turn(total, lambda piece: total.__setitem__(piece, 7))
        ALONE.check_same({"a": 1}, "")
    assert np.array_equal(total, [7, 7, 7]) and ALONE.is_first


@pytest.mark.parametrize("size", [2, 3, 5])
def test_sums_have_the_order_of_the_ranks(size):
    """Floating-point sums depend on it; pieces of any size and a rest."""
    n = 200_001
    own = np.random.default_rng(0).normal(size=(size, n)).astype(np.float32)
    own *= np.float32(10) ** np.arange(-3, size - 3, dtype=np.float32)[:, None]
    expected = np.zeros(n, np.float32)
    for each in own:
        expected += each

    def work(ranks):
        total = np.zeros(n, np.float32)
        ranks.in_turn(
            total, lambda piece: np.add(total[piece], own[ranks.rank, piece], total[piece])
        )
        return total

    found = on_ranks(size, joined(work))
    assert all(np.array_equal(each, expected) for each in found)
    assert size == 2 or not np.array_equal(own[::-1].sum(axis=0), expected)


def test_exchanges_are_alike_on_all():
    found = on_ranks(3, joined(lambda ranks: (ranks.exchange(ranks.rank**2), ranks.size)))
    assert found == [([0, 1, 4], 3)] * 3
    assert on_ranks(3, joined(lambda ranks: ranks.on_first(lambda: ranks.rank))) == [0, 0, 0]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_all_get_the_columns_of_each(size):
    """In any order; a process may have none."""
    rng = np.random.default_rng(size)
    owner, whole = rng.integers(min(size, 4), size=50), rng.random((3, 50))

    def work(ranks):
        values = np.where(owner == ranks.rank, whole, -1)
        ranks.complete(values, owner)
        none, line = np.empty((1, 0)), np.where(owner == ranks.rank, np.arange(50), 0)
        ranks.complete(none, np.empty(0, np.int64))
        ranks.complete(line, owner)
        return values, line

    for values, line in on_ranks(size, joined(work)):
        assert np.array_equal(values, whole) and np.array_equal(line, np.arange(50))


def test_arrays_are_swapped():
    def work(ranks):
        found = np.empty(6, np.int32)
        ranks.swap(np.full(2, ranks.rank, np.int32), found)
        return found.tolist()

    assert on_ranks(3, joined(work)) == [[0, 0, 1, 1, 2, 2]] * 3


class Unsendable(Exception):
    """An error that cannot be sent: nothing pickles a lock."""

    def __init__(self, words):
        super().__init__(words)
        self.lock = threading.Lock()


@pytest.mark.parametrize("where", ["before", "between", "after"])
@pytest.mark.parametrize(
    "error, copy", [(ValueError("no"), ValueError), (Unsendable("no"), RuntimeError)]
)
def test_an_error_of_one_process_is_raised_on_all(where, error, copy):
    """Wherever it comes, and before any exchange, too: nobody waits."""

    def work(ranks):
        fail = ranks.rank == 1
        if fail and where == "before":
            raise error
        ranks.exchange(None)
        if fail and where == "between":
            raise error
        ranks.on_first(lambda: 1)
        if fail:
            raise error

    found = on_ranks(3, joined(work))
    assert found[1] is error
    assert all(type(found[k]) is copy and str(error) in str(found[k]) for k in (0, 2))


def test_an_error_is_printed_once(capsys):
    found = on_ranks(2, joined(lambda ranks: 1 / ranks.rank))
    assert [type(each) for each in found] == [ZeroDivisionError] * 2
    for each in found:
        sys.excepthook(type(each), each, None)
    assert capsys.readouterr().err.count("division by zero") == 1


def test_what_differs_is_named_on_all():
    def work(ranks):
        ranks.check_same({"seed": 3, "data": "ab"}, "Never said.")
        ranks.check_same({"seed": 3, "data": ranks.rank // 2}, "Give a seed.")

    found = on_ranks(3, joined(work))
    assert {type(each) for each in found} == {ValueError}
    expected = "differ in data (0 on rank 0, 1 on rank 2). Give a seed."
    assert all(str(each).endswith(expected) for each in found)


def test_the_first_ctrl_c_on_one_process_ends_the_work_of_all():
    """Also of those that have not been told, and of none after the last exchange."""

    def work(ranks):
        pressed = ranks.interrupted(lambda: ranks.rank == 2)

        def throw():
            if ranks.rank == 2:
                raise progress.ThrownAway
            return ranks.exchange(1)

        before = pressed()
        return before, ranks.unless_interrupted(throw), pressed(), ranks.exchange("on")

    assert on_ranks(3, joined(work)) == [(False, None, True, ["on"] * 3)] * 3


def test_a_second_ctrl_c_aborts_all():
    def work(ranks):
        if ranks.rank == 0:
            raise KeyboardInterrupt
        ranks.exchange(None)

    found = on_ranks(2, joined(work))
    assert isinstance(found[1], threading.BrokenBarrierError)


@pytest.mark.parametrize("given", [4, "world", Communicator, [1], np.zeros(2)])
def test_what_is_no_communicator(given):
    with pytest.raises(TypeError, match=r"communicator is .*MPI.COMM_WORLD.*biosnn\[mpi\]"):
        Ranks(given)


def test_communicators_of_mpi4py():
    MPI = pytest.importorskip("mpi4py.MPI")
    assert Ranks(MPI.COMM_SELF).size == 1
    with pytest.raises(ValueError, match="COMM_NULL: this process does not belong"):
        Ranks(MPI.COMM_NULL)


def test_processes_of_one_machine_share_its_processors(monkeypatch):
    monkeypatch.setattr("biosnn.support.ranks.own_share", lambda: 3)
    found = on_ranks(2, joined(lambda ranks: (ranks.threads(None), ranks.threads(5))))
    assert found == [(3, 5)] * 2 and ALONE.threads(None) is None
