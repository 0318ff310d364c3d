"""A call in German, from the greeting to its Task: every text of it, plurals and dates too."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.agent.disclosure import version_of
from shared.agent.folder import load_agent
from shared.domain.kinds import SETTLED, Kind
from shared.settings import Settings
from tests.calling import KNOWN, message, only_result, post, reference_in, sentence, tool_message
from tests.conftest import change_settings
from tests.store_time import commit_windows_end, everything_is_due, nobody_speaks
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

BERLIN = ZoneInfo("Europe/Berlin")
LUIS, TOM = "+14155550103", "+14155550105"
FRIDAY = 4
CASE = {"issueType": "billing", "description": "Doppelt abgerechnet", "onExisting": "new"}


@pytest.fixture
def settings(settings: Settings, org: Org) -> Settings:
    """A German team, whose customers have their language in Department."""
    for contact in org.records("Contact"):
        org.edit("Contact", contact["Id"], Department="de")
    return change_settings(
        settings,
        default_language="de",
        time_zone="Europe/Berlin",
        salesforce_language_field="Department",
        vapi_assistant_id="a-1",
        commit_window_ms=60_000,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions["service"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Call:
    """What happens in one call, second by second."""

    def __init__(self, client: FlaskClient, number: str = KNOWN, call_id: str = "call-1") -> None:
        self.client = client
        self.who = {"number": number, "call_id": call_id}
        self.began = datetime.now(BERLIN)
        self.second = 0

    def post(self, body: dict[str, Any]) -> Any:
        self.second += 1
        body["message"]["timestamp"] = int(self.began.timestamp() + self.second) * 1000
        return post(self.client, body)

    def tool(self, name: str, **arguments: str) -> str:
        """What the agent gets to say."""
        body = tool_message((f"t-{self.second}", name, arguments), **self.who)
        return sentence(only_result(self.post(body)))

    def caller_says(self, words: str) -> None:
        said = {"role": "user", "transcriptType": "final", "transcript": words}
        self.post(message("transcript", **self.who, **said))

    def next(self, weekday: int) -> str:
        """The next such day after the one of the call, in Berlin."""
        ahead = (weekday - self.began.weekday() - 1) % 7 + 1
        return (self.began.date() + timedelta(days=ahead)).isoformat()

    def event(self, kind: str, **own: Any) -> Any:
        return self.post(message(kind, **self.who, **own)).get_json()


def deliver_all(context: DeliveryContext, store: redis.Redis) -> None:
    nobody_speaks(store)
    for _ in range(6):
        commit_windows_end(store)
        everything_is_due(store)
        context.journal.sweep()
        for kind in Kind:
            drain(context, kind)
    assert all(intent.state in SETTLED for intent in context.journal.newest(1000))


def ours(org: Org, sobject: str) -> list[dict[str, Any]]:
    return [record for record in org.records(sobject) if record["Call_Key__c"]]


REPORT = {
    "endedReason": "customer-ended-call",
    "startedAt": "2026-11-23T09:05:00.000Z",
    "endedAt": "2026-11-23T09:07:00.000Z",
    "cost": 0.1234,
    "analysis": {"summary": "Jane Miller wurde doppelt abgerechnet.", "successEvaluation": True},
    "artifact": {
        "transfers": [
            {"destination": {"type": "number", "number": "+4930123456"}, "status": "busy"},
            {"status": "no-answer"},
        ],
        "scorecards": {"1": {"name": "Freundlichkeit", "score": 4.5, "scoreNormalized": 90}},
        "structuredOutputs": {"2": {"name": "Eilig", "result": False}},
    },
}


def test_the_assistant_greets_in_german_and_knows_the_cases_in_german(client: FlaskClient) -> None:
    answer = Call(client).event("assistant-request")["assistantOverrides"]
    assert answer["firstMessage"] == (
        'Guten Tag "Jane Miller", hier ist der Kundenservice. '
        "Sie sprechen mit einem KI-Assistenten. "
        "Dieses Gespräch wird aufgezeichnet. Was kann ich für Sie tun?"
    )
    assert answer["transcriber"]["language"] == "de"
    assert answer["variableValues"] == {
        "customerName": '"Jane Miller"',
        "accountName": '"Acme Water Works"',
        "openCaseCount": "2",
        "openCases": (
            'Vorgang 00001002, "No hot water since Monday", ist in Bearbeitung. '
            'Vorgang 00001001, "Invoice shows last month twice", ist neu.'
        ),
        "language": "de",
    }


@pytest.mark.parametrize(
    ("number", "known", "listed"),
    [
        (
            TOM,
            'Es ruft an: "Tom O\'Brien" von "Acme Water Works", Kundennummer "ACC-12345". '
            "Es gibt keinen offenen Vorgang.",
            "Für diese Kundin oder diesen Kunden gibt es keinen offenen Vorgang.",
        ),
        (
            LUIS,
            'Es ruft an: "Luis Garcia" von "Cobalt Clinics", Kundennummer "ACC-30001". '
            "Es gibt einen offenen Vorgang.",
            "Es gibt einen offenen Vorgang. "
            'Vorgang 00001005, "Wrong amount on statement", ist in Bearbeitung.',
        ),
        (
            KNOWN,
            'Es ruft an: "Jane Miller" von "Acme Water Works", Kundennummer "ACC-12345". '
            "Es gibt zwei offene Vorgänge.",
            "Es gibt zwei offene Vorgänge. "
            'Vorgang 00001002, "No hot water since Monday", ist in Bearbeitung. '
            'Vorgang 00001001, "Invoice shows last month twice", ist neu.',
        ),
    ],
)
def test_cases_are_counted_in_german(
    client: FlaskClient, number: str, known: str, listed: str
) -> None:
    call = Call(client, number)
    assert call.tool("lookupCustomer") == known
    assert call.tool("retrieveCustomerCase") == listed


def test_a_call_is_german_from_its_first_request_to_its_task(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    call = Call(client)
    call.event("status-update", status="in-progress")
    call.caller_says("Meine Rechnung stimmt nicht.")
    said = call.tool("createSalesforceCase", **CASE)
    opened = reference_in(said)
    assert said == f"Der Vorgang zum Thema Abrechnung wird angelegt. Die Referenz ist {opened}."
    said = call.tool("addCaseComment", reference=opened, comment="Schon seit Oktober.")
    commented = reference_in(said)
    assert said == f"Der Kommentar wird hinzugefügt. Die Referenz ist {commented}."
    said = call.tool("requestCallback", when="am Freitag", reason="Rückfrage zur Rechnung")
    called = reference_in(said)
    assert said == f"Wir rufen Sie zurück. Die Referenz ist {called}."
    said = call.tool("updateContact", mailingCity="Berlin")
    changed = reference_in(said)
    assert said == f"Folgendes wird gleich neu hinterlegt: Ort. Die Referenz ist {changed}."
    call.caller_says("Moment, doch nicht.")
    assert call.event("transfer-destination-request") == {
        "error": "Im Moment kann niemand dieses Gespräch übernehmen. Bieten Sie einen Rückruf an."
    }
    call.event("end-of-call-report", **REPORT)
    deliver_all(context, store)

    assert all(contact["MailingCity"] != "Berlin" for contact in org.records("Contact"))
    assert [record["CommentBody"] for record in org.records("CaseComment")[-2:]] == [
        f"Schon seit Oktober.\n(Referenz {commented})",
        "Zusammenfassung des Gesprächs: Jane Miller wurde doppelt abgerechnet.\n"
        f"(Referenz {reference_of_the_summary(context)})",
    ]
    call_back, log = ours(org, "Task")
    assert (call_back["Subject"], call_back["ActivityDate"]) == (
        f"{KNOWN} zurückrufen",
        call.next(FRIDAY),
    )
    assert call_back["Description"].splitlines() == [
        f"Rückruf an: {KNOWN}",
        "Wann: am Freitag",
        "Warum: Rückfrage zur Rechnung",
        f"Referenz: {called}",
    ]
    assert (log["Subject"], log["ActivityDate"]) == ("Telefongespräch (eingehend)", "2026-11-23")
    assert log["Description"].splitlines() == [
        "Ende: customer-ended-call",
        "Beginn: 23.11.2026, 10:05 Uhr (Europe/Berlin)",
        f"Anruf von: {KNOWN}",
        "Mitgeteilt, sofern die Begrüßung so gesprochen wurde, wie sie eingerichtet ist: „Sie "
        "sprechen mit einem KI-Assistenten. Dieses Gespräch wird aufgezeichnet.“ (Begrüßung "
        f"{version_of(load_agent('agent'))})",
        "Weiterleitung an +4930123456: besetzt",
        "Weiterleitung an jemanden: nicht angenommen",
        "Bewertung des Erfolgs: ja",
        "Bewertung Freundlichkeit: 4,5 (90 von 100)",
        "Eilig: nein",
        "Kosten: 0,1234 USD",
        "",
        "Zusammenfassung: Jane Miller wurde doppelt abgerechnet.",
        "",
        "Gesprächsprotokoll:",
        "Anrufer: Meine Rechnung stimmt nicht.",
        "Anrufer: Moment, doch nicht.",
    ]


def reference_of_the_summary(context: DeliveryContext) -> str:
    comments = [
        intent for intent in context.journal.of_call("call-1") if intent.kind is Kind.CASE_COMMENT
    ]
    return comments[-1].reference


def test_what_a_colleague_finds_on_the_case_is_german(
    settings: Settings, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    app = create_app(change_settings(settings, fallback_phone_number="+4930123456"))
    call = Call(app.test_client())
    call.event("status-update", status="in-progress")
    call.caller_says("Meine Rechnung stimmt nicht.")
    opened = reference_in(call.tool("createSalesforceCase", **CASE))
    plan = call.event("transfer-destination-request")["destination"]
    assert plan["message"] == (
        "Ich verbinde Sie mit jemandem aus unserem Team. Einen Moment, bitte."
    )
    assert plan["transferPlan"]["message"] == (
        '"Jane Miller" von "Acme Water Works" möchte mit jemandem über einen Vorgang '
        f"mit der Referenz {opened} sprechen, Thema Abrechnung."
    )
    deliver_all(context, store)
    said = call.tool("cancelCase", reference=opened, reason="Hat sich erledigt.")
    closed = reference_in(said)
    assert said == (
        f"Der Vorgang war schon angelegt und wird deshalb geschlossen. Die Referenz ist {closed}."
    )
    deliver_all(context, store)
    transfer, reason = (
        record["CommentBody"].rpartition("\n(Referenz ")[0]
        for record in org.records("CaseComment")[-2:]
    )
    assert transfer == (
        "Das Gespräch wird mit jemandem aus unserem Team verbunden. Bisher wurde gesagt:\n"
        "Anrufer: Meine Rechnung stimmt nicht."
    )
    assert reason == "Vom Anrufer zurückgenommen: Hat sich erledigt."
    app.extensions["service"].close()
