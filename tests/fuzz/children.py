"""Runs the cases of a campaign one after the other in a child process, which may crash, hang or eat
memory without harm.

    for case, outcome in outcomes("tests.fuzz.files:load", cases, seconds=5): …

The worker function takes a case and returns something for JSON. Outcome:
{"kind": "value" | "error" | "crash" | "hang", …}, of an error with
"type" and "text", of a crash with "signal"; "seconds" and "megabytes" (by which the peak of memory
grew) where the case ended.
"""

import importlib
import json
import os
import resource
import selectors
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def outcomes(worker, cases, seconds, environment=None, megabytes=8000):
    """Yields (case, outcome) for every case. `seconds`: after which a case counts as hanging;
    `megabytes`: address space of the child.
    """
    child = None
    try:
        for case in cases:
            if child is None:
                child = _start(worker, environment, megabytes)
            outcome = _ask(child, case, seconds)
            if outcome["kind"] in ("crash", "hang"):
                _end(child)
                child = None
            yield case, outcome
    finally:
        if child is not None:
            _end(child)


def _start(worker, environment, megabytes):
    variables = (
        os.environ
        | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "MPLBACKEND": "agg"}
        | (environment or {})
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.children", worker, str(megabytes)],
        cwd=ROOT,
        env=variables,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if _line(child, 120) != "ready\n":
        raise RuntimeError(f"the child for {worker} did not start")
    return child


def _ask(child, case, seconds):
    try:
        child.stdin.write(json.dumps(case) + "\n")
        child.stdin.flush()
    except BrokenPipeError:
        pass
    line = _line(child, seconds)
    if line is None:
        return {"kind": "hang"}
    if not line:
        return {"kind": "crash", "signal": -child.wait()}
    return json.loads(line)


def _line(child, seconds):
    """The next line of the child, "" if it ended, None if it takes too long."""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        return child.stdout.readline() if selector.select(seconds) else None


def _end(child):
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def _serve(worker, megabytes):
    """In the child: answer every line of input with one line of output."""
    module, _, name = worker.partition(":")
    function = getattr(importlib.import_module(module), name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is none of the answer
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        before, begin = _peak(), time.perf_counter()
        try:
            outcome = {"kind": "value", "value": function(json.loads(line))}
        except Exception as error:  # the campaign decides which are allowed
            outcome = {
                "kind": "error",
                "type": type(error).__name__,
                "text": str(error)[:500],
                "of": _origin(error),
            }
        outcome |= {"seconds": time.perf_counter() - begin, "megabytes": _peak() - before}
        print(json.dumps(outcome), file=answers, flush=True)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _origin(error):
    """File and line that raised it, to tell our words from those of others."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
