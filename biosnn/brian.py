"""The same network in Brian2, and the comparison of both programs.

`to_brian2` builds Brian2 objects, `script` writes them as a Python file to read, edit and publish, and `compare` runs both
programs and says where they agree. Brian2 (Stimberg, Brette & Goodman 2019, eLife 8:e47314) is imported only here, and
only when one of them is called. biosnn runs in float64 for the comparison, as Brian2 does.
"""
import copy
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import stats
from .events import SpikeTrains, bin_spikes, number_of_steps
from .simulate import input_trains, run

_METHODS = {"exact": "exact", "exponential_euler": "exponential_euler"}


def require_brian2():
    """The module brian2, or an ImportError that says how to get it."""
    try:
        import brian2
    except ImportError as error:
        raise ImportError(f"the comparison needs Brian2, which cannot be imported ({error}): pip install 'biosnn[brian2]'.") from None
    return brian2


# ---------------------------------------------------------------------------------------------- parts of the description

@dataclass(frozen=True)
class _Group:
    """What a NeuronGroup is made of: text, and arrays or numbers by name (seconds where `seconds`)."""
    name: str
    n: int
    model: str
    options: dict
    constants: dict      # name -> seconds, one number
    parameters: dict     # name -> array, one number per neuron; time constants (tau_…) in seconds
    initial: float
    hold: str            # statement after every update that clamps U, where Brian2's own way fails; or ""


#: Brian2's exact solution with a clamped U divides by the difference of its time constants, also where they are equal.
_HOLD = "U = int(not_refractory)*U + (1 - int(not_refractory))*U_held"


def _identifier(name):
    text = re.sub(r"\W", "_", name)
    return text if re.match(r"[A-Za-z]", text) else f"p_{text}"


def _group(network, population, driven):
    """Equations from the rows of the table. Equal time constants get one symbol: the exact solution divides by differences."""
    neuron, taus = population.neuron, network.time_constants(population)
    symbols, constants, parameters = _symbols(population.name, taus, neuron.integrator == "exact")
    clamps = population.kind == "spiking" and neuron.refractory_steps(network.dt) > 1
    hold = _HOLD if clamps and neuron.integrator == "exact" and len(set(symbols.values())) < len(symbols) else ""
    lines = []
    for state, tau in neuron.states.items():
        terms = "".join(f" {'+' if gain >= 0 else '-'} {'' if abs(gain) == 1 else f'{abs(gain)!r}*'}{other}"
                        for (row, other), gain in neuron.gains.items() if row == state)
        current = " + J" if driven and state == "U" else ""
        lines.append(f"d{state}/dt = (-{state}{terms}{current})/{symbols[tau]} : 1" + (" (unless refractory)" if clamps and not hold and state == "U" else ""))
    lines += [f"{name} : {'second' if name.startswith('tau') else '1'} (constant)" for name in parameters]
    lines += ["J : 1"] if driven else []
    lines += ["U_held : 1"] if hold else []
    options = {"method": _METHODS[neuron.integrator]}
    if population.kind == "spiking":
        options["threshold"] = f"U > {float(neuron.threshold)!r}"
        options["reset"] = f"U -= {float(neuron.threshold)!r}" if neuron.reset == "subtract" else f"U = {float(neuron.reset)!r}"
        if hold:
            options["reset"] += "; U_held = U"
        if clamps:
            options["refractory"] = f"{neuron.refractory_steps(network.dt)}*dt"
    return _Group(_identifier(population.name), population.n, "\n".join(lines), options, constants, parameters, population.initial,
                  hold)


def _symbols(name, taus, exact):
    """(symbol of each time constant, values of those that are one number, arrays of the others)."""
    symbols, constants, parameters = {}, {}, {}
    for tau, value in taus.items():
        value = np.asarray(value, float)
        known = constants if value.ndim == 0 else parameters
        same = [symbol for symbol, other in known.items() if np.array_equal(other, value)]
        symbols[tau] = same[0] if same else f"tau_{tau}"
        known.setdefault(symbols[tau], value if value.ndim else float(value))
    for a, other in (constants | parameters).items():
        for b, value in parameters.items():
            if exact and a != b and np.any(np.isclose(value, other, rtol=1e-6, atol=0)):
                i = int(np.flatnonzero(np.isclose(value, other, rtol=1e-6, atol=0))[0])
                raise ValueError(f"population {name!r}: {a} and {b} of neuron {i} are (nearly) equal, while those of others differ; "
                                 "Brian2's exact solution divides by their difference. Change one of them a little.")
    return symbols, constants, parameters


def _synapse(network, projection):
    receptor = network[projection.post].neuron.receptors[projection.receptor]
    return f"{receptor.state}_post {'+' if receptor.jump > 0 else '-'}= w"


def _double(network):
    """The same network in float64."""
    double = copy.copy(network)
    double.dtype = np.dtype(np.float64)
    double.weights = {name: w.astype(np.float64) for name, w in network.weights.items()}
    return double


def _input_events(network, spikes):
    """Input name -> (units, steps) of one trial, at most one spike of a unit in a step."""
    events = {}
    for population, train in zip(network.inputs, input_trains(network, spikes) if network.inputs else []):
        binned = bin_spikes(train, network.dt)
        events[population.name] = (binned.units, np.repeat(np.arange(binned.n_steps), np.diff(binned.pointers[0])))
    return events


# ---------------------------------------------------------------------------------------------- Brian2 objects

@dataclass(frozen=True, eq=False)
class BrianNetwork:
    """Brian2 objects of a biosnn network.

    network       brian2.Network of all of them
    populations   name -> NeuronGroup, or SpikeGeneratorGroup for inputs
    projections   name -> Synapses
    spikes        population -> SpikeMonitor
    states        "E.U" -> StateMonitor, at the end of each step
    duration      seconds of the trial
    """
    network: object
    populations: dict
    projections: dict
    spikes: dict
    states: dict
    duration: float

    def run(self):
        """Simulate the trial."""
        self.network.run(self.duration * require_brian2().second)


def to_brian2(network, spikes=None, record=(), currents=None, duration=None):
    """Brian2 objects for `network` and one trial of input. Returns a BrianNetwork.

    spikes     SpikeTrains of one trial, or a dict of input name -> such; None for a network without inputs (give `duration`, s)
    record     states to monitor, such as ["E.U", "readout.U"], at the end of each step
    currents   population -> array that broadcasts to (step, neuron), added to the right-hand side of tau_mem dU/dt
    """
    b2 = require_brian2()
    dt, trial = network.dt * b2.second, _one_trial(network, spikes)
    duration = duration if trial is None else _duration(trial)
    steps = number_of_steps(duration, network.dt)
    events, populations, projections, currents = _input_events(network, trial), {}, {}, currents or {}
    for population in network.inputs:
        units, at = events[population.name]
        populations[population.name] = b2.SpikeGeneratorGroup(population.n, units, at * dt, dt=dt, name=_identifier(population.name))
    for population in network.spiking + network.readouts:
        part = _group(network, population, population.name in currents)
        group = b2.NeuronGroup(part.n, part.model, name=part.name, dt=dt, **_evaluated(part.options, dt),
                               namespace={name: value * b2.second for name, value in part.constants.items()})
        group.U = part.initial
        for name, value in part.parameters.items():
            setattr(group, name, value * b2.second)
        if part.hold:
            group.run_regularly(part.hold, dt=dt, when="groups", order=1)
        if population.name in currents:
            values = np.broadcast_to(np.asarray(currents[population.name], float), (steps, part.n))
            group.namespace["J_over_time"] = b2.TimedArray(values, dt=dt, name=f"current_{part.name}")
            group.run_regularly("J = J_over_time(t, i)", dt=dt, when="start")
        populations[population.name] = group
    for projection in network.projections:
        synapses = b2.Synapses(populations[projection.pre], populations[projection.post], "w : 1", on_pre=_synapse(network, projection),
                               delay=network.delay_steps(projection) * dt, name=_identifier(f"syn_{projection.name}"), dt=dt)
        weights = network.weights[projection.name].astype(np.float64)
        j, i = np.indices(weights.shape).reshape(2, -1)
        synapses.connect(i=j, j=i)
        synapses.w = weights.ravel()
        projections[projection.name] = synapses
    monitors = {p.name: b2.SpikeMonitor(populations[p.name]) for p in network.spiking}
    states = {}
    for name in record:
        population, _, state = name.partition(".")
        states[name] = b2.StateMonitor(populations[population], state, record=True, when="end", dt=dt)
    whole = b2.Network(*populations.values(), *projections.values(), *monitors.values(), *states.values())
    return BrianNetwork(whole, populations, projections, monitors, states, steps * network.dt)


def _evaluated(options, dt):
    options = dict(options)
    if "refractory" in options:
        options["refractory"] = int(options["refractory"].split("*")[0]) * dt
    return options


def _one_trial(network, spikes):
    trains = spikes.values() if isinstance(spikes, dict) else [spikes] if spikes is not None else []
    for train in trains:
        if not isinstance(train, SpikeTrains) or len(train) != 1:
            given = f"{len(train)} trials" if isinstance(train, SpikeTrains) else type(train).__name__
            raise ValueError(f"Brian2 simulates one trial at a time; got {given}. Choose one: spikes[0].")
    return spikes


def _duration(spikes):
    return (next(iter(spikes.values())) if isinstance(spikes, dict) else spikes).duration


# ---------------------------------------------------------------------------------------------- a script

def script(network, spikes, path):
    """Write `network` with one trial of input as a stand-alone Brian2 program: `path` (.py) and its arrays beside it (.npz).

    The program needs Brian2 and numpy only; it simulates the trial and draws the spikes of every population.
    """
    path = Path(path).with_suffix(".py")
    events, arrays, lines = _input_events(network, _one_trial(network, spikes)), {}, []
    names = {p.name: _identifier(p.name) for p in network.populations}
    for population in network.inputs:
        name = names[population.name]
        arrays[f"{name}_units"], arrays[f"{name}_steps"] = events[population.name]
        lines.append(f"{name} = SpikeGeneratorGroup({population.n}, data['{name}_units'], data['{name}_steps'] * dt, dt=dt, name='{name}')")
    for population in network.spiking + network.readouts:
        lines += _script_group(_group(network, population, False), arrays)
    for projection in network.projections:
        name = _identifier(f"syn_{projection.name}")
        arrays[f"{name}_w"] = network.weights[projection.name].astype(np.float64)
        lines += [f"{name} = Synapses({names[projection.pre]}, {names[projection.post]}, 'w : 1', on_pre='{_synapse(network, projection)}',",
                  f"{' ' * len(name)}            delay={network.delay_steps(projection)} * dt, dt=dt)",
                  f"j, i = np.indices(data['{name}_w'].shape).reshape(2, -1)   # presynaptic, postsynaptic",
                  f"{name}.connect(i=j, j=i)", f"{name}.w = data['{name}_w'].ravel()", ""]
    monitors = ", ".join(f"'{names[p.name]}': SpikeMonitor({names[p.name]})" for p in network.spiking)
    steps = number_of_steps(_duration(spikes), network.dt)
    text = "\n".join([
        '"""A network of spiking neurons for Brian2, written by biosnn. Arrays lie in the .npz file beside this one."""',
        "from pathlib import Path", "", "import numpy as np",
        "from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, collect, second", "",
        "data = np.load(Path(__file__).with_suffix('.npz'), allow_pickle=False)", f"dt = {network.dt!r} * second", "", *lines,
        f"monitors = {{{monitors}}}", "network = Network(collect(), *monitors.values())", f"network.run({steps} * dt, report='text')", "",
        "for name, monitor in monitors.items():", "    print(f'{name}: {monitor.num_spikes} spikes')", ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path.with_suffix(".npz"), **arrays)
    path.write_text(text)
    return path


def _script_group(part, arrays):
    options = {key: f"'{value}'" if key != "refractory" else value.replace("*", " * ") for key, value in part.options.items()}
    constants = ", ".join(f"'{name}': {value!r} * second" for name, value in part.constants.items())
    lines = [f"{part.name} = NeuronGroup({part.n}, '''", *[f"    {line}" for line in part.model.splitlines()],
             "    ''', " + ", ".join(f"{key}={value}" for key, value in options.items()) + ",",
             f"    namespace={{{constants}}}, dt=dt, name='{part.name}')", f"{part.name}.U = {part.initial!r}"]
    for name, value in part.parameters.items():
        arrays[f"{part.name}_{name}"] = value
        lines.append(f"{part.name}.{name} = data['{part.name}_{name}'] * second")
    if part.hold:
        lines.append(f"{part.name}.run_regularly('{part.hold}', dt=dt, when='groups', order=1)")
    return lines + [""]


# ---------------------------------------------------------------------------------------------- the comparison

@dataclass
class Divergence:
    """Where the spikes of both programs part: trial, step, population, neuron, and U* - threshold there in biosnn."""
    trial: int
    step: int
    population: str
    neuron: int
    margin: float


@dataclass
class Comparison:
    """biosnn beside Brian2. `print` it for a table; `as_dict` for JSON; `figure()` to look at.

    identical     all spikes of all trials agree
    divergence    the first step where they do not (earliest over trials), or None
    states        "E.U" -> (largest absolute difference, largest absolute value) before any divergence of that trial
    spike_counts  population -> (biosnn, Brian2)
    statistics    population -> {"rate" (Hz), "cv", "correlation"} -> (mean of biosnn, mean of Brian2, Kolmogorov-Smirnov distance)
    """
    identical: bool
    divergence: Divergence | None
    states: dict
    spike_counts: dict
    statistics: dict
    duration: float
    n_trials: int
    dt: float
    traces: dict = field(repr=False, default_factory=dict)   # of the first trial: name -> (biosnn, Brian2)
    rasters: dict = field(repr=False, default_factory=dict)   # population -> (SpikeTrains of biosnn, of Brian2)

    def as_dict(self):
        """For JSON."""
        return {"identical": self.identical, "divergence": vars(self.divergence) if self.divergence else None, "states": self.states,
                "spike_counts": self.spike_counts, "statistics": self.statistics, "duration_s": self.duration, "n_trials": self.n_trials}

    def __rich__(self):
        from rich.table import Table
        table = Table(title=self._title(), title_justify="left")
        for heading in ("population", "spikes", "Brian2", "largest state difference", "rate (Hz)", "Brian2", "KS rate", "KS CV", "KS corr."):
            table.add_column(heading, justify="left" if heading == "population" else "right")
        for name in dict.fromkeys([*self.spike_counts, *[key.partition(".")[0] for key in self.states]]):
            worst = [difference / max(scale, 1e-300) for key, (difference, scale) in self.states.items() if key.partition(".")[0] == name]
            counts, rows = self.spike_counts.get(name, ("", "")), self.statistics.get(name)
            numbers = [f"{rows['rate'][0]:.3f}", f"{rows['rate'][1]:.3f}", *[_short(rows[key][2]) for key in ("rate", "cv", "correlation")]] \
                if rows else [""] * 5
            table.add_row(name, *map(str, counts), f"{max(worst):.1e} of its range" if worst else "", *numbers)
        return table

    def _title(self):
        what = f"biosnn beside Brian2: {self.n_trials} trials of {self.duration:g} s, dt {1e3 * self.dt:g} ms. "
        if self.identical:
            return what + "All spikes are identical."
        d = self.divergence
        return what + (f"Spikes differ from {1e3 * d.step * self.dt:g} ms on (trial {d.trial}, step {d.step}: neuron {d.neuron} of {d.population}, "
                       f"{d.margin:.1e} from threshold).")

    def __str__(self):
        from rich.console import Console
        console = Console(width=150, record=True, file=io.StringIO())
        console.print(self)
        return console.export_text()

    def figure(self, population=None, neuron=0):
        """Rasters of both programs (first trial), the membrane of one neuron in both, and their difference."""
        from .plot import comparison
        return comparison(self, population, neuron)


def _short(value):
    return "" if np.isnan(value) else f"{value:.3f}"


def compare(network, spikes=None, record=None, currents=None, duration=None, progress=True):
    """Run `network` in biosnn and in Brian2 on every trial of `spikes`, both in float64. Returns a Comparison.

    record     states to compare; default: all of them
    currents, duration   as for `to_brian2`
    """
    from .progress import progress_bar
    double = _double(network)
    record = [f"{p.name}.{s}" for p in double.spiking + double.readouts for s in p.neuron.states] if record is None else list(record)
    n_trials = 1 if spikes is None else len(next(iter(spikes.values())) if isinstance(spikes, dict) else spikes)
    ours, theirs = [], []
    with progress_bar(n_trials, "Brian2", progress) as advance:
        for b in range(n_trials):
            trial = None if spikes is None else {k: s[b] for k, s in spikes.items()} if isinstance(spikes, dict) else spikes[b]
            batch = {name: np.asarray(value)[None] if np.ndim(value) == 2 else value for name, value in (currents or {}).items()}
            stars = [f"{p.name}.U_star" for p in double.spiking]
            ours.append(run(double, trial, record=[*record, *stars], currents=batch, duration=duration, threads=1))
            reference = to_brian2(double, trial, record, currents, duration)
            reference.run()
            theirs.append(_their_trace(double, reference))
            advance(1, "")
    return _report(double, ours, theirs, record)


def _their_trace(network, reference):
    steps = number_of_steps(reference.duration, network.dt)
    spikes = {}
    for name, monitor in reference.spikes.items():
        step, unit = np.rint(np.asarray(monitor.t) / network.dt).astype(np.int64), np.asarray(monitor.i)
        spikes[name] = (step, unit.astype(np.int64))
    return spikes, {name: np.asarray(getattr(monitor, name.partition(".")[2])).T[:steps] for name, monitor in reference.states.items()}


def _report(network, ours, theirs, record):
    names, steps, dt = [p.name for p in network.spiking], ours[0].n_steps, network.dt
    first, states, pairs = None, {name: (0.0, 0.0) for name in record}, {name: ([], []) for name in names}
    for b, (trace, (spikes, values)) in enumerate(zip(ours, theirs)):
        parted = steps
        for name in names:
            own = trace.spikes[name]
            mine = set(zip(np.rint(own.times / dt).astype(int).tolist(), own.units.tolist()))
            other = set(zip(*(a.tolist() for a in spikes[name])))
            pairs[name][0].append(mine), pairs[name][1].append(other)
            for step, neuron in sorted(mine ^ other)[:1]:
                margin = trace.states[f"{name}.U_star"][0, step, neuron] - network[name].neuron.threshold
                parted = min(parted, step)
                if first is None or step < first.step:
                    first = Divergence(b, step, name, neuron, float(margin))
        for name in record:
            mine, other = trace.states[name][0, :parted], values[name][:parted]
            if mine.size:
                difference, scale = states[name]
                states[name] = max(difference, float(np.abs(mine - other).max())), max(scale, float(np.abs(other).max()))
    trains = {name: tuple(_trains(side, network[name].n, steps, dt) for side in pairs[name]) for name in names}
    counts = {name: tuple(int(t.times.size) for t in both) for name, both in trains.items()}
    return Comparison(first is None, first, states, counts, {name: _statistics(*both) for name, both in trains.items()}, steps * dt,
                      len(ours), dt, {name: (ours[0].states[name][0], theirs[0][1][name]) for name in record}, trains)


def _trains(trials, n, steps, dt):
    events = [(b, step, unit) for b, trial in enumerate(trials) for step, unit in trial]
    b, step, unit = np.array(events, np.int64).reshape(-1, 3).T
    return SpikeTrains.from_events((step + 0.0) * dt, unit, b, len(trials), n, steps * dt * (1 + 1e-9))


def _statistics(ours, theirs):
    """Rates, ISI CVs and pairwise correlations of both: (mean, mean, Kolmogorov-Smirnov distance)."""
    from scipy.stats import ks_2samp
    width = min(20e-3, ours.duration / 2)
    rows = {}
    for key, function in (("rate", stats.firing_rates), ("cv", stats.isi_cv), ("correlation", lambda s: stats.correlations(s, width))):
        sides = [values[np.isfinite(values)] for values in map(function, (ours, theirs))]
        rows[key] = (float(sides[0].mean()) if sides[0].size else np.nan, float(sides[1].mean()) if sides[1].size else np.nan,
                     float(ks_2samp(*sides).statistic) if sides[0].size and sides[1].size else np.nan)
    return rows
