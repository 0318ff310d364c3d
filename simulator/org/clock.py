"""The org's clock, which a fault can set wrong, and its formats of time.

Stored and shown datetimes are UTC text of one width, so that text order is time order.
"""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)?\Z"
)


class Clock:
    """Wall-clock time plus `offset_s` seconds (positive: the org is ahead)."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.offset_s, UTC)

    def stamp(self) -> str:
        """Now, as a system field shows it: in whole seconds, as Salesforce stores them."""
        return write_datetime(self.now().replace(microsecond=0))

    def http_date(self) -> str:
        return format_datetime(self.now(), usegmt=True)


def write_datetime(moment: datetime) -> str:
    """`2026-11-22T10:00:00.000+0000`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def read_datetime(text: str) -> datetime | None:
    """A datetime as clients write it (`Z`, `+0000`, `+00:00`, or nothing for UTC), or None."""
    match = _ISO.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    offset = UTC if zone in (None, "Z") else _zone(zone)
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second),
            int((fraction or "0").ljust(6, "0")),
            offset,
        )
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    digits = text[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-delta if text[0] == "-" else delta)


def read_http_date(text: str) -> datetime | None:
    """An HTTP date (`Sun, 22 Nov 2026 10:00:00 GMT`) as UTC; None when it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
