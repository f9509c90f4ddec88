"""A campaign of random calls: every public name, with one or two of its arguments replaced by
values that nobody should give.

    python -m tests.fuzz.calls --count 5000 --seed 0 [--only NAME] [--brian]

Calls run in child processes (children.py). What comes of one:

    fine      it returned, and nothing that it returned is NaN where right arguments give numbers
    ours      ValueError, TypeError, OSError, KeyError or IndexError from a `raise` of biosnn
    foreign   any other exception: words of numpy, Python, numba, h5py, …
    nan       NaN came back although no argument holds one
    refused   right arguments were not taken
    crash     the process died
    hang      more than 10 s
"""

import argparse
import os
import tempfile
import warnings
from collections import Counter, defaultdict
from dataclasses import fields, is_dataclass
from linecache import getline
from pathlib import Path

import numpy as np

from . import hostile, registry
from .children import ROOT, outcomes

SECONDS = 10.0
_OURS = (ValueError, TypeError, OSError, KeyError, IndexError)
_LIBRARY = str(ROOT / "biosnn") + os.sep

#: What is documented as NaN where there is too little to tell: in the names of parts of results.
NOT_KNOWN = ("cv", "correlation", "synchrony", "fano", "ei_", "isi", "across_")

#: Whose answer itself is documented as NaN there.
TOO_LITTLE = {
    f"stats.{name}"
    for name in (
        "isi_cv",
        "pooled_cv",
        "fano_factor",
        "synchrony",
        "correlations",
        "cross_correlogram",
        "ei_balance",
    )
} | {"signals.intrinsic_timescale", "signals.dimensionality", "signals.inhibition_lag"}

#: Calls that end in words of others: (call, argument, value), each "*" for any -> the reason.
EXCUSED = {
    (
        "data.from_event_arrays",
        "recordings",
        "Liar",
    ): "what a data set of the user's own raises reaches him as it is",
    (
        "experiments.gain_curve",
        "source",
        "*",
    ): "what a function of the user's own raises reaches him as it is",
}


# ------------------------------------------------------------------------------------- in the child


def call(case):
    """What comes of {"call": name, "changes": [[argument, key or None, hostile value], …]}."""
    if Path.cwd() == ROOT:
        os.chdir(tempfile.mkdtemp())  # texts may be taken for paths
    objects = registry.Objects()
    function, arguments, *then = _calls()[case["call"]](objects)
    for argument, key, value in case["changes"]:
        arguments[argument] = _replaced(arguments[argument], key, hostile.HOSTILE[value](objects))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(**arguments)
            found = [result, *(use(objects, result) for use in then)]
            return {
                "outcome": "fine",
                "nan": [
                    where
                    for k, part in enumerate(found)
                    for where in _nans(part, "then" if k else "result")
                ],
            }
    except Exception as error:
        return _told(error)


def _calls():
    return registry.CALLS | registry.CALLS_OF_BRIAN2


def _replaced(argument, key, value):
    if key is None:
        return value
    if isinstance(argument, dict):
        return argument | {tuple(key) if isinstance(key, list) else key: value}
    changed = list(argument)
    changed[key] = value
    return type(argument)(changed)


def _told(error):
    """Whose words they are, where they were said, and the last line of biosnn on the way there."""
    trace, through = error.__traceback__, None
    while trace is not None:
        file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        if file.startswith(_LIBRARY):
            through = f"{file[len(_LIBRARY) :]}:{line} {trace.tb_frame.f_code.co_name}"
        trace = trace.tb_next
    said = getline(file, line).strip()
    ours = isinstance(error, _OURS) and file.startswith(_LIBRARY) and said.startswith("raise")
    try:
        text = str(error)[:300]
    except Exception:
        text = "(its text fails)"
    return {
        "outcome": "ours" if ours else "foreign",
        "type": type(error).__name__,
        "text": text,
        "through": through or f"{file}:{line}",
    }


def _nans(found, where, depth=0):
    """Places of NaN in what a call returned."""
    if depth > 4 or found is None or isinstance(found, (str, bytes)):
        return []
    if isinstance(found, (float, np.floating, complex)):
        return [where] if np.isnan(found) else []
    if isinstance(found, np.ndarray):
        return [where] if found.dtype.kind in "fc" and np.isnan(found).any() else []
    parts = {}
    if isinstance(found, dict):
        parts = found
    elif isinstance(found, (list, tuple)):
        parts = dict(enumerate(found[:20]))
    elif is_dataclass(found) and not isinstance(found, type):
        parts = {
            f.name: getattr(found, f.name, None)
            for f in fields(found)
            if f.name not in ("network", "tape", "state", "inputs")
        }
    return [
        each for name, part in parts.items() for each in _nans(part, f"{where}.{name}", depth + 1)
    ]


# ------------------------------------------------------------------------------------- the campaign


def random_cases(count, seed, only="", brian=False):
    """Cases, each once; the right arguments of every call first."""
    rng = np.random.default_rng(seed)
    calls = registry.CALLS | (registry.CALLS_OF_BRIAN2 if brian else {})
    names = [name for name in calls if only in name]
    places = {name: _places(calls[name](registry.Objects())[1]) for name in names}
    changeable = [name for name in names if places[name]]
    values, known = list(hostile.HOSTILE), set()
    weights = (
        np.array([len(places[name]) for name in changeable], float) ** 0.5
    )  # a call of twenty arguments takes more tries
    for _ in range(20 * count):
        name = str(rng.choice(changeable, p=weights / weights.sum()))
        several = 2 if rng.random() < 0.25 and len(places[name]) > 1 else 1
        chosen = rng.choice(len(places[name]), several, replace=False)
        changes = [[*places[name][k], str(rng.choice(values))] for k in chosen]
        if (
            len({argument for argument, _, _ in changes}) == several
            and (key := (name, str(changes))) not in known
        ):
            known.add(key)
            yield {"call": name, "changes": changes}
        if len(known) == count:
            return


def right_cases(only="", brian=False):
    return [
        {"call": name, "changes": []}
        for name in registry.CALLS | (registry.CALLS_OF_BRIAN2 if brian else {})
        if only in name
    ]


def _places(arguments):
    """(argument, None) of each, and (argument, key) of the first element of dicts and lists."""
    places = [(name, None) for name in arguments]
    for name, value in arguments.items():
        if isinstance(value, dict) and value:
            places.append((name, next(iter(value))))
        elif isinstance(value, (list, tuple)) and value:
            places.append((name, 0))
    return places


def campaign(cases, only="", brian=False, patience=900):
    """Yields (case, outcome), with "outcome" as at the head of this file.

    What is slow is tried again in a child that has compiled it.
    """
    worker, right = "tests.fuzz.calls:call", {}
    for case, found in outcomes(worker, right_cases(only, brian), patience):
        right[case["call"]] = _summary(found, None)
        if right[case["call"]]["outcome"] != "fine":
            yield case, right[case["call"]] | {"outcome": "refused"}
    slow = []
    for case, found in outcomes(worker, cases, 3 * SECONDS):
        found = _summary(found, right[case["call"]] if _finite(case) else None)
        if found["outcome"] == "hang":
            slow.append(case)
        else:
            yield case, found
    for case in slow:
        *_, (_, found) = outcomes(
            worker,
            [{"call": case["call"], "changes": []}, case, case],
            patience if patience < 120 else 120,
        )
        yield case, _summary(found, right[case["call"]] if _finite(case) else None)


def _finite(case):
    """Whether a call should return no NaN where right arguments give none."""
    return case["call"] not in TOO_LITTLE and not any(
        value in hostile.NOT_FINITE for *_, value in case["changes"]
    )


def _summary(found, right):
    """An outcome of children.py in the terms of this file.

    right: what the right arguments give; None where NaN may come of these ones.
    """
    if found["kind"] == "crash":
        return {"outcome": "crash", "through": f"signal {found['signal']}"}
    if found["kind"] == "hang" or found["seconds"] > SECONDS:
        return {"outcome": "hang", "through": ""}
    if found["kind"] == "error":  # of the campaign itself, such as no memory for the answer
        return {
            "outcome": "foreign",
            "type": found["type"],
            "text": found["text"],
            "through": found["of"],
        }
    value = found["value"]
    if value["outcome"] != "fine" or right is None:
        return value
    new = set(value["nan"]) - set(right.get("nan", ()))
    new = sorted(where for where in new if not any(part in where for part in NOT_KNOWN))
    return value | {"outcome": "nan", "through": ", ".join(new), "text": ""} if new else value


def excuse(case):
    """The reason why this call may end in words of others, or None."""
    for argument, _, value in case["changes"]:
        for key in (
            (case["call"], argument, value),
            (case["call"], argument, "*"),
            ("*", "*", value),
        ):
            if key in EXCUSED:
                return EXCUSED[key]
    return None


def offenders(found, excused=True):
    """Lines on what is neither fine nor in our words, by the place in biosnn that it came through.

    excused: whether with those that have an excuse.
    """
    groups = defaultdict(list)
    for case, outcome in found:
        if outcome["outcome"] not in ("fine", "ours") and (
            excused or outcome["outcome"] != "foreign" or not excuse(case)
        ):
            groups[outcome["through"]].append((case, outcome))
    lines = []
    for through, members in sorted(groups.items()):
        lines.append(f"\n{through}   ({len(members)})")
        for case, outcome in members:
            changes = ", ".join(
                f"{argument}{'' if key is None else f'[{key!r}]'} = {value}"
                for argument, key, value in case["changes"]
            )
            words = f"{outcome.get('type', '')}: {outcome.get('text', '')}".splitlines()[0][:110]
            lines.append(
                f"    {outcome['outcome']:8s}{case['call']}({changes})   {words}"
                + (f"   EXCUSED: {excuse(case)}" if excuse(case) else "")
            )
    return lines


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="calls whose name contains this")
    parser.add_argument("--brian", action="store_true", help="also those that need Brian2")
    options = parser.parse_args()
    found = list(
        campaign(
            random_cases(options.count, options.seed, options.only, options.brian),
            options.only,
            options.brian,
        )
    )
    print("\n".join(offenders(found)))
    print(f"\n{len(found)} calls of {len({case['call'] for case, _ in found})} names")
    for outcome, number in Counter(outcome["outcome"] for _, outcome in found).most_common():
        print(f"  {outcome:8s} {number:6d}   {100 * number / len(found):5.2f} %")


if __name__ == "__main__":
    main()
