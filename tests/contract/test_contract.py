"""What this project assumes about Salesforce, as plain requests, with a class per resource.

Runs on the local org always and on a real one when the environment names it (conftest.py). Each
test makes what it needs and leaves nothing behind. The real org needs the fields of salesforce/
deployed and visible to the client's user.
"""

import base64
import re
from typing import Any

import pytest

from tests.contract.org import VERSION, Org, error, new_key

CASE = "/sobjects/Case"
BY_KEY = f"{CASE}/Call_Key__c"
# A well-formed id of no record: the prefix of Case with the largest number.
NO_CASE = "500zzzzzzzzzzzzAAA"
GOOD: dict[str, Any] = {"attributes": {"type": "Contact"}, "LastName": "Contract"}
BAD: dict[str, Any] = {"attributes": {"type": "Contact"}, "FirstName": "Nameless"}


class TestToken:
    def test_client_credentials_give_a_token_and_no_lifetime(self, org: Org) -> None:
        answer = org.login.token(org.http)
        body = answer.json()
        assert answer.status_code == 200
        needed = {"access_token", "instance_url", "id", "token_type", "issued_at", "signature"}
        assert needed <= set(body)
        assert "expires_in" not in body
        assert "refresh_token" not in body
        assert body["token_type"] == "Bearer"
        assert re.fullmatch(r"\d{13}", body["issued_at"])

    def test_the_identity_url_ends_in_the_org_s_and_the_user_s_id(self, org: Org) -> None:
        body = org.login.token(org.http).json()
        _, organization, user = body["id"].rsplit("/", 2)
        assert org.query("SELECT Id FROM Organization")[0]["Id"] == organization
        assert org.get("/services/oauth2/userinfo").json()["user_id"] == user

    def test_a_wrong_secret_is_refused_with_an_object_not_an_array(self, org: Org) -> None:
        answer = org.login.token(org.http, client_secret="wrong")
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ("invalid_client", "invalid_client_id")

    def test_an_unknown_client_is_refused(self, org: Org) -> None:
        answer = org.login.token(org.http, client_id="nobody")
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_client_id", "invalid_client")

    def test_an_unknown_grant_is_refused(self, org: Org) -> None:
        answer = org.login.token(org.http, grant_type="nonsense")
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")

    def test_a_token_that_is_none_is_an_invalid_session(self, org: Org) -> None:
        answer = org.get("/limits", headers={"Authorization": "Bearer nonsense"})
        assert error(answer) == (401, "INVALID_SESSION_ID")


class TestVersions:
    def test_the_versions_need_no_token_and_hold_ours(self, org: Org) -> None:
        answer = org.get("/services/data/", headers={"Authorization": ""})
        assert answer.status_code == 200
        found = {item["version"]: item for item in answer.json()}
        ours = found[VERSION.removeprefix("v")]
        assert ours["url"] == f"/services/data/{VERSION}"
        assert ours["label"]

    def test_a_retired_version_is_gone(self, org: Org) -> None:
        assert org.get("/services/data/v21.0/limits").status_code == 410

    def test_a_version_lists_its_resources(self, org: Org) -> None:
        resources = org.get("/").json()
        assert {"sobjects", "query", "search", "limits", "composite"} <= set(resources)


class TestDescribe:
    def test_all_objects_are_listed(self, org: Org) -> None:
        names = {item["name"] for item in org.get("/sobjects").json()["sobjects"]}
        assert {"Account", "Contact", "Case", "Task", "ContentVersion", "User"} <= names

    def test_describe_lists_the_fields_of_an_object(self, org: Org) -> None:
        described = org.get(f"{CASE}/describe").json()
        fields = {field["name"]: field for field in described["fields"]}
        assert (described["name"], described["keyPrefix"]) == ("Case", "500")
        assert fields["CaseNumber"]["createable"] is False
        assert fields["CaseNumber"]["autoNumber"] is True
        assert fields["Subject"]["length"] == 255
        assert "AccountNumber" not in fields

    @pytest.mark.parametrize("sobject", ["Case", "Task", "ContentVersion"])
    def test_our_key_is_an_external_id_and_unique_but_on_files(
        self, org: Org, sobject: str
    ) -> None:
        described = org.get(f"/sobjects/{sobject}/describe").json()
        key = next(field for field in described["fields"] if field["name"] == "Call_Key__c")
        wanted = {"externalId": True, "createable": True, "caseSensitive": False}
        if sobject != "ContentVersion":
            wanted["unique"] = True
        assert {name: key[name] for name in wanted} == wanted
        assert key["length"] == 64

    def test_what_has_not_changed_is_not_sent_again(self, org: Org) -> None:
        since = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
        answer = org.get(f"{CASE}/describe", headers=since)
        assert (answer.status_code, answer.content) == (304, b"")

    def test_an_unknown_object_is_not_found(self, org: Org) -> None:
        assert error(org.get("/sobjects/Nonsense__c/describe")) == (404, "NOT_FOUND")


class TestRows:
    def test_a_new_record_returns_its_id_and_no_more(self, org: Org) -> None:
        answer = org.post(CASE, {"Subject": "contract"})
        body = answer.json()
        assert answer.status_code == 201
        assert set(body) == {"id", "success", "errors"}
        assert (body["success"], body["errors"]) == (True, [])
        assert re.fullmatch(r"500[A-Za-z0-9]{15}", org.keep("Case", body["id"]))

    def test_a_record_is_read_whole_or_in_part(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract", Origin="Phone")
        whole = org.get(f"{CASE}/{case_id}").json()
        assert whole["attributes"]["type"] == "Case"
        assert whole["attributes"]["url"] == f"/services/data/{VERSION}{CASE}/{case_id}"
        assert whole["CaseNumber"].isdigit()
        assert (whole["Origin"], whole["IsClosed"]) == ("Phone", False)
        part = org.get(f"{CASE}/{case_id}", params={"fields": "Subject,CaseNumber"}).json()
        assert part["Subject"] == "contract"
        assert part["CaseNumber"] == whole["CaseNumber"]
        assert "Origin" not in part

    def test_fifteen_characters_of_an_id_are_enough(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract")
        assert org.get(f"{CASE}/{case_id[:15]}").json()["Id"] == case_id

    def test_a_change_answers_nothing(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract")
        answer = org.patch(f"{CASE}/{case_id}", {"Subject": "changed"})
        assert (answer.status_code, answer.content) == (204, b"")
        assert org.get(f"{CASE}/{case_id}").json()["Subject"] == "changed"

    def test_a_deleted_record_says_so(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract")
        answer = org.delete(f"{CASE}/{case_id}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert error(org.get(f"{CASE}/{case_id}")) == (404, "ENTITY_IS_DELETED")

    def test_an_id_of_nobody_is_not_found(self, org: Org) -> None:
        assert error(org.get(f"{CASE}/{NO_CASE}")) == (404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("sobject", "fields", "code"),
        [
            ("Case", {"AccountNumber": "1"}, "INVALID_FIELD"),
            ("Case", {"AccountId": "12345"}, "MALFORMED_ID"),
            ("Case", {"Subject": "x" * 256}, "STRING_TOO_LONG"),
            ("Case", {"CaseNumber": "1"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
            ("Contact", {"FirstName": "Nameless"}, "REQUIRED_FIELD_MISSING"),
            ("Contact", {"LastName": "x", "Email": "nowhere"}, "INVALID_EMAIL_ADDRESS"),
        ],
    )
    def test_a_record_that_is_wrong_is_refused_by_name(
        self, org: Org, sobject: str, fields: dict[str, Any], code: str
    ) -> None:
        assert error(org.post(f"/sobjects/{sobject}", fields)) == (400, code)

    def test_a_missing_field_is_named(self, org: Org) -> None:
        body = org.post("/sobjects/Contact", {"FirstName": "Nameless"}).json()
        assert body[0]["fields"] == ["LastName"]
        assert body[0]["message"] == "Required fields are missing: [LastName]"

    def test_a_body_that_is_not_json_is_a_parser_error(self, org: Org) -> None:
        headers = {"Content-Type": "application/json"}
        answer = org.request("POST", CASE, data="{", headers=headers)
        assert error(answer) == (400, "JSON_PARSER_ERROR")

    def test_a_method_that_a_row_does_not_have_is_not_allowed(self, org: Org) -> None:
        assert error(org.request("PUT", f"{CASE}/{NO_CASE}")) == (405, "METHOD_NOT_ALLOWED")

    def test_a_change_since_a_moment_is_a_failed_precondition(self, org: Org) -> None:
        contact_id = org.create("Contact", LastName="Contract")
        since = {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}
        answer = org.patch(f"/sobjects/Contact/{contact_id}", {"Title": "x"}, headers=since)
        assert answer.status_code == 412


class TestUpsert:
    def upsert(self, org: Org, key: str, subject: str) -> tuple[int, dict[str, Any]]:
        answer = org.patch(f"{BY_KEY}/{key}", {"Subject": subject})
        body = dict(answer.json())
        org.keep("Case", body["id"])
        return answer.status_code, body

    def test_a_new_key_creates_and_a_known_one_changes(self, org: Org) -> None:
        key = new_key()
        status, first = self.upsert(org, key, "first")
        assert (status, first["created"], first["success"]) == (201, True, True)
        status, second = self.upsert(org, key, "second")
        assert (status, second["created"], second["id"]) == (200, False, first["id"])
        assert org.get(f"{BY_KEY}/{key}").json()["Subject"] == "second"

    def test_a_key_is_the_same_in_capitals(self, org: Org) -> None:
        key = new_key()
        _, first = self.upsert(org, key, "first")
        assert self.upsert(org, key.upper(), "second")[1]["id"] == first["id"]

    def test_a_second_record_with_the_key_is_a_duplicate_and_names_the_first(
        self, org: Org
    ) -> None:
        key = new_key()
        case_id = org.create("Case", Call_Key__c=key)
        answer = org.post(CASE, {"Call_Key__c": key})
        assert error(answer) == (400, "DUPLICATE_VALUE")
        assert answer.json()[0]["message"] == (
            f"duplicate value found: Call_Key__c duplicates value on record with id: {case_id}"
        )

    def test_a_field_that_is_no_external_id_is_not_found(self, org: Org) -> None:
        assert error(org.patch(f"{CASE}/Subject/x", {"Origin": "Phone"})) == (404, "NOT_FOUND")

    def test_a_key_of_nobody_is_not_found(self, org: Org) -> None:
        assert error(org.get(f"{BY_KEY}/{new_key()}")) == (404, "NOT_FOUND")

    def test_the_key_in_the_body_as_well_is_refused(self, org: Org) -> None:
        key = new_key()
        answer = org.patch(f"{BY_KEY}/{key}", {"Call_Key__c": key, "Subject": "x"})
        assert error(answer) == (400, "INVALID_FIELD")


class TestQuery:
    def test_a_parent_is_nested_and_children_are_a_result_of_their_own(self, org: Org) -> None:
        account_id = org.create("Account", Name="Contract")
        contact_id = org.create("Contact", LastName="Contract", AccountId=account_id)
        case_id = org.create("Case", Subject="contract", ContactId=contact_id)
        answer = org.soql(
            "SELECT LastName, Account.Name, (SELECT Id, Subject FROM Cases) FROM Contact "
            f"WHERE Id = '{contact_id}'"
        ).json()
        assert (answer["totalSize"], answer["done"]) == (1, True)
        row = answer["records"][0]
        assert list(row) == ["attributes", "LastName", "Account", "Cases"]
        assert row["Account"]["Name"] == "Contract"
        assert row["Cases"]["totalSize"] == 1
        assert row["Cases"]["records"][0]["Id"] == case_id

    def test_what_is_not_there_is_null(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract")
        row = org.query(
            f"SELECT Contact.Name, (SELECT Id FROM CaseComments) FROM Case WHERE Id = '{case_id}'"
        )[0]
        assert (row["Contact"], row["CaseComments"]) == (None, None)

    def test_a_record_is_found_at_once_by_any_text(self, org: Org) -> None:
        text = "O'Brien \\ 100% é \u4e2d \U0001f600"
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        case_id = org.create("Case", Subject=text)
        found = org.query(f"SELECT Id FROM Case WHERE Subject = '{escaped}'")
        assert [row["Id"] for row in found] == [case_id]

    def test_like_ignores_case_and_takes_escaped_wildcards_literally(self, org: Org) -> None:
        case_id = org.create("Case", Subject="Contract 100% x", Call_Key__c=new_key())
        for pattern, hits in (("CONTRACT 100\\% _", 1), ("contract 100\\%", 0), ("%100%", 1)):
            where = f"Id = '{case_id}' AND Subject LIKE '{pattern}'"
            assert len(org.query(f"SELECT Id FROM Case WHERE {where}")) == hits, pattern

    def test_counting_gives_a_number_and_no_records(self, org: Org) -> None:
        key = new_key()
        org.create("Case", Call_Key__c=key)
        answer = org.soql(f"SELECT COUNT() FROM Case WHERE Call_Key__c = '{key}'").json()
        assert answer == {"totalSize": 1, "done": True, "records": []}

    def test_groups_are_aggregate_results(self, org: Org) -> None:
        case_id = org.create("Case", Subject="contract", Origin="Phone")
        answer = org.query(
            "SELECT Origin, COUNT(Id), MAX(Subject) s FROM Case "
            f"WHERE Id = '{case_id}' GROUP BY Origin"
        )
        assert answer == [
            {
                "attributes": {"type": "AggregateResult"},
                "Origin": "Phone",
                "expr0": 1,
                "s": "contract",
            }
        ]

    def test_a_large_result_comes_in_pages(self, org: Org) -> None:
        subject = new_key()
        for size in (200, 5):
            records = [{"attributes": {"type": "Case"}, "Subject": subject} for _ in range(size)]
            for result in org.post("/composite/sobjects", {"records": records}).json():
                org.keep("Case", result["id"])
        query = f"SELECT Id FROM Case WHERE Subject = '{subject}'"
        first = org.soql(query, headers={"Sforce-Query-Options": "batchSize=200"}).json()
        assert (first["totalSize"], first["done"], len(first["records"])) == (205, False, 200)
        rest = org.get(first["nextRecordsUrl"]).json()
        assert (rest["totalSize"], rest["done"], len(rest["records"])) == (205, True, 5)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("SELECT Id FROM Case WHERE", "MALFORMED_QUERY"),
            ("SELECT Id FROM Case WHERE Type = '' AND Type = '' OR Type = ''", "MALFORMED_QUERY"),
            ("SELECT Id FROM Case WHERE Subject = 'a' AND NOT Origin = 'b'", "MALFORMED_QUERY"),
            ("SELECT Id FROM Case WHERE Subject = 'a\\q'", "MALFORMED_QUERY"),
            ('SELECT Id FROM Case WHERE Subject = "a"', "MALFORMED_QUERY"),
            ("SELECT Id FROM Case LIMIT 5 garbage", "MALFORMED_QUERY"),
            ("SELECT Limit FROM Case", "MALFORMED_QUERY"),
            ("SELECT COUNT(), Id FROM Case", "MALFORMED_QUERY"),
            ("SELECT Nonsense__c FROM Case", "INVALID_FIELD"),
            ("SELECT Id FROM Case WHERE Description = 'x'", "INVALID_FIELD"),
            ("SELECT Id FROM Case WHERE CreatedDate = '2026-01-01'", "INVALID_FIELD"),
            ("SELECT Id FROM Nonsense__c", "INVALID_TYPE"),
        ],
    )  # fmt: skip
    def test_a_query_that_is_wrong_is_refused(self, org: Org, query: str, code: str) -> None:
        assert error(org.soql(query)) == (400, code)

    def test_a_semi_join_may_compare_fields_of_a_parent(self, org: Org) -> None:
        """As households ask it, on objects that every org has (docs/vendors.md S24)."""
        compared = "Contact.Phone LIKE '%0%' OR Contact.MobilePhone LIKE '%0%'"
        answer = org.soql(
            "SELECT Id, (SELECT Id FROM Contacts WHERE Email = null OR Email != 'x' ORDER BY Id "
            "LIMIT 12) FROM Account WHERE Id IN "
            f"(SELECT AccountId FROM Case WHERE IsClosed = false AND ({compared})) LIMIT 1"
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "where",
        [
            "AccountId IN (SELECT AccountId FROM Contact)",
            "LastName = 'x' OR AccountId IN (SELECT AccountId FROM Case)",
            "LastName = 'x' AND (FirstName = 'x' AND AccountId IN (SELECT AccountId FROM Case))",
        ],
    )
    def test_a_semi_join_in_another_place_is_refused(self, org: Org, where: str) -> None:
        refused = org.soql(f"SELECT Id FROM Contact WHERE {where}")
        assert error(refused) == (400, "MALFORMED_QUERY")

    def test_an_error_names_row_and_column(self, org: Org) -> None:
        message = org.soql("SELECT Id,\nNonsense__c FROM Case").json()[0]["message"]
        assert "ERROR at Row:2:Column:1" in message
        assert "No such column 'Nonsense__c' on entity 'Case'" in message


class TestSearch:
    """Looks for the client's own user: what a test makes is in a real index minutes later only."""

    @pytest.fixture
    def user(self, org: Org) -> dict[str, Any]:
        user_id = org.get("/services/oauth2/userinfo").json()["user_id"]
        return dict(org.query(f"SELECT Id, LastName FROM User WHERE Id = '{user_id}'")[0])

    def test_sosl_finds_by_name(self, org: Org, user: dict[str, Any]) -> None:
        term = re.sub(r"([?&|!{}\[\]()^~*:\\\"'+-])", r"\\\1", user["LastName"])
        sosl = f"FIND {{{term}}} IN NAME FIELDS RETURNING User(Id, LastName)"
        answer = org.get("/search", params={"q": sosl}).json()
        assert user["Id"] in [hit["Id"] for hit in answer["searchRecords"]]
        assert answer["searchRecords"][0]["attributes"]["type"] == "User"

    def test_parameters_find_the_same(self, org: Org, user: dict[str, Any]) -> None:
        body = {
            "q": user["LastName"],
            "in": "NAME",
            "sobjects": [{"name": "User", "fields": ["Id", "LastName"], "limit": 200}],
        }
        answer = org.post("/parameterizedSearch", body).json()
        assert user["Id"] in [hit["Id"] for hit in answer["searchRecords"]]

    def test_nothing_found_is_an_empty_list(self, org: Org) -> None:
        body = {"q": new_key(), "sobjects": [{"name": "Contact"}]}
        assert org.post("/parameterizedSearch", body).json()["searchRecords"] == []

    def test_a_search_that_is_wrong_is_refused(self, org: Org) -> None:
        answer = org.get("/search", params={"q": "FIND {contract RETURNING Contact"})
        assert error(answer) == (400, "MALFORMED_SEARCH")


class TestComposite:
    def composite(self, org: Org, all_or_none: bool, *requests: dict[str, Any]) -> Any:
        answer = org.post("/composite", {"allOrNone": all_or_none, "compositeRequest": requests})
        assert answer.status_code == 200, answer.text
        return answer.json()["compositeResponse"]

    def sub(self, method: str, path: str, reference: str, body: Any = None) -> dict[str, Any]:
        url = f"/services/data/{VERSION}{path}"
        made = {"method": method, "url": url, "referenceId": reference}
        return made if body is None else {**made, "body": body}

    def test_a_case_and_its_number_come_in_one_round_trip(self, org: Org) -> None:
        upserted, read = self.composite(
            org,
            True,
            self.sub("PATCH", f"{BY_KEY}/{new_key()}", "c", {"Subject": "contract"}),
            self.sub("GET", f"{CASE}/@{{c.id}}?fields=Id,CaseNumber", "n"),
        )
        org.keep("Case", upserted["body"]["id"])
        assert (upserted["httpStatusCode"], upserted["body"]["created"]) == (201, True)
        assert (read["httpStatusCode"], read["referenceId"]) == (200, "n")
        assert read["body"]["Id"] == upserted["body"]["id"]
        assert read["body"]["CaseNumber"].isdigit()

    def test_all_or_none_undoes_what_went_well(self, org: Org) -> None:
        key = new_key()
        good, bad = self.composite(
            org,
            True,
            self.sub("POST", CASE, "a", {"Call_Key__c": key}),
            self.sub("POST", "/sobjects/Contact", "b", {"FirstName": "Nameless"}),
        )
        assert (good["httpStatusCode"], bad["httpStatusCode"]) == (400, 400)
        assert good["body"][0]["errorCode"] == "PROCESSING_HALTED"
        assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
        assert org.query(f"SELECT Id FROM Case WHERE Call_Key__c = '{key}'") == []

    def test_without_it_what_went_well_stays(self, org: Org) -> None:
        good, bad = self.composite(
            org,
            False,
            self.sub("POST", CASE, "a", {"Subject": "contract"}),
            self.sub("POST", "/sobjects/Contact", "b", {"FirstName": "Nameless"}),
        )
        assert (good["httpStatusCode"], bad["httpStatusCode"]) == (201, 400)
        case_id = org.keep("Case", good["body"]["id"])
        assert org.get(f"{CASE}/{case_id}").status_code == 200

    def test_a_reference_to_a_failure_is_halted(self, org: Org) -> None:
        bad, after = self.composite(
            org,
            False,
            self.sub("POST", "/sobjects/Contact", "a", {"FirstName": "Nameless"}),
            self.sub("GET", "/sobjects/Contact/@{a.id}", "b"),
        )
        assert bad["httpStatusCode"] == 400
        assert after["body"][0]["errorCode"] == "PROCESSING_HALTED"


class TestCollections:
    def test_each_record_succeeds_or_fails_by_itself(self, org: Org) -> None:
        answer = org.post("/composite/sobjects", {"records": [GOOD, BAD]})
        good, bad = answer.json()
        org.keep("Contact", good["id"])
        assert answer.status_code == 200
        assert (good["success"], good["errors"]) == (True, [])
        assert bad["success"] is False
        assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
        assert bad["errors"][0]["fields"] == ["LastName"]

    def test_all_or_none_fails_all(self, org: Org) -> None:
        body = {"allOrNone": True, "records": [GOOD, BAD]}
        good, bad = org.post("/composite/sobjects", body).json()
        assert good["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"

    def test_a_bulk_upsert_says_created_for_each(self, org: Org) -> None:
        known, new = new_key(), new_key()
        case_id = org.create("Case", Call_Key__c=known)
        records = [
            {"attributes": {"type": "Case"}, "Call_Key__c": key, "Subject": "contract"}
            for key in (known, new)
        ]
        path = "/composite/sobjects/Case/Call_Key__c"
        first, second = org.patch(path, {"records": records}).json()
        org.keep("Case", second["id"])
        assert (first["id"], first["created"]) == (case_id, False)
        assert (second["success"], second["created"]) == (True, True)

    def test_many_are_deleted_at_once(self, org: Org) -> None:
        ids = [org.create("Case", Subject="contract") for _ in range(2)]
        answer = org.delete("/composite/sobjects", params={"ids": ",".join(ids)})
        assert [(item["id"], item["success"]) for item in answer.json()] == [
            (id_, True) for id_ in ids
        ]

    def test_more_than_two_hundred_are_refused(self, org: Org) -> None:
        answer = org.post("/composite/sobjects", {"records": [GOOD] * 201})
        assert answer.status_code == 400


class TestLimits:
    def test_the_day_s_requests_have_a_limit_and_a_rest(self, org: Org) -> None:
        daily = org.get("/limits").json()["DailyApiRequests"]
        assert 0 < daily["Remaining"] <= daily["Max"]

    def test_every_answer_shows_the_used_requests_of_the_day(self, org: Org) -> None:
        for answer in (org.get("/limits"), org.get(f"{CASE}/{NO_CASE}"), org.soql("nonsense")):
            usage = answer.headers["Sforce-Limit-Info"]
            assert re.match(r"api-usage=\d+/\d+", usage), usage

    def test_every_answer_has_the_date_of_the_orgs_clock(self, org: Org) -> None:
        assert org.get("/limits").headers["Date"].endswith("GMT")


class TestContentVersion:
    TEXT = "Caller: hello — \u4e2d\nAgent: good morning"

    def publish(self, org: Org, **fields: Any) -> dict[str, Any]:
        """A new file on a new case: its Id, its document and its case."""
        case_id = org.create("Case", Subject="contract")
        answer = org.post(
            "/sobjects/ContentVersion",
            {
                "Title": "contract",
                "PathOnClient": "contract.txt",
                "VersionData": base64.b64encode(self.TEXT.encode()).decode(),
                "FirstPublishLocationId": case_id,
                **fields,
            },
        )
        assert answer.status_code == 201, answer.text
        version = org.query(
            "SELECT Id, ContentDocumentId, VersionNumber, FileExtension FROM ContentVersion "
            f"WHERE Id = '{answer.json()['id']}'"
        )[0]
        org.keep("ContentDocument", version["ContentDocumentId"])
        return {**version, "case": case_id}

    def test_a_file_makes_a_document_and_links_it_where_it_was_published(self, org: Org) -> None:
        version = self.publish(org)
        assert (version["VersionNumber"], version["FileExtension"]) == ("1", "txt")
        links = org.query(
            "SELECT ContentDocumentId FROM ContentDocumentLink "
            f"WHERE LinkedEntityId = '{version['case']}'"
        )
        assert [row["ContentDocumentId"] for row in links] == [version["ContentDocumentId"]]

    def test_its_body_comes_back_as_it_was_sent(self, org: Org) -> None:
        version = self.publish(org)
        answer = org.get(f"/sobjects/ContentVersion/{version['Id']}/VersionData")
        assert answer.content.decode() == self.TEXT

    def test_a_file_is_found_by_its_key(self, org: Org) -> None:
        """Only a read before the write prevents a second record, unique key or not."""
        key = new_key()
        version = self.publish(org, Call_Key__c=key)
        found = org.query(f"SELECT Id FROM ContentVersion WHERE Call_Key__c = '{key}'")
        assert [item["Id"] for item in found] == [version["Id"]]
