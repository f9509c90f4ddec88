"""Small networks compute what they always did: the net under changes that must change no number.

Digests depend on the processor and on the programs that compute. Where those are the ones that the
file names (`digests.key`), every spike, state, weight and gradient must have the same bits, and
texts the same characters. Elsewhere only summaries are compared: sums of absolute values to 1e-3
(of the closed loops of the initializer, which stop within a tolerance, as their cases say), numbers
of spikes to 1 % or one. After a change that is meant to change numbers: `python -m tests.digests
--write`, and say in the change log which and why.
"""

import numpy as np
import pytest

import biosnn as bs
from tests import digests
from tests.digests.registry import Case, entry

pytestmark = pytest.mark.real_chunks  # bits of gradients follow from the number of chunks


@pytest.fixture(scope="module")
def filed():
    return digests.read()


@pytest.mark.parametrize("name", digests.CASES)
def test_networks_compute_what_they_did(name, filed):
    key, cases = filed
    differences = digests.compare(
        name, digests.results(name), cases.get(name), key == digests.key()
    )
    assert not differences, "\n".join(map(str, differences))


def test_the_file_has_no_case_that_is_gone(filed):
    assert list(filed[1]) == list(digests.CASES)


VALUES = {
    "spikes E": bs.SpikeTrains([0.1], [0], [0, 1], 1, 1.0),
    "weights": np.ones(4),
    "text": "a",
}


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("weights", np.array([1, 1, 1, 1 + 1e-9]), "digest"),
        ("weights", np.array([1, 1, 1, 1.1]), "summary"),
        ("weights", np.ones((2, 2)), "summary"),
        ("weights", np.array([1, 1, 1, np.nan]), "summary"),
        ("weights", np.ones(4, np.float32), "digest"),
        ("spikes E", bs.SpikeTrains([0.2], [0], [0, 1], 1, 1.0), "digest"),
        ("spikes E", bs.SpikeTrains([0.1] * 3, [0] * 3, [0, 3], 1, 1.0), "summary"),
        ("text", "b", "text"),
        ("more", 1.0, "names"),
    ],
)
def test_a_difference_is_named(name, value, kind, monkeypatch):
    monkeypatch.setitem(digests.CASES, "a case", Case(None, 1e-3))
    stored = {each: entry(content) for each, content in VALUES.items()}
    assert not digests.compare("a case", VALUES, stored, same_machine=True)
    (found,) = digests.compare("a case", VALUES | {name: value}, stored, same_machine=True)
    assert (found.kind, found.value) == (kind, name)
    assert str(found).startswith(f"{name} of 'a case': ")
    elsewhere = digests.compare("a case", VALUES | {name: value}, stored, same_machine=False)
    assert [each.kind for each in elsewhere] == ([kind] if kind in ("summary", "names") else [])
