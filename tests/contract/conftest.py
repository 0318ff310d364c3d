"""The org of the contract tests: always the local org, and a real org if the environment names it.

SALESFORCE_CONTRACT_INSTANCE_URL, _CLIENT_ID and _CLIENT_SECRET name it. Without them its variants
are not collected; nor is the check by Vapi's OpenAPI description without VAPI_OPENAPI.
"""

import os
from collections.abc import Iterator

import pytest

from tests.contract.org import Login, Org, check_organization
from tests.simulator.org.harness import LocalOrg

collect_ignore = [] if os.environ.get("VAPI_OPENAPI") else ["test_vapi_openapi.py"]

REAL = Login.from_environment(os.environ)


@pytest.fixture(scope="session", params=["local", "real"] if REAL else ["local"])
def opened_org(request: pytest.FixtureRequest) -> Iterator[Org]:
    if request.param == "real":
        assert REAL is not None
        yield from _checked(REAL)
        return
    process = LocalOrg("--strict-clients")
    yield from _checked(Login(process.url, "demo-client", "demo-secret"))
    process.close()


def _checked(login: Login) -> Iterator[Org]:
    org = Org.open(login)
    try:
        check_organization(org.organization(), os.environ)
        yield org
    finally:
        org.close()


@pytest.fixture
def org(opened_org: Org) -> Iterator[Org]:
    """The org. Removes what the test made in it."""
    yield opened_org
    opened_org.clean()
