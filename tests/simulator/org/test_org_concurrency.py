"""Uniqueness under concurrent writers, and a file that outlives the process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.org.harness import LocalOrg

WRITERS = 8


def upsert(org: LocalOrg, key: str) -> tuple[int, str]:
    answer = requests.patch(
        f"{org.url}/services/data/v68.0/sobjects/Case/Call_Key__c/{key}",
        json={"Subject": key},
        headers={"Authorization": f"Bearer {org.token}"},
        timeout=20,
    )
    return answer.status_code, answer.json()["id"]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from("abcdeABCDE"), min_size=16, max_size=48))
def test_eight_writers_never_make_two_records_of_one_key(org: LocalOrg, keys: list[str]) -> None:
    org.reset()
    org.faults(latency_ms=[1, 10])
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(lambda key: upsert(org, f"race-{key}"), keys))
    created = [record_id for status, record_id in answers if status == 201]
    distinct = {key.lower() for key in keys}
    assert len(created) == len(set(created)) == len(distinct)
    found = [row["Call_Key__c"].lower() for row in org.records("Case") if row["Call_Key__c"]]
    assert sorted(found) == sorted(f"race-{key}" for key in distinct)


def test_eight_writers_inserting_one_key_get_one_record_and_seven_refusals(org: LocalOrg) -> None:
    def insert(_: int) -> int:
        answer = requests.post(
            f"{org.url}/services/data/v68.0/sobjects/Case",
            json={"Call_Key__c": "one"},
            headers={"Authorization": f"Bearer {org.token}"},
            timeout=20,
        )
        return answer.status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        statuses = sorted(pool.map(insert, range(WRITERS)))
    assert statuses == [201] + [400] * (WRITERS - 1)


def test_records_in_a_file_outlive_the_process(tmp_path: Path) -> None:
    path = str(tmp_path / "org.db")
    first = LocalOrg("--db", path)
    case_id = first.create("Case", Subject="kept", Call_Key__c="kept")
    first.close()
    second = LocalOrg("--db", path)
    try:
        assert second.row("Case", case_id)["Subject"] == "kept"
        assert len(second.records("Contact")) == 13
        assert second.create("Case", Subject="next") > case_id
    finally:
        second.close()
