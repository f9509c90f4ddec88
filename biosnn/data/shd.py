"""Files in the layout of the Spiking Heidelberg Digits (SHD) and Spiking Speech Commands (SSC).

Cramer, Stradmann, Schemmel & Zenke (2020), The Heidelberg Spiking Data Sets for the Systematic
Evaluation of Spiking Neural Networks, IEEE Transactions on Neural Networks and Learning Systems 33,
2744-2757, doi:10.1109/TNNLS.2020.3044364.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..support import checks, files, hdf5, plausible, timegrid
from ..support.optional import optional
from ..support.warn import warn_if_implausible
from .spike_base import ends_after
from .spike_checks import time_type
from .spike_trains import SpikeTrains

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


def load_shd(
    path: str | os.PathLike,
    *,
    duration: float | None = None,
    n_units: int = 700,
    dtype: DTypeLike = np.float32,
    own_ends: bool = False,
) -> SpikeTrains:
    """Read an HDF5 file in the layout of the Spiking Heidelberg Digits.

    Parameters
    ----------
    path
        The .h5 file. For each trial it holds spikes/times (s), spikes/units, and the class in
        labels.
    duration
        Duration of a trial in seconds. Spikes at or after it are dropped (a UnitWarning says if
        these are most of them, as in a file whose times are in ms). Default: the first multiple of
        10 ms after the latest spike. Give it where two files must agree.
    n_units
        Number of input units. SHD and SSC have 700 cochlear channels.
    dtype
        Type of the times, float32 or float64 (files often store float16).
    own_ends
        Whether each trial ends after its own last spike, at the first multiple
        of 10 ms (and at `duration` at the latest), in place of one duration for all.

    Returns
    -------
    Spike trains with labels. Times that are not sorted within a trial are sorted; spikes at equal
    times keep their order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is not HDF5, or corrupt or incomplete.
    ValueError
        If data sets are missing or of another kind, lengths disagree, units are not in
        0 .. n_units - 1, or times are negative or not finite.

    References
    ----------
    Cramer et al. (2020), doi:10.1109/TNNLS.2020.3044364.

    Examples
    --------
    >>> import biosnn as bs
    >>> files = bs.data.fetch_shd()  # doctest: +SKIP
    >>> train = bs.data.load_shd(files["train"], duration=1.4)  # doctest: +SKIP
    """
    dtype, n_units = time_type(dtype), checks.whole(n_units, "n_units", 1)
    own_ends = checks.flag(own_ends, "own_ends")
    path = checks.path(path, "path")
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
        times, units = times[before], units[before]
        offsets = offsets - np.searchsorted(late, offsets)
    if not own_ends or not len(labels):
        return SpikeTrains(times, units, offsets, n_units, duration, labels)
    ends = ends_after(times, offsets, duration)
    return SpikeTrains(times, units, offsets, n_units, float(ends.max()), labels, ends)


def fetch_shd(dataset: str = "shd", *, folder: str | os.PathLike | None = None) -> dict[str, Path]:
    """Download the Spiking Heidelberg Digits or Spiking Speech Commands, once.

    Parameters
    ----------
    dataset
        "shd" (20 spoken digits) or "ssc" (35 spoken words).
    folder
        Where to keep the files. Default: the user's cache folder.

    Returns
    -------
    Paths of the files for `load_shd`, by part: "train" and "test", and "valid" of SSC. Archives are
    checked against their MD5, and unpacked in the same folder. A finished download is not fetched
    again.

    Raises
    ------
    ImportError
        Without the package pooch.
    ValueError
        For another data set, or a checksum that does not match.
    OSError
        If the download fails.

    References
    ----------
    Cramer et al. (2020), doi:10.1109/TNNLS.2020.3044364.

    Examples
    --------
    >>> import biosnn as bs
    >>> files = bs.data.fetch_shd()  # doctest: +SKIP
    """
    if dataset not in _MD5:
        raise ValueError(f"dataset is {dataset!r}; known are {' and '.join(map(repr, _MD5))}.")
    pooch = optional("pooch", "data", "data.fetch_shd")
    folder = Path(pooch.os_cache("biosnn") if folder is None else folder).expanduser()
    return {
        part: _fetch(pooch, f"{dataset}_{part}.h5", md5, folder)
        for part, md5 in _MD5[dataset].items()
    }


def load_speakers(path: str | os.PathLike) -> NDArray[np.int64]:
    """Read who spoke each trial of a file in the layout of SHD.

    Parameters
    ----------
    path
        The .h5 file, with a data set extra/speaker.

    Returns
    -------
    (trials,) whole numbers.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it cannot be read.
    ValueError
        If it does not say who spoke.

    Examples
    --------
    >>> import biosnn as bs
    >>> files = bs.data.fetch_shd()  # doctest: +SKIP
    >>> speakers = bs.data.load_speakers(files["train"])  # doctest: +SKIP
    """
    path = checks.path(path, "path")
    _check_exists(path)
    found = hdf5.read(path, {"extra/speaker": (False, "iu"), "labels": (False, "")})
    if found["extra/speaker"] is None or found["extra/speaker"].values is None:
        raise ValueError(
            f"{path}: there is no data set extra/speaker with a whole number for each trial, so it "
            "does not say who spoke."
        )
    return checks.wholes(found["extra/speaker"].values, f"{path}: extra/speaker")


def _check_exists(path):
    """FileNotFoundError unless there is such a file."""
    if not files.is_file(path):
        raise FileNotFoundError(
            f"{path} does not exist, or is not a file; it must be an HDF5 file in the layout of "
            "SHD."
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
        return (
            f"spikes/times has {n_times} trials, spikes/units {n_units} and labels {n_labels}, but "
            "the numbers must agree"
        )
    return None


def _checked_offsets(path, n_times, n_units):
    """Where the trials begin; ValueError where times and units differ in number."""
    wrong = np.flatnonzero(n_times != n_units)
    if wrong.size:
        b = wrong[0]
        raise ValueError(
            f"{path}: trial {b} has {n_times[b]} times but {n_units[b]} units; each spike has one "
            "time and one unit, so the numbers must agree."
        )
    return np.concatenate([[0], np.cumsum(n_times)])


def _check_spikes(path, times, units, offsets, n_units):
    """ValueError for impossible times and units.

    Before spikes are dropped: NaN is never before the end of a trial, and would vanish without a
    word.
    """
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
    """Times and units in order of time; spikes at equal times keep their order."""
    falls = np.flatnonzero(times[1:] < times[:-1]) + 1
    if np.isin(falls, offsets).all():
        return times, units
    order = np.lexsort((times, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))))
    return times[order], units[order]


def _fetch(pooch, name, md5, folder):
    """Download and unpack one file; returns its path."""
    url = f"{_BASE_URL}{name}.zip"
    try:
        archive = pooch.retrieve(url, known_hash=f"md5:{md5}", fname=f"{name}.zip", path=folder)
    except OSError as error:
        raise OSError(
            f"{url} could not be downloaded to {folder} ({error}). An archive that was fetched by "
            "other means can be put there by hand."
        ) from error
    return _unzip(archive, folder / name)


def _unzip(archive, target):
    """Unpack the file `target` from the archive, unless that is done. No half file is left."""
    with zipfile.ZipFile(archive) as content:
        member = content.getinfo(target.name)
        if target.is_file() and target.stat().st_size == member.file_size:
            return target
        unfinished = target.with_name(target.name + ".part")
        with content.open(member) as source, open(unfinished, "wb") as copy:
            shutil.copyfileobj(source, copy, 2**20)
    os.replace(unfinished, target)
    return target
