"""Scripts are importable from an installed package, as `biosnn_models`."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_all_folders_of_the_library_and_of_models_are_installed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    there = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for folder, name in (("biosnn", "biosnn"), ("models", "biosnn_models"))
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(config["options"]["packages"].split()) == there


PROGRAM = """
import biosnn as bs
from biosnn_models import brunel_2000, command_line
from biosnn_models.perceptual_decision.network import build
from biosnn_models.rossbroich_2022 import dalian
from biosnn_models.vogels_2011 import build

net = brunel_2000.build(g=5.0, scale=0.01, seed=1)
print([p.n for p in net.spiking], command_line.PACKAGE)
print(__import__("biosnn_models").__file__)
"""


@pytest.mark.slow
def test_models_are_imported_in_an_empty_folder(tmp_path):
    pytest.importorskip("setuptools")
    source, built, empty = (tmp_path / name for name in ("source", "built", "empty"))
    ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for folder in ("biosnn", "models"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for file in ("setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = "from setuptools import setup; setup()"
    run = [sys.executable, "-c", build, "-q", "build", "--build-lib", str(built)]
    subprocess.run(run, cwd=source, check=True, capture_output=True, timeout=120)
    empty.mkdir()
    program = f"import sys; sys.path.insert(0, {str(built)!r})\n{PROGRAM}"
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=empty,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    sizes, path = found.stdout.splitlines()
    assert sizes == "[100, 25] biosnn_models"
    assert Path(path).parent == built / "biosnn_models"
