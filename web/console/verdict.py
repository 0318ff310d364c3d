"""Is the service delivering? The answer in a line, and a lamp for each thing that it needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from web.console.rendering import ago

LATE_MS = 60_000
"""A due write that no worker has taken for this long is late."""

SWEEP_TOO_LONG_AGO_MS = 15_000
NEARLY_FULL = 0.7
BUDGET_SHORT = 0.9


class Level(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Lamp:
    """text: what it says, for those who see no colour."""

    name: str
    level: Level
    text: str


@dataclass(frozen=True)
class Verdict:
    """reason: why nothing, or not everything, is delivered; "" while all is."""

    reason: str
    next_step: str = ""

    @property
    def is_delivering(self) -> bool:
        return not self.reason


def verdict_of(health: Mapping[str, Any]) -> Verdict:
    """health: as `GET /health` shows it to operators. The first reason is the one to act on."""
    waiting: Mapping[str, Any] = health["waiting"]
    if _no_worker(health):
        return Verdict(
            "no worker is running",
            "Start the workers. Writes are accepted and safe until then.",
        )
    if any(text.startswith("store: full") for text in health["problems"]):
        return Verdict(
            "the store is full: nothing new is accepted",
            "What was accepted before is still delivered. "
            "The section “Alarm: the store” of docs/runbook.md says what to do.",
        )
    if "org" in waiting:
        wait = waiting["org"]
        return Verdict(
            f"Salesforce is away ({wait['reason']}); next attempt in {ago(wait['for_ms'])}",
            "Wait: the service tries again by itself, at least every 5 minutes. "
            "Look at status.salesforce.com.",
        )
    if health["paused"]:
        return Verdict(
            f"an operator paused {', '.join(health['paused'])}",
            "Resume them on the page Kinds when the reason is gone.",
        )
    if failing := {kind: wait for kind, wait in waiting.items() if wait["failures_in_a_row"]}:
        reasons = ", ".join(f"{kind} ({wait['reason']})" for kind, wait in sorted(failing.items()))
        return Verdict(
            f"Salesforce refuses every write of {reasons}",
            "Fix the field or the permission in Salesforce, then resume the kind.",
        )
    late_ms = health["oldest_due_ms"]
    if late_ms is not None and late_ms > LATE_MS:
        return Verdict(
            f"the oldest write has been waiting for {ago(late_ms)}",
            "A backlog is being worked off. If the age grows, start more workers.",
        )
    return Verdict("")


def _no_worker(health: Mapping[str, Any]) -> bool:
    swept = health["last_sweep_age_ms"]
    return swept is None or swept > SWEEP_TOO_LONG_AGO_MS


def lamps_of(
    health: Mapping[str, Any], refused_per_min: float, refused_ever: int
) -> Iterator[Lamp]:
    problems = [text for text in health["problems"] if text.startswith("store:")]
    yield Lamp("web", Level.GOOD, "answers")
    workers, beats = health["alive"]["worker"], health["alive"]["beat"]
    yield Lamp("workers", Level.BAD if _no_worker(health) else Level.GOOD, f"{workers} at work")
    yield Lamp("beat", Level.GOOD if beats else Level.BAD, f"{beats} at work")
    yield _memory(health["store"], problems)
    org = health["waiting"].get("org")
    yield Lamp(
        "Salesforce", Level.BAD if org else Level.GOOD, str(org["reason"]) if org else "answers"
    )
    yield _budget(health["budget"])
    breaker = health["breaker"]["state"]
    yield Lamp("breaker", Level.GOOD if breaker == "closed" else Level.WARN, breaker)
    age_s = health["token_age_s"]
    yield Lamp("token", Level.GOOD, "none yet" if age_s is None else f"{ago(age_s * 1000)} old")
    level = Level.WARN if refused_per_min else Level.GOOD
    text = f"{max(1, round(refused_per_min))} a minute" if refused_per_min else "none now"
    yield Lamp("refused webhooks", level, f"{text}; {refused_ever} in all")


def _memory(store: Mapping[str, Any], problems: list[str]) -> Lamp:
    if problems:
        return Lamp("store", Level.BAD, problems[0].removeprefix("store: "))
    used, limit = store["memory_used"], store["memory_limit"]
    share = used / limit if limit else 0.0
    level = Level.WARN if share >= NEARLY_FULL else Level.GOOD
    of_limit = f" of {limit / 1e6:.0f} MB" if limit else ""
    return Lamp("store", level, f"{used / 1e6:.0f} MB{of_limit}")


def _budget(budget: Mapping[str, Any]) -> Lamp:
    used, limit = budget["daily_used"], budget["daily_limit"]
    if not limit:
        return Lamp("API budget", Level.GOOD, "not known yet")
    level = Level.WARN if (used or 0) >= BUDGET_SHORT * limit else Level.GOOD
    return Lamp("API budget", level, f"{used} of {limit} today")
