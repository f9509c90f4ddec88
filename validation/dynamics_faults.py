"""Faults planted into Brian2's side of the ladder, each of which the ladder must find."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from models import command_line

from .broken import plant
from .dynamics_cases import Case, Result, Seeds


@dataclass
class Planted:
    """One fault, and what the ladder said of each case that had it. Met if it found it in all."""

    fault: str
    results: list[Result] = field(default_factory=list)

    @property
    def missed(self) -> list[Result]:
        """Cases that agreed although Brian2 had the fault."""
        return [result for result in self.results if not result.failures]

    @property
    def failure(self) -> str:
        """What is wrong, or an empty text."""
        if not self.results:
            return f"{self.fault}: none of the cases has what it breaks, so it was not planted"
        if self.missed:
            names = "; ".join(f"rung {each.rung}, {each.name}" for each in self.missed)
            return f"{self.fault}: not found in {names}"
        return ""


def search(cases: Iterable[Case | Seeds], faults: Iterable[str]) -> Iterator[Planted]:
    """Plant each fault into each case that has what it breaks, and compare."""
    singles = [case for case in cases if isinstance(case, Case)]
    for fault in dict.fromkeys(faults):
        planted = Planted(fault)
        for case in track(singles, fault, console=Console(stderr=True)):
            with_fault = plant(fault, case)
            if with_fault is not None:
                planted.results.append(with_fault.check())
        yield planted


def show(found: list[Planted]) -> None:
    """Print one row per fault, and a sentence for each that is not found."""
    lines = []
    for planted in found:
        parted = [r for r in planted.results if r.first_divergence is not None]
        errors = [result.state_error for result in planted.results]
        lines.append(
            (
                planted.fault,
                str(len(planted.results)),
                str(len(planted.results) - len(planted.missed)),
                str(len(parted)),
                f"{np.min(errors):.0e} - {np.max(errors):.0e}" if errors else "",
                "NO" if planted.failure else "yes",
            )
        )
    command_line.show(
        "Faults in Brian2's side, which the ladder must find",
        ("fault", "planted", "found", "spikes differ", "states by", "met"),
        lines,
        keys=1,
    )
    for planted in found:
        if planted.failure:
            print(planted.failure)


def as_rows(found: list[Planted]) -> list[dict[str, Any]]:
    """For JSON: one row per case and fault."""
    return [{"fault": each.fault} | result.as_dict() for each in found for result in each.results]
