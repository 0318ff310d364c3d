"""Reasons for the end of a call, in groups that stay the same."""

import pytest

from shared.vapi.ended import GROUPS, ended_group


@pytest.mark.parametrize(
    ("reason", "group"),
    [
        ("", ""),
        ("customer-ended-call", "customer-ended"),
        ("customer-ended-call-during-transfer", "customer-ended"),
        ("assistant-ended-call-after-message-spoken", "assistant-ended"),
        ("assistant-said-end-call-phrase", "assistant-ended"),
        ("assistant-forwarded-call", "transferred"),
        ("call.forwarding.operator-busy", "transfer-failed"),
        ("customer-did-not-answer", "no-answer"),
        ("customer-busy", "no-answer"),
        ("voicemail", "voicemail"),
        ("silence-timed-out", "silence"),
        ("exceeded-max-duration", "time-limit"),
        ("manually-canceled", "cancelled"),
        ("pipeline-error-openai-llm-failed", "error"),
        ("call.in-progress.error-vapifault-worker-died", "error"),
        ("call.start.error-subscription-concurrency-limit-reached", "error"),
        ("twilio-failed-to-connect-call", "error"),
        ("assistant-request-failed", "error"),
        ("worker-shutdown", "error"),
        ("no-report", "unknown"),
        ("something-new", "other"),
    ],
)
def test_a_reason_belongs_to_a_group(reason: str, group: str) -> None:
    assert ended_group(reason) == group
    assert group in (*GROUPS, "")


def test_a_transfer_that_reached_nobody_failed() -> None:
    assert ended_group("assistant-forwarded-call", reached_nobody=True) == "transfer-failed"
