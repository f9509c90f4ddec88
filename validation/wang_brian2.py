"""The circuit of Wang (2002) in Brian2, with the gating of the paper or event by event.

Numbers are those of `models/wang_2002.py`. As in the example "Wang_2002" of Brian2's documentation:
forward Euler with steps of 0.1 ms, all-to-all synapses for AMPA and GABA, gating of NMDA once for
each presynaptic neuron, summed by group and handed to all neurons. There every neuron of a group
has stimulus rates of its own; here, as in the paper, a group has one.

"full": s rises within 2 ms after a spike (x). "events": s jumps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models import wang_2002 as wang

GATING = {
    "full": (
        """ds/dt = -s / tau_nmda + alpha * x * (1 - s) : 1
        dx/dt = -x / tau_rise : 1""",
        "x_post += 1",
    ),
    "events": ("ds/dt = -s / tau_nmda : 1", "s_post += share * (1 - s_post)"),
}
MEMBRANE = """
dv/dt = (leak * (v_rest - v) + inward) / capacitance : volt (unless refractory)
inward = (g_ampa + g_nmda * total * block) * (v_exc - v) + g_gaba * (v_inh - v) : amp
block = 1 / (1 + exp(-0.062 * v / mV) / 3.57) : 1
dg_ampa/dt = -g_ampa / tau_ampa : siemens
dg_gaba/dt = -g_gaba / tau_gaba : siemens
total : 1
"""
START = "reset + rand() * (threshold - reset)"
#: Relative weight of excitation onto an excitatory neuron; {pre}: the group it comes from.
RELATIVE = """1 + int(group_post < 2) * (
weaker - 1 + int({pre} == group_post) * (stronger - weaker))""".replace("\n", "")


class Circuit:
    """The objects of the circuit, for Brian2's runtime or a stand-alone program."""

    def __init__(self, b2: Any, form: str = "full") -> None:
        """Make them; form: "full" or "events"."""
        self.b2 = b2
        b2.defaultclock.dt = wang.DT * b2.second
        self.cells = {kind: self._cells(kind, GATING[form][0]) for kind in "EI"}
        self.stimuli = self._stimuli()
        parts = [*self._fast(), *self._slow(GATING[form][1]), *self._background()]
        self.objects = [*self.cells.values(), *parts, *self.stimuli]

    def present(self, stimuli: Sequence[wang.Stimulus], seconds: float) -> None:
        """Set the rates of the trains onto A and B, in trials one after the other.

        seconds: of a trial. Where there are several, each begins with the state of the first.
        """
        b2 = self.b2
        grid = np.arange(0, seconds, wang.HOLD) + 1e-9
        for trains, name in zip(self.stimuli[::2], "AB"):
            drawn = [
                rates[name][np.searchsorted(times, grid, side="right") - 1]
                for times, rates in stimuli
            ]
            trains.namespace["drive"] = b2.TimedArray(
                np.concatenate(drawn) * b2.Hz, dt=wang.HOLD * b2.second
            )
        for kind, group in self.cells.items() if len(stimuli) > 1 else ():
            states = ["g_ampa", "g_gaba", *(["s"] if kind == "E" else [])]
            zero = "; ".join(f"{state} *= 0" for state in states)
            self.objects.append(
                group.run_regularly(f"v = {START}; {zero}", dt=seconds * b2.second, when="start")
            )

    def _space(self, kind: str) -> dict[str, Any]:
        """Constants of a kind of neurons."""
        b2, w = self.b2, wang
        return {
            "leak": w.LEAK[kind] * b2.siemens,
            "capacitance": w.CAPACITANCE[kind] * b2.farad,
            "v_rest": w.REST * b2.volt,
            "v_exc": w.E_EXC * b2.volt,
            "v_inh": w.E_INH * b2.volt,
            "threshold": w.THRESHOLD * b2.volt,
            "reset": w.RESET * b2.volt,
            "tau_ampa": w.TAU_AMPA * b2.second,
            "tau_nmda": w.TAU_NMDA * b2.second,
            "tau_gaba": w.TAU_GABA * b2.second,
            "tau_rise": w.TAU_RISE * b2.second,
            "alpha": w.ALPHA * b2.Hz,
            "g_nmda": w.G_NMDA[kind] * b2.siemens,
        }

    def _cells(self, kind: str, gating: str) -> Any:
        """The excitatory or the inhibitory neurons."""
        group = self.b2.NeuronGroup(
            wang.N_EXC if kind == "E" else wang.N_INH,
            MEMBRANE + ("group : integer (constant)\n" + gating if kind == "E" else ""),
            threshold="v > threshold",
            reset="v = reset",
            refractory=wang.REFRACTORY[kind] * self.b2.second,
            method="euler",
            namespace=self._space(kind),
        )
        group.v = START
        if kind == "E":
            group.group = np.repeat([0, 1, 2], [wang.sizes()[name] for name in wang.GROUPS])
        return group

    def _fast(self) -> list[Any]:
        """AMPA and GABA, all to all."""
        b2, found = self.b2, []
        for pre, post, conductances in (
            ("E", "E", wang.G_AMPA),
            ("E", "I", wang.G_AMPA),
            ("I", "E", wang.G_GABA),
            ("I", "I", wang.G_GABA),
        ):
            state = "g_ampa" if pre == "E" else "g_gaba"
            unit = conductances[post] * b2.siemens
            each = b2.Synapses(
                self.cells[pre],
                self.cells[post],
                "w : siemens" if pre == post == "E" else "",
                on_pre=f"{state} += w",
                delay=wang.DELAY * b2.second,
                namespace=self._relative(unit) if pre == post == "E" else {"w": unit},
            )
            each.connect()
            if pre == post == "E":
                each.w = f"unit * ({RELATIVE.format(pre='group_pre')})"
            found.append(each)
        return found

    def _relative(self, unit: Any) -> dict[str, Any]:
        """Constants of `RELATIVE`, and the weight of which it is a multiple."""
        (stronger, *_), (weaker, *_), _ = wang.relative_weights()
        return {"stronger": stronger, "weaker": weaker, "unit": unit}

    def _slow(self, at_a_spike: str) -> list[Any]:
        """NMDA: gating of each neuron, sums of groups, and what neurons get of them."""
        b2, exc = self.b2, self.cells["E"]
        gate = b2.Synapses(
            exc,
            exc,
            on_pre=at_a_spike,
            delay=wang.DELAY * b2.second,
            namespace={"share": wang.GATING.share},
        )
        gate.connect(j="i")
        sums = b2.NeuronGroup(3, "total : 1")
        collect = b2.Synapses(exc, sums, "total_post = s_pre : 1 (summed)")
        collect.connect(j="group_pre")
        factor = wang.GATING.correction if "share" in at_a_spike else 1.0
        to_exc = b2.Synapses(
            sums,
            exc,
            "w : 1\ntotal_post = w * total_pre : 1 (summed)",
            namespace=self._relative(factor),
        )
        to_exc.connect()
        to_exc.w = f"unit * ({RELATIVE.format(pre='i')})"
        to_inh = b2.Synapses(
            sums,
            self.cells["I"],
            "total_post = factor * total_pre : 1 (summed)",
            namespace={"factor": factor},
        )
        to_inh.connect()
        return [gate, sums, collect, to_exc, to_inh]

    def _background(self) -> list[Any]:
        """Poisson events onto every neuron: 1000 trains each."""
        b2 = self.b2
        return [
            b2.PoissonInput(
                group,
                "g_ampa",
                1000,
                wang.BACKGROUND / 1000 * b2.Hz,
                wang.G_BACKGROUND[kind] * b2.siemens,
            )
            for kind, group in self.cells.items()
        ]

    def _stimuli(self) -> list[Any]:
        """Two groups of trains with their synapses onto A and B; each rate is `drive`."""
        b2, found, first = self.b2, [], 0
        silence = b2.TimedArray([0.0] * b2.Hz, dt=1 * b2.second)
        for name in "AB":
            n = wang.sizes()[name]
            trains = b2.PoissonGroup(n, rates="drive(t)", namespace={"drive": silence})
            target = self.cells["E"][first : first + n]
            weight = {"w": wang.G_BACKGROUND["E"] * b2.siemens}
            each = b2.Synapses(trains, target, on_pre="g_ampa += w", namespace=weight)
            each.connect(j="i")
            found += [trains, each]
            first += n
        return found
