"""What all trials of one call of `simulate` share: tables, background, inputs, seeds."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..kernels import arrays
from ..support.checks import several, shown
from ..support.ranks import ALONE, Ranks
from . import standing
from .cell_tables import CellTables, pack_cells
from .conditions import make_conditions, random_key, trial_keys
from .inputs import Inputs
from .layout import Layout
from .packed import tables_of
from .part_tables import Places
from .perturbed import Perturbed
from .perturbed_stream import stimuli
from .plasticity import learning_projections, starting_weights
from .state import State
from .state_checks import checked_state
from .stream_memory import Given, given_inputs
from .wire_tables import WireTables, pack_stream_wires


class LargeNetwork(NamedTuple):
    """A network as kernels of one large network read it.

    parts: its parts and their synapses; places: where they lie in memory; learned: projection ->
    weights that a run changes.
    """

    layout: Layout
    cells: CellTables
    wires: WireTables
    tables: arrays.Tables
    parts: arrays.Parts
    places: Places
    learned: dict[str, np.ndarray]


def large_network(
    network: Any, threads: int, state: State | None = None, ranks: Ranks = ALONE
) -> LargeNetwork:
    """Return a network in parts that threads share, and processes.

    Parameters
    ----------
    network
        The description.
    threads
        Number of threads.
    state
        Whose learned weights are used, or None.
    ranks
        The processes that run it.
    """
    layout = Layout(network)
    cells, learned = pack_cells(layout, merged=False), starting_weights(network, state)
    wires, parts, places = pack_stream_wires(layout, learned, threads, ranks)
    tables = tables_of(layout, cells, wires)
    return LargeNetwork(layout, cells, wires, tables, parts, places, learned)


class Setting:
    """What all trials of one call of `simulate` share.

    Parameters
    ----------
    change
        The network, and what is done to it.
    spikes, merge, background, state, seed, initial
        As for `simulate`.
    threads
        Number of threads of one trial.
    steps
        Steps of a trial.
    n_trials
        Number of trials.
    ranks
        The processes that run one trial.

    Raises
    ------
    ValueError
        If something given does not fit the network.
    """

    def __init__(
        self,
        change: Perturbed,
        spikes: Inputs | None = None,
        merge: bool = True,
        background: Any = (),
        state: Any = None,
        seed: Any = None,
        initial: Mapping[str, Any] | None = None,
        threads: int = 1,
        steps: int = 1,
        n_trials: int = 1,
        ranks: Ranks = ALONE,
    ):
        network = self.network = change.network
        self.change, self.threads, self.steps, self.n_trials = change, threads, steps, n_trials
        self.ranks, self.states = ranks, _states(change, state, n_trials)
        self.first = self.states[0].step if self.states else 0
        self.schedule = change.schedule(steps)
        self._large = large_network(
            network, threads, self.states[0] if self.states else None, ranks
        )
        given = several(background, "background", "PoissonInput('E', 1e3, 0.1)")
        currents = stimuli(self.schedule, self._large.layout, self.first)
        self.conditions = make_conditions(
            self._large.layout, self._large.wires, [*given, *currents], initial, n_trials
        )
        self.background = self.conditions.background
        self._given_initial = initial
        self._earlier = [self._checked(each) for each in self.states]
        self.seed, key = random_key(seed, self.states[0] if self.states else None)
        self.keys = trial_keys(key, np.arange(n_trials))
        if self.seed is None and len(self.states) > 1:  # each goes on with its random numbers
            self.keys = np.array([each.arrays["key"] for each in self.states], np.uint64)
        self.inputs = given_inputs(network, spikes, merge, steps, self.schedule.inputs, n_trials)

    def _checked(self, state):
        """The earlier run of a state, which has one trial, or all of them."""
        n, one = len(state.arrays.get("states", ())), len(self.states) == 1
        if n > 1 and self.n_trials == 1:
            raise ValueError(
                f"this state is of {n} trials of a run, and simulate runs one: give trials={n}."
            )
        n = self.n_trials if one and n == self.n_trials else 1
        return checked_state(state, self._large, self.background, self._given_initial, n)

    def state(self, trial: int) -> State | None:
        """Return the state that a trial goes on from, if there is one."""
        return self.states[trial if len(self.states) > 1 else 0] if self.states else None

    def large(self, trial: int) -> LargeNetwork:
        """Return the network as kernels read it; trials whose weights learn have one each."""
        if trial and learning_projections(self.network):
            return large_network(self.network, self.threads, self.state(trial))
        return self._large

    def earlier(self, trial: int) -> standing.Earlier | None:
        """Return the earlier run that a trial goes on from, if there is one."""
        if not self._earlier:
            return None
        if len(self._earlier) > 1:
            return self._earlier[trial]
        whole = self._earlier[0]
        if len(whole.standing.states) == 1:
            return whole
        return standing.rows(whole, trial, trial + 1, self._large.tables, self._large.wires)

    def start(self, trial: int) -> arrays.Standing:
        """Return where a trial stands at its start, if it goes on from no state."""
        return self.conditions.start(self.seed, np.array([trial]))

    def inputs_of(self, trial: int) -> Given:
        """Return the spikes that a trial gets, and those of the earlier run before them."""
        return self.inputs.of_trial(trial, self.earlier(trial))


def _states(change, state, n_trials):
    """The states that trials go on from: none, one (of one trial or all), or one for each."""
    if state is None:
        return []
    given = list(state) if isinstance(state, list | tuple) else [state]
    if isinstance(state, list | tuple) and len(given) != n_trials:
        raise ValueError(
            f"state is a list of {len(given)}, and there are {n_trials} trials: give one state, "
            "from which all go on, or one for each."
        )
    found = [change.started_from(each) for each in given]
    steps = [standing.check_fingerprint(each, change.network) for each in found]
    if len(set(steps)) > 1:
        raise ValueError(
            f"the states of trials are after {shown(sorted(set(steps)))} steps; all trials must "
            "go on from the same step."
        )
    return found
