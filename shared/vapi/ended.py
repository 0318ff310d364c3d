"""Groups Vapi's reasons for the end of a call.

Vapi has some 600 reasons and changes them (docs/vendors.md V24), so groups go by their beginnings.
"""

import re

UNKNOWN = "unknown"

_GROUPS = (
    ("customer-ended", r"customer-ended-call"),
    ("assistant-ended", r"assistant-(ended-call|said-end-call-phrase)"),
    ("no-answer", r"customer-(did-not-answer|busy)|twilio-reported-customer-misdialed"),
    ("voicemail", r"voicemail"),
    ("silence", r"silence-timed-out"),
    ("time-limit", r"exceeded-max-duration"),
    ("cancelled", r"manually-canceled"),
    ("transferred", r"assistant-forwarded-call"),
    ("transfer-failed", r"call\.forwarding\."),
    (UNKNOWN, r"no-report"),
    ("error", r".*(error|fail|fault)|worker-shutdown|assistant-(request|not|join)|unknown-"),
)
"""Group → how its reasons begin. The first that fits counts."""

GROUPS = (*dict(_GROUPS), "other")


def ended_group(reason: str, *, reached_nobody: bool = False) -> str:
    """The group of an endedReason; "" without a reason.

    reached_nobody: the call ended with a transfer to which nobody answered.
    """
    if not reason:
        return ""
    if reached_nobody:
        return "transfer-failed"
    return next((group for group, start in _GROUPS if re.match(start, reason)), "other")
