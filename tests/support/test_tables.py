"""Tables on screens of any width: whole numbers, whole names, no line that is too long."""

import io
import itertools

import numpy as np
import pytest
from rich.console import Console

import biosnn as bs
from biosnn.brian.report import Comparison
from biosnn.initializer.report import InitializerReport, PopulationReport
from biosnn.network.dale import Audit
from biosnn.support.tables import Table, number, printed, wrapped
from biosnn.theory import Moments
from biosnn.theory.regime import PopulationRegime, Regime
from biosnn.training.evaluation import Evaluation
from models import command_line
from models.rossbroich_2022 import dalian

WIDTHS = (40, 60, 80, 120)
VALUES = [0.8231, -0.06172, 1.234e-05, 1234.0, 53.21, 0.0, 99.97, 3.142e06, -17.5, 0.1015]


def initializer_report(names=("E", "I")):
    values = itertools.cycle(VALUES)
    rows = []
    for name in names:
        target, predicted, measured = (
            Moments(**{key: next(values) for key in ("mu", "sigma", "rate", "cv", "spread")})
            for _ in range(3)
        )
        rows.append(PopulationReport(name, 1.0, 0.9, target, predicted, measured))
    return InitializerReport(
        rows,
        {},
        {"input": 10.0},
        closed_loop=True,
        notes=["the closed loop did not settle [E] " * 4],
    )


def regime_report(names=("E", "I")):
    values = itertools.cycle(VALUES[:-1])
    rows = []
    for name in names:
        predicted, at_rates, measured = (
            Moments(**{key: next(values) for key in ("mu", "sigma", "rate", "cv")})
            for _ in range(3)
        )
        measured = measured.but(synchrony=next(values), errors=Moments(cv=0.0, synchrony=0.0))
        rows.append(
            PopulationRegime(name, 1.0, "density", 0.5, predicted, measured, at_rates=at_rates)
        )
    return Regime(tuple(rows), ("E is silent [0.1 Hz], " * 6,), True, ())


def comparison_report(names=("E", "I")):
    side = {
        "rate": (12345.67, 12345.68, 0.001),
        "cv": (0.912, 0.913, 0.012),
        "correlation": (-0.012, np.nan, np.nan),
    }
    return Comparison(
        identical=True,
        happened=True,
        divergence=None,
        states={f"{name}.U": (1.2e-13, 3.21) for name in names},
        spike_counts=dict.fromkeys(names, (1234567, 1234568)),
        statistics=dict.fromkeys(names, side),
        duration=10.0,
        n_trials=5,
        dt=1e-4,
    )


def on_screen(thing, width):
    console = Console(width=width, file=io.StringIO())
    console.print(thing)
    return console.file.getvalue()


def numbers_of(text):
    found = []
    for word in text.split():
        try:
            found.append(float(word))
        except ValueError:
            pass
    return sorted(found)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", [initializer_report, regime_report, comparison_report])
@pytest.mark.parametrize(
    "names",
    [("E", "I"), ("E[0]", "a name of [bold]several[/bold] words", "x" * 70)],
    ids=["short", "long"],
)
def test_no_number_is_cut_and_no_line_is_longer_than_the_screen(make, names, width, monkeypatch):
    report = make(names)
    monkeypatch.setenv("COLUMNS", "1000")
    whole = numbers_of(str(report))
    monkeypatch.setenv("COLUMNS", str(width))
    for text in (str(report), on_screen(report, width)):
        assert numbers_of(text) == whole and len(whole) > 5
        assert max(map(len, text.splitlines())) <= width and "…" not in text
        letters = "".join(text.split())
        assert all("".join(name.split())[:7] in letters for name in names)


def test_what_a_report_says_in_words_is_said_on_a_rich_console_too():
    assert "did not settle [E]" in " ".join(on_screen(initializer_report(), 80).split())
    assert "E is silent [0.1 Hz]" in " ".join(on_screen(regime_report(), 80).split())


def test_the_initializer_has_one_line_for_each_kind_and_names_each_population_once(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    moments = Moments(mu=-0.01234, sigma=0.8234, rate=123.4, cv=0.9123, spread=0.4321)
    measured = moments.but(excitation=0.9876, inhibition=1.0)
    rows = [PopulationReport(name, 1.0, 0.9, moments, moments, measured) for name in ("exc", "inh")]
    lines = str(InitializerReport(rows, {}, {}, closed_loop=True)).splitlines()
    assert lines[1].split() == [
        "name",
        "mean",
        "U",
        "sd",
        "U",
        "xi",
        "rate",
        "(Hz)",
        "CV",
        "E/I",
        "spread",
    ]
    assert [line.split()[0] for line in lines[3:9]] == [
        "exc",
        "predicted",
        "measured",
        "inh",
        "predicted",
        "measured",
    ]
    lines = str(InitializerReport(rows, {}, {})).splitlines()
    assert len(lines) == 7 and not any("measured" in line for line in lines)


def test_xi_of_a_membrane_that_does_not_move(monkeypatch):
    still = PopulationReport(
        "E",
        1.0,
        0.9,
        Moments(mu=0.0, sigma=0.0),
        Moments(mu=1.0, sigma=0.0),
        Moments(mu=2.0, sigma=0.0),
    )
    assert still.target.xi(1.0) == np.inf and still.measured.xi(1.0) == -np.inf
    assert np.isnan(still.predicted.xi(1.0))
    text = str(InitializerReport([still], {}, {}, closed_loop=True))
    assert "∞" in text and "-∞" in text and "inf" not in text and "nan" not in text


@pytest.mark.parametrize("width, blocks", [(40, 1), (30, 2), (20, 2), (80, 1)])
def test_columns_that_do_not_fit_go_on_below(width, blocks):
    heads = ("name", "spikes of all", "rate (Hz)", "coefficient of variation")
    text = printed(
        Table("Rates", heads, [("E", "123456", "12.34", "0.91"), ("I", "7", "8.00", "1.02")]),
        width=width,
    )
    lines = text.splitlines()
    assert sum(set(line) == {"─"} for line in lines) == blocks
    assert numbers_of(text) == [0.91, 1.02, 7, 8, 12.34, 123456]
    assert sum(line.startswith("E ") for line in lines) == blocks
    assert all(word in text.split() for heading in heads for word in heading.split())


def test_lists_of_numbers_break_between_numbers():
    cell = " ".join(f"{value:.3f}" for value in np.arange(20.0))
    text = printed(Table("", ("layer", "rates (Hz)"), [("L1", cell)]), width=40)
    assert numbers_of(text) == list(np.arange(20.0)) and max(map(len, text.splitlines())) <= 40


def test_numbers_are_at_the_right_and_wide_letters_count_twice():
    lines = printed(Table("", ("名前", "n"), [("興奮", "1"), ("E", "10")]), width=30).splitlines()
    assert lines == ["名前   n", "────────", "興奮   1", "E     10"]


def test_words_wrap():
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"]
    assert wrapped("", 5) == [""]
    assert [number(v) for v in (None, np.nan, 0.123456, np.inf, np.float32(2))] == [
        "",
        "",
        "0.1235",
        "∞",
        "2",
    ]


def test_the_width_is_that_of_the_screen(monkeypatch):
    table = Table("T", ("name", "a long heading"), [("E", "1")])
    for columns, n_lines in (("80", 4), ("20", 4), ("1", 4)):
        monkeypatch.setenv("COLUMNS", columns)
        assert len(str(table).splitlines()) == n_lines


@pytest.mark.parametrize("width", [60, 80])
def test_tables_of_models(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    heads = ("state", "g", "η", "theory (Hz)", "E (Hz)", "I (Hz)", "CV", "sync.", "s per s")
    command_line.show(
        "Brunel (2000), model A, scale 1, 1 s",
        heads,
        [
            ("SR", "3", "2", "345.67", "345.68", "345.69", "0.12", "0.91", "12.34"),
            ("AI", "5", "2", "12.30", command_line.number(float("nan")), "", "", "", ""),
        ],
    )
    rows = {p: {"before": 12.34, "after": 56.78} for p in ("E", "I")}
    result = {
        "seed": 0,
        "data": "a data set",
        "init": "fluctuation",
        "test_accuracy": 0.91,
        "train_accuracy": 0.95,
        "rates_hz": rows,
        "dale_violations": 0,
        "seconds_per_epoch": None,
        "peak_memory_mb": 512.0,
    }
    dalian.show(result, {"E->E": 0.0123})
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= width and "…" not in text and "nan" not in text
    for word in ("345.67", "345.68", "345.69", "12.34", "91.0", "0.0123", "512"):
        assert word in text.split()


def test_the_audit_of_dales_law_fits_the_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    audit = Audit(
        {
            "a name of several words, which is long": np.array([1] * 123456 + [-1] * 7),
            "I": np.array([2, 0]),
        },
        1,
    )
    lines = str(audit).splitlines()
    assert lines[0] == "Dale's law: 1 violation" and str(Audit({}, 0)).startswith(
        "Dale's law: 0 violations"
    )
    assert max(map(len, lines)) <= 60 and numbers_of("\n".join(lines[1:])) == [1, 1, 7, 123456]


def test_a_history_prints_its_first_best_and_last_epoch(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    none, n = np.full(4, np.nan), np.arange(4.0)
    history = bs.History(n, n / 10, 0 * n, np.array([0.4, 0.2, 0.3, 0.5]), none, none, n)
    lines = str(history).splitlines()
    assert lines[0] == "History of 4 epochs in 6 s" and lines[1].split() == [
        "epoch",
        "loss",
        "accuracy",
        "validation",
        "loss",
    ]
    assert [line.split() for line in lines[3:]] == [
        ["1", "0", "0", "0.4"],
        ["2", "(best)", "1", "0.1", "0.2"],
        ["4", "3", "0.3", "0.5"],
    ]
    nothing = bs.History(*[np.empty(0)] * 7, interrupted=True)
    assert str(nothing).startswith("History of 0 epochs in 0 s, interrupted") and "nan" not in str(
        nothing
    )
    assert "nan" not in str(bs.History(none, none, n, none, none, none, none))


def test_an_evaluation_prints_rates():
    text = str(Evaluation(0.25, float("nan"), np.zeros(1000), {"E": 0.0123456, "I": 12.0}))
    lines = [line.split() for line in text.splitlines()[:3]]
    assert lines == [["Evaluation"], ["loss", "0.25"], ["accuracy", "-"]]
    assert numbers_of(text) == [0.01235, 0.25, 12.0]
