"""Neo: spike trains and recorded states as a Block with a Segment for each trial, and back.

elephant, and everything else that works on Neo, then works on networks of biosnn.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from ..data.recording import Recording
from ..support import checks
from ..support.optional import optional
from .sources import UNITS, Source, lengths, on_steps, recording_of, trains_from_clock

_SIGNAL_OF = "from_neo: all segments must have the same signals, sampled at the same times"


def to_neo(source: Source, *, units: Mapping[str, str] | None = None) -> Any:
    """Return spikes and recorded states as a Block of Neo.

    It needs the package neo, which `pip install "biosnn[neo]"` brings.

    Parameters
    ----------
    source
        A Trace, Simulation or Recording, SpikeTrains, or a dict of population -> SpikeTrains. Of a
        Trace these are the spikes of the network; its inputs are in `trace.inputs`.
    units
        Units of states, such as {"U": "mV"}, or {"E.U": "mV"} for one population. Default:
        dimensionless.

    Returns
    -------
    A neo.Block with a Segment for each trial. Every neuron has a neo.SpikeTrain, also where it is
    silent, from t_start, the `start` of the run, to t_stop, the end of the trial, with the
    annotations population, sign and index. Every recorded state has a neo.AnalogSignal (time,
    neuron), whose array annotation index says which neurons it is of. The label of a trial is an
    annotation of its Segment, and there is a Group for each population.

    Raises
    ------
    ImportError
        If Neo is not installed.
    ValueError
        If the source is none of these, or Neo does not know a unit.

    See Also
    --------
    from_neo : the other way.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> block = bs.interop.to_neo({"E": spikes})
    >>> train = block.segments[0].spiketrains[0]
    >>> train.annotations["population"], train.annotations["index"], train.t_stop
    ('E', 0, array(0.5) * s)
    """
    neo = optional("neo", "neo", "to_neo")
    recording = recording_of(source, units)
    of_block = {"dt": recording.dt} if recording.dt is not None else {}
    block = neo.Block(name="biosnn", **of_block)
    groups = {name: neo.Group(name=name) for name in recording}
    signal_units = {name: _quantity(recording.unit(name), name) for name in recording.states}
    starts, ends, labels = recording.starts, recording.ends, recording.labels
    n_times = recording.inside.sum(axis=1)
    for b in range(recording.n_trials):
        label = {} if labels is None else {"label": int(labels[b])}
        segment = neo.Segment(name=f"trial {b}", index=b, **label)
        span = (float(starts[b]), float(starts[b] + ends[b]))
        for name in recording:
            trains = _spike_trains(neo, recording, name, b, span)
            segment.spiketrains.extend(trains)
            groups[name].add(*trains)
        for name in recording.states:
            signal = _signal(neo, recording, name, b, n_times[b], signal_units[name])
            segment.analogsignals.append(signal)
        block.segments.append(segment)
    block.groups.extend(groups.values())
    if hasattr(block, "check_relationships"):
        block.check_relationships()
    return block


def _spike_trains(neo, recording, name, b, span):
    """A neo.SpikeTrain for each neuron of a population in a trial from span[0] to span[1] (s)."""
    trains = recording[name]
    spikes = slice(*trains.offsets[b : b + 2])
    units, times = trains.units[spikes], trains.times[spikes].astype(np.float64)
    order = np.argsort(units, kind="stable")
    cuts = np.searchsorted(units[order], np.arange(1, trains.n_units))
    start, stop = span
    return [
        neo.SpikeTrain(
            np.minimum(start + each, stop),
            units="s",
            t_start=start,
            t_stop=stop,
            name=f"{name} {index}",
            population=name,
            sign=recording.signs.get(name, "unsigned"),
            index=index,
        )
        for index, each in enumerate(np.split(times[order], cuts))
    ]


def _signal(neo, recording, name, b, n_times, unit):
    """The neo.AnalogSignal of a state in a trial."""
    population, _, state = name.partition(".")
    first = recording.state_times[0] if recording.state_times.size else 0.0
    return neo.AnalogSignal(
        recording.states[name][b, :n_times],
        units=unit,
        t_start=(recording.starts[b] + first) * _quantity("s", "time"),
        sampling_period=(recording.sampling or 1.0) * _quantity("s", "time"),
        name=name,
        array_annotations={"index": recording.neurons[name]},
        population=population,
        state=state,
        sign=recording.signs.get(population, "unsigned"),
    )


def _quantity(unit, state):
    """A unit of the package quantities; ValueError for one that it does not know."""
    quantities = optional("quantities", "neo", "to_neo")
    try:
        return quantities.unit_registry[unit]
    except Exception:  # noqa: BLE001 - a text is parsed there, and fails as Python does
        raise ValueError(
            f"unit {unit!r} of {state}: the package quantities does not know it; give one such as "
            "'mV', 'pA', 'nS' or 'dimensionless'."
        ) from None


# --------------------------------------------------------------------------------------------- back


def from_neo(block: Any, *, population: str = UNITS) -> Recording:
    """Return the spike trains and signals of a Block or Segment of Neo as a Recording.

    It needs the package neo, which `pip install "biosnn[neo]"` brings.

    Parameters
    ----------
    block
        A neo.Block, whose Segments are trials, one neo.Segment, or a list of neo.SpikeTrain, which
        are the units of one trial.
    population
        Name for spike trains without an annotation population.

    Returns
    -------
    A Recording: population -> SpikeTrains, signals as states (trial, time, neuron), and the
    `start` of the trials, their t_start. Units have the number of their annotation index;
    without it trains of one name are of one unit, and without names those at one place.

    Raises
    ------
    ImportError
        If Neo is not installed.
    ValueError
        If it is something else, has neither spikes nor signals, its signals have different times,
        or nothing says which spike trains of segments are of the same unit.

    See Also
    --------
    to_neo : the other way.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.SpikeTrains.from_units([[0.1, 0.3], [0.2]], duration=0.5)
    >>> recording = bs.interop.from_neo(bs.interop.to_neo({"E": spikes}))
    >>> recording["E"].times, recording["E"].units  # needs biosnn[neo]
    (array([0.1, 0.2, 0.3]), array([0, 1, 0], dtype=int32))
    """
    neo = optional("neo", "neo", "from_neo")
    checks.texts([population], "population", "'E'")
    segments = _segments(neo, block)
    dt = getattr(block, "annotations", {}).get("dt")
    spans = np.array([_span(segment) for segment in segments])
    starts, ends = spans[:, 0], lengths(spans[:, 0], spans[:, 1], dt)
    names = dict.fromkeys(
        train.annotations.get("population", population) for s in segments for train in s.spiketrains
    )
    spikes, signs = {}, {}
    for name in names:
        each = [
            [t for t in s.spiketrains if t.annotations.get("population", population) == name]
            for s in segments
        ]
        (units, n_units), trials, clock = _events(each)
        spikes[name] = trains_from_clock(
            clock,
            units,
            trials,
            starts=starts,
            ends=ends,
            n_units=n_units,
            dt=dt,
            labels=_labels(segments),
        )
        signs[name] = next(t for row in each for t in row).annotations.get("sign", "unsigned")
    return Recording(
        spikes, start=starts, signs=signs, dt=dt, **_states(segments, starts, dt, population)
    )


def _segments(neo, given):
    """Segments of what was given."""
    if isinstance(given, neo.Block):
        segments = list(given.segments)
    elif isinstance(given, neo.Segment):
        segments = [given]
    else:
        trains = list(given) if isinstance(given, (list, tuple)) else []
        if not trains or not all(isinstance(train, neo.SpikeTrain) for train in trains):
            such = "a neo.Block, a neo.Segment, or a list of neo.SpikeTrain"
            checks.refuse("block", given, such)
        segments = [neo.Segment()]
        segments[0].spiketrains.extend(trains)
    if not segments or not any(s.spiketrains or s.analogsignals for s in segments):
        raise ValueError("block has neither spike trains nor signals: there is nothing to take.")
    return segments


def _seconds(quantity):
    """A time of Neo in seconds."""
    return float(quantity.rescale("s").magnitude)


def _span(segment):
    """(start, end) of a segment in seconds."""
    parts = [*segment.spiketrains, *(() if segment.spiketrains else segment.analogsignals)]
    if not parts:
        raise ValueError("from_neo: a segment is empty; every segment is a trial.")
    return min(_seconds(p.t_start) for p in parts), max(_seconds(p.t_stop) for p in parts)


def _labels(segments):
    """(trials,) labels, or None unless all segments have one."""
    labels = [segment.annotations.get("label") for segment in segments]
    return None if any(label is None for label in labels) else labels


def _events(each):
    """(units of the spikes, number of units), trials, and times on the clock of one population.

    each: lists of neo.SpikeTrain, one for each trial.
    """
    times, units, trials, n_units = [np.empty(0)], [], [], 1
    for b, (row, numbers) in enumerate(zip(each, _numbers(each), strict=True)):
        found = [np.asarray(train.rescale("s").magnitude, np.float64) for train in row]
        counts = [len(own) for own in found]
        times += found
        units.append(np.repeat(np.array(numbers, np.int64), counts))
        trials.append(np.full(sum(counts), b))
        n_units = max(n_units, *(number + 1 for number in numbers))
    return (np.concatenate(units), n_units), np.concatenate(trials), np.concatenate(times)


def _numbers(each):
    """Which unit every spike train is of: by annotation index, by name, or by its place."""
    numbers = [[train.annotations.get("index") for train in row] for row in each]
    whole = all(isinstance(k, (int, np.integer)) and k >= 0 for row in numbers for k in row)
    if whole and _differ(numbers):
        return numbers
    names = [[train.name for train in row] for row in each]
    if all(name for row in names for name in row) and _differ(names):
        known = {name: k for k, name in enumerate(dict.fromkeys(chain.from_iterable(names)))}
        return [[known[name] for name in row] for row in names]
    if len({len(row) for row in each}) > 1:
        raise ValueError(
            "from_neo: segments have different numbers of spike trains, and neither names nor "
            "annotations index=0, 1, … that say which are of the same unit; give them such."
        )
    return [list(range(len(row))) for row in each]


def _differ(rows):
    """Whether nothing is in a row twice."""
    return all(len(set(row)) == len(row) for row in rows)


def _states(segments, starts, dt, population):
    """What a Recording has of states, from the signals of all segments."""
    states: dict[str, list] = {}
    clocks, neurons, units = [], {}, {}
    for b, segment in enumerate(segments):
        for k, signal in enumerate(segment.analogsignals):
            name = _state_name(signal, k, population)
            states.setdefault(name, []).append(np.asarray(signal.magnitude))
            clocks.append(signal.times.rescale("s").magnitude - starts[b])
            neurons[name] = signal.array_annotations.get("index", np.arange(signal.shape[1]))
            units[name] = signal.dimensionality.string
    if not states:
        return {}
    if any(len(rows) != len(segments) for rows in states.values()):
        raise ValueError(f"{_SIGNAL_OF}; some of these lack a signal that others have.")
    if any(len({row.shape[1] for row in rows}) > 1 for rows in states.values()):
        raise ValueError("from_neo: a signal has different numbers of channels in some segments.")
    longest = max(clocks, key=len)
    if any(np.max(np.abs(clock - longest[: len(clock)]), initial=0) > 1e-9 for clock in clocks):
        raise ValueError(f"{_SIGNAL_OF}; these begin or are sampled differently.")
    return {
        "states": {name: _padded(rows, longest.size) for name, rows in states.items()},
        "state_times": on_steps(longest, dt),
        "neurons": neurons,
        "units": units,
    }


def _padded(rows, n_times):
    """(trial, time, neuron) signals, NaN after the end of the shorter ones."""
    kind = np.result_type(np.float32, *rows)
    found = np.full((len(rows), n_times, rows[0].shape[1]), np.nan, kind)
    for values, row in zip(found, rows, strict=True):
        values[: len(row)] = row
    return found


def _state_name(signal, k, population):
    """The name of a signal as that of a state."""
    if "population" in signal.annotations and "state" in signal.annotations:
        return f"{signal.annotations['population']}.{signal.annotations['state']}"
    return f"{population}.{signal.name or f'signal {k}'}"
