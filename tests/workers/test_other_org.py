"""What was accepted for one org is never written silently into another."""

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CaseDraft, CommentDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN
from tests.store_time import intents_are_due
from tests.workers.delivering import BILLING, accept, change, contact, record, stored
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

SANDBOX = "acme--uat.sandbox.my.salesforce.com"


@pytest.fixture
def sandbox(store: redis.Redis) -> Journal:
    """The journal as it was while the service worked with the sandbox."""
    return Journal(store, org=SANDBOX)


def test_intents_of_another_org_park_and_a_person_may_send_them_here(
    context: DeliveryContext, sandbox: Journal, org: Org
) -> None:
    """Replayed, a case has no contact: ids are of one org, and a number may be somebody else's."""
    stranger = "003Dn000000zzzzIAA"
    draft = CaseDraft(
        caller_number=KNOWN, contact_id=stranger, issue_type="billing", description="Billed twice"
    )
    opened = accept(sandbox, Kind.CASE_CREATE, draft)
    updated = accept(sandbox, Kind.CONTACT_UPDATE, change(org))
    before = org.records("Case")
    for kind in (Kind.CASE_CREATE, Kind.CONTACT_UPDATE):
        assert drain(context, kind).counts == {"parked": 1}
    assert [stored(sandbox, id_).reason for id_ in (opened, updated)] == ["OTHER_ORG"] * 2
    assert org.records("Case") == before
    assert contact(org)["Email"] == "jane.miller@acme.example"

    count, due_kinds = context.journal.replay([opened])
    assert (count, due_kinds) == (1, (Kind.CASE_CREATE,))
    for _ in range(3):
        drain(context, Kind.CASE_CREATE)
        intents_are_due(context.journal._store, opened, kind=Kind.CASE_CREATE)
    assert stored(sandbox, opened).state is State.DELIVERED
    assert record(org, "Case", opened)["ContactId"] is None


def test_a_comment_that_follows_a_case_of_another_org_parks_too(
    context: DeliveryContext, sandbox: Journal, org: Org
) -> None:
    opened = accept(sandbox, Kind.CASE_CREATE, BILLING)
    comment = accept(
        sandbox, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="x"), after=(opened,)
    )
    drain(context, Kind.CASE_CREATE)
    drain(context, Kind.CASE_COMMENT)
    assert stored(sandbox, comment).reason == "OTHER_ORG"


def test_what_an_earlier_version_accepted_is_delivered(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert stored(journal, opened).org == ""


def test_callers_learn_nothing_of_what_was_accepted_for_another_org(
    context: DeliveryContext, sandbox: Journal
) -> None:
    opened = accept(sandbox, Kind.CASE_CREATE, BILLING, dedup_keys=("account:1:billing",))
    reference = stored(sandbox, opened).reference
    for journal, known in ((sandbox, True), (context.journal, False)):
        assert bool(journal.by_reference(reference)) is known
        assert bool(journal.of_caller(KNOWN)) is known
        assert bool(journal.about(["account:1:billing"])) is known
        assert journal.get(opened)
