"""Sweeps in this process: results, files, resuming, failures, Ctrl-C."""

import os
import signal
import sys
import warnings

import numpy as np
import pytest

import biosnn as bs
from biosnn.experiments import point_file
from biosnn.support import progress
from tests.experiments.functions import circuit, noisy, sometimes, square

HERE = {"executor": 1, "progress": False}
CIRCUITS = {"g": [4.0, 6.0], "drive": [600.0]}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "_last", [-1e9])  # of an earlier test's Ctrl-C
    return tmp_path


def calls(home):
    return (home / "calls").read_text().split() if (home / "calls").exists() else []


def test_columns_and_table():
    pytest.importorskip("pandas")
    found = bs.sweep(noisy, {"x": [1.0, 2.0]}, seeds=3, **HERE)
    expected = [
        x + np.random.default_rng(seed).random() for x in (1.0, 2.0) for seed in found["seed"][:3]
    ]
    assert found["sum"].tolist() == expected
    table = found.to_frame()
    assert list(table.columns) == ["x", "seed", "sum", "seed_given"]
    assert table["sum"].tolist() == expected and table["x"].tolist() == [1.0] * 3 + [2.0] * 3
    assert [draws.shape for draws in found["draws"]] == [(4,)] * 6
    assert found.select(x=2)["sum"].tolist() == expected[3:]
    assert found.computed == found.total == 6 and not found.interrupted


def test_results_of_every_kind_come_back_from_a_folder(home):
    net_run = circuit(4.0, 600.0, 3)["run"]
    found = bs.sweep(circuit, CIRCUITS, seeds=[3], out="runs", **HERE)
    again = bs.experiments.load_sweep("runs")
    for sweep in (found, again, bs.sweep(circuit, CIRCUITS, seeds=[3], **HERE)):
        point = sweep.points[0]
        assert sweep.digest == found.digest
        assert point["rate_hz.E"] == net_run.mean_rates["E"] > 0
        assert np.array_equal(point["spikes"].times, net_run.spikes["E"].times)
        assert np.array_equal(point["spikes"].units, net_run.spikes["E"].units)
        assert point["spikes"].duration == 0.2 and point["spikes"].n_units == 40
        run = point["run"]
        assert np.array_equal(run.states["E.U"], net_run.states["E.U"][None])
        assert np.array_equal(point["run.rates.E"], net_run.rates["E"])
        assert np.array_equal(run.spikes["I"].times, net_run.spikes["I"].times)
        assert (run.start, run.ends.tolist(), run.dt) == (0.0, [0.2], 1e-3)
        assert run.signs == {p.name: p.sign for p in net_run.network.populations}


def test_a_trace_comes_back_as_a_recording_with_groups_and_ends():
    net = in_and_out()
    spikes = bs.SpikeTrains.from_lists([[[0.01]], [[0.02]]], ends=[0.03, 0.04], labels=[1, 0])
    means = {"out.U": bs.Means({"left": [0], "both": None})}
    trace = bs.run(net, spikes, record=means)
    bs.sweep(lambda: trace, {}, version="1", out="runs", **HERE)
    found = bs.experiments.load_sweep("runs").points[0]["result"]
    assert isinstance(found, bs.data.Recording) and found.neurons["out.U"].tolist() == [
        "left",
        "both",
    ]
    assert np.array_equal(found.states["out.U"][1], trace.states["out.U"][1])
    assert np.isnan(found.states["out.U"][0, 30:]).all()
    assert np.array_equal(found["out"].times, trace.spikes["out"].times)
    assert found["out"].labels.tolist() == [1, 0] and found.ends.tolist() == [0.03, 0.04]
    assert bs.plot.raster(found).axes


def in_and_out():
    """A network in which an input makes two neurons spike."""
    net = bs.Network(dt=1e-3)
    source, out = net.input(1), net.population(2, bs.lif_delta(), name="out")
    net.connect(source, out, weights=[[2.0, 2.0]])
    return net


def test_spike_trains_keep_labels_and_ends():
    trains = bs.SpikeTrains([0.1, 0.2], [0, 1], [0, 1, 2], 2, 0.5, [1, 0], np.array([0.25, 0.5]))
    bs.sweep(lambda: {"trains": trains}, {}, version="1", out="runs", **HERE)
    found = bs.experiments.load_sweep("runs").points[0]["trains"]
    for name in ("times", "units", "offsets", "labels", "ends"):
        assert np.array_equal(getattr(found, name), getattr(trains, name)), name


@pytest.mark.parametrize(
    "result, words",
    [
        ({"x": object()}, "must be a number"),
        ({"x": np.ones(2, complex)}, "must be a number"),
        ({"x": [object()]}, "array of numbers"),
        ({3: 1.0}, "a text"),
        ({"a/b": 1.0}, "without /"),
        (bs.lif(), "must be a number"),
        (None, "Is a return missing"),
        ({"a.b": 1, "a": {"b": 2}}, "two results are named 'a.b'"),
    ],
)
def test_what_no_file_can_hold_is_a_failure_in_words(result, words):
    with pytest.warns(UserWarning, match="1 of 1 point failed"):
        found = bs.sweep(lambda: result, {}, version="1", **HERE)
    assert words in found.points[0].error


def test_a_single_thing_is_named_result():
    found = bs.sweep(lambda x: np.float32(x), {"x": [0.5]}, **HERE)
    assert found["result"].tolist() == [0.5]


# ------------------------------------------------------------------------------- failures, resuming


def test_a_failure_stays_beside_its_point_and_the_rest_goes_on(home):
    with pytest.warns(UserWarning, match="1 of 3 points failed.*two is too many"):
        found = bs.sweep(sometimes, {"x": [1, 2, 3]}, out="runs", **HERE)
    (failed,) = found.failures
    assert failed.parameters == {"x": 2} and "in sometimes" in failed.error
    assert np.array_equal(found["y"], [10, np.nan, 30], equal_nan=True)
    assert bs.experiments.load_sweep("runs").failures[0].error == failed.error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = bs.sweep(sometimes, {"x": [1, 2, 3]}, out="runs", retry=False, **HERE)
    assert kept.digest == found.digest and calls(home) == ["1", "2", "3"]
    (home / "mended").touch()
    mended = bs.sweep(sometimes, {"x": [1, 2, 3]}, out="runs", **HERE)
    assert mended["y"].tolist() == [10, 20, 30] and calls(home) == ["1", "2", "3", "2"]


def test_nothing_is_computed_twice_but_on_demand(home):
    (home / "mended").touch()
    bs.sweep(sometimes, {"x": [1, 2]}, out="runs", **HERE)
    more = bs.sweep(sometimes, {"x": [3, 2, 1]}, out="runs", **HERE)
    assert calls(home) == ["1", "2", "3"] and more["y"].tolist() == [30, 20, 10]
    assert more.computed == 1
    bs.sweep(sometimes, {"x": [1]}, out="runs", version="2", **HERE)
    bs.sweep(sometimes, {"x": [1]}, out="runs", start="overwrite", **HERE)
    assert calls(home) == ["1", "2", "3", "1", "1"]


def test_a_damaged_point_is_computed_again_and_never_read(home):
    found = bs.sweep(noisy, {"x": [1, 2]}, out="runs", **HERE)
    path = home / "runs" / "points" / f"{found.points[0].key}.npz"
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole)
        content[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        content = content[: rng.integers(1, len(whole))] if rng.random() < 0.3 else content
        path.write_bytes(content)
        try:
            content = point_file.read(path)[0]["content"]
        except OSError:
            continue
        assert content == found.points[0]._content
    path.write_bytes(whole[:-30])
    again = bs.sweep(noisy, {"x": [1, 2]}, out="runs", **HERE)
    assert again.computed == 1 and again.digest == found.digest and path.read_bytes() != b""


def test_a_folder_that_is_none_is_refused(home):
    (home / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        bs.sweep(square, {"x": [1]}, out="file", **HERE)
    with pytest.raises(OSError, match="no sweep"):
        bs.experiments.load_sweep(home)
    (home / "sweep.json").write_text("[]")
    with pytest.raises(OSError, match="not a list of the points"):
        bs.experiments.load_sweep(home)


# -------------------------------------------------------------------------------------------- other


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("simulated", [False, True])
def test_ctrl_c_keeps_what_there_is(simulated):
    def pressed(x):
        if x == 3:
            os.kill(os.getpid(), signal.SIGINT)
        if simulated:  # which returns what it has by then
            net = bs.Network(dt=1e-3)
            net.population(2, bs.lif(), name="E")
            bs.simulate(net, 0.2, progress=False)
        return {"y": x}

    options = {"out": "runs", "version": "1", **HERE}
    found = bs.sweep(pressed, {"x": [1, 2, 3, 4]}, **options)
    assert found.interrupted and found["y"].tolist() == [1, 2] and found.total == 4
    assert "interrupted" in repr(found)
    rest = bs.sweep(lambda x: {"y": x}, {"x": [1, 2, 3, 4]}, **options)
    assert rest.computed == 4  # of another function


@pytest.mark.parametrize("package, needs", [("joblib", "executor=None"), ("pandas", "to_frame")])
def test_what_is_missing_is_named_with_its_extra(monkeypatch, package, needs):
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    found = bs.sweep(square, {"x": [1]}, **HERE)
    with pytest.raises(ImportError, match=rf'{needs}.*package {package}.*"biosnn\[sweep\]"'):
        found.to_frame() if package == "pandas" else bs.sweep(square, {"x": [1]})


@pytest.mark.parametrize(
    "options, words",
    [
        ({"executor": "dask"}, "mpi4py.futures"),
        ({"executor": 0}, "mpi4py.futures"),
        ({"executor": True}, "mpi4py.futures"),
        ({"start": "new"}, "overwrite"),
        ({"batch": 0}, "batch"),
        ({"threads": 0}, "threads"),
        ({"version": 2}, "a text"),
        ({"out": 3}, "a path"),
    ],
)
def test_careless_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        bs.sweep(square, {"x": [1]}, **(HERE | options))


def test_an_unknown_column_is_refused_in_words():
    found = bs.sweep(square, {"x": [1]}, **HERE)
    for wrong in (lambda: found["z"], lambda: found.points[0]["z"], lambda: found.select(z=1)):
        with pytest.raises(ValueError, match="square|x"):
            wrong()
    with pytest.raises(ValueError, match="no point with x=2"):
        found.select(x=2)


def test_bars_of_what_a_point_calls_are_not_shown(capfd):
    def quiet(x):
        net = bs.Network(dt=1e-3)
        net.population(2, bs.lif(), name="E")
        bs.simulate(net, 0.01)
        return {"y": x}

    bs.sweep(quiet, {"x": [1, 2]}, version="1", executor=1)
    printed = capfd.readouterr().err
    assert "quiet" in printed and "100 %" in printed and "simul" not in printed
