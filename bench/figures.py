"""Figures of the bench: a value for each round, compared with its limit."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Figure:
    """value must not exceed limit. unit: as printed."""

    name: str
    value: float
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.limit  # False for nan


@dataclass
class Measured:
    """The rounds of a bench. Each round is a list of the same figures."""

    title: str
    rounds: list[list[Figure]] = field(default_factory=list)

    def medians(self) -> list[Figure]:
        return [
            replace(same[0], value=statistics.median(figure.value for figure in same))
            for same in zip(*self.rounds, strict=True)
        ]


Bench = Callable[[int], list[Figure]]
"""Runs one round with the given seed."""


def as_table(measured: Measured) -> str:
    lines = [f"{measured.title} ({len(measured.rounds)} rounds, medians)"]
    for median in measured.medians():
        verdict = "ok" if median.holds else "OVER"
        lines.append(
            f"  {median.name:<58} {median.value:>9.3g} {median.unit:<8} "
            f"≤ {median.limit:g}  {verdict}"
        )
    return "\n".join(lines)
