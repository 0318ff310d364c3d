"""A failure belongs to what fails: a field, a record, a batch, a kind."""

import zlib
from collections.abc import Callable
from typing import Any

import pytest
import redis
import structlog

from cli.intent_lines import as_line
from demo.stack import Org
from shared.domain.drafts import CallbackDraft, CallDraft, CaseDraft, CommentDraft, ContactDraft
from shared.domain.intent import (
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    Parked,
    new_intent_id,
)
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import change_settings
from tests.store_time import intent_has
from tests.workers.delivering import (
    BILLING,
    CALL,
    accept,
    change,
    contact,
    record,
    stored,
    wait_no_more,
)
from workers.delivery import engine
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import Applier, drain
from workers.delivery.policy import ALONE

UPDATE = Kind.CONTACT_UPDATE


def phone_change(org: Org, name: str) -> ContactDraft:
    """To a number of nobody else's."""
    found = contact(org, name)
    phone = f"+1415555{2000 + zlib.crc32(name.encode()) % 8000}"
    return change(
        org,
        contact_id=found["Id"],
        changes={"MobilePhone": phone},
        seen={"MobilePhone": [found["MobilePhone"]]},
    )


def drained_until(
    is_over: Callable[[], bool], context: DeliveryContext, store: redis.Redis, kind: Kind, *ids: str
) -> int:
    """Drains as often as it takes, without the waits between; returns how often that was."""
    for nth in range(1, 60):
        wait_no_more(store, *ids, kind=kind)
        drain(context, kind)
        if is_over():
            return nth
    raise AssertionError("it is not over")


def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    captured = structlog.testing.LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    for module in ("reporting", "batches"):
        monkeypatch.setattr(f"workers.delivery.{module}.log", log)
    return captured.entries


# -- a record --------------------------------------------------------------------------------------


def test_one_denied_record_holds_up_no_other_and_parks_in_the_end(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(deny_records=[contact(org)["Id"]])
    denied = accept(journal, UPDATE, phone_change(org, "Jane Miller"))
    assert drain(context, UPDATE).counts == {"again": 1}
    assert not journal.waits()
    other = accept(journal, UPDATE, phone_change(org, "Peter Novak"))
    assert drain(context, UPDATE).counts == {"delivered": 1}
    assert stored(journal, other).state is State.DELIVERED

    def is_parked() -> bool:
        return stored(journal, denied).state is State.PARKED

    assert drained_until(is_parked, context, store, UPDATE, denied) == ALONE - 1
    parked = stored(journal, denied)
    assert parked.reason == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert parked.refusals == ALONE
    assert not journal.waits()


def test_a_denied_record_parks_also_when_nothing_else_of_its_kind_is_about(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(deny_records=[contact(org)["Id"]])
    ids = [
        accept(journal, UPDATE, phone_change(org, "Jane Miller")),
        accept(journal, UPDATE, change(org)),
    ]

    def are_parked() -> bool:
        return all(stored(journal, id_).state is State.PARKED for id_ in ids)

    def is_never_the_kinds() -> bool:
        assert not journal.waits()  # two write requests about one record are one record
        return are_parked()

    drained_until(is_never_the_kinds, context, store, UPDATE, *ids)


def test_records_that_were_denied_while_others_went_through_are_never_their_kinds_fault(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    names = ("Jane Miller", "Peter Novak")
    org.fault(deny_records=[contact(org, name)["Id"] for name in names])
    denied = [accept(journal, UPDATE, phone_change(org, name)) for name in names]
    third = next(name for name in _names(org) if name not in names)
    accept(journal, UPDATE, phone_change(org, third))
    assert drain(context, UPDATE).counts == {"delivered": 1, "again": 2}
    assert not journal.waits()
    wait_no_more(store, *denied, kind=UPDATE)
    assert drain(context, UPDATE).counts == {"again": 2}
    assert not journal.waits()  # both were proved to be the records' own

    def are_parked() -> bool:
        return all(stored(journal, id_).state is State.PARKED for id_ in denied)

    drained_until(are_parked, context, store, UPDATE, *denied)


def _names(org: Org) -> list[str]:
    return [contact["Name"] for contact in org.records("Contact")]


def test_two_different_denied_records_make_the_kind_wait_and_park_all_the_same(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = logged(monkeypatch)
    names = ("Jane Miller", "Peter Novak")
    org.fault(deny_records=[contact(org, name)["Id"] for name in names])
    denied = [accept(journal, UPDATE, phone_change(org, name)) for name in names]
    assert drain(context, UPDATE).counts == {"again": 2}
    assert set(journal.waits()) == {UPDATE}
    (alarm,) = (entry for entry in entries if entry["event"] == "kind_paused")
    assert alarm["reason"] == "INSUFFICIENT_ACCESS_OR_READONLY"

    def are_parked() -> bool:
        return all(stored(journal, id_).state is State.PARKED for id_ in denied)

    assert drained_until(are_parked, context, store, UPDATE, *denied) == ALONE - 1


def test_where_many_are_denied_it_is_the_kind_and_nothing_parks(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    names = _names(org)[:12]
    org.fault(deny_records=[contact(org, name)["Id"] for name in names])
    denied = [accept(journal, UPDATE, phone_change(org, name)) for name in names]
    for _ in range(2 * ALONE):
        drain(context, UPDATE)
        wait_no_more(store, *denied, kind=UPDATE)
    assert {stored(journal, id_).state for id_ in denied} == {State.DUE}
    org.fault()
    assert drain(context, UPDATE).counts == {"delivered": 12}


@pytest.mark.parametrize("body", ["html", "json"])
def test_a_request_with_one_record_that_is_refused_as_a_whole_is_that_records(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis, body: str
) -> None:
    """As by a firewall that does not like what a caller said."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    context.contacts.resolve({KNOWN: 0})
    org.fault(status=403, body=body, error_code="X" if body == "json" else "",
              resources=["composite"])  # fmt: skip

    def is_parked() -> bool:
        assert not journal.waits()
        return stored(journal, intent_id).state is State.PARKED

    assert drained_until(is_parked, context, store, Kind.CASE_CREATE, intent_id) == ALONE


def test_a_lock_that_a_trigger_met_is_tried_again(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = accept(journal, UPDATE, change(org))
    org.fault(lock_rows_s=60, lock_in_trigger=True)
    assert drain(context, UPDATE).counts == {"delivered": 1}
    second = accept(journal, UPDATE, phone_change(org, "Jane Miller"))
    assert drain(context, UPDATE).counts == {"again": 1}
    assert stored(journal, second).reason == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert not journal.waits()
    org.fault()
    wait_no_more(store, first, second, kind=UPDATE)
    assert drain(context, UPDATE).counts == {"delivered": 1}


def test_leases_of_an_outage_count_nothing_against_a_record_that_exists(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", resources=["composite", "query"])
    for _ in range(ALONE + 2):
        drain(context, Kind.CASE_CREATE)
        wait_no_more(store, intent_id)
    assert stored(journal, intent_id).attempts > ALONE
    assert stored(journal, intent_id).refusals == 0
    org.fault()
    # The record is there, and this attempt does not know it: DUPLICATE_VALUE.
    assert context.records.create(
        "Case", [(intent_id, {"Subject": "committed"})], ("Id",), still_wanted=lambda: True
    )[0][0].record_id
    intent_has(store, intent_id, in_doubt=0)
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
    assert stored(journal, intent_id).reason == "DUPLICATE_VALUE"
    wait_no_more(store, intent_id)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}


def test_locks_count_nothing_against_a_record_that_is_there(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Each reason has a limit of its own: the lost attempt is found, not parked."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)
    for _ in range(10):
        (locked,) = (context.failed(intent, LOCK, may_exist=False) for intent in lease.intents)
        journal.settle(lease, [locked])
        wait_no_more(store, intent_id)
        lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=100_000)
    (raced,) = (context.failed(intent, RACE, may_exist=True) for intent in lease.intents)
    assert journal.settle(lease, [raced]).states == {intent_id: State.DUE}
    assert stored(journal, intent_id).refusals == 11


LOCK = SalesforceError(FailureClass.ROW_LOCK, "UNABLE_TO_LOCK_ROW")
RACE = SalesforceError(FailureClass.RACE, "DUPLICATE_VALUE")


def test_a_replay_begins_to_count_anew(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(deny_records=[contact(org)["Id"]])
    denied = accept(journal, UPDATE, phone_change(org, "Jane Miller"))

    def is_parked() -> bool:
        return stored(journal, denied).state is State.PARKED

    drained_until(is_parked, context, store, UPDATE, denied)
    journal.replay([denied])
    again = stored(journal, denied)
    assert (again.attempts, again.refusals, again.omit_fields) == (0, 0, ())
    assert drained_until(is_parked, context, store, UPDATE, denied) == ALONE


# -- a field ---------------------------------------------------------------------------------------


ADDRESS = {"Phone": "+14155550177", "MailingStreet": "1 Main St", "MailingState": "Mass."}


def address_change(org: Org, **changes: str) -> ContactDraft:
    jane = contact(org)
    wanted = changes or ADDRESS
    return change(org, changes=wanted, seen={name: [jane[name]] for name in wanted})


def parts(journal: Journal, intent_id: str) -> list[Intent]:
    others = [intent for intent in journal.of_call("call-1") if intent.id != intent_id]
    return [intent for intent in others if intent.kind is not Kind.CHANGE_ALERT]


@pytest.mark.parametrize(
    "fault",
    [
        {"refuse_fields": ["Contact.MailingState"]},
        {"picklists": {}, "validation_rules": [
            {"object": "Contact", "when": "MailingState = 'Mass.'", "field": "MailingState",
             "message": "Two letters, please."}]},
        {"hide_fields": ["Contact.MailingState"]},
    ],
)  # fmt: skip
def test_a_refused_field_parks_and_the_rest_is_written(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis, fault: dict[str, Any]
) -> None:
    before = contact(org)
    draft = address_change(org)
    org.fault(**{name: value for name, value in fault.items() if value})
    intent_id = accept(journal, UPDATE, draft, said="Noted.", tool="updateContact")

    def is_delivered() -> bool:
        return stored(journal, intent_id).state is State.DELIVERED

    drained_until(is_delivered, context, store, UPDATE, intent_id)
    after = contact(org)
    assert (after["Phone"], after["MailingStreet"]) == ("+14155550177", "1 Main St")
    assert after["MailingState"] == before["MailingState"]
    (part,) = parts(journal, intent_id)
    whole = stored(journal, intent_id)
    assert (part.state, part.kind, part.call_id) == (State.PARKED, UPDATE, "call-1")
    assert part.payload["changes"] == {"MailingState": "Mass."}
    assert (part.reference, part.tool, part.org) == (whole.reference, "updateContact", whole.org)
    assert "MailingState" in part.reason
    assert part.detail
    assert [intent.id for intent in journal.parked(10)] == [part.id]
    # A person settles it as any other.
    org.fault()
    corrected = part.payload | {"changes": {"MailingState": "MA"}, "seen": None,
                                "accepted_at": "2099-01-01T00:00:00.000+00:00"}  # fmt: skip
    journal.replay([part.id], corrected)
    assert drain(context, UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingState"] == "MA"


def test_two_refused_fields_park_one_after_the_other(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = address_change(org, **ADDRESS, MailingCountry="Wonderland")
    org.fault(refuse_fields=["Contact.MailingState", "Contact.MailingCountry"])
    intent_id = accept(journal, UPDATE, draft)

    def is_delivered() -> bool:
        return stored(journal, intent_id).state is State.DELIVERED

    drained_until(is_delivered, context, store, UPDATE, intent_id)
    refused = [set(part.payload["changes"]) for part in parts(journal, intent_id)]
    assert sorted(map(sorted, refused)) == [["MailingCountry"], ["MailingState"]]


def test_a_contact_update_of_which_all_is_refused_parks_whole(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = address_change(org, MailingState="Mass.")
    org.fault(refuse_fields=["Contact.MailingState"])
    intent_id = accept(journal, UPDATE, draft)
    assert drain(context, UPDATE).counts == {"parked": 1}
    assert not parts(journal, intent_id)
    assert stored(journal, intent_id).reason == "FIELD_INTEGRITY_EXCEPTION (MailingState)"


def test_a_hidden_field_holds_up_nobody_who_does_not_change_it(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft, other = address_change(org, MailingState="CA"), phone_change(org, "Peter Novak")
    org.fault(hide_fields=["Contact.MailingState"])
    accept(journal, UPDATE, draft)
    accept(journal, UPDATE, other)
    assert drain(context, UPDATE).counts == {"parked": 1, "delivered": 1}


def test_an_org_without_crm_call_center_logs_calls_without_its_fields(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = logged(monkeypatch)
    lacking = ["CallType", "CallDisposition", "CallDurationInSeconds", "CallObject"]
    org.fault(hide_fields=[f"Task.{name}" for name in lacking])
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))

    def is_delivered() -> bool:
        assert not journal.waits()
        return stored(journal, log).state is State.DELIVERED

    assert drained_until(is_delivered, context, store, Kind.CALL_LOG, log) <= len(lacking) + 1
    assert record(org, "Task", log)["Status"] == "Completed"
    assert stored(journal, log).refusals == 0
    assert {entry["reason"] for entry in entries if entry["event"] == "field_missing"} == set(
        lacking
    )
    # The next ones need not find out.
    other = accept(journal, Kind.CALL_LOG, CallDraft(**CALL | {"call_id": "call-2"}))
    now_ms = journal.now_ms()
    context.contacts.resolve({KNOWN: now_ms})
    before = org.stats()["by_resource"]["composite"]
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert org.stats()["by_resource"]["composite"] == before + 1
    assert record(org, "Task", other)["Status"] == "Completed"


def test_a_missing_field_that_carries_the_key_makes_the_kind_wait(
    settings: Settings, journal: Journal, org: Org, store: redis.Redis
) -> None:
    unkeyed = DeliveryContext.from_settings(
        change_settings(settings, salesforce_key_fields=False), store
    )
    org.fault(hide_fields=["Task.CallObject"])
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
    drain(unkeyed, Kind.CALL_LOG)
    assert set(journal.waits()) == {Kind.CALL_LOG}
    assert stored(journal, log).state is State.DUE


# -- a batch ---------------------------------------------------------------------------------------


def test_a_query_that_is_too_complicated_is_asked_in_parts(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    ids = [
        accept(
            journal,
            Kind.CASE_CREATE,
            CaseDraft(
                caller_number=f"+1415555{nth:04d}", issue_type="billing", description="Too long"
            ),
        )
        for nth in range(1000, 1040)
    ]
    org.fault(max_query_chars=30_000)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 40}
    assert not journal.waits()
    receipts = [stored(journal, id_).receipt for id_ in ids]
    assert all(receipt and receipt.number for receipt in receipts)


def test_reading_back_in_parts_finds_every_number(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(60)]
    context.contacts.resolve({KNOWN: 0})
    org.fault(max_query_chars=1_000)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 60}
    receipts = [stored(journal, id_).receipt for id_ in ids]
    assert len({receipt.number for receipt in receipts if receipt}) == 60


def applied(monkeypatch: pytest.MonkeyPatch, apply: Callable[..., list[Outcome]]) -> None:
    monkeypatch.setitem(engine.APPLIERS, Kind.CALLBACK, Applier(apply))


def callbacks(journal: Journal, count: int, bad: str = "") -> list[str]:
    ids = [accept(journal, Kind.CALLBACK, CallbackDraft(phone="1")) for _ in range(count)]
    return [*ids, accept(journal, Kind.CALLBACK, CallbackDraft(phone=bad))] if bad else ids


def outcomes_but(bad: Callable[[list[Intent]], bool], error: Exception) -> Any:
    sizes: list[int] = []

    def apply(context: DeliveryContext, intents: list[Intent]) -> list[Outcome]:
        sizes.append(len(intents))
        if bad(list(intents)):
            raise error
        return [Delivered(intent.id, "00T") for intent in intents]

    return apply, sizes


TOO_MUCH = SalesforceError(FailureClass.TOO_MUCH, "LIMIT_EXCEEDED", whole=True)


def test_what_costs_too_much_together_goes_in_smaller_requests(
    context: DeliveryContext, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, sizes = outcomes_but(lambda some: len(some) > 30, TOO_MUCH)
    applied(monkeypatch, apply)
    callbacks(journal, 100)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 100}
    assert sizes == [100, 1, 1, 49, 49, 25, 24, 25, 24]


def test_a_record_that_costs_too_much_alone_parks_in_the_end(
    context: DeliveryContext, journal: Journal, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_bad(some: list[Intent]) -> bool:
        return any(intent.payload["phone"] == "2" for intent in some)

    apply, _ = outcomes_but(is_bad, TOO_MUCH)
    applied(monkeypatch, apply)
    *_, bad = callbacks(journal, 20, bad="2")
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 20, "again": 1}
    assert not journal.waits()

    def is_parked() -> bool:
        return stored(journal, bad).state is State.PARKED

    assert drained_until(is_parked, context, store, Kind.CALLBACK, bad) == ALONE - 1
    assert stored(journal, bad).reason == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("error", [TOO_MUCH, KeyError("compositeResponse")])
def test_what_fails_for_all_of_a_batch_costs_three_requests_and_pauses_the_kind(
    context: DeliveryContext,
    journal: Journal,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    entries = logged(monkeypatch)
    apply, sizes = outcomes_but(lambda _: True, error)
    applied(monkeypatch, apply)
    ids = callbacks(journal, 150)
    assert drain(context, Kind.CALLBACK).counts == {"again": 150}
    assert sizes == [150, 1, 1]
    assert set(journal.waits()) == {Kind.CALLBACK}
    assert [entry["log_level"] for entry in entries if entry["event"] == "kind_paused"] == ["error"]
    assert not journal.parked(10)
    good, _ = outcomes_but(lambda _: False, error)
    applied(monkeypatch, good)
    wait_no_more(store, *ids, kind=Kind.CALLBACK)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 150}


def test_a_defect_that_one_alone_meets_again_and_again_parks_it(
    context: DeliveryContext, journal: Journal, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, _ = outcomes_but(lambda _: True, ValueError("x"))
    applied(monkeypatch, apply)
    (bad,) = callbacks(journal, 1)

    def is_parked() -> bool:
        return stored(journal, bad).state is State.PARKED

    assert drained_until(is_parked, context, store, Kind.CALLBACK, bad) == ALONE
    assert stored(journal, bad).reason == "UNFORESEEN_ValueError"


# -- a tool ----------------------------------------------------------------------------------------


MISSING = SalesforceError(
    FailureClass.MISSING_FIELD, "INVALID_FIELD", fields=("Details__c",), whole=True
)


@pytest.mark.parametrize("error", [MISSING, TOO_MUCH])
def test_a_request_that_one_tool_spoils_goes_through_for_the_others(
    context: DeliveryContext,
    journal: Journal,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    error: SalesforceError,
) -> None:
    """Salesforce refuses the request as a whole, and does not say whose record it means."""
    apply, sizes = outcomes_but(lambda some: any(item.tool == "spoilt" for item in some), error)
    applied(monkeypatch, apply)
    for nth in range(12):
        draft = CallbackDraft(phone=str(nth))
        tool = ("spoilt", "sound", "")[nth % 3]
        intent = NewIntent(id=new_intent_id(), kind=Kind.CALLBACK, draft=draft, tool=tool)
        journal.accept(f"call-{nth}", [intent], agent="acme")
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 8, "again": 4}
    assert set(journal.waits()) == {"acme/spoilt"}
    assert sizes[0] == 12
    assert len(sizes) <= 6  # together, each of the three apart, and two of the spoilt tool's alone


# -- Salesforce's words, and whose the outcome is --------------------------------------------------


def test_salesforces_words_are_kept_with_what_parked_and_go_with_personal_data(
    context: DeliveryContext, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = logged(monkeypatch)
    words = "Billing cases need an order number. " + "x" * 2_000
    rule = {"object": "Case", "when": "Type = 'Billing'", "message": words}
    org.fault(validation_rules=[rule])
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    assert drain(context, Kind.CASE_CREATE).counts == {"parked": 1}
    parked = stored(journal, intent_id)
    assert parked.detail == words[:1_000]
    assert "order number" in as_line(parked)
    assert "order number" not in str(entries)
    journal.discard([intent_id])
    journal.purge(data_after_ms=0, receipt_after_ms=10_000_000)
    assert stored(journal, intent_id).detail == ""


@pytest.mark.breaks_rows("the token is another one while the batch is at work")
def test_what_the_journal_did_not_take_is_neither_said_nor_counted(
    context: DeliveryContext, journal: Journal, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker holds the batch by the time that this one is done."""
    entries = logged(monkeypatch)
    ids = callbacks(journal, 3)

    def too_late(context: DeliveryContext, intents: list[Intent]) -> list[Outcome]:
        intent_has(store, ids[0], lease="somebody else")
        intent_has(store, ids[1], lease="somebody else")
        return [Parked(ids[0], "X"), Delivered(ids[1], "00T"), Delivered(ids[2], "00T")]

    applied(monkeypatch, too_late)
    said: list[Outcome] = []
    drained = drain(context, Kind.CALLBACK, lambda _, outcomes: said.extend(outcomes))
    assert drained.counts == {"delivered": 1}
    assert said == [Delivered(ids[2], "00T")]
    assert not [entry for entry in entries if entry["event"] == "intent_parked"]
    (line,) = (entry for entry in entries if entry["event"] == "delivery")
    assert (line["delivered"], line["unsettled"]) == (1, 2)


def test_a_right_to_an_object_that_is_missing_is_its_kinds_at_once(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    comment = CommentDraft(caller_number=KNOWN, case_number="00001001", text="x")
    accept(journal, Kind.CASE_COMMENT, comment)
    org.fault(deny=["CaseComment.create"])
    assert drain(context, Kind.CASE_COMMENT).counts == {"again": 1}
    assert set(journal.waits()) == {Kind.CASE_COMMENT}
