"""Finding writes, and what a page shows of them before and after a reveal."""

import re

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.operators.audit import Audit
from shared.operators.masking import masked
from shared.tracing import in_trace
from tests.calling import ask
from tests.console.conftest import Browser
from tests.console.writing import NUMBER, RULE, WORDS, accept, parked, reference_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def listed(html: str) -> list[str]:
    """The writes of a page, in its order, by their ids."""
    return re.findall(r'<th scope="row"><a href="/console/writes/([0-9a-f]{32})"', html)


def next_page(html: str) -> str:
    """ "" on the last page."""
    found = re.search(r'href="([^"]+)">Next page', html)
    return found[1].replace("&amp;", "&") if found else ""


def newest_first(journal: Journal, ids: list[str]) -> list[str]:
    """Writes of the same millisecond by their ids."""
    times = {id_: intent.accepted_at_ms for id_, intent in journal.get_many(ids).items()}
    return sorted(ids, key=lambda id_: (times[id_], id_), reverse=True)


def test_writes_are_listed_newest_first_and_without_what_was_said(
    operator: Browser, journal: Journal
) -> None:
    ids = [accept(journal) for _ in range(3)]
    text = operator.get("/console/writes").text
    assert listed(text) == newest_first(journal, ids)
    assert WORDS not in text
    assert NUMBER not in text


def test_filters_are_in_the_address_and_choose_by_state_kind_tool_and_reason(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (refused,) = parked(journal, context, org)
    waiting = accept(journal)
    callback = accept(journal, Kind.CALLBACK, CallbackDraft(phone=NUMBER), tool="requestCallback")
    every = {refused, waiting, callback}
    for query, expected in [
        ("", every),
        ("state=parked", {refused}),
        ("state=due", {waiting, callback}),
        ("state=open&kind=callback", {callback}),
        ("state=delivered", set()),
        ("kind=case_create", {refused, waiting}),
        ("tool=requestCallback", {callback}),
        ("reason=FIELD_CUSTOM*", {refused}),
        ("reason=FIELD_CUSTOM", set()),
        ("reason=FIELD_CUSTOM_VALIDATION_EXCEPTION", {refused}),
        ("state=nonsense", every),
    ]:
        assert set(listed(reader.get(f"/console/writes?{query}").text)) == expected, query


def test_pages_follow_one_another_without_gap_or_repeat_while_new_writes_arrive(
    reader: Browser, journal: Journal
) -> None:
    ids = [accept(journal) for _ in range(120)]
    path, found = "/console/writes?kind=case_create", list[str]()
    for _ in range(3):
        text = reader.get(path).text
        found += listed(text)
        accept(journal)
        path = next_page(text)
    assert found == newest_first(journal, ids)
    assert not path


def test_a_page_goes_on_where_it_was_although_its_last_write_has_gone(
    reader: Browser, journal: Journal
) -> None:
    """All 60 are of one millisecond, so a time alone does not say where the page ended."""
    draft = CallbackDraft(caller_number=NUMBER, phone=NUMBER)
    accepted = [NewIntent(id=new_intent_id(), kind=Kind.CALLBACK, draft=draft) for _ in range(60)]
    journal.accept("call-1", accepted)
    text = reader.get("/console/writes?state=due").text
    first = listed(text)
    journal.cancel(first[-1], "TAKEN_BACK")
    found = first + listed(reader.get(next_page(text)).text)
    assert found == newest_first(journal, [intent.id for intent in accepted])


def find(browser: Browser, word: str) -> tuple[str, set[str]]:
    """Where a search leads to, and the writes that it lists."""
    answer = browser.post("/console/find", {"word": word})
    assert answer.status_code in (200, 302)
    return answer.location or "", set(listed(answer.text))


def test_a_reference_and_an_id_lead_to_the_write(reader: Browser, journal: Journal) -> None:
    intent_id = accept(journal)
    reference = reference_of(journal, intent_id)
    for word in (
        reference,
        reference.replace(" ", "").lower(),
        intent_id,
        f" {intent_id.upper()} ",
    ):
        assert find(reader, word)[0] == f"/console/writes/{intent_id}", word


def test_a_case_number_leads_to_the_write_that_opened_the_case_until_it_is_purged(
    reader: Browser, journal: Journal, context: DeliveryContext, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    drain(context, Kind.CASE_CREATE)
    receipt = journal.get_many([intent_id])[intent_id].receipt
    assert receipt
    assert receipt.number
    for word in (receipt.number, receipt.number.lstrip("0")):
        assert find(reader, word)[0] == f"/console/writes/{intent_id}"
    for _ in range(2):
        journal.purge(data_after_ms=-1, receipt_after_ms=-1)
    assert list(store.scan_iter("vs:case-number:*")) == []
    assert find(reader, receipt.number) == ("", set())


def test_a_call_id_leads_to_the_call(reader: Browser, journal: Journal) -> None:
    accept(journal, call_id="call-7")
    assert find(reader, "call-7")[0] == "/console/calls/call-7"


def test_the_id_of_a_tool_call_leads_to_its_call_whatever_the_tool_did(
    reader: Browser, client: FlaskClient, store: redis.Redis
) -> None:
    ask(client, "lookupCustomer", id="call_looked_up", call_id="call-7")
    ask(client, "noSuchTool", id="call_0", call_id="call-7")
    ask(client, "noSuchTool", id="call_0", call_id="call-8")
    assert find(reader, "call_looked_up")[0] == "/console/calls/call-7"
    assert find(reader, "call_0")[0] == "/console/calls/call-8", "the last that had this id"
    assert find(reader, "call_nobody") == ("", set())
    assert not any("noSuchTool" in str(store.get(key)) for key in store.scan_iter("vs:tool-call:*"))


def test_a_trace_leads_to_its_call_or_to_its_write_and_both_pages_show_it(
    reader: Browser, journal: Journal
) -> None:
    call_id, front = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
    trace = call_id.replace("-", "")
    of_call = accept(journal, call_id=call_id)
    with in_trace(front):
        of_front = accept(journal, call_id=call_id)
    assert find(reader, trace)[0] == f"/console/calls/{call_id}"
    assert find(reader, front)[0] == f"/console/writes/{of_front}"
    shown = {
        f"calls/{call_id}": trace,
        f"writes/{of_call}": trace,
        f"writes/{of_front}": front,
    }
    for path, expected in shown.items():
        assert f'in the logs: <span class="code">{expected}<' in reader.get(f"/console/{path}").text


def test_a_phone_number_in_any_spelling_finds_what_is_recent_parked_or_open_of_it(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    (refused,) = parked(journal, context, org)
    waiting = accept(journal)
    accept(journal, Kind.CALLBACK, CallbackDraft(caller_number="+14155550102", phone="x"))
    for word in (NUMBER, "(415) 555-0101"):
        assert find(reader, word) == ("", {refused, waiting})
    store.delete(f"vs:caller:{NUMBER}:intents")  # after a day
    assert find(reader, NUMBER) == ("", {refused, waiting})
    assert find(reader, "+1415555010") == ("", set())


def test_a_search_for_a_number_leaves_it_in_no_address(reader: Browser, journal: Journal) -> None:
    intent_id = accept(journal)
    assert find(reader, NUMBER)[0] == f"/console/writes/{intent_id}"
    assert reader.get("/console/find").status_code == 405


def test_a_write_says_what_salesforce_said_and_what_to_do(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (intent_id,) = parked(journal, context, org)
    text = reader.get(f"/console/writes/{intent_id}").text
    assert RULE in text
    assert "A validation rule of your org refuses the record." in text
    assert "Change the rule and replay" in text
    assert WORDS not in text


def test_words_of_the_teams_own_are_not_hidden_as_if_a_caller_had_said_them() -> None:
    draft = {
        "issue_type": "billing",
        "arguments": {"issueType": "Billing", "orderNumber": "A-1234"},
        "mapping": {"object": "Case", "fields": {"Type": "{issueType}"}},
    }
    assert (
        masked("Billing cases need more than A-1234.", draft) == "Billing cases need more than •••."
    )


def test_only_an_operator_sees_personal_data_and_the_audit_says_so(
    operator: Browser, reader: Browser, journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    path = f"/console/writes/{intent_id}"
    assert "Show it" not in reader.get(path).text
    assert reader.post(f"{path}/reveal").status_code == 403
    assert {entry.what for entry in Audit(store).newest(10)} == {"login"}
    operator.get(path)
    answer = operator.post(f"{path}/reveal")
    assert WORDS in answer.text
    assert NUMBER in answer.text
    entry = Audit(store).newest(10)[0]
    assert (entry.who, entry.what, entry.ids) == ("olga", "reveal", (intent_id,))
    assert WORDS not in operator.get(path).text, "it is not remembered"


def test_values_that_salesforce_quotes_are_hidden_until_revealed(
    operator: Browser, journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    quoted = f"data value too large: {WORDS} (jo@example.com, 415 555 0101)"
    store.hset(f"vs:intent:{intent_id}", "detail", quoted)
    for path in ("/console/writes", f"/console/writes/{intent_id}"):
        text = operator.get(path).text
        assert "data value too large: •••" in text
        assert not any(secret in text for secret in (WORDS, "jo@example.com", "555 0101"))
    assert "jo@example.com" in operator.post(f"/console/writes/{intent_id}/reveal").text


def test_a_delivered_write_leads_to_its_record(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = accept(journal)
    drain(context, Kind.CASE_CREATE)
    (case_,) = [record for record in org.records("Case") if record["Call_Key__c"] == intent_id]
    text = reader.get(f"/console/writes/{intent_id}").text
    assert f'href="{org.url}/{case_["Id"]}"' in text
    assert case_["CaseNumber"] in text


def test_a_row_that_nobody_can_read_spoils_no_page(
    operator: Browser, journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    store.hset(f"vs:intent:{intent_id}", mapping={"payload": "not json", "kind": "<b>of later"})
    for path in ("/console/writes", f"/console/writes/{intent_id}"):
        answer = operator.get(path)
        assert (answer.status_code, "<b>of later" in answer.text) == (200, False)
    store.hset(f"vs:intent:{intent_id}", mapping={"payload": "{}", "kind": Kind.CASE_CREATE})


def test_an_unknown_write_is_404(reader: Browser) -> None:
    assert reader.get(f"/console/writes/{'0' * 32}").status_code == 404


PLACES = ("9~x~y", "999~1~y", "-1~1~y", "0~1e400~y", "~~", "0~5~nobody", "0~1.2.3~y", "0~\u0663~y")


@pytest.mark.parametrize("begins", PLACES)
def test_a_page_that_begins_nowhere_is_a_page_all_the_same(
    reader: Browser, journal: Journal, begins: str
) -> None:
    accept(journal)
    assert reader.get("/console/writes", query_string={"from": begins}).status_code == 200
