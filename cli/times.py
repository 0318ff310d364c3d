"""Times as operators read and write them."""

import re
import time
from datetime import UTC, datetime

import click

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_AGO = re.compile(r"(\d{1,6})([mhd])")


def iso(at_ms: int) -> str:
    """Epoch ms as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def local(at_ms: int) -> str:
    """Epoch ms by this machine's clock, to the second, such as 2026-11-27 14:03:05."""
    return f"{datetime.fromtimestamp(at_ms / 1000).astimezone():%Y-%m-%d %H:%M:%S}"


class Moment(click.ParamType[int]):
    """A time: 30m, 6h or 3d ago, or ISO 8601, local without an offset. Becomes epoch ms."""

    name = "when"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        if match := _AGO.fullmatch(value):
            return int((time.time() - int(match[1]) * _UNITS_S[match[2]]) * 1000)
        try:
            return int(datetime.fromisoformat(value).astimezone().timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            self.fail("must be such as 30m, 6h, 3d, 2026-11-27 or 2026-11-27T14:00", param, ctx)
