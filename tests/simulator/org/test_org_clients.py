"""simple-salesforce 1.12.10 against the local org. An adapter redirects its requests."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from tests.simulator.org.harness import LocalOrg


class ToLocalOrg(HTTPAdapter):
    """Sends https requests to the org over http, with the Host the client meant."""

    def __init__(self, org_url: str) -> None:
        self.target = urlsplit(org_url)
        super().__init__()

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        meant = urlsplit(str(request.url))
        request.headers["Host"] = meant.netloc
        request.url = meant._replace(scheme=self.target.scheme, netloc=self.target.netloc).geturl()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def session(org: LocalOrg) -> Iterator[requests.Session]:
    with requests.Session() as http:
        http.mount("https://", ToLocalOrg(org.url))
        yield http


@pytest.fixture
def sf(session: requests.Session) -> Any:
    """Any: the client makes a resource of every attribute, which no type checker can follow."""
    return Salesforce(
        consumer_key="demo-client",
        consumer_secret="demo-secret",
        domain="acme.my",
        session=session,
        version="66.0",
    )


def test_it_logs_in_at_the_my_domain(sf: Any) -> None:
    assert sf.sf_instance == "acme.my.salesforce.com"
    assert sf.limits()["DailyApiRequests"]["Remaining"] > 0
    assert sf.api_usage["api-usage"].used > 0


def test_it_creates_reads_updates_and_deletes(sf: Any) -> None:
    case_id = sf.Case.create({"Subject": "x", "Origin": "Phone"})["id"]
    assert sf.Case.get(case_id)["CaseNumber"] == "00001008"
    assert sf.Case.update(case_id, {"Subject": "y"}) == 204
    assert sf.Case.upsert("Call_Key__c/k1", {"Subject": "x"}) == 201
    assert sf.Case.upsert("Call_Key__c/k1", {"Subject": "y"}) == 200
    assert sf.Case.get_by_custom_id("Call_Key__c", "k1")["Subject"] == "y"
    assert sf.Case.delete(case_id) == 204


def test_it_describes_and_searches_and_queries(sf: Any) -> None:
    assert sf.Case.describe()["name"] == "Case"
    assert "Case" in [item["name"] for item in sf.describe()["sobjects"]]
    found = sf.query("SELECT Id, Name FROM Contact WHERE Name = 'Jane Miller'")
    assert found["totalSize"] == 1
    assert len(list(sf.query_all_iter("SELECT Id FROM Contact"))) == 13
    hits = sf.search("FIND {4155550101} IN PHONE FIELDS RETURNING Contact(Id, Name)")
    assert hits["searchRecords"][0]["Name"] == "Jane Miller"


def test_it_maps_our_refusals_to_its_exceptions(sf: Any, org: LocalOrg) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Case.create({"AccountNumber": "1"})
    content: Any = refused.value.content
    assert content[0]["errorCode"] == "INVALID_FIELD"
    with pytest.raises(SalesforceResourceNotFound):
        sf.Case.get("500Dn0000000zzzAAA")
    for name in ("One", "Two"):
        org.create("Contact", LastName=name, Email="same@acme.example")
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Contact.upsert("Email/same@acme.example", {"Title": "x"})
    org.faults(daily_left=0)
    with pytest.raises(SalesforceRefusedRequest):
        sf.query("SELECT Id FROM Contact")


def test_it_signs_in_again_when_its_token_has_expired(sf: Any, org: LocalOrg) -> None:
    org.faults(expire_tokens=True)
    assert sf.query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1


def test_a_bare_session_id_expires_for_good(org: LocalOrg, session: requests.Session) -> None:
    sf = Salesforce(session_id=org.token, instance="acme.my.salesforce.com", session=session)
    org.faults(expire_tokens=True)
    with pytest.raises(SalesforceExpiredSession):
        sf.query("SELECT Id FROM User")


def test_a_refused_login_is_an_authentication_failure(
    strict_org: LocalOrg,
) -> None:
    with requests.Session() as http:
        http.mount("https://", ToLocalOrg(strict_org.url))
        with pytest.raises(SalesforceAuthenticationFailed):
            Salesforce(consumer_key="x", consumer_secret="y", domain="acme.my", session=http)
