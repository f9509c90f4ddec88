"""The comparison of speed: sizes, rows, tables, the floor; other programs do the same work.

Their gradients are ours.
"""

import argparse
import json

import numpy as np
import pytest

import biosnn as bs
from validation import (
    events,
    measure,
    networks,
    programs,
    report,
    scaling,
    simulation_peers,
    simulations,
    speed,
    training,
)
from validation.networks import Size, parse_size


@pytest.mark.parametrize(
    "text, size",
    [
        ("128+32@400", Size(1, 128, 32, True, 400)),
        ("3x128@400", Size(3, 128, 0, False, 400)),
        ("r64@1", Size(1, 64, 0, True, 1)),
        ("2xr64@5", Size(2, 64, 0, True, 5)),
        ("50@7", Size(1, 50, 0, False, 7)),
    ],
)
def test_sizes_are_read_and_written_the_same(text, size):
    assert parse_size(text) == size and str(size) == text


@pytest.mark.parametrize(
    "text", ["128", "a+b@3", "1+2", "0+1@2", "3x1+2@3", "r0@1", "-1@1", "128+32@400 ", ""]
)
def test_other_sizes_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="n_exc"):
        parse_size(text)


def test_dense_inputs_are_the_binned_spikes():
    data = bs.data.poisson(80.0, 5, 0.1, 3, seed=1)
    assert np.array_equal(
        networks.dense_inputs(data).transpose(1, 0, 2), bs.bin_spikes(data, networks.DT).dense()
    )


def test_row_has_medians_and_ratios_of_neighbours():
    times = np.array([[1, 2, 3, 8], [2, 4, 3, 10], [9, 3, 3, 30]], float)
    row = training.row(
        programs.PROGRAMS[2],
        parse_size("r8@4"),
        times,
        np.array([[0, 0, 0, 4], [0, 0, 0, 2], [0, 0, 0, 3]], float),
    )
    assert (row["forward_s"], row["adjoint_s"], row["optimizer_s"], row["step_s"]) == (2, 3, 3, 10)
    assert (row["step_min_s"], row["step_max_s"], row["spread_s"], row["times_biosnn"]) == (
        8,
        30,
        11,
        5,
    )
    assert (row["size"], row["implementation"], row["surrogate"]) == (
        "r8@4",
        "PyTorch",
        "SuperSpike",
    )


ROWS = [
    {
        "size": "r8@4",
        "implementation": "biosnn",
        "surrogate": "TruncatedSuperSpike",
        "forward_s": 0.01234,
        "adjoint_s": 0.1,
        "step_s": 0.125,
        "peak_memory_mb": 12.4,
        "times_biosnn": 1.0,
        "step_min_s": 0.12,
        "step_max_s": 2.5,
    },
    {
        "size": "r8@4",
        "implementation": "Norse",
        "surrogate": "SuperSpike",
        "forward_s": 1.0,
        "adjoint_s": 2.0,
        "step_s": 3.04,
        "peak_memory_mb": 1500.0,
        "gradient_difference": 2.34e-15,
        "first_step_s": 11.0,
        "first_process_s": 12.0,
        "second_step_s": 0.0213,
        "second_process_s": 1.0,
    },
]


def test_markdown_table():
    steps, firsts = report.training(ROWS).split("\n\n")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in steps.splitlines()]
    assert cells[2] == [
        "r8@4",
        "biosnn, compact surrogate",
        "0.012",
        "0.10",
        "",
        "0.12",
        "0.12–2.5",
        "1",
        "12",
        "",
        "",
    ]
    assert cells[3] == ["r8@4", "Norse", "1.0", "2.0", "", "3.0", "", "", "1500", "", "2e-15"]
    assert {len(line) for line in cells} == {len(cells[0])}
    assert firsts.splitlines()[2] == "| r8@4 | Norse | 11 | 12 | 0.021 | 1.0 |"


def test_report_reads_what_training_writes_and_refuses_the_rest(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    assert report.read_rows(path) == ("training", ROWS)
    report.report(path, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
    for wrong in ({"rows": ROWS}, [], [{"size": "r8@4"}]):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match="peak_memory_mb"):
            report.read_rows(path)


def test_floor_is_that_of_its_formula():
    point, machine = (
        scaling.Point(neurons=100, steps=50, batch=6, threads=2),
        measure.Machine(flops=1e9, cache_bandwidth=2e9),
    )
    dense = scaling.floor(point, 300, 200, 1.0, machine)
    assert dense == pytest.approx(
        3 * (12 * 500 * 100 / 2e9 + (20 * 50 * 100 + 2 * 50 * 100**2) / 1e9)
    )
    assert dense - scaling.floor(point, 300, 200, 0.25, machine) == pytest.approx(
        3 * 0.75 * 1e6 / 1e9
    )


def test_points_change_one_quantity_each():
    base = scaling.Point(threads=4)
    for panel, point in scaling.points(False, 4):
        assert all(
            getattr(point, name) == getattr(base, name) for name in vars(base) if name != panel
        )
    values = [
        getattr(point, panel) for panel, point in scaling.points(False, 6) if panel == "threads"
    ]
    assert values == [1, 2, 4, 6]


def test_inputs_are_scaled_to_a_rate():
    point, data = scaling.Point(40, 200, 4, 20.0), networks.load(None, 64, duration=0.4)
    net = scaling.build(point, data)
    spikes, near = scaling.activity(net, data[:4])
    assert spikes / (0.4 * 40) == pytest.approx(20.0, rel=0.1) and 0 < near < 1


@pytest.mark.parametrize("size", ["24+8@1", "r16@1", "2x16@1"])
@pytest.mark.parametrize(
    "program", [p for p in programs.PROGRAMS if "compiled" not in p.name], ids=lambda p: p.key
)
def test_gradients_equal_those_of_the_other_programs(program, size):
    """snnTorch's surrogate rounds its derivative to float32."""
    pytest.importorskip("torch")
    if program.absent or (parse_size(size).dalian and not program.dalian):
        pytest.skip(program.absent or "written for LIF layers only")
    data = bs.data.poisson(9.1, 700, 0.2, 6, seed=0, labels=np.arange(6) % 10)
    assert programs.gradient_difference(program, parse_size(size), data) < (
        1e-6 if program.name == "snnTorch" else 1e-10
    )


# -------------------------------------------------------------------------------------- simulations


def test_simulation_options_are_read_and_wrong_ones_refused(capsys):
    options = ["--models", "cuba", "brunel-slow", "--seconds", "2.5", "--threads", "1", "2"]
    args = speed.parser().parse_args(["simulation", *options])
    assert (args.models, args.seconds, args.scale, args.threads) == (
        ["cuba", "brunel-slow"],
        2.5,
        1.0,
        [1, 2],
    )
    for wrong in ("--models cub", "--seconds 0", "--threads x", "--scale -1", "--seconds nan"):
        with pytest.raises(SystemExit):
            speed.parser().parse_args(["simulation", *wrong.split()])


def test_simulation_table_gives_ratios_to_the_best_of_biosnn():
    rows = [
        {
            "model": model,
            "implementation": name,
            "threads": threads,
            "scale": 1.0,
            "build_s": 1.25,
            "run_s": run_s,
            "simulated_s": 10.0,
            "rate_hz": 5.678,
        }
        for model, name, threads, run_s in (
            ("cuba", "biosnn", 1, 2.0),
            ("cuba", "biosnn", 2, 4.0),
            ("cuba", "NEST", 2, 9.0),
            ("coba", "NEST", 1, 3.0),
        )
    ]
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in report.simulation(rows).splitlines()[2:]
    ]
    assert [line[-1] for line in cells] == ["1", "2", "4.5", ""]
    assert cells[2][:4] == ["cuba", "1", "NEST", "2"] and cells[2][7:9] == ["10", "5.68"]
    summary = report.simulation_summary(rows).splitlines()
    assert summary[0] == "| circuit | biosnn | NEST |"
    assert summary[2:] == ["| cuba | 2.0 (5.7 Hz) | 9.0 (5.7 Hz) |", "| coba |  | 3.0 (5.7 Hz) |"]


@pytest.mark.parametrize(
    "model, scale, low, high", [("cuba", 1.0, 3, 9), ("plasticity", 0.1, 40, 140)]
)
def test_a_circuit_runs_in_biosnn_as_a_row(model, scale, low, high):
    """Inhibitory plasticity begins without inhibition, at 167 Hz."""
    row = simulation_peers.run(model, "biosnn", 1, 0.1, scale)
    assert (row["model"], row["implementation"], row["threads"], row["simulated_s"]) == (
        model,
        "biosnn",
        1,
        0.1,
    )
    assert low < row["rate_hz"] < high and row["run_s"] > 0 and row["build_s"] > 0


def test_cost_of_events_counts_what_the_current_brings_to_threshold():
    row = events.events_row(2_000_000, 0.2, 1)
    assert (row["synapses"], row["neurons"], row["silent_spikes"]) == (2_000_000, 2000, 0)
    assert row["events"] == pytest.approx(2000 * 1000 * events.RATE * 0.2, rel=0.02)
    assert np.all(np.diff(events.phases(None, 50)) > 0)


def test_repeats_are_summed_up_by_their_median():
    rows = [
        {"model": "cuba", "build_s": build, "run_s": run, "rate_hz": 5.0}
        for build, run in ((3.0, 1.0), (1.0, 4.0), (2.0, 2.0))
    ]
    found = simulations.median(rows)
    assert (found["build_s"], found["run_s"], found["repeats"]) == (2.0, 2.0, 3)
    assert (found["run_min_s"], found["run_max_s"], found["model"]) == (1.0, 4.0, "cuba")


def test_report_of_simulations_has_the_table_of_readme(tmp_path, capsys):
    row = {
        "model": "brunel",
        "implementation": "biosnn",
        "threads": 2,
        "scale": 0.5,
        "build_s": 1.0,
        "run_s": 2.0,
        "simulated_s": 3.0,
        "rate_hz": 37.1,
    }
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([row, row | {"threads": 1, "run_s": 4.0}]))
    report.report(path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "| brunel, scale 0.5 | 2.0 (37.1 Hz) |"
    assert report.read_rows(path)[0] == "simulation"


def test_readme_table_of_a_training_step():
    lines = report.training_summary(ROWS).splitlines()
    assert lines[0] == "| r8@4 | biosnn, compact surrogate | Norse |"
    assert lines[2] == "| a step (s) | 0.12 | 3.0 |" and len(lines) == 6
    assert lines[4].endswith(" |  | 12 |")


def test_a_start_is_the_same_from_a_file(tmp_path):
    size, data = parse_size("r16@4"), networks.load(None, 8, duration=0.1)
    net = networks.start(networks.describe(size, data.n_units), data)
    networks.save_start(net, tmp_path / "start.npz")
    other = networks.start_from(networks.describe(size, data.n_units), tmp_path / "start.npz")
    assert len(net.weights) == 3
    for name, weights in net.weights.items():
        assert np.ptp(weights) > 0 and np.array_equal(weights, other.weights[name])


def test_a_training_step_changes_weights_as_train_does():
    """One epoch of one batch, Adam with the same rate: the step that is timed is that of train."""
    size, data = parse_size("r16@8"), networks.load(None, 8, duration=0.2)
    nets = [networks.start(networks.describe(size, data.n_units), data) for _ in range(2)]
    job = programs.TrainingStep(nets[0], data, 1)
    times = job.step()
    bs.train(nets[1], data, epochs=1, batch=8, optimizer=bs.Adam(2e-3), seed=0, progress=False)
    job.write_back()
    for name, weights in nets[0].weights.items():
        assert np.allclose(weights, nets[1].weights[name], atol=1e-6)
    assert 0 < times.forward < times.step and 0 < times.adjoint < times.step


def test_threads_are_measured_beside_the_ideal(capsys, tmp_path):
    file = tmp_path / "threads.json"
    options = ["--threads", "2", "--jobs", "cuba", "--repeats", "1", "--json", str(file)]
    speed.main(["threads", *options])
    rows = json.loads(file.read_text())
    found = [(row["job"], row["threads"]) for row in rows]
    assert found == [("apart", 1), ("apart", 2), ("cuba", 1), ("cuba", 2)]
    one, two = rows[2:]
    assert two["ideal_s"] == one["seconds"] / 2 and one["speed_up"] == 1
    assert two["speed_up"] == pytest.approx(one["seconds"] / two["seconds"])
    assert capsys.readouterr().out.count("| cuba |") == 2
