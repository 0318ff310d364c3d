"""Contact updates: only what is still as it was seen, and never over a person's edit."""

from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.calling import SHARED, UNKNOWN
from tests.workers.delivering import accept, change, contact, kept, wait_no_more
from workers.delivery.desk import Desk
from workers.delivery.engine import drain


def test_a_contact_is_changed_in_the_fields_given_and_no_others(
    desk: Desk, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    before = contact(org)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    changed = {name for name in after if after[name] != before[name]}
    stamps = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    assert changed - stamps == {"Email", "MailingCity"}


def test_an_edit_since_acceptance_stays_and_the_change_parks(
    desk: Desk, journal: Journal, org: Org
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert kept(journal, intent_id).reason == "EDITED_SINCE (Email)"
    assert contact(org)["Email"] == "by.hand@example.com"
    assert contact(org)["MailingCity"] == "San Francisco"


def test_line_ends_that_salesforce_stores_otherwise_are_no_edit(
    desk: Desk, journal: Journal, org: Org
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
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "1 First Street\r\nApartment 2"
    updated = org.stats()["records"]["updated"]
    again = replace(first, seen={"MailingStreet": ["12 Harbor Street\r\nDock 4"]})
    accept(journal, Kind.CONTACT_UPDATE, again)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == updated
    later = replace(first, changes={"MailingStreet": "elsewhere"}, seen={"MailingStreet": [street]})
    accept(journal, Kind.CONTACT_UPDATE, later)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "elsewhere"


def test_an_edit_of_another_field_is_no_conflict(desk: Desk, journal: Journal, org: Org) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], MailingStreet="by hand")
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "by hand"


@pytest.mark.parametrize(
    ("accepted_at", "outcome"),
    [("2099-01-01T00:00:00.000+00:00", "delivered"), ("2020-01-01T00:00:00.000+00:00", "parked")],
)
def test_a_change_accepted_unseen_is_made_only_when_nobody_edited_since(
    desk: Desk, journal: Journal, org: Org, accepted_at: str, outcome: str
) -> None:
    draft = change(org, contact_id=None, seen=None, accepted_at=accepted_at)
    accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {outcome: 1}


@pytest.mark.parametrize("number", [UNKNOWN, SHARED, ""])
def test_a_change_for_nobody_in_particular_parks(
    desk: Desk, journal: Journal, org: Org, number: str
) -> None:
    intent_id = accept(
        journal, Kind.CONTACT_UPDATE, change(org, caller_number=number, contact_id=None, seen=None)
    )
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert kept(journal, intent_id).reason == "NOT_ONE_CONTACT"


def test_a_change_whose_answer_was_lost_is_not_made_again(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = desk.records.change

    def lose_the_answer(sobject: str, rows: Any) -> Any:
        org.fault(lose_answer=1.0)
        return change_rows(sobject, rows)

    monkeypatch.setattr(desk.records, "change", lose_the_answer)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    org.fault()
    assert contact(org)["Email"] == "new@example.com"  # it was committed
    assert kept(journal, intent_id).unsure
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == 1


def test_two_changes_of_one_contact_are_made_one_after_the_other(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
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
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1, "again": 1}
    wait_no_more(store, first, second, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    assert (after["Email"], after["MobilePhone"]) == ("new@example.com", "+14155550177")


def test_a_contact_change_follows_a_merged_contact_by_number(
    desk: Desk, journal: Journal, org: Org
) -> None:
    old = contact(org, "Peter Novak")["Id"]
    org.delete("Contact", old)
    accept(journal, Kind.CONTACT_UPDATE, change(org, contact_id=old))
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["Email"] == "new@example.com"


@pytest.mark.parametrize(("rule", "outcome"), [("alert", "delivered"), ("block", "parked")])
def test_a_duplicate_rule_that_only_alerts_is_passed_and_one_that_blocks_parks(
    desk: Desk, journal: Journal, org: Org, rule: str, outcome: str
) -> None:
    other = contact(org, "Peter Novak")
    intent_id = accept(
        journal,
        Kind.CONTACT_UPDATE,
        change(org, changes={"Email": other["Email"]}, seen={"Email": [contact(org)["Email"]]}),
    )
    org.fault(duplicate_rule=rule)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {outcome: 1}
    if outcome == "parked":
        assert kept(journal, intent_id).reason.startswith("DUPLICATES_DETECTED")


def test_a_locked_row_makes_its_record_wait_alone(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = change(org, changes={"MailingCity": "Oakland"}, seen={"MailingCity": ["San Francisco"]})
    accept(journal, Kind.CONTACT_UPDATE, first)
    org.fault(lock_rows_s=60)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    draft = change(org, changes={"MobilePhone": "+14155550177"}, seen={"MobilePhone": [None]})
    second = accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    assert kept(journal, second).reason == "UNABLE_TO_LOCK_ROW"
    assert not journal.waits()
    org.fault()
    wait_no_more(store, second, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}


def test_an_edit_between_reading_and_writing_refuses_the_write_and_is_seen_next_time(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = desk.records.change

    def edited_first(sobject: str, rows: Any) -> Any:
        org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
        return change_rows(sobject, rows)

    monkeypatch.setattr(desk.records, "change", edited_first)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert contact(org)["Email"] == "by.hand@example.com"
