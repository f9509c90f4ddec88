"""Several trials of one network by `simulate`: one after the other on each of several threads."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from threading import Lock

from ..support.code_cache import clock, silence
from ..support.progress import graceful_interrupt, progress_bar
from ..support.threads import on_threads
from ..support.warn import warn
from .finite import NotFinite
from .perturbed import Perturbed
from .simulation import Simulation
from .stream_recording import StreamRecording
from .stream_run import StreamRun
from .stream_setting import Setting


def of_given(change: Perturbed, result: Simulation) -> Simulation:
    """Return the result as that of the network that was given, with what was done to it."""
    state = result.state
    if change.network is not change.given:
        state = replace(state, whose=change.given.later_fingerprint())
    return replace(result, network=change.given, state=state, perturbations=change.perturbations)


def simulate_trials(
    setting: Setting,
    recording_of: Callable[[StreamRun], StreamRecording],
    threads: int,
    progress: bool,
) -> list[Simulation]:
    """Return what all trials did, or after Ctrl-C those that are finished.

    Parameters
    ----------
    setting
        What they share.
    recording_of
        run -> what takes its records.
    threads
        How many trials run at a time.
    progress
        Whether to show the share that is done and the time to the end.
    """
    n, steps = setting.n_trials, setting.steps
    task = _Trials(setting, recording_of)
    run, recording = task.begun(0)
    with nullcontext() if progress else silence():
        run.compile(recording)
    with progress_bar(n * steps, "simulation", progress) as advance, graceful_interrupt() as stop:
        jobs = [(trial, advance, stop) for trial in range(n)]
        found = on_threads(task.simulate, jobs, threads)
    finished = [each for each in found if each is not None]
    if len(finished) < n:
        warn(
            f"{len(finished)} of {n} trials were finished before Ctrl-C, and are returned: "
            "`trial` of each says which it is."
        )
    return finished


class _Trials:
    """Trials of one setting, and how many of them are finished."""

    def __init__(self, setting, recording_of):
        self.setting, self.recording_of, self.finished = setting, recording_of, 0
        self._begun, self._lock = {}, Lock()

    def begun(self, trial):
        """A trial before its first step, and what takes its records."""
        run = StreamRun(self.setting, trial)
        self._begun[trial] = run, self.recording_of(run)
        return self._begun[trial]

    def simulate(self, trial, advance, stop):
        """What a trial did, or None if Ctrl-C came before its end."""
        if stop():
            return None

        def tell(steps, words):
            """Show the progress of all."""
            with self._lock:
                advance(steps, f"{self.finished} of {self.setting.n_trials} trials")

        run, recording = self._begun.pop(trial, None) or self.begun(trial)
        self._begun.pop(trial, None)
        begin, steps = clock(), self.setting.steps
        try:
            run.go(recording, steps, tell, stop)
        except NotFinite as error:
            raise NotFinite(f"trial {trial}: {error}") from None
        if run.done < steps:
            return None
        with self._lock:
            self.finished += 1
        return of_given(self.setting.change, recording.result(clock() - begin, False))
