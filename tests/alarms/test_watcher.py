"""Each of the ten alarms is raised by what it is about, and reaches people."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr

from demo.stack import ROOT, Org
from shared.alive import Alive, Peer
from shared.domain.intent import Parked
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.metrics.counted import ALARM_MESSAGES
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.board import CLEAR_MS
from shared.operators.alarms.causes import Sort, sort_of
from shared.operators.alarms.watcher import MAX_ATTEMPTS, Watcher, delay_ms
from shared.operators.alarms.wording import anchor
from shared.settings import Settings
from tests.alarms.receivers import Hook, Mailbox
from tests.api_use import open_breaker
from tests.calling import ask, message, post
from tests.conftest import change_settings
from tests.log_lines import log_lines
from tests.store_time import (
    alarm_time_passes,
    everything_is_due,
    last_ran,
    next_attempt_is_allowed,
)
from tests.workers.delivering import BILLING, accept
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

LONG_MS = 3_600_000
OLD = "the-previous-webhook-secret"


@pytest.fixture
def quiet(store: redis.Redis, journal: Journal) -> Callable[[], None]:
    """Makes that workers and beat were at work a moment ago."""

    def run() -> None:
        Alive(store).note("beat", Peer.of_this_process())
        journal.sweep()

    run()
    return run


def watcher(settings: Settings, store: redis.Redis) -> Watcher:
    return Watcher.of(settings, store, FleetCounts(store))


def causes(hook: Hook, event: str = "alarm") -> list[str]:
    return [body["cause"] for body in hook.got if body["event"] == event]


def watch(settings: Settings, store: redis.Redis, *, after_ms: int = 0) -> None:
    """One round, after so much time."""
    alarm_time_passes(store, after_ms)
    watcher(settings, store).watch()


def park(journal: Journal, kind: Kind, reason: str, said: str = "", detail: str = "") -> list[str]:
    ids = [accept(journal, kind, BILLING, f"call-{reason}", said=said) for _ in range(2)]
    lease = journal.lease(kind, limit=99, max_bytes=999_999)
    journal.settle(lease, [Parked(item.id, reason, detail) for item in lease.intents])
    return ids


def test_a_service_without_trouble_sends_nothing(
    alarming: Settings, store: redis.Redis, hook: Hook, quiet: Any
) -> None:
    for _ in range(3):
        watch(alarming, store, after_ms=LONG_MS)
    assert hook.got == []


def test_a_group_of_parked_writes_is_one_message_and_one_when_it_is_settled(
    alarming: Settings,
    store: redis.Redis,
    journal: Journal,
    hook: Hook,
    mailbox: Mailbox,
    quiet: Any,
) -> None:
    ids = park(journal, Kind.CASE_CREATE, "CASE_GONE")
    park(journal, Kind.CALLBACK, "EDITED_SINCE (Phone)", detail="It was +14155550101")
    watch(alarming, store)
    assert sorted(causes(hook)) == ["parked:callback:EDITED_SINCE", "parked:case_create:CASE_GONE"]
    (text,) = [body["text"] for body in hook.got if "CASE_GONE" in body["cause"]]
    assert "2 writes are parked: case_create, CASE_GONE. The case was deleted. Discard it." in text
    assert "415" not in json.dumps(hook.got)
    assert len(mailbox.got) == 2
    park(journal, Kind.CASE_CREATE, "CASE_GONE")
    watch(alarming, store, after_ms=LONG_MS)
    assert len(hook.got) == 2
    journal.discard([*ids, *(item.id for item in journal.parked(99) if item.kind == "case_create")])
    watch(alarming, store, after_ms=CLEAR_MS)
    assert causes(hook, "over") == ["parked:case_create:CASE_GONE"]
    assert [str(got["Subject"])[:4] for got in mailbox.got].count("OVER") == 1


def test_a_failing_kind_is_an_alarm_until_it_works_again(
    alarming: Settings, store: redis.Redis, journal: Journal, context: DeliveryContext, org: Org,
    hook: Hook, quiet: Callable[[], None],
) -> None:  # fmt: skip
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    drain(context, Kind.CASE_CREATE)
    watch(alarming, store)
    assert causes(hook) == ["failing:case_create"]
    assert "INVALID_FIELD (Voice_Reference__c)" in hook.got[0]["text"]
    org.fault()
    next_attempt_is_allowed(store)
    everything_is_due(store)
    drain(context, Kind.CASE_CREATE)
    watch(alarming, store, after_ms=CLEAR_MS)
    assert causes(hook, "over") == ["failing:case_create"]


def test_an_org_that_is_away_is_an_alarm_after_a_while(
    alarming: Settings, store: redis.Redis, journal: Journal, context: DeliveryContext, org: Org,
    hook: Hook, quiet: Any,
) -> None:  # fmt: skip
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    drain(context, Kind.CASE_CREATE)
    watch(alarming, store)
    watch(alarming, store, after_ms=4 * 60_000)
    assert hook.got == []
    watch(alarming, store, after_ms=60_000)
    assert causes(hook) == ["org_away"]
    assert "not answered for 5 minutes: TOKEN_SERVER_UNAVAILABLE." in hook.got[0]["text"]


def test_lookups_alone_show_too_that_the_org_is_away(
    alarming: Settings, store: redis.Redis, app: Any, hook: Hook, quiet: Any
) -> None:
    service: Service = app.extensions["service"]
    open_breaker(service.api_budget)
    store.hset(f"{service.api_budget._keys}breaker", "until", 2**52)
    watch(alarming, store)
    watch(alarming, store, after_ms=5 * 60_000)
    assert causes(hook) == ["org_away"]


def test_a_write_that_is_due_for_long_is_an_alarm(
    alarming: Settings, store: redis.Redis, journal: Journal, hook: Hook, quiet: Any
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    watch(alarming, store)
    assert hook.got == []
    everything_is_due(store)  # and has been since 1970
    watch(alarming, store)
    assert causes(hook) == ["late"]


@pytest.mark.parametrize("what", ["sweep", "never"])
def test_no_worker_is_an_alarm_which_no_worker_has_to_send(
    alarming: Settings, store: redis.Redis, hook: Hook, what: str
) -> None:
    Alive(store).note("beat", Peer.of_this_process())
    if what == "sweep":
        last_ran(store, "sweep", ms_ago=60_000)
    watch(alarming, store)
    assert hook.got == []  # a deploy may be under way
    watch(alarming, store, after_ms=20_000)
    assert causes(hook) == ["no_worker"]


def test_no_beat_is_an_alarm(
    alarming: Settings, store: redis.Redis, journal: Journal, hook: Hook
) -> None:
    journal.sweep()
    watch(alarming, store)
    watch(alarming, store, after_ms=20_000)
    assert causes(hook) == ["no_beat"]


def test_a_store_that_fills_up_or_is_full_is_an_alarm_that_is_still_sent(
    alarming: Settings, store: redis.Redis, hook: Hook, quiet: Callable[[], None]
) -> None:
    watch(alarming, store)  # loads the scripts
    alarm_time_passes(store, 0)
    used = int(store.info("memory")["used_memory"])
    try:
        store.config_set("maxmemory", used // 2)
        watcher(alarming, store).watch()
    finally:
        store.config_set("maxmemory", 0)
    assert causes(hook) == ["store"]
    assert "full" in hook.got[0]["text"]


def test_many_refused_webhooks_are_an_alarm(
    alarming: Settings, store: redis.Redis, client: FlaskClient, hook: Hook, quiet: Any
) -> None:
    counts = client.application.extensions["service"].counts

    def refuse(times: int) -> None:
        for _ in range(times):
            assert client.post("/webhook/vapi", data=b"{}").status_code == 401
        counts.flush()

    refuse(50)
    watch(alarming, store)  # it counts from here on
    refuse(9)
    watch(alarming, store, after_ms=60_000)
    assert hook.got == []
    refuse(12)
    watch(alarming, store, after_ms=60_000)
    assert causes(hook) == ["refused"]
    silent = change_settings(alarming, alarm_refused_per_min=0.0)
    watch(silent, store, after_ms=CLEAR_MS)
    assert causes(hook, "over") == ["refused"]


def test_a_broken_promise_is_an_alarm(
    alarming: Settings, store: redis.Redis, journal: Journal, client: FlaskClient, hook: Hook,
    quiet: Any,
) -> None:  # fmt: skip
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    post(client, message("status-update", status="ended"))
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=99_999)
    journal.settle(lease, [Parked(intent.id, "CASE_GONE") for intent in lease.intents])
    watch(alarming, store)
    assert sorted(causes(hook)) == ["parked:case_create:CASE_GONE", "promises"]


def test_a_secret_that_is_being_replaced_for_too_long_is_an_alarm(
    alarming: Settings, store: redis.Redis, hook: Hook, quiet: Any
) -> None:
    rotating = change_settings(alarming, vapi_server_secret_previous=SecretStr(OLD))
    watch(rotating, store)
    assert hook.got == []
    (key,) = store.scan_iter("vs:rotation:*")
    store.hset(key, "since", int(str(store.hget(key, "since"))) - 80 * 3_600_000)
    watch(rotating, store, after_ms=10_000)
    assert causes(hook) == ["rotation"]
    assert OLD not in json.dumps(hook.got)


# -- sending ---------------------------------------------------------------------------------------


def sent(outcome: str) -> float:
    return sum(
        sample.value
        for metric in ALARM_MESSAGES.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
        and sample.labels == {"channel": "webhook", "outcome": outcome}
    )


def test_a_webhook_that_fails_gets_the_message_later_and_mail_does_not_wait(
    alarming: Settings, store: redis.Redis, journal: Journal, hook: Hook, mailbox: Mailbox
) -> None:
    hook.status = 503
    journal.sweep()
    before = sent("failed")
    watch(alarming, store)
    watch(alarming, store, after_ms=20_000)
    assert (len(hook.got), len(mailbox.got)) == (1, 1)
    assert sent("failed") == before + 1
    hook.status = 200
    watch(alarming, store, after_ms=10_000)
    assert (len(hook.got), len(mailbox.got)) == (2, 1)
    watch(alarming, store, after_ms=LONG_MS)
    assert len(hook.got) == 2


def test_a_webhook_that_never_works_is_given_up_and_the_log_says_so(
    alarming: Settings, store: redis.Redis, journal: Journal, hook: Hook
) -> None:
    hook.status = 404
    with log_lines() as lines:
        for _ in range(MAX_ATTEMPTS + 5):
            journal.sweep()
            watch(alarming, store, after_ms=360_000)
    assert len(hook.got) == MAX_ATTEMPTS
    (line,) = [json.loads(line) for line in lines if "alarm_given_up" in line]
    assert (line["level"], line["code"], line["reason"]) == (
        "error",
        "no_beat",
        "webhook: HTTP_404",
    )
    assert "hooks/secret" not in "".join(lines)


def test_attempts_are_further_and_further_apart() -> None:
    for attempts, most_s in ((1, 5), (2, 10), (4, 40), (12, 300)):
        delays = [delay_ms(attempts) for _ in range(200)]
        assert most_s * 500 <= min(delays)
        assert max(delays) <= most_s * 1000
        assert len(set(delays)) > 10


def test_two_processes_send_a_message_once(
    alarming: Settings, store: redis.Redis, journal: Journal, hook: Hook
) -> None:
    journal.sweep()
    first, second = watcher(alarming, store), watcher(alarming, store)
    first.watch()
    second.watch()
    alarm_time_passes(store, 20_000)
    second.watch()
    first.watch()
    alarm_time_passes(store, 10_000)
    first.watch()
    assert causes(hook) == ["no_beat"]


def test_an_alarm_is_in_the_log_although_nobody_gets_it(
    settings: Settings, store: redis.Redis, journal: Journal
) -> None:
    journal.sweep()
    with log_lines() as lines:
        watch(settings, store)
        watch(settings, store, after_ms=20_000)
    (line,) = [json.loads(line) for line in lines if "alarm_raised" in line]
    assert line["code"] == "no_beat"


# -- the runbook -----------------------------------------------------------------------------------


def runbook_section(sort: Sort) -> str:
    text = (ROOT / "docs" / "runbook.md").read_text()
    return text.partition(f"\n### {sort.section}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


@pytest.mark.parametrize("sort", Sort)
def test_each_alarm_has_its_section_which_says_what_is_seen_and_what_to_type(sort: Sort) -> None:
    section = runbook_section(sort)
    assert "**The console shows**" in section
    assert "**Do**" in section
    assert sort in section


def test_the_ten_alarms_are_ten_and_each_is_known_by_its_cause() -> None:
    assert len(Sort) == 10
    for sort in Sort:
        assert sort_of(f"{sort}:something") is sort_of(sort) is sort
    assert sort_of("of_next_year") is None
    assert anchor(Sort.ORG_AWAY.section) == "alarm-salesforce-cant-be-reached"
