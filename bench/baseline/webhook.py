"""What a team would write without this service: a synchronous Flask webhook with simple-salesforce.

Each tool asks Salesforce once, within the request, so a call that looks up its caller, asks for a
case and opens another costs three requests. The case names the caller's number and leaves it to the
org to find the contact. Nothing is stored, and a request that fails is not repeated.
"""

import hmac
import os
from functools import cache
from typing import Any

import requests
from flask import Flask, abort, request
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.format import format_soql

SECRET = os.environ["VAPI_SERVER_SECRET"]
INSTANCE_URL = os.environ["SALESFORCE_INSTANCE_URL"]
THREADS = 64
TIMEOUT_S = 15.0
"""Vapi waits 20 s."""

app = Flask(__name__)


class Session(requests.Session):
    """A connection for each thread, and a time-out. requests itself would wait without end."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", HTTPAdapter(pool_maxsize=THREADS))
        self.mount("http://", HTTPAdapter(pool_maxsize=THREADS))

    def request(self, method: Any, url: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        if INSTANCE_URL.startswith("http://"):  # the local org; the library itself asks for https
            url = url.replace("https://", "http://", 1)
        return super().request(method, url, **{**options, "timeout": TIMEOUT_S})


@cache
def salesforce() -> Salesforce:
    session = Session()
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ["SALESFORCE_CLIENT_ID"],
        "client_secret": os.environ["SALESFORCE_CLIENT_SECRET"],
    }
    answer = session.post(f"{INSTANCE_URL}/services/oauth2/token", data=form)
    answer.raise_for_status()
    token = answer.json()["access_token"]
    return Salesforce(instance_url=INSTANCE_URL, session_id=token, session=session)


def lookup_customer(number: str, _arguments: dict[str, Any]) -> str:
    contact = first(format_soql("SELECT Id, Name FROM Contact WHERE Phone = {} LIMIT 1", number))
    return f"The caller is {contact['Name']}." if contact else "The caller is not known."


def get_case_status(number: str, _arguments: dict[str, Any]) -> str:
    soql = "SELECT CaseNumber, Status FROM Case WHERE Contact.Phone = {} ORDER BY CreatedDate DESC"
    case_ = first(format_soql(f"{soql} LIMIT 1", number))
    return f"Case {case_['CaseNumber']} is {case_['Status']}." if case_ else "There is no case."


def create_case(number: str, arguments: dict[str, Any]) -> str:
    fields = {"Subject": arguments["issueType"], "Description": arguments["description"]}
    cases: Any = salesforce().Case
    created = cases.create({**fields, "SuppliedPhone": number, "Origin": "Phone"})
    return f"I have opened a case, {created['id']}."


def first(soql: str) -> dict[str, Any] | None:
    return next(iter(salesforce().query(soql)["records"]), None)


TOOLS = {
    "lookupCustomer": lookup_customer,
    "getCaseStatus": get_case_status,
    "createSalesforceCase": create_case,
}


@app.post("/webhook/vapi")
def webhook() -> dict[str, Any]:
    if not hmac.compare_digest(request.headers.get("X-Vapi-Secret", ""), SECRET):
        abort(401)
    message = request.get_json()["message"]
    if message["type"] != "tool-calls":
        return {}
    number = message["call"]["customer"]["number"]
    results = []
    for call in message["toolCallList"]:
        result: dict[str, Any] = {"toolCallId": call["id"]}
        try:
            tool = TOOLS[call["function"]["name"]]
            result["result"] = tool(number, call["function"]["arguments"])
        except Exception:
            app.logger.exception("tool failed")
            result["error"] = "That did not work."
        results.append(result)
    return {"results": results}
