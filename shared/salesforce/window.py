"""The window: a rate limit of so many requests in so many seconds, for the whole fleet.

Off by default: Salesforce limits a day, not seconds. The limit itself is in `scripts/_window.lua`.
To remove it, delete both files and what names them in `api_budget.py` and the scripts.
"""

HOLD_MS = 300
"""The longest that a lookup waits for others to share its request, while the window has room."""


def arguments(requests: int | None, seconds: float) -> dict[str, list[int]]:
    """What `_window.lua` reads from a script's argument. requests: None without a window."""
    return {"window": [requests, int(seconds * 1000)]} if requests else {}


def key(prefix: str, use: str) -> str:
    return f"{prefix}window:{use}"
