"""Counters that both web processes and workers count. Those of web alone are in web/metrics.py."""

from prometheus_client import Counter

ALARM_MESSAGES = Counter(
    "vs_alarm_messages_total",
    "Messages of alarms to people, by channel: sent, failed (another attempt follows), given_up",
    ["channel", "outcome"],
)
