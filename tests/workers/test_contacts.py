"""Contact updates: only what is still as it was seen, and never over a person's edit."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.drafts import ContactDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN, SHARED, UNKNOWN, ask
from tests.store_time import (
    everything_of_the_org_expires,
    intent_is_not_due,
    own_writes_are_purged,
    waits_end,
)
from tests.workers.delivering import accept, change, contact, stored, wait_no_more
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def test_a_contact_is_changed_in_the_fields_given_and_no_others(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    before = contact(org)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    changed = {name for name in after if after[name] != before[name]}
    stamps = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    assert changed - stamps == {"Email", "MailingCity"}


def test_an_edit_since_acceptance_stays_and_the_change_parks(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert stored(journal, intent_id).reason == "EDITED_SINCE (Email)"
    assert contact(org)["Email"] == "by.hand@example.com"
    assert contact(org)["MailingCity"] == "San Francisco"


def test_line_ends_that_salesforce_stores_otherwise_are_no_edit(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    """What a caller asked for reads back with CRLF; neither that nor asking again is a conflict."""
    org.fault(crlf_text=True)
    street = "1 First Street\nApartment 2"
    jane = contact(org)
    org.edit("Contact", jane["Id"], MailingStreet="12 Harbor Street\nDock 4")
    first = change(
        org,
        changes={"MailingStreet": street},
        seen={"MailingStreet": ["12 Harbor Street\nDock 4"]},
    )
    accept(journal, Kind.CONTACT_UPDATE, first)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "1 First Street\r\nApartment 2"
    updated = org.stats()["records"]["updated"]
    again = replace(first, seen={"MailingStreet": ["12 Harbor Street\r\nDock 4"]})
    accept(journal, Kind.CONTACT_UPDATE, again)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == updated
    later = replace(first, changes={"MailingStreet": "elsewhere"}, seen={"MailingStreet": [street]})
    accept(journal, Kind.CONTACT_UPDATE, later)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "elsewhere"


def test_an_edit_of_another_field_is_no_conflict(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], MailingStreet="by hand")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "by hand"


@pytest.mark.parametrize(
    ("accepted_at", "outcome"),
    [("2099-01-01T00:00:00.000+00:00", "delivered"), ("2020-01-01T00:00:00.000+00:00", "parked")],
)
def test_a_change_accepted_unseen_is_made_only_when_nobody_edited_since(
    context: DeliveryContext, journal: Journal, org: Org, accepted_at: str, outcome: str
) -> None:
    draft = change(org, contact_id=None, seen=None, accepted_at=accepted_at)
    accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {outcome: 1}


@pytest.mark.parametrize("number", [UNKNOWN, SHARED, ""])
def test_a_change_for_nobody_in_particular_parks(
    context: DeliveryContext, journal: Journal, org: Org, number: str
) -> None:
    intent_id = accept(
        journal, Kind.CONTACT_UPDATE, change(org, caller_number=number, contact_id=None, seen=None)
    )
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert stored(journal, intent_id).reason == "NOT_ONE_CONTACT"


def test_a_change_whose_answer_was_lost_is_not_made_again(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = context.records.change

    def lose_the_answer(sobject: str, rows: Any) -> Any:
        org.fault(lose_answer=1.0)
        return change_rows(sobject, rows)

    monkeypatch.setattr(context.records, "change", lose_the_answer)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    org.fault()
    assert contact(org)["Email"] == "new@example.com"  # it was committed
    assert stored(journal, intent_id).in_doubt
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == 1


def test_two_changes_of_one_contact_are_made_one_after_the_other(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = accept(journal, Kind.CONTACT_UPDATE, change(org))
    jane = contact(org)
    second = accept(
        journal,
        Kind.CONTACT_UPDATE,
        change(
            org,
            changes={"MobilePhone": "+14155550177"},
            seen={"MobilePhone": [jane["MobilePhone"]]},
        ),
    )
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1, "again": 1}
    wait_no_more(store, first, second, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    assert (after["Email"], after["MobilePhone"]) == ("new@example.com", "+14155550177")


def test_a_contact_change_follows_a_contact_through_its_merges(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    old, between = contact(org, "Peter Novak")["Id"], contact(org, "Paula Novak")["Id"]
    org.merge("Contact", old, into=between)
    org.merge("Contact", between, into=contact(org)["Id"])
    accept(journal, Kind.CONTACT_UPDATE, change(org, contact_id=old))
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["Email"] == "new@example.com"


def test_a_change_for_a_contact_who_was_deleted_parks_whoever_has_the_number_now(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    paula, peter = contact(org, "Paula Novak"), contact(org, "Peter Novak")
    draft = change(org, caller_number=SHARED, contact_id=paula["Id"])
    org.delete("Contact", paula["Id"])
    intent_id = accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert stored(journal, intent_id).reason == "NOT_ONE_CONTACT"
    assert contact(org, "Peter Novak") == peter


def test_a_country_by_which_the_callers_own_number_would_be_another_is_left_to_a_person(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    before = contact(org)
    assert before["Phone"] == "(415) 555-0101"
    changes = {"MailingCountry": "Germany", "MailingCity": "Bonn"}
    draft = change(org, changes=changes, seen={name: [before[name]] for name in changes})
    intent_id = accept(journal, Kind.CONTACT_UPDATE, draft)
    drain(context, Kind.CONTACT_UPDATE)
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    drain(context, Kind.CONTACT_UPDATE)
    after = contact(org)
    assert (after["MailingCity"], after["MailingCountry"]) == ("Bonn", before["MailingCountry"])
    (parked,) = (it for it in journal.of_call("call-1") if it.state is State.PARKED)
    assert parked.reason == "NUMBER_READ_OTHERWISE (MailingCountry)"
    assert context.contacts.holders([KNOWN]) == {KNOWN: [before["Id"]]}


@pytest.mark.parametrize("phone", ["(415) 555-0101", "+1 415 555 0101"])
def test_a_country_that_changes_no_number_on_file_is_written(
    context: DeliveryContext, journal: Journal, org: Org, phone: str
) -> None:
    before = contact(org)
    country = "Germany" if phone.startswith("+") else "USA"
    org.edit("Contact", before["Id"], Phone=phone)
    changes = {"MailingCountry": country}
    draft = change(org, changes=changes, seen={"MailingCountry": [before["MailingCountry"]]})
    accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingCountry"] == country


@pytest.mark.parametrize(("rule", "outcome"), [("alert", "delivered"), ("block", "parked")])
def test_a_duplicate_rule_that_only_alerts_is_passed_and_one_that_blocks_parks(
    context: DeliveryContext, journal: Journal, org: Org, rule: str, outcome: str
) -> None:
    other = contact(org, "Peter Novak")
    intent_id = accept(
        journal,
        Kind.CONTACT_UPDATE,
        change(org, changes={"Email": other["Email"]}, seen={"Email": [contact(org)["Email"]]}),
    )
    org.fault(duplicate_rule=rule)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {outcome: 1}
    if outcome == "parked":
        assert stored(journal, intent_id).reason.startswith("DUPLICATES_DETECTED")


def test_a_locked_row_makes_its_record_wait_alone(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = change(org, changes={"MailingCity": "Oakland"}, seen={"MailingCity": ["San Francisco"]})
    accept(journal, Kind.CONTACT_UPDATE, first)
    org.fault(lock_rows_s=60)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    draft = change(org, changes={"MobilePhone": "+14155550177"}, seen={"MobilePhone": [None]})
    second = accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"again": 1}
    assert stored(journal, second).reason == "UNABLE_TO_LOCK_ROW"
    assert not journal.waits()
    org.fault()
    wait_no_more(store, second, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}


def test_an_edit_between_reading_and_writing_refuses_the_write_and_is_seen_next_time(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = context.records.change

    def edited_first(sobject: str, rows: Any) -> Any:
        org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
        return change_rows(sobject, rows)

    monkeypatch.setattr(context.records, "change", edited_first)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert contact(org)["Email"] == "by.hand@example.com"


# -- the caller's last word, across calls ----------------------------------------------------------


def write_request(org: Org, at_s: float, *, is_seen: bool = False, **changes: str) -> ContactDraft:
    """One call's change, asked for at_s seconds from now. Unseen: nobody knew the contact then."""
    jane = contact(org)
    at = datetime.now(UTC) + timedelta(seconds=at_s)
    return change(
        org,
        changes=changes,
        contact_id=jane["Id"] if is_seen else None,
        seen={name: [jane[name]] for name in changes} if is_seen else None,
        accepted_at=at.isoformat(timespec="milliseconds"),
    )


def all_delivered(
    context: DeliveryContext,
    journal: Journal,
    store: redis.Redis,
    *ids: str,
    but: tuple[str, ...] = (),
) -> None:
    for _ in range(2 * len(ids)):
        drain(context, Kind.CONTACT_UPDATE)
        wait_no_more(store, *ids, kind=Kind.CONTACT_UPDATE)
    states = {id_: stored(journal, id_).state for id_ in ids}
    assert states == {id_: State.PARKED if id_ in but else State.DELIVERED for id_ in ids}


@pytest.mark.parametrize("is_seen", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_calls_that_change_one_field_the_later_word_stands(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    is_seen: bool,
    order: tuple[int, int],
) -> None:
    """Whatever was seen at acceptance, and in whatever order they are delivered."""
    drafts = [
        write_request(org, -20, is_seen=is_seen, Email="first@example.com"),
        write_request(org, -10, is_seen=is_seen, Email="second@example.com"),
    ]
    ids = []
    for nth in order:
        ids.append(accept(journal, Kind.CONTACT_UPDATE, drafts[nth], f"call-{nth}"))
        all_delivered(context, journal, store, *ids)
    assert contact(org)["Email"] == "second@example.com"


@pytest.mark.parametrize("is_seen", [True, False])
def test_three_calls_of_one_backlog_each_leave_their_last_word(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis, is_seen: bool
) -> None:
    drafts = [
        write_request(org, -30, is_seen=is_seen, Email="first@example.com", MailingCity="Oakland"),
        write_request(org, -20, is_seen=is_seen, MobilePhone="+14155550177"),
        write_request(
            org, -10, is_seen=is_seen, Email="third@example.com", MailingStreet="1 Main St"
        ),
    ]
    ids = [
        accept(journal, Kind.CONTACT_UPDATE, draft, f"call-{n}") for n, draft in enumerate(drafts)
    ]
    all_delivered(context, journal, store, *ids)
    after = contact(org)
    assert (after["Email"], after["MailingCity"]) == ("third@example.com", "Oakland")
    assert (after["MobilePhone"], after["MailingStreet"]) == ("+14155550177", "1 Main St")


def test_a_persons_edit_between_two_calls_parks_the_later_one(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    for is_seen in (True, False):
        first = accept(
            journal,
            Kind.CONTACT_UPDATE,
            write_request(org, -20, is_seen=is_seen, Email=f"first{is_seen}@example.com"),
            "call-1",
        )
        later = write_request(org, -10, is_seen=is_seen, Email="second@example.com")
        all_delivered(context, journal, store, first)
        org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
        second = accept(journal, Kind.CONTACT_UPDATE, later, "call-2")
        all_delivered(context, journal, store, second, but=(second,))
        assert stored(journal, second).reason == "EDITED_SINCE (Email)"
        assert contact(org)["Email"] == "by.hand@example.com"
        own_writes_are_purged(store)
        org.reset()


def test_a_persons_edit_hides_behind_no_write_of_ours_to_another_field(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """The second call was accepted unseen, then a person edited, then the first call's was made."""
    second = write_request(org, -10, Email="second@example.com")
    org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
    first = write_request(org, 1, MobilePhone="+14155550177")  # accepted when the edit was there
    ids = [
        accept(journal, Kind.CONTACT_UPDATE, first, "call-1"),
    ]
    all_delivered(context, journal, store, *ids)
    later = accept(journal, Kind.CONTACT_UPDATE, second, "call-2")
    all_delivered(context, journal, store, later, but=(later,))
    assert contact(org)["Email"] == "by.hand@example.com"


def test_a_persons_return_to_an_older_value_is_an_edit_all_the_same(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Our write of this morning is no base for what was accepted since."""
    old = contact(org)["Email"]
    first = accept(journal, Kind.CONTACT_UPDATE, write_request(org, -20, Email="first@example.com"))
    all_delivered(context, journal, store, first)
    (key,) = store.keys("vs:contact:*:writes")
    noted = json.loads(str(store.lindex(key, 0)))
    store.lset(key, 0, json.dumps(noted | {"noted_at": "2020-01-01T00:00:00.000+00:00"}))
    later = write_request(org, -5, Email="second@example.com")
    org.edit("Contact", contact(org)["Id"], Email=old)
    second = accept(journal, Kind.CONTACT_UPDATE, later, "call-2")
    all_delivered(context, journal, store, second, but=(second,))
    assert contact(org)["Email"] == old


def test_a_snapshot_older_than_our_own_write_parks_nothing(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    later = write_request(
        org, -10, is_seen=True, Email="second@example.com"
    )  # saw the seeded address
    first = accept(
        journal,
        Kind.CONTACT_UPDATE,
        write_request(org, -20, is_seen=True, Email="first@example.com"),
    )
    all_delivered(context, journal, store, first)
    second = accept(journal, Kind.CONTACT_UPDATE, later, "call-2")
    all_delivered(context, journal, store, second)
    assert contact(org)["Email"] == "second@example.com"


@pytest.mark.parametrize("fate", ["cancelled", "parked", "lost"])
def test_an_earlier_request_that_came_to_nothing_or_in_doubt_does_not_stop_the_later_one(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    fate: str,
) -> None:
    draft = write_request(org, -20, Email="first@example.com")
    later = write_request(org, -10, Email="second@example.com")
    first = accept(journal, Kind.CONTACT_UPDATE, draft)
    if fate == "cancelled":
        journal.cancel(first, "caller")
    elif fate == "parked":
        rule = {"object": "Contact", "when": "Email = 'first@example.com'", "message": "No."}
        org.fault(validation_rules=[rule])
        assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    else:
        change_rows = context.records.change

        def lose_the_answer(sobject: str, rows: Any) -> Any:
            org.fault(lose_answer=1.0)
            return change_rows(sobject, rows)

        monkeypatch.setattr(context.records, "change", lose_the_answer)
        assert drain(context, Kind.CONTACT_UPDATE).counts == {"again": 1}
        monkeypatch.undo()
        assert contact(org)["Email"] == "first@example.com"
    org.fault()
    waits_end(store)
    intent_is_not_due(store, first, Kind.CONTACT_UPDATE)
    second = accept(journal, Kind.CONTACT_UPDATE, later, "call-2")
    all_delivered(context, journal, store, second)
    assert contact(org)["Email"] == "second@example.com"
    if fate == "lost":
        all_delivered(context, journal, store, first)
        assert contact(org)["Email"] == "second@example.com"


def test_a_caller_who_changed_their_number_is_known_by_it_for_what_they_asked_besides(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Both were accepted while nobody could look: the number leads to nobody any more."""
    (field,) = (n for n in ("Phone", "MobilePhone") if "5550101" in _digits(contact(org)[n]))
    drafts = [
        write_request(org, at_s, **{field: number})  # type: ignore[arg-type]  # the name of a field
        for at_s, number in ((-20, "+14155550177"), (-10, "+14155550178"))
    ]
    ids = [accept(journal, Kind.CONTACT_UPDATE, drafts[0], "call-1")]
    all_delivered(context, journal, store, *ids)
    everything_of_the_org_expires(store, "*contacts*")
    ids.append(accept(journal, Kind.CONTACT_UPDATE, drafts[1], "call-2"))
    all_delivered(context, journal, store, *ids)
    assert contact(org)[field] == "+14155550178"


def _digits(text: str | None) -> str:
    return "".join(character for character in text or "" if character.isdigit())


def test_two_calls_during_an_outage_leave_the_callers_last_word(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    for nth, email in enumerate(("first@example.com", "second@example.com")):
        ask(client, "updateContact", {"email": email}, call_id=f"call-{nth}", number=KNOWN)
    ids = [intent.id for intent in journal.of_caller(KNOWN)]
    assert len(ids) == 2
    org.fault()
    all_delivered(context, journal, store, *ids)
    assert contact(org)["Email"] == "second@example.com"
