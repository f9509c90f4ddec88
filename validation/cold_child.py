"""A process of `validation.speed cold`: what a user waits for at a first call, and for what.

python validation/cold_child.py CHECKOUT TASK       prints a line of JSON

It takes biosnn from CHECKOUT, and uses public names alone, so that any commit can be measured.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Passes of numba in which a kernel becomes LLVM's code, and then the processor's.
_LOWERING = ("native_lowering", "native_parfor_lowering")


class Recorder:
    """Events of numba, as (CPU seconds of the thread, seconds, name).

    A name begins a kernel, "lowering" its lowering, and "" ends what was begun last.
    """

    def __init__(self) -> None:
        self.events: list[tuple[float, float, str]] = []

    def listen(self) -> None:
        """Record from now on."""
        from numba.core import event

        event.Listener.register(Recorder)
        for kind in ("numba:compile", "numba:run_pass"):
            event.register(kind, self)

    def notify(self, event: Any) -> None:
        """What numba calls when a kernel or a pass begins or ends."""
        name = _name(event)
        if name:
            name = name if event.is_start else ""
            self.events.append((time.thread_time(), time.perf_counter(), name))


def _name(event: Any) -> str:
    """Module and name of a kernel, "lowering", or "" for other passes."""
    if event.kind == "numba:run_pass":
        return "lowering" if event.data["name"].split()[0] in _LOWERING else ""
    function = event.data["dispatcher"].py_func
    module = (function.__module__ or "").removeprefix("biosnn.").removeprefix("kernels.")
    return f"{module}.{function.__qualname__}"


# -------------------------------------------------------------------------------------------- tasks


def simulate(bs: Any, part: Callable[..., Any]) -> None:
    """A first `simulate` of a sparse circuit of 1250 neurons."""
    net = bs.Network(0.1e-3)
    e = net.population(1000, bs.lif(), "excitatory", name="E")
    i = net.population(250, bs.lif(), "inhibitory", name="I")
    rule = bs.FixedInDegree(100)
    with part("connect"):
        for k, source in enumerate((e, i)):
            for target in (e, i):
                net.connect(source, target, delay=1.5e-3, weights=0.02, synapses=rule, seed=k)
    drive = [bs.PoissonInput(name, 5e3, 0.05) for name in ("E", "I")]
    with part("simulate"):
        bs.simulate(net, 0.05, background=drive, seed=1, threads=2, progress=False)


def train(bs: Any, part: Callable[..., Any], **learn: str) -> None:
    """A first `fluctuation_driven` and two epochs of a Dalian network."""
    labels = [k % 4 for k in range(32)]
    data = bs.data.poisson(20.0, 40, 0.2, len(labels), seed=1, labels=labels)
    net = bs.Network(2e-3)
    options = {"learn": learn} if learn else {}
    e, _ = bs.dalian_layer(net, net.input(40), 40, 10, neuron=bs.ei_lif(), **options)
    net.connect(e, net.readout(4))
    with part("fluctuation_driven"):
        bs.fluctuation_driven(net, data, seed=1, progress=False)
    with part("train"):
        bs.train(net, data, epochs=2, batch=16, seed=1, threads=2, progress=False)


def train_time_constants(bs: Any, part: Callable[..., Any]) -> None:
    """The same; membrane time constants are learned, too."""
    train(bs, part, mem="neuron")


def nothing(bs: Any, part: Callable[..., Any]) -> None:
    """Import alone."""


TASKS = {
    "import": nothing,
    "simulate": simulate,
    "train": train,
    "learned time constants": train_time_constants,
}

# ------------------------------------------------------------------------------------------ process


def main(checkout: str, task: str) -> None:
    """Run a task; print seconds and events of each of its parts."""
    sys.path.insert(0, checkout)
    parts: dict[str, dict[str, Any]] = {}
    recorder = Recorder()

    @contextmanager
    def part(name: str) -> Iterator[None]:
        recorder.events = []
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        parts[name] = {"wall": wall, "cpu": cpu, "events": recorder.events}

    with part("import"):
        import biosnn as bs
    recorder.listen()
    TASKS[task](bs, part)
    print(json.dumps(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
