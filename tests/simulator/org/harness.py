"""A local org as a process, and a plain HTTP client for it."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[3]
START_DEADLINE_S = 20
VERSION = "v68.0"


class LocalOrg:
    """One running org. Paths without a leading `/services` are below the API version."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "org", "--port", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("org: ready on http://"), line
        self.url = line.removeprefix("org: ready on ").strip()
        self.http = requests.Session()
        self.token = ""

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def login(self, **form: str) -> requests.Response:
        """client_credentials of the demo client, unless the form says otherwise."""
        body = form or {
            "grant_type": "client_credentials",
            "client_id": "demo-client",
            "client_secret": "demo-secret",
        }
        return self.http.post(f"{self.url}/services/oauth2/token", data=body, timeout=10)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """One API request with the token of this org's login."""
        if not self.token:
            self.token = self.login().json()["access_token"]
        if not path.startswith(("/services", "//", "/_org")):
            path = f"/services/data/{VERSION}{path}"
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        options.setdefault("timeout", 10)
        return self.http.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any, **options: Any) -> requests.Response:
        return self.request("POST", path, json=json, **options)

    def patch(self, path: str, json: Any, **options: Any) -> requests.Response:
        return self.request("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def create(self, sobject: str, **fields: Any) -> str:
        """Create a record and return its id. Fails the test on a refusal."""
        answer = self.post(f"/sobjects/{sobject}", fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def row(self, sobject: str, record_id: str) -> dict[str, Any]:
        answer = self.get(f"/sobjects/{sobject}/{record_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def soql(self, query: str) -> requests.Response:
        return self.get("/query", params={"q": query})

    def query(self, query: str) -> list[dict[str, Any]]:
        """The records of a query. Fails the test on a refusal."""
        answer = self.soql(query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["records"])

    def faults(self, **faults: Any) -> None:
        answer = self.http.put(f"{self.url}/_org/faults", json=faults, timeout=10)
        assert answer.status_code == 200, answer.text

    def stats(self) -> dict[str, Any]:
        return dict(self.http.get(f"{self.url}/_org/stats", timeout=10).json())

    def records(self, sobject: str) -> list[dict[str, Any]]:
        """All records as /_org/records shows them."""
        return list(self.http.get(f"{self.url}/_org/records/{sobject}", timeout=10).json())

    def reset(self, **how: str) -> None:
        assert self.http.delete(f"{self.url}/_org", params=how, timeout=10).status_code == 200

    def contact(self, name: str) -> dict[str, Any]:
        return next(row for row in self.records("Contact") if row["Name"] == name)


def error(answer: requests.Response) -> tuple[int, str, str]:
    """(status, errorCode, message) of a refused request."""
    body = answer.json()
    assert isinstance(body, list), body
    return answer.status_code, body[0]["errorCode"], body[0]["message"]


def eventually(check: Callable[[], bool], within_s: float = 5) -> None:
    """Poll until the check holds; fails after the deadline."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
