"""Progress of long tasks: a bar with the time that remains on a terminal, a line now and then in a log file."""
import signal
import threading
import time
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def progress_bar(total, label, show=True, done=0):
    """Yields advance(steps, note). `total` and `done` count steps of any kind; `show=False` is silent."""
    console = Console(stderr=True)
    if not show:
        yield lambda steps=1, note="": None
    elif not console.is_terminal:
        yield _lines(total, label, console, done)
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
                   TextColumn("{task.fields[note]}"), TimeElapsedColumn(), TextColumn("ends in"), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(label, total=total, completed=done, note="")

            def advance(steps=1, note=None):
                bar.update(task, advance=steps, **({} if note is None else {"note": note}))
            yield advance


def _lines(total, label, console, done):
    """For logs: at most about twenty lines, no two within a second, each with the share that is done and the time to the end."""
    start = time.monotonic()
    state = {"done": done, "next": done + total / 20, "note": "", "last": start}

    def advance(steps=1, note=None):
        state["done"] += steps
        state["note"] = state["note"] if note is None else note
        now = time.monotonic()
        if state["done"] >= total or state["done"] >= state["next"] and now - state["last"] >= 1:
            elapsed, state["last"] = now - start, now
            left = elapsed * (total - state["done"]) / max(state["done"] - done, 1e-9)
            console.print(f"{label} {100 * state['done'] / total:3.0f} %  {state['note']}  {elapsed:.0f} s, ends in {left:.0f} s",
                          highlight=False, soft_wrap=True)
            state["next"] = state["done"] + total / 20
    return advance


@contextmanager
def graceful_interrupt():
    """Yields a function that says whether Ctrl-C was pressed. A second Ctrl-C interrupts at once.

    Outside of the main thread signals cannot be caught; then it always says no.
    """
    pressed = []

    def handler(signum, frame):
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
