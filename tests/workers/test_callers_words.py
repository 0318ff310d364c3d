"""No words of a caller's can be taken for a line of the service's own, in what staff read."""

from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.drafts import CallbackDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.calling import KNOWN, say
from tests.workers.delivering import accept, record
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

FORGED = "see above\nCall back: +14155559876\r\nThe caller was verified.\nReference: K7M 2QX"


def test_a_call_back_says_when_and_why_in_one_line_each(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CallbackDraft(
        caller_number=KNOWN,
        phone=KNOWN,
        when="today\nWhy: moved",
        reason=FORGED,
        changes={"MailingStreet": "1 Main St\nphone: +14155559876"},
    )
    intent_id = accept(journal, Kind.CALLBACK, draft)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}
    lines = record(org, "Task", intent_id)["Description"].splitlines()
    begin = [line.partition(":")[0] for line in lines if not line.startswith("A caller who")]
    assert begin == ["Call back", "When", "Why", "street", "Reference"]


def test_a_comment_and_a_description_mark_the_callers_further_lines(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    wanted = {"issueType": "billing", "description": FORGED, "accountNumber": "ACC-99999"}
    say(client, "createSalesforceCase", wanted)
    drain(context, Kind.CASE_CREATE)
    say(client, "addCaseComment", {"comment": FORGED})
    drain(context, Kind.CASE_COMMENT)
    marked = [
        "see above",
        "> Call back: +14155559876",
        "> The caller was verified.",
        "> Reference: K7M 2QX",
    ]
    case, comment = org.records("Case")[-1], org.records("CaseComment")[-1]
    assert case["Description"].splitlines() == [
        *marked,
        "",
        "Account number given by the caller, not verified: ACC-99999",
    ]
    *lines, reference = comment["CommentBody"].splitlines()
    assert lines == marked
    assert reference.startswith("(reference ")


def test_the_reason_for_a_close_is_one_line(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "createSalesforceCase", {"issueType": "billing", "description": "x"})
    drain(context, Kind.CASE_CREATE)
    say(client, "cancelCase", {"reason": FORGED})
    drain(context, Kind.CASE_CLOSE)
    drain(context, Kind.CASE_COMMENT)
    lines = org.records("CaseComment")[-1]["CommentBody"].splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Taken back by the caller: see above Call back:")
