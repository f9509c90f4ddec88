"""What the screen says of compiling: what for, about how long, and at the end how long it took."""

import sys
import time
from contextlib import suppress
from functools import cache
from typing import Any

#: Kernels that are called from Python and compile for long: what users know them as, and seconds
#: on the machine of `_LOOP`, with all kernels that they call (validation.speed cold).
_LONG = {
    "forward": ("runs of trials (run, train, fluctuation_driven)", 11.0),
    "adjoint": ("gradients (train, gradient)", 10.0),
    "advance": ("the simulator (simulate)", 9.0),
}
_LOOP = 0.0018  # seconds of the loop of `_loop` on that machine
_SHORT = 3.0  # seconds of compiling that are not worth a line


def words_of(kernel: str) -> str:
    """Return what users know a kernel as, or nothing where it compiles quickly."""
    return _LONG.get(kernel, ("", 0.0))[0]


def about(seconds: float) -> str:
    """Return a time in words that say how little is known of it.

    Examples
    --------
    >>> [about(seconds) for seconds in (3.1, 14, 33, 66, 200)]
    ['5 s', '15 s', '30 s', 'a minute', '3 minutes']
    """
    if seconds < 55:
        step = 5 if seconds < 27.5 else 10
        return f"{max(5, step * round(seconds / step))} s"
    return "a minute" if seconds < 90 else f"{round(seconds / 60)} minutes"


def say(line: str) -> None:
    """Print a line for whoever waits."""
    with suppress(OSError, ValueError):  # where nobody reads it any more
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class Told:
    """Tells of a kernel that is compiled, and learns how quick this machine is.

    What the kernel calls is part of it. Numba compiles in one thread at a time.
    """

    def __init__(self) -> None:
        self._open: list[str] = []  # the kernels that are being compiled
        self._said, self._begin = False, 0.0
        self._factor: float | None = None  # seconds here for a second of that machine

    def begin(self, kernel: str, often: str, silent: bool) -> None:
        """Say what is compiled, if it takes long.

        Parameters
        ----------
        kernel
            Name of the kernel.
        often
            How often it must be compiled.
        silent
            Whether to say nothing.
        """
        self._open.append(kernel)
        if len(self._open) > 1:
            return
        self._begin, self._said = time.perf_counter(), False
        words, seconds = _LONG.get(kernel, ("", 0.0))
        if not words or silent:
            return
        seconds *= self._factor or _slowness()
        if seconds >= _SHORT:
            self._said = True
            say(f"compiling {words}, about {about(seconds)}, {often}")

    def end(self, failed: bool) -> None:
        """Say how long it took, if it was announced and has not failed."""
        kernel = self._open.pop()
        if self._open or failed or kernel not in _LONG:
            return
        took = time.perf_counter() - self._begin
        words, seconds = _LONG[kernel]
        if self._said:
            say(f"compiled {words} in {took:.0f} s")
        # a kernel whose parts were compiled before is quick, which says nothing of the next one
        self._factor = min(max(took / seconds, _slowness() / 2), 4 * _slowness())


@cache
def _slowness() -> float:
    """How many times as long as that machine this one takes for a short loop."""
    return min(_loop() for _ in range(3)) / _LOOP


def _loop() -> float:
    """Seconds of what compilers do: small objects, names, tables."""
    begin = time.perf_counter()
    table: dict[str, Any] = {}
    for k in range(10_000):
        name = f"value.{k % 1000}"
        table[name] = (k, table.get(name))[0]
    return time.perf_counter() - begin
