"""Reports that a limit was reached: a metric and a log line. The callers hear a sentence."""

from shared.logs import log
from web.metrics import LIMITS_REACHED


def limit_reached(limit: str, call_id: str) -> None:
    """limit: its name, from a fixed list (docs/security.md, "Limits")."""
    LIMITS_REACHED.labels(limit=limit).inc()
    log.warning("limit_reached", reason=limit, call_id=call_id)
