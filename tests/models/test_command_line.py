"""What the scripts share: options that are refused, Ctrl-C, tables."""

import argparse
import json
import signal
import threading

import pytest
from matplotlib.figure import Figure

import biosnn as bs
from models import command_line, litwin_kumar_doiron_2012
from models import potjans_diesmann_2014 as microcircuit


@pytest.mark.parametrize("model", [microcircuit, litwin_kumar_doiron_2012])
@pytest.mark.parametrize(
    "wrong", [["--scale", "0"], ["--scale", "2"], ["--seconds", "0"], ["--seconds", "nan"]]
)
def test_options_out_of_range_are_refused(model, wrong, capsys):
    with pytest.raises(SystemExit):
        model.main(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_ctrl_c_keeps_the_simulations_that_were_done(capsys):
    net = bs.Network(1e-3)
    net.population(20, bs.lif(threshold=1.0), "excitatory", name="E")
    wake, started = [bs.Current("E", 1.5)], []

    def simulate(seconds):
        if seconds > 1e3:
            started.append(threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT)))
            started[-1].start()
        return command_line.after_warm_up(
            net, 0.01, argparse.Namespace(seconds=seconds, seed=0, threads=1), wake
        )

    def measure(case, done):
        return done.mean_rates["E"]

    results = command_line.until_interrupted(simulate, measure, [0.3, 1e6, 0.3])
    started[0].join()
    assert [done.interrupted for _, done in results] == [
        False,
        True,
    ] and command_line.SHORTEST <= results[1][1].duration < 1e6
    assert (
        results[1][0] == pytest.approx(results[0][0], rel=0.1)
        and "2 of 3 simulations" in capsys.readouterr().out
    )
    results = command_line.until_interrupted(
        lambda case: signal.raise_signal(signal.SIGINT) if case > 1 else simulate(0.3),
        measure,
        [1, 2, 1],
    )
    assert len(results) == 1
    presses = [signal.SIGINT]

    def measure_under_pressure(case, done):
        while presses:
            signal.raise_signal(presses.pop())
        return case

    results = command_line.until_interrupted(
        lambda case: simulate(0.3), measure_under_pressure, [1, 2]
    )
    assert [case for case, _ in results] == [1]  # Ctrl-C while it is measured
    with pytest.raises(SystemExit, match="interrupted before"):
        command_line.until_interrupted(lambda case: None, measure, [1, 2])


def test_a_result_is_written_in_spite_of_one_ctrl_c(tmp_path):
    args = argparse.Namespace(json=str(tmp_path / "new" / "rows.json"), out=str(tmp_path))
    presses = [signal.SIGINT]

    def draw():
        while presses:
            signal.raise_signal(presses.pop())
        return Figure()

    command_line.save(args, draw, "figure.png", [1, 2])
    assert json.loads((tmp_path / "new" / "rows.json").read_text()) == [1, 2]
    assert (tmp_path / "figure.png").stat().st_size > 100
    presses += [signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        command_line.undisturbed(draw, once=False)


def test_pages_are_plain_text_on_the_command_line():
    page = "\nA title\n=======\n\nSome words::\n\n    a command\n"
    assert command_line.description(page) == "A title\n\nSome words:\n\n    a command"
