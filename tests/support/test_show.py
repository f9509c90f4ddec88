"""What objects say of themselves, as text and as HTML."""

import doctest
from dataclasses import dataclass

import pytest

from biosnn.support import show
from biosnn.support.show import About, Shows, html, text
from biosnn.support.tables import Table

TABLE = Table("Rates", ("name", "rate (Hz)"), [("E", "4.1"), ("<I>", "12")])


@dataclass(frozen=True, repr=False)
class Thing(Shows):
    n: int

    def _about(self):
        return About("Thing", [("neurons", f"{self.n}"), ("of", "a & b")], TABLE)


@pytest.fixture(autouse=True)
def wide_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def test_labels_are_aligned_and_the_table_follows():
    assert repr(Thing(3)).splitlines() == [
        "Thing",
        "  neurons  3",
        "  of       a & b",
        "",
        "Rates",
        "name  rate (Hz)",
        "───────────────",
        "E           4.1",
        "<I>          12",
    ]


def test_html_holds_the_same_values_escaped():
    shown = Thing(3)._repr_html_()
    assert shown.startswith('<div class="biosnn"><b>Thing</b><table><tr>')
    assert "a &amp; b" in shown and "&lt;I&gt;" in shown and "<I>" not in shown
    assert shown.count("<tr>") == 2 + 1 + 2 and "<caption>Rates</caption>" in shown
    assert '<td style="text-align:right">4.1</td>' in shown


def test_long_values_wrap_beside_their_label(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = text("Network", [("populations", "neuron " * 40)]).splitlines()
    assert len(lines) == 5 and max(map(len, lines)) <= show.WIDTH
    assert all(line.startswith(" " * 15 + "neuron") for line in lines[2:])


def test_an_object_without_values_is_its_title():
    assert text("Nothing") == "Nothing" and html("N") == '<div class="biosnn"><b>N</b></div>'
    assert text("Nothing", (), Table("", ("a",), [])) == "Nothing"


def test_whoever_shows_must_describe_itself():
    class Silent(Shows):
        pass

    with pytest.raises(NotImplementedError, match="Silent"):
        repr(Silent())


@pytest.mark.parametrize(
    "count, words",
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (999_600, "1 MB"), (5.4e16, "5.4e+04 TB")],
)
def test_bytes_in_words(count, words):
    assert show.nbytes(count) == words


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(show).failed == 0 and doctest.testmod(show).attempted >= 5
