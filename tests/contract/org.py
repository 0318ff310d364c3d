"""The org of the contract tests: a login, plain HTTP requests, and the removal of test records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import requests

VERSION = "v66.0"
# A real org may wait ten seconds for a lock before it answers.
TIMEOUT_S = 60
BATCH = 200
# Switches off a real org's routing and duplicate rules.
CALM = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}


class NotATestOrgError(Exception):
    """The org is not a sandbox, a scratch org or a developer org."""


@dataclass(frozen=True, slots=True)
class Login:
    """The address of an org, and a client that may log in by client_credentials."""

    url: str
    client_id: str
    client_secret: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """The real org that the environment names; None when it names none.

        Raises ValueError when some of the three are missing.
        """
        names = [
            f"SALESFORCE_CONTRACT_{name}" for name in ("INSTANCE_URL", "CLIENT_ID", "CLIENT_SECRET")
        ]
        given = [environment.get(name, "") for name in names]
        if not any(given):
            return None
        missing = [name for name, value in zip(names, given, strict=True) if not value]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing: the contract tests need all three")
        url, client_id, client_secret = given
        return cls(url.rstrip("/"), client_id, client_secret)

    def token(self, http: requests.Session, **changed: str) -> requests.Response:
        """The token endpoint's answer to client_credentials. changed: parameters to replace."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **changed,
        }
        return http.post(f"{self.url}/services/oauth2/token", data=form, timeout=TIMEOUT_S)


def check_organization(organization: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Raises NotATestOrgError unless the Organization record shows a test org.

    A scratch org or a trial has an expiration date. SALESFORCE_CONTRACT_YES=1 insists.
    """
    harmless = (
        organization["IsSandbox"]
        or organization["TrialExpirationDate"]
        or organization["OrganizationType"] == "Developer Edition"
    )
    if not harmless and environment.get("SALESFORCE_CONTRACT_YES") != "1":
        raise NotATestOrgError(
            f"{organization['Name']} ({organization['OrganizationType']}) is not a sandbox, "
            "scratch or developer org; SALESFORCE_CONTRACT_YES=1 runs the contract tests there too"
        )


@dataclass(slots=True)
class Org:
    """A logged-in org. Paths are below the API version, unless they start with /services.

    made: (object, id) of each record to remove, oldest first.
    """

    login: Login
    http: requests.Session
    url: str = ""
    made: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def open(cls, login: Login) -> Self:
        org = cls(login, requests.Session())
        answer = login.token(org.http)
        assert answer.status_code == 200, answer.text
        org.url = answer.json()["instance_url"].rstrip("/")
        org.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return org

    def organization(self) -> dict[str, Any]:
        """The Organization record."""
        fields = "Name, IsSandbox, OrganizationType, TrialExpirationDate"
        return self.query(f"SELECT {fields} FROM Organization")[0]

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        if not path.startswith("/services"):
            path = f"/services/data/{VERSION}{path}"
        headers = {**CALM, **options.pop("headers", {})}
        return self.http.request(
            method, self.url + path, headers=headers, timeout=TIMEOUT_S, **options
        )

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.request("POST", path, json=body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> requests.Response:
        return self.request("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def soql(self, query: str, **options: Any) -> requests.Response:
        return self.get("/query", params={"q": query}, **options)

    def query(self, query: str) -> list[dict[str, Any]]:
        answer = self.soql(query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["records"])

    def create(self, sobject: str, **fields: Any) -> str:
        """Create a record that is removed after the test. Returns its id."""
        answer = self.post(f"/sobjects/{sobject}", fields)
        assert answer.status_code == 201, answer.text
        return self.keep(sobject, answer.json()["id"])

    def keep(self, sobject: str, record_id: str) -> str:
        """Remove this record after the test."""
        self.made.append((sobject, record_id))
        return record_id

    def clean(self) -> None:
        """Remove the test's records, newest first. Records that are already deleted are fine."""
        while self.made:
            sobject = self.made[-1][0]
            ids = [item for name, item in reversed(self.made) if name == sobject][:BATCH]
            answer = self.delete("/composite/sobjects", params={"ids": ",".join(ids)})
            assert answer.status_code == 200, answer.text
            left = [
                error
                for result in answer.json()
                for error in result["errors"]
                if error["statusCode"] not in ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY")
            ]
            assert not left, left
            self.made = [(name, item) for name, item in self.made if item not in ids]

    def close(self) -> None:
        self.http.close()


def new_key() -> str:
    """A new Call_Key__c in the form that the product uses."""
    return f"contract-{uuid4().hex}"


def error(answer: requests.Response) -> tuple[int, str]:
    """(status, errorCode) of a refusal, which is an array with a single object."""
    body = answer.json()
    assert isinstance(body, list), body
    assert {"message", "errorCode"} <= set(body[0]), body
    return answer.status_code, body[0]["errorCode"]
