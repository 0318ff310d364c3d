"""Shares: what one caller uses up of what all share, and who is served all the same."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.calls.limits import Asker, Usage
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN, post, say, sentence, tool_message
from tests.conftest import make_settings
from web.app import create_app
from web.service import Service

PIN, LUIS = "4271", "+14155550103"
NO_MORE_WRITES = "That is as much as I can note down here."
NO_MORE_LOOKUPS = "That is as much as I can look up in this call. Please go on without it."

ClientOf = Callable[..., FlaskClient]


@pytest.fixture
def client_of(store: redis.Redis, store_server: Store, org: Org) -> Iterator[ClientOf]:
    """client_of(setting=value): the default agent folder."""
    with ExitStack() as stack:

        def make(**others: Any) -> FlaskClient:
            others = {"agent_dir": str(AGENT_FOLDER)} | others
            app = create_app(make_settings(store_server.url, org.url, **others))
            stack.callback(app.extensions["service"].close)
            return app.test_client()

        yield make


def reached(limit: str) -> float:
    return REGISTRY.get_sample_value("vs_limits_reached_total", {"limit": limit}) or 0.0


def asks(client: FlaskClient, count: int, **own: Any) -> list[str]:
    """So many questions about cases of which the snapshot shows nothing, a message each."""
    return [
        say(client, "getCaseStatus", {"caseNumber": f"{70_000 + nth}"}, id=f"q{nth}", **own)
        for nth in range(count)
    ]


def opens(client: FlaskClient, count: int, call_id: str, **own: Any) -> list[str]:
    wanted = [
        {"issueType": "billing", "description": f"{call_id} {nth}", "onExisting": "new"}
        for nth in range(count)
    ]
    return [
        say(client, "createSalesforceCase", arguments, call_id=call_id, id=f"w{nth}", **own)
        for nth, arguments in enumerate(wanted)
    ]


def accepted(said: list[str]) -> int:
    return sum("is being opened" in words for words in said)


# -- writes ----------------------------------------------------------------------------------------


def test_a_number_has_so_many_writes_an_hour(client_of: ClientOf) -> None:
    client, before = (
        client_of(max_writes_per_number_and_hour=4),
        reached("writes_per_number_and_hour"),
    )
    assert accepted(opens(client, 3, "a")) == 3
    said = opens(client, 3, "b")
    assert accepted(said) == 1
    assert said[-1].startswith(NO_MORE_WRITES)
    assert reached("writes_per_number_and_hour") == before + 2
    assert accepted(opens(client, 1, "c", number=LUIS)) == 1


def test_who_has_proved_who_they_are_is_served_when_others_with_the_number_have_used_it_up(
    client_of: ClientOf,
) -> None:
    client = client_of(max_writes_per_number_and_hour=2, max_writes_per_number_and_day=2)
    assert accepted(opens(client, 3, "forged")) == 2
    say(client, "verifyCaller", {"pin": PIN}, call_id="mine")
    assert accepted(opens(client, 1, "mine")) == 1


def test_a_lock_is_no_proof(store: redis.Redis, client_of: ClientOf) -> None:
    client = client_of(max_writes_per_number_and_hour=2)
    for nth in range(3):
        say(client, "verifyCaller", {"pin": "0000"}, call_id="forged", id=f"t{nth}")
    opens(client, 1, "forged")
    assert store.get(f"vs:writes:{KNOWN}:number:hour") == "1"


def test_callers_without_a_number_share_one_hour_and_take_nothing_from_others(
    client_of: ClientOf,
) -> None:
    client = client_of(max_writes_without_number_per_hour=3)
    assert accepted(opens(client, 2, "a", number="")) == 2
    said = opens(client, 2, "b", number="")
    assert accepted(said) == 1
    assert said[-1].startswith(NO_MORE_WRITES)
    assert accepted(opens(client, 1, "c", number=UNKNOWN)) == 1


def test_a_chat_has_the_limits_of_a_call(client_of: ClientOf) -> None:
    client = client_of(max_writes_per_call=2)

    def chat(name: str, nth: int) -> str:
        arguments = {"issueType": "billing", "description": f"{nth}", "onExisting": "new"}
        function = {"name": "createSalesforceCase", "arguments": arguments}
        listed = [{"id": f"t{nth}", "type": "function", "function": function}]
        body = {"message": {"type": "tool-calls", "chat": {"id": name}, "toolCallList": listed}}
        (result,) = post(client, body).get_json()["results"]
        return sentence(result)

    assert accepted([chat("one", nth) for nth in range(4)]) == 2
    assert accepted([chat("other", 9)]) == 1


def test_a_limit_counts_for_its_time_from_the_first_write_on(
    client_of: ClientOf, store: redis.Redis
) -> None:
    client = client_of()
    opens(client, 1, "a")
    of_hour, of_day = (f"vs:writes:{KNOWN}:number:{span}" for span in ("hour", "day"))
    assert 0 < store.pttl(of_hour) <= 3_600_000 < store.pttl(of_day) <= 24 * 3_600_000
    store.pexpire(of_hour, 600_000)
    opens(client, 2, "b")
    assert store.get(of_hour) == "3"
    assert store.pttl(of_hour) <= 600_000


# -- requests to Salesforce ------------------------------------------------------------------------


def test_a_call_causes_so_many_requests_and_others_are_served(
    client_of: ClientOf, org: Org
) -> None:
    client, before = client_of(max_lookups_per_call=5), reached("lookups_per_call")
    say(client, "lookupCustomer", call_id="a")
    sent = org.stats()["requests"]
    said = asks(client, 8, call_id="a")
    assert said[5:] == [NO_MORE_LOOKUPS] * 3
    assert NO_MORE_LOOKUPS not in said[:5]
    assert org.stats()["requests"] <= sent + 6  # and the format of case numbers, once
    assert reached("lookups_per_call") == before + 3
    assert NO_MORE_LOOKUPS not in asks(client, 1, call_id="b")
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="a", id="again")


def test_a_number_causes_so_many_requests_an_hour_and_its_owner_is_served_after_a_proof(
    client_of: ClientOf,
) -> None:
    client = client_of(max_lookups_per_number_and_hour=3)
    assert asks(client, 4, call_id="forged")[-1] == NO_MORE_LOOKUPS
    assert asks(client, 1, call_id="mine") == [NO_MORE_LOOKUPS]
    assert "verified now" in say(client, "verifyCaller", {"pin": PIN}, call_id="mine")
    said = say(client, "getCaseStatus", {"caseNumber": "70001"}, call_id="mine", id="after")
    assert said != NO_MORE_LOOKUPS
    assert NO_MORE_LOOKUPS not in asks(client, 1, call_id="his", number=LUIS)


def test_a_write_whose_case_can_not_be_looked_at_any_more_is_left_to_the_worker(
    client_of: ClientOf, journal: Journal
) -> None:
    client = client_of(max_lookups_per_call=1)
    asks(client, 1)
    wanted = {"caseNumber": "00001004", "comment": "x"}  # Luis' case
    assert "reference" in say(client, "addCaseComment", wanted)
    assert len(journal.of_call("call-1")) == 1


def test_who_tries_to_prove_themselves_takes_nothing_of_the_numbers_share(
    store: redis.Redis, settings: Settings
) -> None:
    usage = Usage(store, settings.calls)
    for nth in range(20):
        assert usage.take_lookup(Asker(f"call-{nth}", KNOWN), is_proof=True) == ""
    assert store.exists(f"vs:lookups:{KNOWN}:number") == 0


def test_callers_without_a_number_share_their_requests(
    store: redis.Redis, settings: Settings
) -> None:
    calls = settings.calls.model_copy(update={"max_lookups_per_number_and_hour": 2})
    usage = Usage(store, calls)
    taken = [usage.take_lookup(Asker(f"call-{nth}")) for nth in range(3)]
    assert taken == ["", "", "lookups_per_number_and_hour"]
    assert usage.take_lookup(Asker("call-9", KNOWN)) == ""


# -- threads ---------------------------------------------------------------------------------------


def test_the_lookups_of_a_message_take_few_threads_and_are_all_answered(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of()
    say(client, "lookupCustomer")
    service: Service = client.application.extensions["service"]
    at_work, most, counting = 0, 0, threading.Lock()
    find = service.customers.case_by_number

    def counted(*wanted: Any) -> Any:
        nonlocal at_work, most
        with counting:
            at_work += 1
            most = max(most, at_work)
        try:
            return find(*wanted)
        finally:
            with counting:
                at_work -= 1

    monkeypatch.setattr(service.customers, "case_by_number", counted)
    listed = [(f"e{nth}", "getCaseStatus", {"caseNumber": f"{80_000 + nth}"}) for nth in range(20)]
    results = post(client, tool_message(*listed)).get_json()["results"]
    assert {sentence(result)[:19] for result in results} == {"I can't find a case"}
    assert 1 < most <= 3


def test_what_could_not_end_in_time_is_not_begun(
    client_of: ClientOf, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one message with many questions could open the breaker for everybody."""
    client = client_of(lookup_deadline_ms=1000)
    say(client, "lookupCustomer")
    asks(client, 1)
    service: Service = client.application.extensions["service"]
    begun: list[str] = []
    find = service.customers.case_by_number

    def counted(number: str, *wanted: Any) -> Any:
        begun.append(number)
        return find(number, *wanted)

    monkeypatch.setattr(service.customers, "case_by_number", counted)
    org.fault(latency_ms=600)
    listed = [(f"e{nth}", "getCaseStatus", {"caseNumber": f"{80_000 + nth}"}) for nth in range(9)]
    results = post(client, tool_message(*listed)).get_json()["results"]
    assert len(begun) == 3
    said = [sentence(result) for result in results]
    assert sum("can't look that up right now" in words for words in said) >= 6


def test_a_caller_takes_a_quarter_of_the_threads_and_others_find_some(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, before = client_of(), reached("threads")
    for number in (KNOWN, LUIS):
        say(client, "lookupCustomer", number=number, call_id=f"of {number}")
    service: Service = client.application.extensions["service"]
    go_on = threading.Event()
    for _ in range(4):
        service.requests.start(go_on.wait, Asker(number=KNOWN).share)
    try:
        own = asks(client, 1, call_id=f"of {KNOWN}")
        others = asks(client, 1, call_id=f"of {LUIS}", number=LUIS)
    finally:
        go_on.set()
    assert own == ["I can't look that up right now. Please go on without it."]
    assert others[0].startswith("I can't find a case")
    assert reached("threads") == before + 1


# -- what a caller learns of their own requests ----------------------------------------------------


def test_many_writes_of_others_with_the_number_do_not_hide_an_own_case(
    client_of: ClientOf, journal: Journal
) -> None:
    client = client_of()
    opens(client, 1, "mine")
    for nth in range(60):
        say(
            client,
            "requestCallback",
            {"reason": f"{nth}"},
            call_id=f"evil-{nth // 30}",
            id=f"{nth}",
        )
    opens(client, 45, "evil-2")
    opens(client, 45, "evil-3")
    (own,) = journal.of_call("mine")
    listed = journal.of_caller(KNOWN)
    assert own.id in {intent.id for intent in listed}
    assert len(listed) == 50
    said = say(client, "retrieveCustomerCase", call_id="later")
    assert "These are the newest three." in said


def test_the_list_of_those_who_proved_who_they_are_is_their_own(
    client_of: ClientOf, journal: Journal
) -> None:
    client = client_of()
    say(client, "verifyCaller", {"pin": PIN}, call_id="mine")
    opens(client, 1, "mine")
    for nth in range(60):
        opens(client, 1, f"evil-{nth}")
    (own,) = journal.of_call("mine")
    assert own.id in {intent.id for intent in journal.of_caller(KNOWN)}


def test_the_shared_number_of_two_is_nobodys_share_to_use_up(client_of: ClientOf) -> None:
    client = client_of(max_writes_per_number_and_hour=1)
    opens(client, 2, "a", number=SHARED)
    say(client, "verifyCaller", {"pin": "9038"}, call_id="paula", number=SHARED)
    assert accepted(opens(client, 1, "paula", number=SHARED)) == 1
