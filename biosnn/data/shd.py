"""Files in the layout of the Spiking Heidelberg Digits (SHD) and Spiking Speech Commands (SSC).

Cramer, Stradmann, Schemmel & Zenke (2020), The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural
Networks, IEEE Transactions on Neural Networks and Learning Systems 33, 2744-2757, doi:10.1109/TNNLS.2020.3044364.
"""

import importlib
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np

from ..support import checks, files, hdf5, plausible, timegrid
from ..support.warn import warn_if_implausible
from .spike_trains import SpikeTrains, time_type

_LAYOUT = {
    "spikes/times": "variable-length floats, seconds",
    "spikes/units": "variable-length integers",
    "labels": "integers",
}
_WANTED = {
    "spikes/times": (True, "f"),
    "spikes/units": (True, "iu"),
    "labels": (False, "iu"),
}  # see hdf5.read
_BASE_URL = "https://zenkelab.org/datasets/"
_MD5 = {  # of the archives <dataset>_<part>.h5.zip
    "shd": {
        "train": "f3252aeb598ac776c1b526422d90eecb",
        "test": "1503a5064faa34311c398fb0a1ed0a6f",
    },
    "ssc": {
        "train": "d102be95e7144fcc0553d1f45ba94170",
        "valid": "b4eee3516a4a90dd0c71a6ac23a8ae43",
        "test": "a35ff1e9cffdd02a20eb850c17c37748",
    },
}


def load_shd(path, duration=None, n_units=700, dtype=np.float32):
    """Read an HDF5 file in the layout of the Spiking Heidelberg Digits; SpikeTrains with labels.

    path       the .h5 file. For each trial it holds spikes/times (s), spikes/units, and the class in labels.
    duration   of a trial, in seconds: spikes at or after it are dropped (UnitWarning if these are most of them, as where a file is in
               ms). None: the first multiple of 10 ms after the latest spike. Give it explicitly where two files must agree.
    n_units    number of input units; 700 cochlear channels in SHD and SSC
    dtype      of the times: float32 or float64 (files often store float16)

    Times that are not sorted within a trial are sorted, spikes at equal times keep their order.

    FileNotFoundError if there is no such file; OSError if it is not HDF5, or corrupt or incomplete; ValueError if data sets
    are missing or of another kind, lengths disagree, units are not in 0 .. n_units - 1, or times are negative or not finite.

    Source: Cramer et al. (2020), doi:10.1109/TNNLS.2020.3044364.
    """
    dtype, n_units, path = (
        time_type(dtype),
        checks.whole(n_units, "n_units", 1),
        checks.path(path, "path"),
    )
    duration = None if duration is None else checks.time(duration, "duration", above=0)
    times, units, labels = _read(path)
    offsets = _checked_offsets(path, times.lengths, units.lengths)
    times, units, labels = times.values.astype(dtype), units.values, labels.values
    _check_spikes(path, times, units, offsets, n_units)
    times, units = _sorted_within_trials(times, units, offsets)
    if duration is None:
        duration = timegrid.after(times)
        warn_if_implausible(duration, f"{path}: the time of the latest spike", plausible.SPOKEN)
    before = times < duration
    late = np.flatnonzero(~before)
    timegrid.warn_if_outside(
        late.size, float(times.max(initial=0)), times.size, duration, str(path)
    )
    if late.size:
        times, units, offsets = (
            times[before],
            units[before],
            offsets - np.searchsorted(late, offsets),
        )
    return SpikeTrains(times, units, offsets, n_units, duration, labels)


def fetch_shd(dataset="shd", folder=None):
    """Download the Spiking Heidelberg Digits or Spiking Speech Commands, once; the paths of the files for `load_shd`.

    dataset    "shd" (20 spoken digits): {"train": Path, "test": Path}
               "ssc" (35 spoken words): {"train": Path, "valid": Path, "test": Path}
    folder     where to keep them; None: the user's cache folder

    Archives are checked against their MD5 and unzipped beside. A finished download is not fetched again.

    ImportError without the package pooch; ValueError for another data set or a checksum that does not match; OSError if
    the download fails.

    Source: Cramer et al. (2020), doi:10.1109/TNNLS.2020.3044364.
    """
    if dataset not in _MD5:
        raise ValueError(f"dataset is {dataset!r}; known are {' and '.join(map(repr, _MD5))}.")
    pooch = _optional("pooch")
    folder = Path(pooch.os_cache("biosnn") if folder is None else folder).expanduser()
    return {
        part: _fetch(pooch, f"{dataset}_{part}.h5", md5, folder)
        for part, md5 in _MD5[dataset].items()
    }


def load_speakers(path):
    """Who spoke each trial of a file in the layout of SHD: array (trials,) of whole numbers, from its data set extra/speaker.

    FileNotFoundError if there is no such file, ValueError if it does not say, OSError if it cannot be read.
    """
    path = checks.path(path, "path")
    _check_exists(path)
    found = hdf5.read(path, {"extra/speaker": (False, "iu"), "labels": (False, "")})
    if found["extra/speaker"] is None or found["extra/speaker"].values is None:
        raise ValueError(
            f"{path}: there is no data set extra/speaker with a whole number for each trial, so it does not say who spoke."
        )
    return checks.wholes(found["extra/speaker"].values, f"{path}: extra/speaker")


def _optional(package):
    """Imported only when needed, so that biosnn works without it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{package} is needed for these data, and cannot be imported ({error}). Install it with "
            "`pip install biosnn[data]`."
        ) from error


def _check_exists(path):
    if not files.is_file(path):
        raise FileNotFoundError(
            f"{path} does not exist, or is not a file; it must be an HDF5 file in the layout of SHD."
        )


def _read(path):
    """The three data sets of the file as hdf5.Stored."""
    _check_exists(path)
    found = hdf5.read(path, _WANTED)
    if problem := _layout_problem(found):
        layout = ", ".join(f"{name} ({what})" for name, what in _LAYOUT.items())
        raise ValueError(
            f"{path}: {problem}. The layout must be {layout}, each with one entry per trial."
        )
    return [found[name] for name in _LAYOUT]


def _layout_problem(found):
    """What is wrong with the data sets, or None."""
    missing = [name for name in _LAYOUT if found[name] is None]
    if missing:
        return f"there is no data set {' and no '.join(missing)}"
    for name, (vlen, kinds) in _WANTED.items():
        stored = found[name]
        if (
            stored.vlen != vlen
            or stored.kind not in kinds
            or stored.shape is None
            or len(stored.shape) != 1
        ):
            return f"{name} has elements of type {stored.element} and shape {stored.shape}"
    n_times, n_units, n_labels = (found[name].shape[0] for name in _LAYOUT)
    if not n_times == n_units == n_labels:
        return f"spikes/times has {n_times} trials, spikes/units {n_units} and labels {n_labels}, but the numbers must agree"
    return None


def _checked_offsets(path, n_times, n_units):
    wrong = np.flatnonzero(n_times != n_units)
    if wrong.size:
        b = wrong[0]
        raise ValueError(
            f"{path}: trial {b} has {n_times[b]} times but {n_units[b]} units; each spike has one time and one "
            "unit, so the numbers must agree."
        )
    return np.concatenate([[0], np.cumsum(n_times)])


def _check_spikes(path, times, units, offsets, n_units):
    # before spikes are dropped: NaN is never before the end of a trial, and would vanish without a word
    for wrong, values, what in (
        (~np.isfinite(times), times, "time {} s; times must be finite numbers, in seconds"),
        (times < 0, times, "time {} s; times must not be negative, a trial starts at 0 s"),
        (
            (units < 0) | (units >= n_units),
            units,
            f"unit {{}}; with n_units = {n_units} units must lie in 0 .. {n_units - 1}",
        ),
    ):
        if wrong.any():
            bad = int(np.argmax(wrong))
            b = int(np.searchsorted(offsets, bad, side="right") - 1)
            raise ValueError(
                f"{path}: spike {bad - offsets[b]} of trial {b} has {what.format(values[bad])}."
            )


def _sorted_within_trials(times, units, offsets):
    falls = np.flatnonzero(times[1:] < times[:-1]) + 1
    if np.isin(falls, offsets).all():
        return times, units
    order = np.lexsort((times, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))))
    return times[order], units[order]


def _fetch(pooch, name, md5, folder):
    url = f"{_BASE_URL}{name}.zip"
    try:
        archive = pooch.retrieve(url, known_hash=f"md5:{md5}", fname=f"{name}.zip", path=folder)
    except OSError as error:
        raise OSError(
            f"{url} could not be downloaded to {folder} ({error}). An archive that was fetched by other means can be "
            "put there by hand."
        ) from error
    return _unzip(archive, folder / name)


def _unzip(archive, target):
    """Unpack the member of the archive with the name of `target`, unless that is done. A cut-off run leaves no half file."""
    with zipfile.ZipFile(archive) as content:
        member = content.getinfo(target.name)
        if target.is_file() and target.stat().st_size == member.file_size:
            return target
        unfinished = target.with_name(target.name + ".part")
        with content.open(member) as source, open(unfinished, "wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
    os.replace(unfinished, target)
    return target
