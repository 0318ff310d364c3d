"""@salesforce/core 8.32.6, the library under the sf CLI, on Node 24 against the local org, its code
untouched. What it does is in core_client.cjs; this file checks what it saw.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.clients.node import Client, Node, many_cases, refused
from tests.simulator.org.harness import LocalOrg

USERNAME = "voice.integration@local.example"
NOBODY = "500Dn0000000zzzAAA"

Does = Callable[..., dict[str, Any]]


@pytest.fixture
def does(core: Client, org: LocalOrg) -> Does:
    """Run a behaviour of the client with an access token."""
    token = org.login().json()["access_token"]
    return lambda behaviour, **more: core.does(behaviour, accessToken=token, **more)


@pytest.fixture
def key_file(tmp_path: Path, org: LocalOrg) -> str:
    """A private key whose public key the org has."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    org.faults(jwt_public_key=public_half(key))
    path = tmp_path / "server.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(path)


def public_half(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def test_the_client_is_the_one_the_documents_name(node24: Node) -> None:
    assert node24.version() == "v24.19.0"
    assert node24.package_version("@salesforce/core") == "8.32.6"


def test_it_logs_in_with_an_access_token_and_learns_which_org_it_is(
    does: Does, org: LocalOrg
) -> None:
    seen = does("login")
    organization = org.records("Organization")[0]
    assert seen["fields"]["url"] == org.url
    assert organization["Id"].startswith(seen["fields"]["orgId"])
    assert (seen["newest version"], seen["version used"]) == ("68.0", "68.0")
    assert seen["organization"]["Name"] == organization["Name"]
    assert seen["organization"]["OrganizationType"] == "Developer Edition"


def test_it_logs_in_by_refresh_token_and_keeps_the_login_for_later(core: Client) -> None:
    seen = core.does("login_by_grant", refreshToken="demo-refresh-token")
    assert seen == {"username": USERNAME, "saved": [USERNAME], "works": 1}


def test_it_logs_in_by_a_signed_assertion(core: Client, key_file: str) -> None:
    seen = core.does("login_by_grant", privateKeyFile=key_file)
    assert seen == {"username": USERNAME, "saved": [USERNAME], "works": 1}


def test_a_refused_login_is_its_refresh_token_auth_error(
    core: Client, strict_org: LocalOrg
) -> None:
    seen = replace(core, org=strict_org).does("login_refused", refreshToken="never issued")
    assert seen["refused"]["name"] == "RefreshTokenAuthError"
    assert "expired access/refresh token" in seen["refused"]["message"]


def test_it_describes_an_object_and_lists_all_of_them(does: Does) -> None:
    seen = does("describe")
    assert seen["case"] == {"name": "Case", "prefix": "500"}
    assert seen["key"] == {"externalId": True, "unique": True, "length": 64}
    assert {"Account", "Contact", "Case", "Task", "ContentVersion"} <= set(seen["objects"])


def test_it_creates_reads_changes_and_deletes_a_record(does: Does) -> None:
    seen = does("one_record")
    assert seen["created"]["success"] is True
    assert seen["read"] == {"CaseNumber": "00001008", "Subject": "Leaking tap"}
    assert seen["updated"]["success"] is True
    assert seen["read again"] == "Leaking pipe"
    assert seen["deleted"]["success"] is True
    assert refused(seen, "gone") == ("ENTITY_IS_DELETED", "entity is deleted")


def test_an_upsert_by_external_id_says_created_once(does: Does) -> None:
    seen = does("upsert")
    assert (seen["first"]["created"], seen["second"]["created"]) == (True, False)
    assert seen["first"]["id"] == seen["second"]["id"]


def test_a_query_brings_parents_and_children(does: Does) -> None:
    answer = does("query")["answer"]
    assert (answer["totalSize"], answer["done"]) == (1, True)
    jane = answer["records"][0]
    assert jane["Account"]["Name"] == "Acme Water Works"
    numbers = [row["CaseNumber"] for row in jane["Cases"]["records"]]
    assert numbers == ["00001001", "00001002", "00001003"]


def test_a_query_for_one_record_distinguishes_none_from_several(does: Does) -> None:
    seen = does("query")
    assert seen["single"] == "Acme Water Works"
    assert seen["several"]["name"] == "SingleRecordQuery_MultipleRecords"
    assert seen["nobody"]["name"] == "SingleRecordQuery_NoRecords"


def test_large_results_are_fetched_page_by_page(does: Does, org: LocalOrg) -> None:
    many_cases(org, 350)
    seen = does("query_more")
    assert seen["first"] == {"done": False, "length": 200, "total": 350}
    assert seen["rest"] == {"done": True, "length": 150}
    assert seen["all"] == 350


def test_a_search_finds_a_caller_by_number(does: Does) -> None:
    seen = does("search")
    assert [hit["Name"] for hit in seen["found"]["searchRecords"]] == ["Jane Miller"]
    assert refused(seen)[0] == "MALFORMED_SEARCH"


def test_a_duplicate_key_is_duplicate_value(does: Does, org: LocalOrg) -> None:
    org.create("Case", Call_Key__c="taken")
    seen = does("refused", sobject="Case", record={"Call_Key__c": "taken"})
    assert refused(seen)[0] == "DUPLICATE_VALUE"


def test_a_missing_required_field_is_named(does: Does) -> None:
    seen = does("refused", sobject="Contact", record={"FirstName": "x"})
    assert refused(seen)[0] == "REQUIRED_FIELD_MISSING"
    assert seen["refused"]["content"]["fields"] == ["LastName"]


def test_a_malformed_query_points_at_its_place(does: Does) -> None:
    code, message = refused(does("refused", soql="SELECT Id FROM Contact WHERE"))
    assert code == "MALFORMED_QUERY"
    assert "ERROR at Row:1:Column:29" in message


@pytest.mark.parametrize("step", ["read", "updated", "deleted"])
def test_an_unknown_record_is_not_found(does: Does, step: str) -> None:
    assert refused(does("not_found", id=NOBODY), step)[0] == "NOT_FOUND"


def test_an_expired_token_is_renewed_by_the_refresh_token(core: Client) -> None:
    seen = core.does("expired_token", refreshToken="demo-refresh-token")
    assert seen == {"answers": [1] * 5, "new token": True}


def test_an_expired_token_is_renewed_by_another_assertion(core: Client, key_file: str) -> None:
    seen = core.does("expired_token", privateKeyFile=key_file)
    assert seen == {"answers": [1] * 5, "new token": True}


def test_an_expired_token_that_nothing_recall_updates_is_invalid_session_id(does: Does) -> None:
    assert refused(does("expired_bare_token")) == (
        "INVALID_SESSION_ID",
        "Session expired or invalid",
    )
