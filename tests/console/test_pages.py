"""What holds for every page, and the pages Now, Calls, Kinds and Audit."""

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import ROOT, Org
from shared.alive import Alive, Peer
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.operators.audit import Audit
from shared.settings import Settings
from tests.calling import KNOWN, ask, message, post
from tests.conftest import change_settings
from tests.console.conftest import Browser
from tests.console.writing import NUMBER, WORDS, accept, parked
from tests.store_time import next_attempt_is_allowed
from web.console import access
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

PAGES = ("now", "writes", "parked", "calls", "kinds", "audit")
MAX_PAGE_BYTES = 60 * 1024
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Markup(HTMLParser):
    """What is wrong with a page for those who use a keyboard or a screen reader."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._open: list[str] = []
        self._ids: list[str] = []
        self._labelled: set[str] = set()
        self._controls: list[tuple[str, str]] = []
        self._headings: list[int] = []
        self.feed(html)
        self.wrong += [f"{tag} is not closed" for tag in self._open]
        self.wrong += [f"id {id_} twice" for id_ in self._ids if self._ids.count(id_) > 1]
        self.wrong += [
            f"{tag} {id_} has no label" for tag, id_ in self._controls if id_ not in self._labelled
        ]
        if self._headings[:1] != [1] or self._headings.count(1) != 1:
            self.wrong.append("a page has one h1, which comes first")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        if "id" in given:
            self._ids.append(given["id"])
        if tag == "label":
            self._labelled.add(given.get("for", ""))
        hidden = given.get("type") == "hidden"
        if tag in ("input", "select", "textarea", "progress") and not hidden:
            self._controls.append((tag, given.get("id", "without id")))
        if re.fullmatch("h[1-6]", tag):
            self._headings.append(int(tag[1]))
        if tag == "html" and not given.get("lang"):
            self.wrong.append("no language")
        if tag == "th" and "scope" not in given:
            self.wrong.append("th without scope")
        if any(name.startswith("on") or name == "style" for name in given):
            self.wrong.append(f"{tag} with a script or a style of its own")
        if given.get("class") == "scroll" and given.get("tabindex") != "0":
            self.wrong.append("a part that scrolls can't be reached by keyboard")
        if given.get("method") == "post":
            self._expect_token = True

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


@pytest.fixture
def busy(
    journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis, client: FlaskClient
) -> str:
    """A store with some of everything. Returns the id of a parked write."""
    ask(client, "createSalesforceCase", {"issueType": "technical", "description": WORDS})
    post(client, message("transcript", role="user", transcriptType="final", transcript=WORDS))
    (intent_id,) = parked(journal, context, org)
    for _ in range(60):
        accept(journal, call_id="call-2")
    Audit(store).note("olga", "replay", ids=[intent_id] * 30)
    return intent_id


def every_path(intent_id: str) -> list[str]:
    singles = [f"writes/{intent_id}", "calls/call-1", "calls/call-2", f"writes/{'0' * 32}"]
    return [f"/console/{name}" for name in (*PAGES, *singles)]


@pytest.mark.parametrize("role", ["operator", "reader"])
def test_every_page_is_small_well_formed_and_shows_no_personal_data(
    role: str, request: pytest.FixtureRequest, busy: str
) -> None:
    browser: Browser = request.getfixturevalue(role)
    for path in every_path(busy):
        answer = browser.get(path)
        assert answer.status_code == (404 if "00000" in path else 200), path
        assert Markup(answer.text).wrong == [], path
        assert len(answer.data) <= MAX_PAGE_BYTES, path
        assert not any(private in answer.text for private in (WORDS, NUMBER, KNOWN)), path


def test_pages_that_operators_get_by_forms_are_well_formed_too(
    operator: Browser, busy: str
) -> None:
    reveal = operator.post(f"/console/writes/{busy}/reveal")
    edit = operator.post(f"/console/writes/{busy}/edit")
    plan = operator.post(f"/console/writes/{busy}/edit/plan", {"set:description": "shorter"})
    found = operator.post("/console/find", {"word": NUMBER})
    for answer in (reveal, edit, plan, found, operator.post("/console/calls/call-1/reveal")):
        assert answer.status_code == 200
        assert Markup(answer.text).wrong == []
        assert len(answer.data) <= MAX_PAGE_BYTES


def test_style_and_script_come_from_here_and_stay_small(operator: Browser) -> None:
    text = operator.get("/console/now").text
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    files = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', text)
    assert len(files) == 3
    size = len(text.encode())
    for file in files:
        with operator.client.get(file) as answer:
            size += len(answer.data)
    assert size < MAX_PAGE_BYTES


def test_every_form_that_changes_something_is_for_operators_alone(
    app: Flask, reader: Browser, busy: str
) -> None:
    """Whoever adds a form need not think of it: the rule holds for all routes."""
    values = {"intent_id": busy, "call_id": "call-1", "action_id": "x"}
    tried = 0
    for rule in app.url_map.iter_rules():
        is_ours = rule.endpoint.startswith("console.") and "POST" in (rule.methods or ())
        if is_ours and rule.endpoint not in access.FOR_READERS | access.LOGINS:
            with app.test_request_context():
                _, path = rule.build(values) or ("", "")
            assert reader.post(path).status_code == 403, rule.endpoint
            tried += 1
    assert tried >= 12


def test_every_page_needs_a_login(app: Flask, stranger: Browser, busy: str) -> None:
    for path in every_path(busy):
        assert stranger.get(path).status_code == 302
        assert stranger.get(path, headers={"X-Poll": "1"}).status_code == 401
    assert stranger.get("/console/audit.jsonl").status_code == 302


# -- polling ---------------------------------------------------------------------------------------


def test_a_poll_gets_the_live_part_alone_and_304_until_something_changes(
    operator: Browser, journal: Journal
) -> None:
    poll = {"X-Poll": "1"}
    first = operator.client.get("/console/parked", headers=poll)
    assert "<html" not in first.text
    again = poll | {"If-None-Match": first.headers["ETag"]}
    assert operator.client.get("/console/parked", headers=again).status_code == 304
    journal.pause(Kind.CALLBACK)
    assert operator.client.get("/console/kinds", headers=again).status_code == 200


def test_those_who_watch_a_page_share_what_it_costs(
    operator: Browser, app: Flask, store: redis.Redis
) -> None:
    other = Browser(app.test_client())
    other.log_in("olga")
    other.get("/console/parked")
    assert operator.token != other.token
    poll = {"X-Poll": "1"}
    first = operator.client.get("/console/kinds", headers=poll)
    for key in store.scan_iter("vs:console:live:*"):
        store.pexpire(key, 60_000)
    before = store.info("commandstats")["cmdstat_info"]["calls"]
    for _ in range(5):
        again = other.client.get("/console/kinds", headers=poll)
        assert again.text.replace(other.token, operator.token) == first.text
    assert store.info("commandstats")["cmdstat_info"]["calls"] == before + 1, "that is this look"
    assert other.token in again.text, "forms have the token of whoever sends them"
    assert operator.token not in again.text


def test_a_reader_gets_nothing_that_was_rendered_for_an_operator(
    operator: Browser, reader: Browser
) -> None:
    poll = {"X-Poll": "1"}
    button = 'aria-label="Pause callback"'
    assert button in operator.client.get("/console/kinds", headers=poll).text
    assert button not in reader.client.get("/console/kinds", headers=poll).text


def test_whoever_opens_a_page_sees_what_was_just_changed(reader: Browser, journal: Journal) -> None:
    poll, paused = {"X-Poll": "1"}, "<td>paused</td>"
    assert paused not in reader.client.get("/console/kinds", headers=poll).text
    journal.pause(Kind.CALLBACK)
    assert paused in reader.get("/console/kinds").text
    assert paused in reader.client.get("/console/kinds", headers=poll).text, "nor does it go back"


def test_no_page_polls_while_it_is_hidden() -> None:
    script = (ROOT / "web/console/static/console.js").read_text()
    assert "if (!document.hidden)" in script
    assert not re.search(r"eval|innerHTML = [^h]|document\.write|https?://", script)


# -- Now -------------------------------------------------------------------------------------------


def verdict(browser: Browser) -> str:
    found = re.search(r'<h1 class="verdict \w+">(.*?)</h1>', browser.get("/console/now").text)
    assert found
    return found[1]


def test_now_says_in_a_line_whether_it_delivers_and_if_not_why(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    assert verdict(operator) == "Not delivering because no worker is running"
    journal.sweep()
    assert verdict(operator) == "Delivering"
    journal.pause(Kind.CALLBACK)
    assert verdict(operator) == "Not delivering because an operator paused callback"
    journal.resume(Kind.CALLBACK)
    accept(journal)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", resources=["composite"])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    assert verdict(operator).startswith(
        "Not delivering because Salesforce is away (SERVER_UNAVAILABLE)"
    )
    next_attempt_is_allowed(store)
    assert verdict(operator).startswith(
        "Not delivering because Salesforce is away (SERVER_UNAVAILABLE); next attempt in 0 s"
    ), "an attempt that is due has not succeeded yet"
    store.config_set("maxmemory", 1)
    try:
        assert verdict(operator) == (
            "Not delivering because the store is full: nothing new is accepted"
        )
    finally:
        store.config_set("maxmemory", 0)


def test_now_has_a_lamp_for_each_thing_that_delivery_needs(
    operator: Browser, journal: Journal, store: redis.Redis
) -> None:
    journal.sweep()
    peer = Peer.of_this_process()
    Alive(store).note("worker", peer)
    text = operator.get("/console/now").text
    lamps = dict(re.findall(r'<li class="(?:good|warn|bad)"><b>([^<]+)</b> <span>([^<]+)', text))
    assert set(lamps) == {
        "web", "workers", "beat", "store", "Salesforce", "API budget", "breaker", "token",
        "refused webhooks",
    }  # fmt: skip
    assert (lamps["workers"], lamps["beat"]) == ("1 at work", "0 at work")


# -- Calls -----------------------------------------------------------------------------------------


def test_a_call_tells_its_story_in_order_with_evidence_and_writes(
    operator: Browser, client: FlaskClient, context: DeliveryContext
) -> None:
    assert "call-1" not in operator.get("/console/calls").text
    post(client, message("transcript", role="user", transcriptType="final", transcript=WORDS))
    ask(client, "createSalesforceCase", {"issueType": "technical", "description": WORDS})
    drain(context, Kind.CASE_CREATE)
    assert 'href="/console/calls/call-1"' in operator.get("/console/calls").text
    text = operator.get("/console/calls/call-1").text
    story = re.findall(r"</time> <b>([^<]+)</b>", text)
    expected = [
        "The call began",
        "The caller spoke",
        "Accepted: createSalesforceCase asked for case_create",
        "Delivered: case_create",
    ]
    assert [line for line in story if line in expected] == expected
    assert any(line.startswith("Allowed: createSalesforceCase") for line in story)
    assert "evidence: " in text
    assert 'rel="noreferrer">0000' in text, "the case in Salesforce"
    revealed = operator.post("/console/calls/call-1/reveal").text
    assert (WORDS in revealed, KNOWN in revealed) == (True, True)


def test_a_call_shows_what_tools_were_asked_and_what_they_answered_after_a_reveal(
    operator: Browser, client: FlaskClient
) -> None:
    ask(client, "lookupCustomer", id="first")
    case_ = ask(client, "retrieveCustomerCase", {"caseNumber": "00001002"}, id="second")
    ask(client, "retrieveCustomerCase", {"caseNumber": "00001002"}, id="second")  # a redelivery
    ask(client, "unknownTool", {"secret": "4711"}, id="third")
    hidden = operator.get("/console/calls/call-1").text
    asked = re.findall(r"<b>Asked: ([^<]+)</b>", hidden)
    assert asked == ["lookupCustomer", "retrieveCustomerCase", "a tool that does not exist"]
    answer = str(case_.get("result") or case_.get("error"))
    assert "00001002" not in hidden
    revealed = operator.post("/console/calls/call-1/reveal").text
    assert "00001002" in revealed
    assert answer in unescape(revealed)
    assert "4711" not in revealed


def test_an_ended_call_is_listed_with_its_record(operator: Browser, client: FlaskClient) -> None:
    post(client, message("end-of-call-report", endedReason="customer-ended-call"))
    text = operator.get("/console/calls").text
    assert "No calls last" in text
    assert 'href="/console/calls/call-1"' in text


def test_an_unknown_call_is_404_and_its_name_gets_into_no_audit(
    operator: Browser, store: redis.Redis
) -> None:
    assert operator.get("/console/calls/nobody").status_code == 404
    assert operator.post(f"/console/calls/{NUMBER}/reveal").status_code == 404
    assert NUMBER not in str(Audit(store).newest(10))


def test_an_id_that_names_other_data_of_the_store_is_404(
    operator: Browser, journal: Journal
) -> None:
    accept(journal, call_id="call-1")
    assert operator.get("/console/calls/call-1:intents").status_code == 404


# -- Kinds and Audit -------------------------------------------------------------------------------


def kind_names(browser: Browser) -> list[str]:
    return re.findall(r'aria-label="Pause ([^"]+)"', browser.get("/console/kinds").text)


def test_an_operator_pauses_and_resumes_a_kind_or_a_tool_and_the_audit_says_so(
    operator: Browser, journal: Journal, store: redis.Redis
) -> None:
    assert operator.post("/console/kinds", {"name": "callback", "verb": "pause"}).status_code == 302
    assert journal.paused() == {Kind.CALLBACK}
    assert 'aria-label="Resume callback"' in operator.get("/console/kinds").text
    operator.post("/console/kinds", {"name": "callback", "verb": "resume"})
    assert journal.paused() == set()
    for form in ({"name": "nothing", "verb": "pause"}, {"name": "callback", "verb": "stop"}):
        assert operator.post("/console/kinds", form).status_code == 404
    tool = next(name for name in reversed(kind_names(operator)) if "/requestCallback" in name)
    operator.post("/console/kinds", {"name": tool, "verb": "pause"})
    assert journal.paused() == {tool}
    operator.post("/console/kinds", {"name": tool, "verb": "resume"})
    assert journal.paused() == set()
    text = operator.get("/console/audit").text
    assert re.findall(r"<td>(pause|resume|login)</td><td>([^<]+)", text) == [
        ("resume", tool), ("pause", tool), ("resume", "callback"), ("pause", "callback"),
        ("login", "–"),
    ]  # fmt: skip


def test_the_audit_is_bounded_paged_and_exported_as_json_lines(
    operator: Browser, store: redis.Redis
) -> None:
    audit = Audit(store)
    for number in range(250):
        audit.note("cli:root", "pause", about=f"kind-{number}")
    path, found = "/console/audit", list[str]()
    for _ in range(3):
        text = operator.get(path).text
        found += re.findall(r"kind-\d+", text)
        following = re.search(r'href="([^"]+)">Older', text)
        path = following[1] if following else ""
    assert found == [f"kind-{number}" for number in reversed(range(250))]
    lines = operator.get("/console/audit.jsonl").text.splitlines()
    assert len(lines) == 251
    assert json.loads(lines[0])["about"] == "kind-249"
    for before in ("x;y", "5-", "5", "\u0663-1", f"{'9' * 30}-1"):
        answer = operator.get("/console/audit", query_string={"before": before})
        assert answer.status_code == 200


def test_the_oldest_entries_of_the_audit_go_first(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.operators.audit.MAX_ENTRIES", 100)
    audit = Audit(store)
    for number in range(500):
        audit.note("cli", "pause", about=str(number))
    assert int(store.xlen("vs:audit")) < 300  # the server removes whole nodes
    assert audit.newest(1)[0].about == "499"


def test_the_api_budget_is_shown_with_its_limit(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(change_settings(settings, salesforce_window_requests=100))
    browser = Browser(app.test_client())
    browser.log_in("rene")
    assert "of 100 in all" in browser.get("/console/kinds").text


# -- colours ---------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    if len(colour) == 4:
        colour = "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, other: str) -> float:
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(theme: str) -> None:
    style = (ROOT / "web/console/static/console.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", light if theme == "light" else dark))
    for name in ("fg", "soft", "link", "good", "warn", "bad"):
        for ground in ("bg", "card"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["btn-fg"], colours["btn"]) >= 4.5
    assert len(re.findall(r"#[0-9a-f]{3,6}\b", style)) == 2 * len(colours), "no other colours"
