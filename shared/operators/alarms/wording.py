"""The words of a message. Operators read English."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.operators.alarms.board import AlarmMessage
from shared.operators.alarms.causes import sort_of

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Wording:
    """service: which installation it is about."""

    message: AlarmMessage
    service: str

    @property
    def title(self) -> str:
        return f"{self._word}: {self.message.cause} ({self.service})"

    @property
    def text(self) -> str:
        message = self.message
        if message.state == "over":
            lasted = _duration(message.over_ms - message.since_ms)
            return f"{self.title}. It lasted {lasted}. It was: {message.text}"
        return f'{self.title}. {message.text} What to do: "{self._section}" in {RUNBOOK}.'

    def as_json(self) -> dict[str, str | None]:
        message = self.message
        return {
            "text": self.text,
            "event": "over" if message.state == "over" else "alarm",
            "cause": message.cause,
            "detail": message.text,
            "service": self.service,
            "since": _iso(message.since_ms),
            "until": _iso(message.over_ms) if message.state == "over" else None,
            "runbook": f"{RUNBOOK}#{anchor(self._section)}",
        }

    @property
    def _word(self) -> str:
        return "OVER" if self.message.state == "over" else "ALARM"

    @property
    def _section(self) -> str:
        sort = sort_of(self.message.cause)
        return sort.section if sort else "Is everything working?"


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    letters = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return letters.replace(" ", "-")


def _duration(ms: int) -> str:
    minutes = max(1, round(ms / 60_000))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
