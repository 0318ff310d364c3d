"""Figures of the bench: the service's value, and what was measured beside it in the same round."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Figure:
    """ours: the service's value. beside: that of another server in the same round; `name` says
    which.

    Promised: ours is between at_least and at_most, and ratio between ratio_at_least and
    ratio_at_most.
    """

    name: str
    ours: float
    at_most: float = math.inf
    unit: str = ""
    beside: float | None = None
    at_least: float = -math.inf
    ratio_at_least: float = -math.inf
    ratio_at_most: float = math.inf

    @property
    def ratio(self) -> float | None:
        """ours : beside. None without beside; nan where it can't be computed."""
        if self.beside is None:
            return None
        return self.ours / self.beside if self.beside else math.nan

    @property
    def holds(self) -> bool:
        """Whether the promise is kept. False if ours, or a promised ratio, is nan."""
        if not self.at_least <= self.ours <= self.at_most:
            return False
        if math.isinf(self.ratio_at_least) and math.isinf(self.ratio_at_most):
            return True
        return self.ratio is not None and self.ratio_at_least <= self.ratio <= self.ratio_at_most

    @property
    def promise(self) -> str:
        """The promise as text, such as "≤ 100"; "" without one."""
        bounds = (
            ("≥", self.at_least, ""),
            ("≤", self.at_most, ""),
            ("≥", self.ratio_at_least, " ×"),
            ("≤", self.ratio_at_most, " ×"),
        )
        return ", ".join(
            f"{sign} {bound:.3g}{times}" for sign, bound, times in bounds if math.isfinite(bound)
        )


@dataclass
class Measured:
    """The rounds of a bench. Each round is a list of the same figures."""

    title: str
    rounds: list[list[Figure]] = field(default_factory=list)

    def medians(self) -> list[Figure]:
        """Each figure with the medians of ours and beside, and so with the ratio of these."""
        return [_median(same) for same in zip(*self.rounds, strict=True)]


def _median(same: tuple[Figure, ...]) -> Figure:
    besides = [figure.beside for figure in same if figure.beside is not None]
    return replace(
        same[0],
        ours=statistics.median(figure.ours for figure in same),
        beside=statistics.median(besides) if besides else None,
    )


Bench = Callable[[int], list[Figure]]
"""Runs one round with the given seed."""


def as_table(measured: Measured) -> str:
    """The medians, one figure a line: ours, beside, their ratio, and what is promised."""
    medians = measured.medians()
    width = max(len(median.name) for median in medians)
    lines = [
        f"{measured.title} (median of {len(measured.rounds)})",
        f"  {'':<{width}}{'ours':>9}{'beside':>9}{'ratio':>8}  promised",
    ]
    for median in medians:
        beside = _short(median.beside)
        verdict = ("ok" if median.holds else "NOT KEPT") if median.promise else ""
        lines.append(
            f"  {median.name:<{width}}{_short(median.ours):>9}{beside:>9}{_short(median.ratio):>8}"
            f"  {median.unit:<4} {median.promise:<14} {verdict}".rstrip()
        )
    return "\n".join(lines)


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
