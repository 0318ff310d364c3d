"""Many things in one request: composite, graph, batch, collections."""

import base64
from typing import Any

import pytest

from tests.simulator.org.harness import LocalOrg, error

V = "/services/data/v68.0"
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


def sub(method: str, url: str, reference: str, body: Any = None, **more: Any) -> dict[str, Any]:
    subrequest = {"method": method, "url": V + url, "referenceId": reference, **more}
    return subrequest if body is None else {**subrequest, "body": body}


def composite(org: LocalOrg, *subs: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    answer = org.post("/composite", {"compositeRequest": list(subs), **options})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["compositeResponse"])


def typed(sobject: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": sobject}, **fields}


def test_a_case_is_created_and_its_number_read_in_one_request(org: LocalOrg) -> None:
    created, read = composite(
        org,
        sub("PATCH", "/sobjects/Case/Call_Key__c/k1", "c", {"Subject": "x"}),
        sub("GET", "/sobjects/Case/@{c.id}?fields=Id,CaseNumber", "n"),
        allOrNone=True,
        collateSubrequests=False,
    )
    assert (created["httpStatusCode"], created["referenceId"]) == (201, "c")
    assert created["body"]["created"] is True
    assert created["httpHeaders"]["Location"] == f"{V}/sobjects/Case/{created['body']['id']}"
    assert read["httpStatusCode"] == 200
    assert read["body"]["Id"] == created["body"]["id"]
    assert read["body"]["CaseNumber"] == "00001008"
    assert read["httpHeaders"] == {}


def test_references_reach_into_lists_and_bodies(org: LocalOrg) -> None:
    query = "/query?q=SELECT+Id,+AccountId+FROM+Contact+WHERE+Name='Jane+Miller'"
    _, made, _ = composite(
        org,
        sub("GET", query, "who"),
        sub(
            "POST",
            "/sobjects/Case",
            "made",
            {"ContactId": "@{who.records[0].Id}", "Subject": "for @{who.records[0].AccountId}"},
        ),
        sub(
            "POST", "/sobjects/CaseComment", "said", {"ParentId": "@{made.id}", "CommentBody": "x"}
        ),
    )
    case = org.row("Case", made["body"]["id"])
    assert case["ContactId"] == org.contact("Jane Miller")["Id"]
    assert case["Subject"] == f"for {case['AccountId']}"


def test_a_reference_to_nothing_halts_only_its_own_subrequest(org: LocalOrg) -> None:
    failed, halted, fine = composite(
        org,
        sub("POST", "/sobjects/Contact", "c", {}),
        sub("GET", "/sobjects/Contact/@{c.id}", "r"),
        sub("POST", "/sobjects/Case", "k", {"Subject": "x"}),
    )
    assert failed["httpStatusCode"] == 400
    assert failed["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert halted["httpStatusCode"] == 400
    assert halted["body"][0] == {
        "errorCode": "PROCESSING_HALTED",
        "message": "Invalid reference specified. No value for c.id found in c",
    }
    assert fine["httpStatusCode"] == 201


def test_all_or_none_undoes_what_was_done(org: LocalOrg) -> None:
    done, failed, never = composite(
        org,
        sub("POST", "/sobjects/Case", "a", {"Subject": "x"}),
        sub("POST", "/sobjects/Contact", "b", {}),
        sub("POST", "/sobjects/Case", "c", {"Subject": "y"}),
        allOrNone=True,
    )
    assert failed["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    for part in (done, never):
        assert part["httpStatusCode"] == 400
        assert part["body"] == [{"errorCode": "PROCESSING_HALTED", "message": HALTED}]
    assert len(org.records("Case")) == 7
    assert org.row("Case", org.create("Case", Subject="next"))["CaseNumber"] == "00001008"


@pytest.mark.parametrize("inner", [True, False, None])
def test_all_or_none_goes_for_the_collections_inside_too(org: LocalOrg, inner: bool | None) -> None:
    """Cases 3 and 4 of the REST guide: the outer flag overrides the collection's own."""
    records = [typed("Case", Subject="ours"), typed("Case", Nonsense="x")]
    first, many, last = composite(
        org,
        sub("POST", "/sobjects/Case", "a", {"Subject": "ours"}),
        sub("POST", "/composite/sobjects", "b", {"allOrNone": inner, "records": records}),
        sub("POST", "/sobjects/Case", "c", {"Subject": "ours"}),
        allOrNone=True,
    )
    assert [element["httpStatusCode"] for element in (first, many, last)] == [400, 200, 400]
    codes = [item["errors"][0]["statusCode"] for item in many["body"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"]
    assert last["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert org.query("SELECT Id FROM Case WHERE Subject = 'ours'") == []
    assert org.stats()["records"]["created"] == 0


@pytest.mark.parametrize("outer", [False, None])
def test_without_it_a_collection_inside_has_its_own_way(org: LocalOrg, outer: bool | None) -> None:
    """Cases 1 and 2; null counts as absent."""
    records = [typed("Case", Subject="ours"), typed("Case", Nonsense="x")]
    stored, undone, last = composite(
        org,
        sub("POST", "/composite/sobjects", "a", {"allOrNone": None, "records": records}),
        sub("POST", "/composite/sobjects", "b", {"allOrNone": True, "records": records}),
        sub("POST", "/sobjects/Case", "c", {"Subject": "ours"}),
        allOrNone=outer,
    )
    assert [item["success"] for item in stored["body"]] == [True, False]
    assert [item["success"] for item in undone["body"]] == [False, False]
    assert last["httpStatusCode"] == 201
    assert len(org.query("SELECT Id FROM Case WHERE Subject = 'ours'")) == 2


def test_a_blob_is_no_subrequest(org: LocalOrg) -> None:
    data = base64.b64encode(b"hello").decode()
    version = org.create("ContentVersion", PathOnClient="x.txt", VersionData=data)
    address = f"/sobjects/ContentVersion/{version}/VersionData"
    assert org.get(address).content == b"hello"
    refused = org.post("/composite", {"compositeRequest": [sub("GET", address, "a")]})
    assert error(refused)[:2] == (400, "INVALID_INPUT")


def test_a_subrequest_has_headers_of_its_own(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    old = {"If-Unmodified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    update = sub("PATCH", f"/sobjects/Contact/{jane}", "u", {"Title": "x"}, httpHeaders=old)
    assert composite(org, update)[0]["httpStatusCode"] == 412
    org.faults(assignment_rule="Phone_Support")
    auto = {"Sforce-Auto-Assign": "FALSE"}
    plain, held = composite(
        org,
        sub("POST", "/sobjects/Case", "a", {"Subject": "x"}),
        sub("POST", "/sobjects/Case", "b", {"Subject": "x"}, httpHeaders=auto),
    )
    owners = [org.row("Case", part["body"]["id"])["OwnerId"][:3] for part in (plain, held)]
    assert owners == ["00G", "005"]


def test_collections_and_files_fit_into_a_composite(org: LocalOrg) -> None:
    many, single = composite(
        org,
        sub(
            "PATCH",
            "/composite/sobjects/Case/Call_Key__c",
            "many",
            {"records": [typed("Case", Call_Key__c=f"k{n}") for n in range(200)]},
        ),
        sub(
            "POST",
            "/sobjects/ContentVersion",
            "file",
            {
                "PathOnClient": "a.txt",
                "VersionData": "YQ==",
                "FirstPublishLocationId": "@{many[3].id}",
            },
        ),
    )
    assert len(many["body"]) == 200
    assert single["httpStatusCode"] == 201


@pytest.mark.parametrize(
    "subs",
    [
        [sub("GET", "/limits", "a")],
        [sub("GET", "/composite", "a")],
        [{"method": "GET", "url": "/services/oauth2/userinfo", "referenceId": "a"}],
        [sub("GET", "/sobjects", "a"), sub("GET", "/sobjects", "a")],
        [sub("GET", "/sobjects", "not ok")],
        [sub("FLY", "/sobjects", "a")],
        [sub("GET", "/sobjects", "a", nonsense=1)],
        [sub("GET", "/sobjects", "a", httpHeaders={"Authorization": "x"})],
        [sub("GET", "/sobjects", f"r{n}") for n in range(26)],
        [sub("GET", "/query?q=SELECT+Id+FROM+User", f"r{n}") for n in range(6)],
        "text",
    ],
)
def test_an_ill_formed_composite_is_refused_whole(org: LocalOrg, subs: Any) -> None:
    assert org.post("/composite", {"compositeRequest": subs}).status_code == 400


def test_each_graph_is_all_or_nothing(org: LocalOrg) -> None:
    good = [
        sub("POST", "/sobjects/Account", "a", {"Name": "New"}),
        sub("POST", "/sobjects/Contact", "c", {"LastName": "New", "AccountId": "@{a.id}"}),
    ]
    bad = [
        sub("POST", "/sobjects/Account", "a", {"Name": "Bad"}),
        sub("POST", "/sobjects/Contact", "c", {}),
    ]
    answer = org.post(
        "/composite/graph",
        {
            "graphs": [
                {"graphId": "good", "compositeRequest": good},
                {"graphId": "bad", "compositeRequest": bad},
            ]
        },
    )
    first, second = answer.json()["graphs"]
    assert (first["graphId"], first["isSuccessful"]) == ("good", True)
    assert (second["graphId"], second["isSuccessful"]) == ("bad", False)
    assert second["graphResponse"]["compositeResponse"][0]["body"][0]["message"] == HALTED
    assert [row["Name"] for row in org.records("Account")][5:] == ["New"]
    query = {"graphId": "q", "compositeRequest": [sub("GET", "/query?q=x", "q")]}
    assert org.post("/composite/graph", {"graphs": [query]}).status_code == 400


def test_a_batch_runs_its_parts_one_by_one(org: LocalOrg) -> None:
    parts = [
        {"method": "POST", "url": "v68.0/sobjects/Case", "richInput": {"Subject": "x"}},
        {"method": "POST", "url": "v68.0/sobjects/Contact", "richInput": {}},
        {"method": "GET", "url": "v68.0/query?q=SELECT+COUNT()+FROM+Case"},
    ]
    body = org.post("/composite/batch", {"batchRequests": parts}).json()
    assert body["hasErrors"] is True
    assert [part["statusCode"] for part in body["results"]] == [201, 400, 200]
    assert body["results"][2]["result"]["totalSize"] == 8
    halted = org.post("/composite/batch", {"batchRequests": parts, "haltOnError": True}).json()
    assert [part["statusCode"] for part in halted["results"]] == [201, 400, 412]


def test_the_parts_of_a_batch_spend_the_limit_one_by_one(org: LocalOrg) -> None:
    org.faults(daily_left=2)
    parts = [{"method": "GET", "url": "v68.0/limits"}] * 3
    body = org.post("/composite/batch", {"batchRequests": parts}).json()
    assert [part["statusCode"] for part in body["results"]] == [200, 200, 403]


def test_each_record_of_a_collection_has_its_own_result(org: LocalOrg) -> None:
    records = [
        typed("Case", Subject="x"),
        typed("Case", Nonsense="x"),
        typed("Contact", FirstName="x"),
        typed("Contact", LastName="x"),
    ]
    first, second, third, fourth = org.post("/composite/sobjects", {"records": records}).json()
    assert first == {"id": first["id"], "success": True, "errors": []}
    assert second == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_FIELD",
                "message": "No such column 'Nonsense' on sobject of type Case",
                "fields": [],
            }
        ],
    }
    assert third["errors"][0]["fields"] == ["LastName"]
    assert fourth["id"].startswith("003")


def test_all_or_none_rolls_a_collection_back(org: LocalOrg) -> None:
    records = [typed("Case", Subject="x"), typed("Contact", FirstName="x")]
    body = {"allOrNone": True, "records": records}
    first, second = org.post("/composite/sobjects", body).json()
    assert first["success"] is False
    assert first["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert len(org.records("Case")) == 7


def test_a_bulk_upsert_distinguishes_created_from_updated(org: LocalOrg) -> None:
    org.create("Case", Call_Key__c="k1")
    records = [
        typed("Case", Call_Key__c="K1", Subject="old"),
        typed("Case", Call_Key__c="k2", Subject="new"),
        typed("Case", Subject="no key"),
        typed("Case", Call_Key__c="k2", Subject="again"),
    ]
    answer = org.patch("/composite/sobjects/Case/Call_Key__c", {"records": records})
    assert answer.status_code == 200
    results = answer.json()
    assert [item.get("created") for item in results] == [False, True, None, None]
    assert results[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    assert results[3]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert [row["Subject"] for row in org.records("Case")[7:]] == ["old", "new"]


def test_collections_update_retrieve_and_delete(org: LocalOrg) -> None:
    ids = [org.create("Case", Subject=f"s{n}") for n in range(3)]
    updates = [typed("Case", id=record_id, Subject="new") for record_id in ids]
    results = org.patch("/composite/sobjects", {"records": updates}).json()
    assert [item["id"] for item in results] == ids
    missing = org.patch("/composite/sobjects", {"records": [typed("Case", Subject="x")]}).json()
    assert missing[0]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    joined = ",".join(ids)
    org.delete(f"/composite/sobjects?ids={ids[0]}")
    read = org.get(f"/composite/sobjects/Case?ids={joined}&fields=Subject").json()
    assert [row and row["Subject"] for row in read] == [None, "new", "new"]
    read = org.post("/composite/sobjects/Case", {"ids": ids[1:], "fields": ["Id"]}).json()
    assert [row["Id"] for row in read] == ids[1:]
    gone = org.delete(f"/composite/sobjects?ids={joined}").json()
    assert [item["success"] for item in gone] == [False, True, True]
    assert gone[0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_a_collection_has_at_most_200_records_in_10_chunks(org: LocalOrg) -> None:
    many = [typed("Case", Subject="x")] * 201
    status, code, message = error(org.post("/composite/sobjects", {"records": many}))
    assert (status, code) == (400, "EXCEEDED_ID_LIMIT")
    assert "200 records" in message
    mixed = [typed("Case", Subject="x"), typed("Contact", LastName="x")] * 6
    assert org.post("/composite/sobjects", {"records": mixed}).status_code == 400
    assert len(org.records("Case")) == 7
