"""The time by which a piece of work must be over."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """at: a time.monotonic() value."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        return self.at - time.monotonic()

    def earlier_by(self, seconds: float) -> "Deadline":
        return Deadline(self.at - seconds)
