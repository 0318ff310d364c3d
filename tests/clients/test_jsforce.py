"""jsforce 3.10.16 on Node 20 against the local org, its code untouched.

What it does is in jsforce_client.cjs; this file checks what it saw.
"""

from dataclasses import replace

import pytest

from tests.clients.node import Client, Node, many_cases, refused
from tests.simulator.org.harness import LocalOrg

NOBODY = "500Dn0000000zzzAAA"


def test_the_client_is_the_one_the_documents_name(node20: Node) -> None:
    assert node20.version().startswith("v20.")
    assert node20.package_version("jsforce") == "3.10.16"


def test_it_logs_in_by_client_credentials_and_learns_who_it_is(
    jsforce: Client, org: LocalOrg
) -> None:
    seen = jsforce.does("login")
    assert seen["instance"] == org.url
    assert seen["user"]["id"] == seen["identity"]["user_id"]
    assert seen["user"]["organizationId"] == org.records("Organization")[0]["Id"]
    assert seen["identity"]["username"] == "voice.integration@local.example"
    assert seen["limits"]["DailyApiRequests"]["Remaining"] > 0
    assert seen["usage"]["apiUsage"]["used"] == 1


def test_a_wrong_secret_is_refused_by_oauth_s_name_for_it(
    jsforce: Client, strict_org: LocalOrg
) -> None:
    seen = replace(jsforce, org=strict_org).does("login_refused")
    assert seen["refused"]["name"] == "invalid_client"
    assert seen["refused"]["message"] == "invalid client credentials"


def test_it_describes_an_object_and_lists_all_of_them(jsforce: Client) -> None:
    seen = jsforce.does("describe")
    assert seen["case"] == {"name": "Case", "prefix": "500"}
    assert seen["key"] == {"externalId": True, "unique": True, "length": 64}
    assert {"Account", "Contact", "Case", "Task", "ContentVersion"} <= set(seen["objects"])


def test_it_creates_reads_changes_and_deletes_a_record(jsforce: Client) -> None:
    seen = jsforce.does("one_record")
    assert seen["created"]["success"] is True
    assert seen["read"] == {"CaseNumber": "00001008", "Subject": "Leaking tap"}
    assert seen["updated"]["success"] is True
    assert seen["read again"] == "Leaking pipe"
    assert seen["deleted"]["success"] is True
    assert refused(seen, "gone") == ("ENTITY_IS_DELETED", "entity is deleted")


def test_many_records_go_through_collections_and_fail_one_by_one(jsforce: Client) -> None:
    seen = jsforce.does("many_records")
    assert [item["success"] for item in seen["created"]] == [True, False, True]
    assert seen["created"][1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert [item["success"] for item in seen["updated"]] == [True, True]
    assert seen["read"] == [["Ash", "Tree"], ["Birch", "Tree"]]
    assert [item["success"] for item in seen["deleted"]] == [True, True]


def test_all_or_none_undoes_the_good_ones(jsforce: Client, org: LocalOrg) -> None:
    seen = jsforce.does("many_records")
    assert [item["success"] for item in seen["all or none"]] == [False, False, False]
    undone = seen["all or none"][0]["errors"][0]["statusCode"]
    assert undone == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert not [row for row in org.records("Contact") if row["LastName"] in ("Ash", "Birch")]


def test_an_upsert_by_external_id_says_created_once(jsforce: Client) -> None:
    seen = jsforce.does("upsert")
    assert (seen["first"]["created"], seen["second"]["created"]) == (True, False)
    assert seen["first"]["id"] == seen["second"]["id"]


def test_a_bulk_upsert_says_it_for_each_record(jsforce: Client) -> None:
    seen = jsforce.does("upsert")
    assert [item["created"] for item in seen["many"]] == [False, True]
    assert [row["Call_Key__c"] for row in seen["found"]] == ["call-1", "call-2"]


def test_an_upsert_that_several_records_match_is_multiple_choices(jsforce: Client) -> None:
    seen = jsforce.does("upsert_by_a_name_that_several_have")
    assert refused(seen) == ("MULTIPLE_CHOICES", "Multiple records found")
    assert len(seen["refused"]["content"]) == 2


def test_a_query_brings_parents_and_children(jsforce: Client) -> None:
    answer = jsforce.does("query")["answer"]
    assert (answer["totalSize"], answer["done"]) == (1, True)
    jane = answer["records"][0]
    assert jane["Account"]["Name"] == "Acme Water Works"
    numbers = [row["CaseNumber"] for row in jane["Cases"]["records"]]
    assert numbers == ["00001001", "00001002", "00001003"]


def test_the_queries_it_builds_itself_are_understood(jsforce: Client) -> None:
    seen = jsforce.does("query")
    assert [row["Name"] for row in seen["built"]] == ["Peter Novak"]
    assert seen["built"][0]["Cases"]["records"][0]["CaseNumber"] == "00001004"
    assert seen["count"] == 2
    assert seen["quoted"] == "Tom"
    assert seen["groups"] == 4


def test_large_results_are_fetched_page_by_page(jsforce: Client, org: LocalOrg) -> None:
    many_cases(org, 450)
    seen = jsforce.does("query_more")
    assert seen["first"] == {"totalSize": 450, "done": False, "length": 200, "next": True}
    assert seen["rest"] == {"done": False, "length": 200}
    assert seen["all"] == 450
    assert refused(seen, "lost")[0] == "INVALID_QUERY_LOCATOR"


def test_a_search_finds_a_caller_by_number(jsforce: Client) -> None:
    seen = jsforce.does("search")
    hits = seen["found"]["searchRecords"]
    assert [(hit["attributes"]["type"], hit["Name"]) for hit in hits] == [
        ("Contact", "Jane Miller")
    ]
    assert refused(seen)[0] == "MALFORMED_SEARCH"


def test_a_file_comes_back_as_it_was_sent(jsforce: Client) -> None:
    assert jsforce.does("file") == {"created": True, "body": "Hello, caller."}


def test_a_duplicate_key_is_duplicate_value(jsforce: Client, org: LocalOrg) -> None:
    taken = org.create("Case", Call_Key__c="taken")
    seen = jsforce.does("refused", sobject="Case", record={"Call_Key__c": "TAKEN"})
    code, message = refused(seen)
    assert code == "DUPLICATE_VALUE"
    assert message == (
        f"duplicate value found: Call_Key__c duplicates value on record with id: {taken}"
    )


def test_a_missing_required_field_is_named(jsforce: Client) -> None:
    seen = jsforce.does("refused", sobject="Contact", record={"FirstName": "x"})
    assert refused(seen)[0] == "REQUIRED_FIELD_MISSING"
    assert seen["refused"]["content"]["fields"] == ["LastName"]


def test_an_unknown_field_is_invalid_field(jsforce: Client) -> None:
    seen = jsforce.does("refused", sobject="Case", record={"AccountNumber": "1"})
    assert refused(seen)[0] == "INVALID_FIELD"


def test_a_malformed_query_points_at_its_place(jsforce: Client) -> None:
    code, message = refused(jsforce.does("refused", soql="SELECT Id FROM Contact WHERE"))
    assert code == "MALFORMED_QUERY"
    assert "ERROR at Row:1:Column:29" in message


@pytest.mark.parametrize("step", ["read", "updated", "deleted"])
def test_an_unknown_record_is_not_found(jsforce: Client, step: str) -> None:
    assert refused(jsforce.does("not_found", id=NOBODY), step)[0] == "NOT_FOUND"


def test_a_spent_daily_limit_is_request_limit_exceeded(jsforce: Client) -> None:
    code, message = refused(jsforce.does("limit_reached"))
    assert (code, message) == ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


@pytest.mark.parametrize(
    "grant", [{}, {"refreshToken": "demo-refresh-token"}], ids=["by-login", "by-refresh-token"]
)
def test_an_expired_token_is_renewed_once_for_five_requests_at_a_time(
    jsforce: Client, org: LocalOrg, grant: dict[str, str]
) -> None:
    seen = jsforce.does("expired_token", **grant)
    assert seen == {"answers": [1] * 5, "refreshed": 1, "new token": True}
    assert org.stats()["by_resource"]["token"] == 2


def test_an_expired_token_that_nothing_recall_updates_is_invalid_session_id(
    jsforce: Client, org: LocalOrg
) -> None:
    seen = jsforce.does("expired_bare_token", accessToken=org.login().json()["access_token"])
    assert seen["works"] == 1
    assert refused(seen) == ("INVALID_SESSION_ID", "Session expired or invalid")


def test_a_refresh_token_that_was_never_issued_ends_the_session_with_the_reason(
    jsforce: Client, strict_org: LocalOrg
) -> None:
    seen = replace(jsforce, org=strict_org).does("refused_refresh_token")
    assert seen["refused"]["message"] == (
        "Unable to refresh session due to: expired access/refresh token"
    )
