"""What was accepted for one org is never written silently into another."""

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CaseDraft, CommentDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN
from tests.workers.delivering import BILLING, accept, change, contact, kept, record
from workers.delivery.desk import Desk
from workers.delivery.engine import drain

SANDBOX = "acme--uat.sandbox.my.salesforce.com"


@pytest.fixture
def sandbox(store: redis.Redis) -> Journal:
    """The journal as it was while the service worked with the sandbox."""
    return Journal(store, org=SANDBOX)


def test_intents_of_another_org_park_and_a_person_may_send_them_here(
    desk: Desk, sandbox: Journal, org: Org
) -> None:
    """Replayed, a contact that is not in this org is found by the caller's number."""
    stranger = "003Dn000000zzzzIAA"
    draft = CaseDraft(
        caller_number=KNOWN, contact_id=stranger, issue_type="billing", description="Billed twice"
    )
    opened = accept(sandbox, Kind.CASE_CREATE, draft)
    updated = accept(sandbox, Kind.CONTACT_UPDATE, change(org))
    before = org.records("Case")
    for kind in (Kind.CASE_CREATE, Kind.CONTACT_UPDATE):
        assert drain(desk, kind).counts == {"parked": 1}
    assert [kept(sandbox, one).reason for one in (opened, updated)] == ["OTHER_ORG"] * 2
    assert org.records("Case") == before
    assert contact(org)["Email"] == "jane.miller@acme.example"

    count, ring = desk.journal.replay([opened])
    assert (count, ring) == (1, (Kind.CASE_CREATE,))
    for _ in range(3):
        drain(desk, Kind.CASE_CREATE)
        desk.journal._store.zadd(f"vs:due:{Kind.CASE_CREATE}", {opened: 1}, xx=True)
    assert kept(sandbox, opened).state is State.DELIVERED
    assert record(org, "Case", opened)["ContactId"] == contact(org)["Id"]


def test_a_comment_that_follows_a_case_of_another_org_parks_too(
    desk: Desk, sandbox: Journal, org: Org
) -> None:
    opened = accept(sandbox, Kind.CASE_CREATE, BILLING)
    comment = accept(
        sandbox, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="x"), after=(opened,)
    )
    drain(desk, Kind.CASE_CREATE)
    drain(desk, Kind.CASE_COMMENT)
    assert kept(sandbox, comment).reason == "OTHER_ORG"


def test_what_an_earlier_version_accepted_is_delivered(
    desk: Desk, journal: Journal, org: Org
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert kept(journal, opened).org == ""


def test_callers_hear_nothing_of_what_was_accepted_for_another_org(
    desk: Desk, sandbox: Journal
) -> None:
    opened = accept(sandbox, Kind.CASE_CREATE, BILLING, subjects=("account:1:billing",))
    reference = kept(sandbox, opened).reference
    for journal, known in ((sandbox, True), (desk.journal, False)):
        assert bool(journal.by_reference(reference)) is known
        assert bool(journal.of_caller(KNOWN)) is known
        assert bool(journal.about(["account:1:billing"])) is known
        assert journal.get(opened)
