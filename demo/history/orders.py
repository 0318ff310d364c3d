"""What must not come before what."""

from collections import defaultdict
from collections.abc import Iterator

from demo.history.steps import REPORT, Settled
from demo.history.view import History

SLACK_S = 0.1
"""How far the store's clock and that of the recording may differ."""

CREATES = ("case_create", "create.")
CHANGES = ("case_comment", "case_close", "update.", "close.")
CALL_LOG = "call_log"
DELIVERED = "delivered"


def out_of_order(history: History) -> Iterator[tuple[str, str]]:
    """(about, text) of each step that came before its cause."""
    for request, answers in history.answers.items():
        if (sent := history.asked.get(request)) and answers[0].at < sent[0].at:
            yield request, "answered before it was asked"
    for reference in history.promises:
        settled = history.settled.get(reference)
        if settled and settled.at < history.request_of(reference).at - SLACK_S:
            yield reference, "settled before it was asked for"
    for intent in history.intents.values():
        if intent.state == DELIVERED and not intent.leases:
            yield intent.reference or intent.intent, "delivered, and no worker had leased it"
    yield from _within_calls(history)


def _within_calls(history: History) -> Iterator[tuple[str, str]]:
    reported_at = {
        sent[-1].call: sent[-1].at for sent in history.asked.values() if sent[0].sort == REPORT
    }
    logs = {log.call: log for log in history.intents.values() if log.kind == CALL_LOG}
    by_call: dict[str, list[tuple[float, Settled]]] = defaultdict(list)
    for reference, promise in history.promises.items():
        if settled := history.settled.get(reference):
            by_call[history.request_of(reference).call].append((promise.at, settled))
    for call, promised in by_call.items():
        created: Settled | None = None
        for at, settled in sorted(promised, key=lambda pair: pair[0]):
            if created and settled.kind.startswith(CHANGES) and settled.at < created.at:
                yield settled.reference, f"settled before {created.reference}, which it is about"
            if settled.kind.startswith(CREATES):
                created = settled
            log = logs.get(call)
            if log and at < reported_at.get(call, 0) and log.at < settled.at:
                yield settled.reference, "settled after the log of its call"
