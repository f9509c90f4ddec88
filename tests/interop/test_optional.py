"""Every package is optional: what needs one that is missing says so, and what brings it."""

import subprocess
import sys

import pytest

import biosnn as bs

from . import circuit

NEEDS = {
    "to_neo": ("neo", "neo"),
    "from_neo": ("neo", "neo"),
    "to_frame": ("pandas", "pandas"),
    "to_xarray": ("xarray", "xarray"),
    "from_xarray": ("xarray", "xarray"),
    "to_nwb": ("pynwb", "nwb"),
    "from_nwb": ("pynwb", "nwb"),
    "to_nir": ("nir", "nir"),
    "from_nir": ("nir", "nir"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_missing_package_is_named_with_what_brings_it(monkeypatch, tmp_path, name):
    package, extra = NEEDS[name]
    monkeypatch.setitem(sys.modules, package, None)
    given = circuit.network() if name == "to_nir" else circuit.off_grid()
    more = [tmp_path / "a.nwb"] if name == "to_nwb" else []
    words = rf'{name} needs the package {package}: pip install "biosnn\[{extra}\]" brings it'
    with pytest.raises(ImportError, match=words):
        getattr(bs.interop, name)(given, *more)


def test_nothing_optional_is_imported_with_biosnn():
    packages = sorted({package for package, _ in NEEDS.values()} | {"h5py", "quantities"})
    program = f"import sys, biosnn; print([p for p in {packages} if p in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
