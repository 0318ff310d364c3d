"""News of a promise while its call lasts: the agent is told once, at an address that is allowed."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.calls.calls import Calls
from shared.calls.news import News
from shared.domain.kinds import Kind
from shared.settings import Settings
from shared.vapi.control import may_be_called
from tests.calling import OPERATOR, ask, message, post
from workers.delivery.desk import Desk
from workers.delivery.engine import drain
from workers.news import news_of

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


def deliver_and_tell(desk: Desk, settings: Settings, store: redis.Redis) -> None:
    news = News(Calls(store), settings)
    drain(desk, Kind.CASE_CREATE, lambda lease, outcomes: news.tell(news_of(lease, outcomes)))
    news.close()


def live_call(client: FlaskClient, url: str) -> None:
    live = message("status-update", status="in-progress")
    live["message"]["call"]["monitor"] = {"controlUrl": url}
    post(client, live)


@pytest.mark.parametrize("by", ["add-message", "say"])
def test_the_number_of_a_case_reaches_the_call_it_was_opened_in(
    client: FlaskClient, desk: Desk, org: Org, store: redis.Redis, settings: Settings,
    control: tuple[str, list[Any]], by: str,
) -> None:  # fmt: skip
    url, posted = control
    live_call(client, url)
    said = ask(client, "createSalesforceCase", CASE)["result"]
    deliver_and_tell(
        desk,
        settings.model_copy(update={"vapi_control_hosts": "127.0.0.1", "vapi_tell_by": by}),
        store,
    )
    (one,) = posted
    text = one["content"] if by == "say" else one["message"]["content"]
    (made,) = (case for case in org.records("Case") if case["Voice_Reference__c"])
    assert one["type"] == by
    assert made["CaseNumber"] in text
    assert said.rstrip(".")[-7:] in text


def test_news_is_told_once_whatever_becomes_of_it(
    client: FlaskClient, desk: Desk, store: redis.Redis, settings: Settings
) -> None:
    live_call(client, "http://127.0.0.1:9/gone")
    ask(client, "createSalesforceCase", CASE)
    deliver_and_tell(desk, settings.model_copy(update={"vapi_control_hosts": "127.0.0.1"}), store)
    assert Calls(store).news_counts() == {"failed": 1}


@pytest.mark.parametrize(
    ("ended", "hosts", "told"),
    [(False, "127.0.0.1", True), (True, "127.0.0.1", False), (False, "*.vapi.ai", False)],
)
def test_a_parked_write_is_told_to_the_call_while_it_lasts(
    client: FlaskClient, desk: Desk, org: Org, store: redis.Redis, settings: Settings,
    control: tuple[str, list[Any]], ended: bool, hosts: str, told: bool,
) -> None:  # fmt: skip
    url, posted = control
    live_call(client, url)
    said = ask(client, "createSalesforceCase", CASE)["result"]
    if ended:
        post(client, message("status-update", status="ended"))
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    deliver_and_tell(desk, settings.model_copy(update={"vapi_control_hosts": hosts}), store)
    assert bool(posted) is told
    assert Calls(store).news_counts() == ({} if ended else {"told": 1} if told else {"refused": 1})
    if told:
        (one,) = posted
        assert one["type"] == "add-message"
        assert said.rstrip(".")[-7:] in one["message"]["content"]
    assert client.get("/health", headers=OPERATOR).get_json()["broken_promises"] == int(ended)


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
    ],
)
def test_a_control_url_is_used_only_on_an_allowed_host(url: str, allowed: bool) -> None:
    assert may_be_called(url, "*.vapi.ai") is allowed
