"""The simulated Vapi lists the calls that were played, filtered as Vapi's reference says."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from demo.processes import free_port
from demo.stack import ROOT

KEY = {"Authorization": "Bearer demo-vapi-key"}
SCENARIO = """
caller = "+14155550101"
summary = "Billed twice."
[[step]]
caller = "I was billed twice."
[[step]]
write = "createSalesforceCase"
arguments = { issueType = "billing" }
[[step]]
agent = "I could not save that."
"""


def get(control: str, path: str = "call", **query: Any) -> Any:
    answer = requests.get(f"{control}/{path}", params=query, headers=KEY, timeout=5)
    return answer.json()


def put(control: str, id_: str, created: str) -> None:
    record = {"id": id_, "createdAt": created, "updatedAt": created, "assistantId": f"a-{id_}"}
    requests.put(f"{control}/_vapi/calls/{id_}", json=record, timeout=5).raise_for_status()


def test_a_played_call_is_listed_with_what_was_said_and_the_tool_call_that_failed(
    control: str, folder: Path
) -> None:
    (folder / "call.toml").write_text(SCENARIO)
    nobody = f"http://127.0.0.1:{free_port()}/webhook"
    command = [sys.executable, "-m", "simulator", "vapi", "play", str(folder / "call.toml")]
    command += ["--url", nobody, "--control", control, "--no-repeats"]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode == 1
    (record,) = get(control)
    assert record["status"] == "ended"
    assert record["endedReason"] == "customer-ended-call"
    assert record["customer"] == {"number": "+14155550101"}
    assert record["analysis"]["summary"] == "Billed twice."
    expected = "User: I was billed twice.\nAI: I could not save that.\n"
    assert record["artifact"]["transcript"] == expected
    roles = [row["role"] for row in record["artifact"]["messages"]]
    assert roles == ["user", "tool_calls", "tool_call_result", "bot"]
    asked, result = record["artifact"]["messages"][1:3]
    function = asked["toolCalls"][0]["function"]
    assert json.loads(function["arguments"]) == {"issueType": "billing"}
    assert result["toolCallId"] == asked["toolCalls"][0]["id"]
    assert result["result"].startswith("No result returned")
    assert get(control, f"call/{record['id']}") == record


def test_the_list_is_filtered_limited_and_newest_first(control: str) -> None:
    for nth in range(3):
        put(control, f"c{nth}", f"2026-11-27T10:0{nth}:00.000Z")

    def ids(**query: Any) -> list[str]:
        return [record["id"] for record in get(control, **query)]

    assert ids() == ["c2", "c1", "c0"]
    assert ids(limit=2) == ["c2", "c1"]
    assert ids(createdAtGe="2026-11-27T10:01:00.000Z") == ["c2", "c1"]
    assert ids(createdAtGt="2026-11-27T10:01:00Z", createdAtLe="2026-11-27T10:02:00Z") == ["c2"]
    assert ids(updatedAtLt="2026-11-27T10:01:00Z") == ["c0"]
    assert ids(assistantId="a-c1") == ["c1"]


def test_the_list_refuses_a_stranger_and_what_it_does_not_know(control: str) -> None:
    assert requests.get(f"{control}/call", timeout=5).status_code == 401
    assert get(control, limit=1001)["statusCode"] == 400
    put(control, "c1", "2026-11-27T10:00:00Z")
    assert get(control, createdAtGe="yesterday")["statusCode"] == 400
    assert get(control, page=2)["statusCode"] == 400


def test_the_list_refuses_lags_and_turns_round_on_request(control: str) -> None:
    def faults(**these: object) -> None:
        requests.put(f"{control}/_vapi/calls", json=these, timeout=5).raise_for_status()

    put(control, "old", "2026-11-27T10:00:00Z")
    put(control, "new", "2026-11-27T11:00:00Z")
    faults(status=429, times=1, retry_after=3)
    refused = requests.get(f"{control}/call", headers=KEY, timeout=5)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert [record["id"] for record in get(control)] == ["new", "old"]
    faults(order="ascending")
    assert [record["id"] for record in get(control)] == ["old", "new"]
    faults(lag_s=600)
    assert get(control) == []
    requests.delete(f"{control}/_vapi/calls", timeout=5)
    assert get(control) == []
