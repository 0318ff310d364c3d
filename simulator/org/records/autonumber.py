"""Auto-number fields: a display format such as `CS-{00000}`, as an administrator sets it.

`{0}`, `{00000}`: the number with at least so many digits; `{YYYY}`, `{YY}`, `{MM}` and `{DD}`: the
day. Describe does not show the format.
"""

import re
from datetime import datetime

USUAL = "{00000000}"
LONGEST = 30
_PART = re.compile(r"\{(0+|YYYY|YY|MM|DD)\}")


def check_format(display_format: str) -> str:
    """Returns the format. Raises ValueError unless it has one number and no other braces."""
    parts = _PART.findall(display_format)
    rest = _PART.sub("", display_format)
    numbers = [part for part in parts if part.startswith("0")]
    if len(numbers) != 1 or "{" in rest or "}" in rest or len(display_format) > LONGEST:
        raise ValueError("must be an auto-number format such as CS-{00000}")
    return display_format


def written(display_format: str, number: int, day: datetime) -> str:
    """The number as the format writes it."""
    days = {"YYYY": f"{day:%Y}", "YY": f"{day:%y}", "MM": f"{day:%m}", "DD": f"{day:%d}"}
    return _PART.sub(lambda part: days.get(part[1]) or f"{number:0{len(part[1])}d}", display_format)
