"""The examples: every one runs, and what it returns is what its docstring says it shows."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    path.stem for path in (ROOT / "models" / "examples").glob("*.py") if path.stem != "__init__"
)


def tables(r):
    assert r["intervals"][-1] > 1.2 * r["intervals"][0]  # adaptation
    assert r["slow"][151] > 0.05 * r["slow"].max() and r["fast"][151] < 0.01 * r["fast"].max()
    assert r["lowest"] == pytest.approx(-0.5) and r["tau"] == pytest.approx(60e-3, rel=0.02)


def conductances(r):
    assert (
        r["at_rest"] == (0.0, 0.0)
        and r["depolarized"][0] == pytest.approx(0.9, abs=1e-5)
        and 0.4 < r["depolarized"][1] < 0.8
    )
    assert r["accuracy"] > 0.8 and r["violations"] == 0


def sparse_training(r):
    assert r["same_pairs"] and 200 < r["synapses"] < 400 and r["accuracy"] > 0.8
    assert (
        np.abs(r["weights"]).max() <= 3.0
        and r["norms"].max() <= 7.0 * (1 + 1e-5)
        and r["norms"].max() > 6.9
    )
    assert (
        r["changes"]["hidden->hidden"] == 0
        and r["changes"]["input->hidden"] > 0.1
        and np.ptp(r["bias"]) > 0.3
    )


def convolution(r):
    assert (
        r["shape"] == (8, 40) and r["kernels"].shape == (8, 1, 5) and r["pooled_shape"] == (8, 10)
    )
    assert r["before"] < 0.75 and r["after"] > 0.9 and r["violations"] == 0
    assert r["same"] and 1.5 * r["rates"][0] < r["rates"][1] < 4 * r["rates"][0]


def deep_and_skip(r):
    assert all(case["accuracy"] > 0.85 and min(case["norms"].values()) > 0 for case in r.values())
    assert r["plain"]["recurrent"] == r["skip"]["recurrent"] == []
    assert r["feedback"]["recurrent"] == [
        "layer 0->layer 1",
        "layer 1->layer 2",
        "layer 2->layer 0",
    ]
    assert "layer 0->layer 2" in r["skip"]["norms"]


def surrogates_and_noise(r):
    spikes, _, cosines = zip(*r["surrogates"].values())
    assert len(spikes) == 9 and len(set(spikes)) == 1 and spikes[0] > 1000 and min(cosines) > 0.5
    assert max(cosines[2:7]) < 0.99  # they do differ
    asymptotic, plain = (
        r["surrogates"][name][1] for name in ("AsymptoticSuperSpike", "SuperSpike")
    )
    assert asymptotic == pytest.approx(20 * plain, rel=1e-3)  # beta times as steep
    measured, expected = np.transpose(list(r["shares"].values()))
    np.testing.assert_allclose(measured, expected, atol=0.01)
    assert measured[0] == 0 and measured[1] > 0.1 > measured[2] > 0.05


def losses(r):
    assert r["first_spike"][1] > max(0.75, r["first_spike"][0] + 0.1)
    assert (
        r["times"].size == 3
        and np.abs(r["times"] - r["wanted"]).max() < 5e-3
        and r["distance"][-1] < 0.3 * r["distance"][0]
    )
    assert r["accuracy"] > 0.85 and r["clock_error"] < 30e-3


def training_options(r):
    assert r["rates"][0] < 0.1 and 2 < r["rates"][1] < 30 and r["same_weights"]
    assert (
        min(r["accuracy"].values()) > 0.8
        and r["rescaled"] > 0.8
        and r["error"][1] < 0.8 * r["error"][0]
    )


def augmentation(r):
    kinds = r["kinds"]  # spikes, standard deviation over trials of the mean time (ms) and unit
    assert kinds["Drop"][0] == pytest.approx(40, rel=0.03) and kinds["Insert"][0] == pytest.approx(
        100, rel=0.05
    )
    assert kinds["ChannelShift"][2] == pytest.approx(5, rel=0.2) and kinds["ChannelJitter"][
        2
    ] == pytest.approx(5 / 50**0.5, rel=0.2)
    assert kinds["TimeShift"][1] == pytest.approx(50 / 3**0.5, rel=0.15) and kinds["TimeJitter"][
        1
    ] == pytest.approx(5 / 50**0.5, rel=0.2)
    lost = [
        np.mean([max(0, min(75, first + width) - max(25, first)) for first in range(101 - width)])
        for width in range(51)
    ]
    assert kinds["ChannelMask"][0] == pytest.approx(
        50 - np.mean(lost), abs=3.5
    )  # standard error: 1 spike
    assert (
        kinds["TimeStretch"][1] == pytest.approx(25, rel=0.2)
        and kinds["Blend"][0] == pytest.approx(50, rel=0.03)
        and kinds["Blend"][2] > 0.5
    )
    assert r["accuracy"] > 0.75


def data_variants(r):
    for name, classes, trials in (
        ("randman", 3, 150),
        ("spaghetti", 3, 150),
        ("halo", 2, 100),
        ("tempotron", 2, 100),
    ):
        spikes = r["data"][name]
        assert len(spikes) == trials and np.array_equal(
            np.bincount(spikes.labels), np.full(classes, trials // classes)
        ), name
    assert r["events"].units.tolist() == [16, 3, 31] and r["events"].times == pytest.approx(
        [1e-3, 2e-3, 5e-3]
    )
    for name, task in r["tasks"].items():
        assert (
            np.all(task.mask.sum(axis=1) * task.dt >= 0.097)
            and len(np.unique(task.spikes.labels)) == task.n_choices
        ), name
    assert r["right"][0] > 0.97 and r["right"][1] < 0.95


def recording(r):
    trace = r["trace"]
    assert r["moments_difference"] < 1e-4 and r["same"] and r["spikes"] > 500 and r["continued"]
    found, last = r["gradients"], trace.n_steps - 1
    assert (
        found.per_step["input->E"].shape == (trace.n_steps,)
        and np.all(found.states["E.U"][:, last] == 0)
        and np.any(found.states["E.U"])
    )
    assert trace.counts["E"].sum() == trace.spikes["E"].times.size and np.all(
        trace.states["E.U"] <= 1.0
    )
    assert (
        np.sum(trace.states["E.U_star"] > 1.0) == trace.counts["E"].sum()
    )  # every spike, and nothing else, was above threshold


def plasticity(r):
    for measured, expected in r["steady"].values():
        assert measured == pytest.approx(expected, rel=3e-3)
    assert (
        r["rates"][0] > 9
        and r["rates"][1] == pytest.approx(5, abs=1.0)
        and r["weights"][1] > 2 * r["weights"][0]
    )


def brian2_check(r):
    if r:
        assert r["identical"] and r["worst_state"] < 1e-10 and r["spikes"]["E"][0] > 10
        assert "NeuronGroup(" in r["program"] and "import" in r["program"]


def initializer(r):
    for kappa, expected, mu, sigma in r["families"].values():
        assert (
            kappa == pytest.approx(expected, rel=0.05)
            and mu == pytest.approx(0, abs=0.03)
            and sigma == pytest.approx(1, abs=0.03)
        )
    assert (
        r["rates"][1.5] > r["rates"][1.0] > 1
        and r["report"].converged
        and "no non-negative weights" in r["error"]
    )


def theory(r):
    E = r["irregular"]["E"]
    assert E.measured.rate == pytest.approx(E.predicted.rate, rel=0.25) and E.measured.cv > 0.5
    assert any("silent" in warning for warning in r["silent"].warnings) and not any(
        "silent" in w for w in r["irregular"].warnings
    )


def sweep(r):
    found = r["sweep"]
    assert found.computed == 4 and r["again"].computed == 0 and not found.failures
    assert r["again"].digest == found.digest
    assert found.select(sigma_u=1.5)["accuracy"].min() > 0.9  # well above chance, 0.5
    assert all(loss.shape == (15,) for loss in r["losses"])
    assert all(loss[-1] < 0.5 * loss[0] for loss in r["losses"][2:])  # of sigma_u = 1.5
    sigmas = [point["sigma_u"] for point in r["design"]]
    assert len(sigmas) == 8 and 0.5 <= min(sigmas) < 0.9 < max(sigmas) <= 1.5


@pytest.mark.slow
@pytest.mark.filterwarnings("error:the closed loop")
@pytest.mark.parametrize("name", NAMES)
def test_example(name, capsys):
    module = importlib.import_module(f"models.examples.{name}")
    result = module.main()
    assert (
        len(capsys.readouterr().out.splitlines()) >= 1
        and f"python -m models.examples.{name}" in module.__doc__
    )
    globals()[name](result)


def test_models_readme_links_every_row_and_every_example():
    table = (ROOT / "models" / "README.md").read_text().partition("## What is in it")[2]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 10 and all(re.search(r"\]\(\S+\.py\)", row) for row in rows)
    linked = re.findall(r"\]\(([^)\s]+)\)", table)
    assert all((ROOT / "models" / path).exists() for path in linked)
    assert set(NAMES) == {Path(path).stem for path in linked if path.startswith("examples/")}


@pytest.mark.parametrize("file", ["README.md", "models/README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(file):
    linked = re.findall(r"\]\(([^)\s]+)\)", (ROOT / file).read_text())
    paths = [path.partition("#")[0] for path in linked if not path.startswith("http")]
    assert paths and all(((ROOT / file).parent / path).exists() for path in paths)
