"""Updates of a call while it lasts: the agent gets each once, at an address that is allowed."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import requests
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from demo.stack import Org
from shared.agent.agents import Agents
from shared.agent.folder import load_agent
from shared.agent.sentences import phrase
from shared.calls.call_updates import CallUpdate, CallUpdates
from shared.calls.calls import Calls
from shared.domain.kinds import Kind
from shared.settings import Settings
from shared.vapi.control import may_be_called, read_url
from tests.calling import OPERATOR, ask, message, post, reference_in
from tests.conftest import change_settings
from tests.store_time import call_has
from workers.call_updates import updates_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

AGENTS = Agents((load_agent("agent"),))
OPENED = CallUpdate("call-1", phrase("case-open-now", reference="K7M 2QX", number="1008"))
CASE = {"issueType": "billing", "description": "Billed twice for October"}


@pytest.fixture
def control() -> Iterator[tuple[str, list[Any]]]:
    """A live call's control URL, and what was posted to it."""
    posted: list[Any] = []

    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            posted.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Control)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/call/control", posted
    server.shutdown()
    thread.join()
    server.server_close()


def deliver_and_notify(context: DeliveryContext, settings: Settings, store: redis.Redis) -> None:
    call_updates = CallUpdates(Calls(store), settings.vapi, AGENTS)
    drain(
        context,
        Kind.CASE_CREATE,
        lambda lease, outcomes: call_updates.notify_agent(updates_of(lease, outcomes)),
    )
    call_updates.close()


def live_call(client: FlaskClient, url: str) -> None:
    live = message("status-update", status="in-progress")
    live["message"]["call"]["monitor"] = {"controlUrl": url}
    post(client, live)


@pytest.mark.parametrize("by", ["add-message", "say"])
def test_the_number_of_a_case_reaches_the_call_it_was_opened_in(
    client: FlaskClient, context: DeliveryContext, org: Org, store: redis.Redis, settings: Settings,
    control: tuple[str, list[Any]], by: str,
) -> None:  # fmt: skip
    url, posted = control
    live_call(client, url)
    said = ask(client, "createSalesforceCase", CASE)["result"]
    deliver_and_notify(
        context,
        change_settings(settings, vapi_control_hosts="127.0.0.1", vapi_tell_by=by),
        store,
    )
    (command,) = posted
    text = command["content"] if by == "say" else command["message"]["content"]
    (made,) = (case for case in org.records("Case") if case["Voice_Reference__c"])
    assert command["type"] == by
    assert made["CaseNumber"] in text
    assert reference_in(said) in text


def test_a_call_update_is_sent_once_whatever_becomes_of_it(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, settings: Settings
) -> None:
    live_call(client, "http://127.0.0.1:9/gone")
    ask(client, "createSalesforceCase", CASE)
    deliver_and_notify(context, change_settings(settings, vapi_control_hosts="127.0.0.1"), store)
    assert Calls(store).call_update_counts() == {"failed": 1}


@pytest.mark.parametrize(
    ("ended", "hosts", "sent"),
    [(False, "127.0.0.1", True), (True, "127.0.0.1", False), (False, "*.vapi.ai", False)],
)
def test_the_call_learns_of_a_parked_write_while_it_lasts(
    client: FlaskClient, context: DeliveryContext, org: Org, store: redis.Redis, settings: Settings,
    control: tuple[str, list[Any]], ended: bool, hosts: str, sent: bool,
) -> None:  # fmt: skip
    url, posted = control
    live_call(client, url)
    said = ask(client, "createSalesforceCase", CASE)["result"]
    if ended:
        post(client, message("status-update", status="ended"))
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    deliver_and_notify(context, change_settings(settings, vapi_control_hosts=hosts), store)
    assert bool(posted) is sent
    assert Calls(store).call_update_counts() == (
        {} if ended else {"sent": 1} if sent else {"refused": 1}
    )
    if sent:
        (command,) = posted
        assert command["type"] == "add-message"
        assert reference_in(said) in command["message"]["content"]
    assert client.get("/health", headers=OPERATOR).get_json()["broken_promises"] == int(ended)


def test_the_call_learns_of_a_refused_field_by_its_spoken_name(
    client: FlaskClient, context: DeliveryContext, org: Org, store: redis.Redis, settings: Settings,
    control: tuple[str, list[Any]],
) -> None:  # fmt: skip
    url, posted = control
    live_call(client, url)
    wanted = {"phone": "+14155550177", "mailingPostalCode": "X", "mailingState": "Mass."}
    ask(client, "updateContact", wanted)
    org.fault(refuse_fields=["Contact.MailingState"])
    loopback = change_settings(settings, vapi_control_hosts="127.0.0.1")
    call_updates = CallUpdates(Calls(store), loopback.vapi, AGENTS)
    drain(
        context,
        Kind.CONTACT_UPDATE,
        lambda lease, said: call_updates.notify_agent(updates_of(lease, said)),
    )
    call_updates.close()
    (command,) = posted
    text = command["message"]["content"]
    assert "the state could not be saved" in text
    assert "Mass." not in text


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://phone-call-websocket.aws-us-west-2-backend-production1.vapi.ai/x/control", True),
        ("https://vapi.ai.evil.example/x", False),
        ("https://evilvapi.ai/x", False),
        ("http://phone.vapi.ai/x", False),
        ("https://user@evil.example:443/.vapi.ai", False),
        ("https://169.254.169.254/latest", False),
        ("http://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("", False),
        ("https://x.vapi.ai", True),
        ("https://x.vapi.ai:443/a", True),
        ("https://X.Vapi.AI/a?b=c%2Fd&e=1", True),
        ("https://x.vapi.ai/%2f%2fevil.example/..%5c", True),
        ("https://x.vapi.ai//evil.example/", True),
        ("https://evil.example\\@x.vapi.ai/", False),
        ("https://evil.example\\.vapi.ai/", False),
        ("https://[", False),
        ("https://[::1", False),
        ("https://[::1].vapi.ai/", False),
        ("https://x.vapi.ai.evil.example/", False),
        ("https://x.vapi.ai./", False),
        ("https://.vapi.ai/", False),
        ("https://a..vapi.ai/", False),
        ("https://-a.vapi.ai/", False),
        ("https://user@x.vapi.ai/", False),
        ("https://x.vapi.ai@evil.example/", False),
        ("https://evil.example#@x.vapi.ai/", False),
        ("https://evil.example?@x.vapi.ai/", False),
        ("https://evil.example/x.vapi.ai", False),
        ("https://x.vapi.ai:8443/", False),
        ("https://x.vapi.ai:22/", False),
        ("https://x.vapi.ai:99999/", False),
        ("https://x.vapi.ai:/", False),
        ("https://x.vapi.ai:4a/", False),
        ("https://x.vapi.ai/#fragment", False),
        ("https://x.vapi.ai/\r\nX-Header: 1", False),
        ("https://x.vapi.ai/\x00", False),
        ("https://x.vapi.ai/\n", False),
        ("https://x.vapi.ai/ space", False),
        (" https://x.vapi.ai/", False),
        ("https:\t//x.vapi.ai/", False),
        ("https://evil.example\t.vapi.ai/", False),
        ("https://evil。vapi.ai/", False),
        ("https://évil.vapi.ai/", False),
        ("https://evil.example／.vapi.ai/", False),
        ("https://evil.example%2f.vapi.ai/", False),
        ("https://evil%00.vapi.ai/", False),
        ("https:/x.vapi.ai/", False),
        ("https:x.vapi.ai", False),
        ("//x.vapi.ai/", False),
        ("HTTPS://x.vapi.ai/", False),
        ("ftp://x.vapi.ai/", False),
        (f"https://x.vapi.ai/{'y' * 2_031}", False),
        (f"https://x.vapi.ai/{'y' * 2_030}", True),
        (f"https://{'a' * 64}.vapi.ai/", False),
        (f"https://{'a.' * 130}vapi.ai/", False),
    ],
)
def test_a_control_url_is_used_only_on_an_allowed_host(url: str, allowed: bool) -> None:
    assert may_be_called(url, "*.vapi.ai") is allowed


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_url_raises_and_what_may_be_called_goes_to_an_allowed_host(host: str, path: str) -> None:
    """By the parser that sends it."""
    for url in (f"https://{host}.vapi.ai/{path}", f"https://{host}/{path}", host):
        parts = read_url(url)
        if parts and may_be_called(url, "*.vapi.ai"):
            sent = requests.Request("POST", str(parts)).prepare().url or ""
            assert (urlsplit(sent).hostname or "").endswith(".vapi.ai")
            assert parse_url(sent).host == parts.host


def test_a_url_is_put_together_from_its_parts() -> None:
    assert str(read_url("https://X.Vapi.AI:443/a/b?c=d")) == "https://x.vapi.ai/a/b?c=d"
    assert str(read_url("http://127.0.0.1:8080")) == "http://127.0.0.1:8080/"


def answers_url(client: FlaskClient, url: Any, store: redis.Redis, call_id: str = "call-1") -> Any:
    live = message("speech-update", call_id=call_id)
    live["message"]["call"]["monitor"] = {"controlUrl": url}
    assert post(client, live).status_code == 200
    return store.hget(f"vs:call:{call_id}", "control_url")


def test_the_first_event_of_a_call_fixes_the_host_of_its_control_url(
    client: FlaskClient, store: redis.Redis
) -> None:
    first, renewed = "https://a.vapi.ai/1", "https://a.vapi.ai/2?x=y"
    assert answers_url(client, "https://[", store) is None
    assert answers_url(client, "https://evil.example\\@x.vapi.ai/", store) is None
    assert answers_url(client, first, store) == first
    for other in ("https://b.vapi.ai/1", "https://evil.example/1", "http://127.0.0.1:9/1"):
        assert answers_url(client, other, store) == first
    assert Calls(store).call_update_counts() == {"moved": 3}
    assert answers_url(client, renewed, store) == renewed
    assert answers_url(client, "https://b.vapi.ai/1", store, "call-2") == "https://b.vapi.ai/1"


@pytest.mark.parametrize("url", ["https://[", "https://evil.example\\@x.vapi.ai/", "x" * 5_000])
def test_a_url_that_an_older_process_kept_is_refused_when_a_call_update_is_sent(
    client: FlaskClient, store: redis.Redis, settings: Settings, url: str
) -> None:
    post(client, message("status-update", status="in-progress"))
    call_has(store, "call-1", control_url=url)
    call_updates = CallUpdates(Calls(store), settings.vapi, AGENTS)
    call_updates.notify_agent([OPENED])
    call_updates.close()
    assert Calls(store).call_update_counts() == {"refused": 1}


def test_a_defect_while_a_call_update_is_sent_is_counted(
    client: FlaskClient, store: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: Any, **__: Any) -> None:
        raise KeyError("boom")

    live_call(client, "https://x.vapi.ai/control")
    monkeypatch.setattr("shared.calls.call_updates.post_update", boom)
    call_updates = CallUpdates(Calls(store), settings.vapi, AGENTS)
    call_updates.notify_agent([OPENED])
    call_updates.close()
    assert Calls(store).call_update_counts() == {"failed": 1}
