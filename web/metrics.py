"""What the web process counts. Labels come from fixed lists, never from a payload."""

from prometheus_client import Counter

MESSAGES = Counter(
    "vapi_messages_total", "Server messages by type; unknown types share one label", ["type"]
)
REFUSED = Counter("vapi_refused_total", "Webhook requests refused, by status", ["status"])
TOOL_CALLS = Counter("vapi_tool_calls_total", "Tool calls by tool and outcome", ["tool", "outcome"])
