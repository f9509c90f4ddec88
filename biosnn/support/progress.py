"""Progress of long tasks, on a terminal or in a log file, and Ctrl-C within them.

A terminal shows a bar with the time that remains, a log file a line now and then. Times contain no
compilation: their clock stands still meanwhile (code_cache.clock).
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .checks import flag
from .code_cache import clock, silence

#: Seconds: Ctrl-C so soon after one that ended a call gracefully ends the next one at once.
_AGAIN = 3.0
_quiet: ContextVar[bool] = ContextVar("no bars", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Return a context without bars: what it calls is part of a task that shows its own."""
    before = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(before)


@contextmanager
def progress_bar(
    total: float, label: str, show: bool = True, done: Any = 0
) -> Iterator[Callable[..., None]]:
    """Return a context with a function advance(steps, note) that shows the progress.

    Parameters
    ----------
    total
        Steps of any kind.
    label
        In front of the bar.
    show
        Whether anything is shown.
    done
        Steps that were done before.
    """
    console = Console(stderr=True)
    if not flag(show, "progress"):
        with silence():
            yield _nothing
    elif _quiet.get():
        yield _nothing
    elif not console.is_terminal:
        yield _lines(total, label, console, done)
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("ends in"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, get_time=clock) as bar:
            task = bar.add_task(label, total=total, completed=done, note="")

            def advance(steps=1, note=None):
                bar.update(task, advance=steps, **({} if note is None else {"note": note}))

            yield advance


def _nothing(steps=1, note=""):
    """Show nothing."""


def _lines(total, label, console, done):
    """Return advance(steps, note) for logs: at most about twenty lines, no two within a second.

    Each has the share that is done and the time to the end.
    """
    start = clock()
    state = {"done": done, "next": done + total / 20, "note": "", "last": start}

    def advance(steps=1, note=None):
        state["done"] += steps
        state["note"] = state["note"] if note is None else note
        now = clock()
        if state["done"] >= total or (state["done"] >= state["next"] and now - state["last"] >= 1):
            elapsed, state["last"] = now - start, now
            left = elapsed * (total - state["done"]) / max(state["done"] - done, 1e-9)
            console.print(
                f"{label} {100 * state['done'] / total:3.0f} %  {state['note']}  {elapsed:.0f} s, "
                f"ends in {left:.0f} s",
                highlight=False,
                soft_wrap=True,
            )
            state["next"] = state["done"] + total / 20

    return advance


# ------------------------------------------------------------------------------------------- Ctrl-C

_open: list[list[bool]] = []  # presses of Ctrl-C, for each graceful_interrupt that is open
_urgent: list[bool] = []  # not empty within at_once
_last = [-1e9]  # when Ctrl-C was pressed within one


class ThrownAway(KeyboardInterrupt):
    """The first Ctrl-C within at_once."""


def _on_interrupt(signum, frame):
    now, again = time.monotonic(), bool(_open[-1])
    again, _last[0] = again or now - _last[0] < _AGAIN, now
    for pressed in _open:
        pressed.append(True)
    if again:
        raise KeyboardInterrupt
    if _urgent:
        raise ThrownAway


@contextmanager
def graceful_interrupt() -> Iterator[Callable[[], bool]]:
    """Return a context with a function that says whether Ctrl-C was pressed.

    A second Ctrl-C raises KeyboardInterrupt. So does one within `at_once`, or within three seconds
    of an earlier one that another block took: a loop over calls that each end gracefully can be
    left. A process that ignores Ctrl-C (as under nohup) goes on ignoring it. Outside of the main
    thread signals cannot be caught; there the function always says no.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (
        signal.SIG_IGN,
        None,
    ):
        yield lambda: False
        return
    pressed: list[bool] = []
    _open.append(pressed)
    signal.signal(signal.SIGINT, _on_interrupt)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
        _open.pop()  # its own: blocks end in turn, and equal lists are not told apart by `remove`


@contextmanager
def at_once() -> Iterator[None]:
    """Return a context for work that may be thrown away, within `graceful_interrupt`.

    The first Ctrl-C ends it: a ThrownAway is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = len(_urgent)
    _urgent.append(True)
    try:
        if _open and _open[-1]:
            raise ThrownAway
        yield
    finally:
        del _urgent[before:]


def no_longer_at_once() -> None:
    """Let the rest of the work within `at_once` come to its end: Ctrl-C is noted."""
    if threading.current_thread() is threading.main_thread():
        _urgent.clear()
