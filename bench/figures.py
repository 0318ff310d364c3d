"""Figures of the bench: named, measured in rounds, held against what is promised."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Figure:
    """value is no more than most; unit as it is printed."""

    name: str
    value: float
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.limit  # false for nan


@dataclass
class Measured:
    """The rounds of one bench: each a list of the same figures."""

    title: str
    rounds: list[list[Figure]] = field(default_factory=list)

    def medians(self) -> list[Figure]:
        of_all = zip(*self.rounds, strict=True)
        return [
            replace(same[0], value=statistics.median(intent.value for intent in same))
            for same in of_all
        ]


Bench = Callable[[int], list[Figure]]
"""One round of a bench, given its seed."""


def as_table(measured: Measured) -> str:
    lines = [f"{measured.title} ({len(measured.rounds)} rounds, medians)"]
    for median in measured.medians():
        verdict = "ok" if median.holds else "OVER"
        lines.append(
            f"  {median.name:<58} {median.value:>9.3g} {median.unit:<8} "
            f"≤ {median.limit:g}  {verdict}"
        )
    return "\n".join(lines)
