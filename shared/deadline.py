"""When a piece of work has to be over."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """at: time.monotonic()."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        return self.at - time.monotonic()

    def earlier_by(self, seconds: float) -> "Deadline":
        return Deadline(self.at - seconds)
