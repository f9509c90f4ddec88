"""Files in the layout of the Spiking Heidelberg Digits with one thing in them that cannot be."""

import h5py
import numpy as np


def in_digits(path, rng, wrong=None):
    wrong = _WRONG_DIGITS if wrong is None else wrong
    name = str(rng.choice(list(wrong)))
    with h5py.File(path, "r+") as file:
        offset = wrong[name](file, rng)
    if offset is not None:  # every trial has the same entry, and refers to one place
        data = bytearray(path.read_bytes())
        first, n = offset
        data[first : first + 16 * n] = data[first : first + 16] * n
        path.write_bytes(bytes(data))
    return name


def in_speakers(path, rng):
    return in_digits(path, rng, _WRONG_SPEAKERS)


def _replace(name, **given):
    def act(file, rng):
        del file[name]
        file.create_dataset(name, **given)

    return act


def _entry(name, value):
    def act(file, rng):
        b = next(b for b in rng.permutation(len(file[name])) if len(file[name][b]))
        entry = file[name][b].copy()
        entry[rng.integers(entry.size)] = value
        file[name][b] = entry

    return act


def _without(name):
    def act(file, rng):
        del file[name]

    return act


def _linked(link):
    def act(file, rng):
        del file["labels"]
        file["labels"] = link

    return act


def _one_place(file, rng):
    n, large = 20000, np.zeros(20000)
    for name, kind in (("spikes/times", np.float16), ("spikes/units", np.uint16)):
        del file[name]
        file.create_dataset(name, (n,), h5py.vlen_dtype(kind))[0] = large.astype(kind)
    for name in ("labels", "extra/speaker"):
        del file[name]
        file[name] = np.zeros(n, int)
    return file["spikes/times"].id.get_offset(), n


def _shorter(file, rng):
    file["spikes/units"][0] = np.zeros(len(file["spikes/units"][0]) + 1, np.uint16)


def _all_empty(file, rng, n=1 << 36):
    for name in _NAMES:
        kind = file[name].dtype
        del file[name]
        file.create_dataset(name, (n,), kind, chunks=(1 << 10,))


def _bomb(file, rng):
    del file["extra/speaker"], file["labels"]
    for name in ("labels", "extra/speaker"):
        file.create_dataset(name, (1 << 27,), np.int64, chunks=(1 << 20,), compression="gzip")
    file["labels"][: 1 << 21] = file["extra/speaker"][: 1 << 21] = 1


_NAMES = ("spikes/times", "spikes/units", "labels", "extra/speaker")
_WRONG_DIGITS = {
    "labels of text": _replace("labels", data=[b"a"] * 20),
    "labels of floats": _replace("labels", data=np.full(20, 0.5)),
    "labels in rows": _replace("labels", data=np.zeros((20, 2), int)),
    "one label": _replace("labels", data=3),
    "labels without values": _replace("labels", data=h5py.Empty("i8")),
    "fewer labels": _replace("labels", data=np.zeros(19, int)),
    "no labels": _without("labels"),
    "no spikes": _without("spikes"),
    "all at one place": _one_place,
    "a loop of links": _linked(h5py.SoftLink("/labels")),
    "a link to nowhere": _linked(h5py.ExternalLink("none.h5", "/x")),
    "2^36 trials": _all_empty,
    "2^20 trials": lambda file, rng: _all_empty(file, rng, 1 << 20),
    "a time that is none": _entry("spikes/times", np.nan),
    "a negative time": _entry("spikes/times", -1.0),
    "an infinite time": _entry("spikes/times", np.inf),
    "a unit too far": _entry("spikes/units", 65535),
    "more units than times": _shorter,
}
_WRONG_SPEAKERS = {
    "no speakers": _without("extra/speaker"),
    "speakers in rows": _replace("extra/speaker", data=np.zeros((20, 1), int)),
    "speakers of floats": _replace("extra/speaker", data=np.zeros(20)),
    "fewer speakers": _replace("extra/speaker", data=np.zeros(3, int)),
    "2^36 trials": _all_empty,
    "a bomb": _bomb,
    "no labels": _without("labels"),
    "too large": _replace("extra/speaker", data=np.full(20, 2**63, np.uint64)),
}
