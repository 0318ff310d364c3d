"""The controls beside the faults: stats, reset, and changes of records as in the UI."""

from tests.simulator.org.harness import LocalOrg

CASES = "/services/data/v68.0/sobjects/Case"


def test_stats_count_requests_by_resource_and_status_and_record_effects(org: LocalOrg) -> None:
    org.patch("/sobjects/Case/Call_Key__c/s1", {"Subject": "x"})
    org.patch("/sobjects/Case/Call_Key__c/s1", {"Subject": "y"})
    org.post("/sobjects/Case", {"Nonsense": 1})
    org.query("SELECT Id FROM Case")
    org.records("Case")
    assert org.stats() == {
        "requests": 4,
        "by_resource": {"sobjects": 3, "query": 1},
        "by_status": {"201": 1, "200": 2, "400": 1},
        "records": {"created": 1, "updated": 1, "rejected": 1},
    }


def test_a_composite_counts_as_one_request_and_a_batch_as_its_parts(org: LocalOrg) -> None:
    parts = [
        {"method": "POST", "url": CASES, "referenceId": f"r{n}", "body": {"Subject": "x"}}
        for n in range(3)
    ]
    org.post("/composite", {"compositeRequest": parts})
    assert org.stats()["requests"] == 1
    assert org.stats()["records"]["created"] == 3
    before = org.get("/limits").headers["Sforce-Limit-Info"]
    batch = [{"method": "GET", "url": "v68.0/limits"}, {"method": "GET", "url": "v68.0/sobjects"}]
    after = org.post("/composite/batch", {"batchRequests": batch}).headers["Sforce-Limit-Info"]
    assert used(after) - used(before) == 2
    assert org.stats()["by_resource"] == {"composite": 1, "limits": 2, "sobjects": 1}


def used(header: str) -> int:
    return int(header.split("=")[1].split("/")[0])


def test_records_of_an_undone_request_count_as_rejected(org: LocalOrg) -> None:
    records = [{"attributes": {"type": "Case"}, "Subject": "x"} for _ in range(2)]
    records.append({"attributes": {"type": "Case"}, "Nonsense": "x"})
    org.post("/composite/sobjects", {"allOrNone": True, "records": records})
    assert org.stats()["records"] == {"created": 0, "updated": 0, "rejected": 3}
    assert len(org.records("Case")) == 7


def test_reset_reseeds_heals_and_clears_the_stats(org: LocalOrg) -> None:
    org.create("Case", Subject="x")
    org.delete(f"/sobjects/Contact/{org.contact('Jane Miller')['Id']}")
    org.faults(status=503)
    org.reset()
    assert org.stats()["requests"] == 0
    assert org.query("SELECT COUNT() FROM Case") == []
    assert len(org.records("Case")) == 7
    assert org.contact("Jane Miller")["IsDeleted"] is False


def test_the_seed_is_the_same_each_time(org: LocalOrg) -> None:
    first = [(row["Id"], row["Name"]) for row in org.records("Contact")]
    org.reset()
    assert [(row["Id"], row["Name"]) for row in org.records("Contact")] == first


def test_the_seed_keeps_the_contracts_promises(org: LocalOrg) -> None:
    contacts = org.records("Contact")
    assert len(contacts) >= 12
    assert len(org.records("Account")) == 5
    numbers = [row["AccountNumber"] for row in org.records("Account")]
    assert (numbers.count("ACC-12345"), numbers.count("ACC-77777")) == (1, 2)

    def holders(digits: str) -> list[str]:
        return [
            row["Name"]
            for row in contacts
            for phone in (row["Phone"], row["MobilePhone"])
            if phone and "".join(filter(str.isdigit, phone))[-10:] == digits
        ]

    assert holders("4155550101") == ["Jane Miller"]
    assert holders("4155550102") == ["Peter Novak", "Paula Novak"]
    jane = org.contact("Jane Miller")["Id"]
    cases = [row for row in org.records("Case") if row["ContactId"] == jane]
    assert sorted(row["Type"] for row in cases if not row["IsClosed"]) == ["Billing", "Technical"]
    assert [row["Status"] for row in cases if row["IsClosed"]] == ["Closed"]


def test_a_person_can_edit_create_and_delete_in_the_ui(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")
    edited = org.http.patch(
        f"{org.url}/_org/records/Contact/{jane['Id']}", json={"Title": "CFO"}, timeout=10
    ).json()
    assert edited["Title"] == "CFO"
    assert edited["LastModifiedDate"] > jane["LastModifiedDate"]
    user = next(row for row in org.records("User") if row["Id"] == edited["LastModifiedById"])
    assert user["Name"] == "Sam Okafor"
    made = org.http.post(f"{org.url}/_org/records/Case", json={"Subject": "by hand"}, timeout=10)
    assert made.status_code == 201
    address = f"{org.url}/_org/records/Case/{made.json()['Id']}"
    assert org.http.delete(address, timeout=10).status_code == 204
    assert org.stats()["requests"] == 0
    assert org.stats()["records"]["created"] == 0


def test_a_person_is_refused_what_the_record_cannot_be(org: LocalOrg) -> None:
    made = org.http.post(f"{org.url}/_org/records/Contact", json={"Title": "x"}, timeout=10)
    assert made.status_code == 400
    assert made.json()["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.http.get(f"{org.url}/_org/nonsense", timeout=10).status_code == 404


def test_the_file_body_is_shown_in_base64(org: LocalOrg) -> None:
    org.create("ContentVersion", Title="t", PathOnClient="t.txt", VersionData="aGVsbG8=")
    assert [row["VersionData"] for row in org.records("ContentVersion")] == ["aGVsbG8="]
