"""Which orgs the contract tests write to, and how the environment names a real org."""

from typing import Any

import pytest

from tests.contract.org import Login, NotATestOrgError, check_organization

PRODUCTION = {
    "Name": "Acme",
    "IsSandbox": False,
    "OrganizationType": "Enterprise Edition",
    "TrialExpirationDate": None,
}
NAMED = {
    "SALESFORCE_CONTRACT_INSTANCE_URL": "https://acme--dev.sandbox.my.salesforce.com/",
    "SALESFORCE_CONTRACT_CLIENT_ID": "id",
    "SALESFORCE_CONTRACT_CLIENT_SECRET": "secret",
}


@pytest.mark.parametrize(
    "organization",
    [
        {"IsSandbox": True},
        {"OrganizationType": "Developer Edition"},
        {"TrialExpirationDate": "2026-12-24T00:00:00.000+0000"},
    ],
)
def test_a_sandbox_a_developer_org_and_a_scratch_org_may_be_tested(
    organization: dict[str, Any],
) -> None:
    check_organization({**PRODUCTION, **organization}, {})


def test_production_is_refused_unless_the_operator_insists() -> None:
    for environment in ({}, {"SALESFORCE_CONTRACT_YES": "0"}):
        with pytest.raises(NotATestOrgError, match="SALESFORCE_CONTRACT_YES=1"):
            check_organization(PRODUCTION, environment)
    check_organization(PRODUCTION, {"SALESFORCE_CONTRACT_YES": "1"})


def test_a_real_org_is_named_by_three_settings_or_none() -> None:
    assert Login.from_environment({}) is None
    named = Login.from_environment(NAMED)
    assert named == Login("https://acme--dev.sandbox.my.salesforce.com", "id", "secret")
    for name in NAMED:
        with pytest.raises(ValueError, match=f"{name} missing"):
            Login.from_environment({key: value for key, value in NAMED.items() if key != name})
