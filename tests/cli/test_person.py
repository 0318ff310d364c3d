"""What operators do when a person asks for their data, or wants it deleted."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from cli.__main__ import cli
from demo.stack import ROOT, Org, Store
from shared.domain.drafts import CallbackDraft, CommentDraft
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED, Kind, State
from shared.journal.journal import Journal
from shared.settings import load_settings
from tests.calling import KNOWN, SHARED, ask, message, post
from tests.store_time import (
    call_has,
    everything_is_due,
    intent_has,
    intent_is_not_due,
    waits_end,
    wake_up_is_lost,
)
from tests.workers.delivering import accept
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

MEI = "+14155550108"
LUIS, LUIS_MOBILE = "+14155550103", "+14155550153"
CANARY = "zanzibar"
"""In everything that the person says, and in nothing else."""

SAID: dict[str, Any] = {
    "endedReason": "customer-ended-call",
    "startedAt": "2026-11-22T10:00:00.000Z",
    "endedAt": "2026-11-22T10:02:00.000Z",
    "analysis": {"summary": f"The caller talked of {CANARY} in the summary."},
    "artifact": {"transcript": f"User: {CANARY} in the report. AI: Your number is 415-555-0101."},
}
CASE: dict[str, Any] = {"issueType": "billing", "onExisting": "new"}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["person", *words])


def shown(number: str = KNOWN) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("show", number, "--json").stdout)
    return found


def talk(client: FlaskClient, call_id: str, number: str, word: str) -> None:
    """A call with everything that leaves something behind, until before its report."""
    options: dict[str, Any] = {"call_id": call_id, "number": number}
    provider = {"phoneCallProviderId": f"CA-{call_id}"}
    post(client, message("assistant-request", **options, **provider))
    post(client, message("status-update", status="in-progress", **options, **provider))
    post(client, message("speech-update", role="user", status="started", **options))
    for role in ("user", "assistant"):
        words = {"transcriptType": "final", "role": role, "transcript": f"{word}, says the {role}."}
        post(client, message("transcript", **words, **options))
    ask(client, "lookupCustomer", **options)
    ask(client, "createSalesforceCase", CASE | {"description": f"{word} in a case"}, **options)
    ask(client, "updateContact", {"email": f"{word}@example.com"}, **options)
    ask(client, "requestCallback", {"when": "tomorrow", "reason": f"{word} calls"}, **options)
    forwarding = {"status": "forwarding", "summary": f"{word} in an update."}
    post(client, message("status-update", **forwarding, **options))


def report(client: FlaskClient, call_id: str, number: str, said: dict[str, Any] = SAID) -> None:
    answer = post(client, message("end-of-call-report", call_id=call_id, number=number, **said))
    assert answer.status_code == 200


def deliver_all(context: DeliveryContext, store: redis.Redis) -> None:
    for _ in range(6):
        for kind in Kind:
            drain(context, kind)
        waits_end(store)
        everything_is_due(store)
    left = [intent for intent in context.journal.newest(1000) if intent.state not in SETTLED]
    assert [(intent.kind, intent.state, intent.reason) for intent in left] == []


def whole_call(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, call_id: str = "call-1",
    number: str = KNOWN, word: str = CANARY,
) -> None:  # fmt: skip
    talk(client, call_id, number, word)
    deliver_all(context, store)
    said = json.loads(json.dumps(SAID).replace(CANARY, word).replace("0101", number[-4:]))
    report(client, call_id, number, said)
    deliver_all(context, store)


def contents(store: redis.Redis) -> dict[str, str]:
    """Every key of the store with all that is in it, as text."""
    client: Any = store
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "stream": client.xrange,
    }
    return {key: repr(readers[client.type(key)](key)) for key in client.scan_iter(count=1000)}


def with_words(store: redis.Redis, *words: str) -> list[str]:
    """The keys that have one of these words in their name or value."""
    found = contents(store)
    return sorted(key for key in found if any(word in key + found[key] for word in words))


def words_in(text: str) -> set[str]:
    """Everything different that the person said."""
    found = set(re.findall(rf"{CANARY}[\w@., ]*", text))
    assert len(found) >= 5
    return found


def dumps(url: str, keys: list[str]) -> dict[str, Any]:
    """The raw bytes of each of these keys, None for one that is gone."""
    with redis.Redis.from_url(url) as raw:
        return {key: raw.dump(key) for key in keys}


def tasks_of(org: Org, call_id: str) -> list[dict[str, Any]]:
    return [record for record in org.records("Task") if record["CallObject"] == call_id]


def of_kind(journal: Journal, kind: Kind, call_id: str = "call-1") -> Intent:
    (found,) = (intent for intent in journal.of_call(call_id) if intent.kind is kind)
    return found


# -- show ------------------------------------------------------------------------------------------


def test_show_has_figures_and_ids_and_no_words(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal
) -> None:
    talk(client, "call-1", KNOWN, CANARY)
    case_id = of_kind(journal, Kind.CASE_CREATE).id
    drain(context, Kind.CASE_CREATE)
    before = contents(store)
    found = shown()
    assert [snapshot["contacts"] for snapshot in found["snapshots"]] == [1]
    (call,) = found["calls"]
    assert (call["id"], call["state"], call["utterances"]) == ("call-1", "live", 2)
    assert call["number_is_verified"]
    assert found["intents_by_state_and_kind"] == {
        "delivered case_create": 1, "due callback": 1, "due contact_update": 1, "held task_link": 1,
    }  # fmt: skip
    assert found["stored_answers"] == 4
    table = run("show", "(415) 555-0101").output
    for text in (table, json.dumps(found)):
        assert case_id in text
        assert "call-1" in text
        for word in (CANARY, "Jane", "Miller", "Acme", "5550101", "555-0101"):
            assert word not in text
    assert contents(store) == before
    assert "Jane Miller" in run("show", KNOWN, "--values").output
    assert "Jane Miller" in run("show", KNOWN, "--values", "--json").output


def test_show_names_what_parked(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    ask(client, "createSalesforceCase", CASE | {"description": "x"})
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    assert shown()["parked"] == [of_kind(journal, Kind.CASE_CREATE).id]
    assert "parked 1" in run("show", KNOWN).output


def test_a_number_is_found_by_what_it_asked_for_after_its_call_has_expired(
    client: FlaskClient, store: redis.Redis
) -> None:
    ask(client, "createSalesforceCase", CASE | {"description": "x"})
    store.delete("vs:call:call-1", "vs:calls")
    (call,) = shown()["calls"]
    assert (call["id"], call["state"]) == ("call-1", "expired")
    assert call["began"]


@pytest.mark.parametrize("written", ["415 555 0101", "+1 415-555-0101", "tel:+14155550101"])
def test_a_number_may_be_written_in_any_way(client: FlaskClient, written: str) -> None:
    post(client, message("status-update", status="in-progress"))
    assert [call["id"] for call in shown(written)["calls"]] == ["call-1"]


@pytest.mark.parametrize("written", ["555-0101", "Jane", "+1 415 555 0101 ext. 4", "000 000 0000"])
def test_what_is_no_full_number_is_refused_and_not_repeated(written: str) -> None:
    for command in ("show", "export", "forget"):
        refused = run(command, written)
        assert refused.exit_code == 2
        assert "must be a full phone number" in refused.output
        assert written not in refused.output


def test_nothing_is_said_about_a_number_that_never_called(client: FlaskClient) -> None:
    post(client, message("status-update", status="in-progress"))
    for command in ("show", "forget"):
        assert run(command, MEI).output == "nothing is stored about this number\n"
    assert shown(MEI)["calls"] == []


# -- export ----------------------------------------------------------------------------------------


def test_the_document_has_all_that_is_stored(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, folder: Path
) -> None:
    talk(client, "call-1", KNOWN, CANARY)
    deliver_all(context, store)
    whole_call(client, context, store, "call-2", MEI, "marmalade")
    before = contents(store)
    exported = run("export", KNOWN, "--out", str(folder / "jane.json"))
    assert exported.exit_code == 0
    assert contents(store) == before | {"vs:audit": contents(store)["vs:audit"]}
    text = (folder / "jane.json").read_text()
    found = json.loads(text)
    assert stat.S_IMODE((folder / "jane.json").stat().st_mode) == 0o600
    assert "marmalade" not in text
    (call,) = found["calls"]
    assert call["state"]["number"] == KNOWN
    assert call["provider_ids"] == ["CA-call-1"]
    assert [said["text"] for said in call["transcript"]] == [
        f"{CANARY}, says the user.", f"{CANARY}, says the assistant."
    ]  # fmt: skip
    assert call["speech"]
    assert CANARY in json.dumps(call["updates"])
    assert any("Jane" in json.dumps(answer) for answer in call["answers"])
    writes = {write["kind"]: write for write in found["writes"]}
    assert CANARY in writes["contact_update"]["payload"]["changes"]["Email"]
    assert writes["case_create"]["receipt"]["record_id"]
    assert all(write["said"] for write in writes.values() if write["tool"])
    assert found["snapshots"][0]["customers"][0]["name"] == "Jane Miller"
    assert found["contact_writes"]
    assert words_in(text) == words_in(" ".join(before.values()))


def test_the_document_has_nothing_that_controls_a_call(client: FlaskClient) -> None:
    body = message("status-update", status="in-progress")
    body["message"]["call"]["monitor"] = {"controlUrl": "https://x.vapi.ai/call-1/control"}
    post(client, body)
    assert "x.vapi.ai" not in run("export", KNOWN).stdout


def test_the_document_is_printed_without_a_file_and_never_written_over_one(
    client: FlaskClient, folder: Path
) -> None:
    post(client, message("status-update", status="in-progress"))
    assert json.loads(run("export", KNOWN).stdout)["number"] == KNOWN
    (folder / "taken").write_text("mine")
    os.symlink(folder / "elsewhere", folder / "link")
    for name in ("taken", "link", "no/such/folder"):
        refused = run("export", KNOWN, "--out", str(folder / name))
        assert refused.exit_code == 1
        assert "can't create" in refused.output
    assert (folder / "taken").read_text() == "mine"
    assert not (folder / "elsewhere").exists()


def test_the_command_warns_where_the_number_does_not_show_whose_data_it_is(
    client: FlaskClient,
) -> None:
    ask(client, "lookupCustomer", number=SHARED)
    claimed = message("status-update", "call-2", SHARED, status="in-progress")
    claimed["message"]["call"]["type"] = "webCall"
    post(client, claimed)
    exported = run("export", SHARED)
    assert "2 contacts have this number" in exported.stderr
    assert "in 1 call nobody verified the number" in exported.stderr
    calls = {call["id"]: call for call in json.loads(exported.stdout)["calls"]}
    assert [calls[id_]["number_is_verified"] for id_ in ("call-1", "call-2")] == [True, False]


# -- forget ----------------------------------------------------------------------------------------


def test_nothing_of_a_person_is_left_and_nothing_of_anybody_else_is_touched(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, store_server: Store, org: Org
) -> None:
    whole_call(client, context, store, "call-2", MEI, "marmalade")
    whole_call(client, context, store)
    hers = with_words(store, "marmalade", MEI, "call-2", "Mei Chen")
    words = (KNOWN, "4155550101", "555-0101", CANARY, "Jane")
    families = {key.split(":")[1] for key in with_words(store, *words)}
    assert families >= {
        "answer", "call", "caller", "intent", "message", "salesforce", "writes",
    }  # fmt: skip
    before, asked = dumps(store_server.url, hers), org.stats()["requests"]
    assert len(before) > 10
    done = run("forget", KNOWN, "--yes")
    assert done.exit_code == 0, done.output
    assert "the number is in none of them" in done.output
    assert KNOWN not in done.output
    assert with_words(store, *words) == []
    assert dumps(store_server.url, hers) == before
    named = with_words(store, "call-1")
    left = {key: contents(store)[key] for key in named if not key.startswith("vs:tool-call:")}
    assert set(left) == {f"vs:call:{id_}" for id_ in ("call-1", "CA-call-1", "twilio:CA-call-1")}
    (erased,) = set(left.values())
    assert erased == repr(dict.fromkeys(("erased", "ended", "over", "closed", "reported"), "1"))
    assert org.stats()["requests"] == asked
    assert run("forget", KNOWN, "--yes").output == "nothing is stored about this number\n"
    assert shown()["keys"] == {}


def test_the_calls_state_before_its_report_is_erased_too(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis
) -> None:
    talk(client, "call-1", KNOWN, CANARY)
    deliver_all(context, store)
    call_has(store, "call-1", ended="1")
    assert store.exists("vs:call:call-1:transcript", "vs:call:call-1:updates") == 2
    assert run("forget", KNOWN, "--discard-unsettled", "--yes").exit_code == 0
    assert with_words(store, KNOWN, CANARY, "Jane") == []


def test_without_yes_nothing_changes(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis
) -> None:
    whole_call(client, context, store)
    before = contents(store)
    dry = run("forget", KNOWN)
    assert dry.exit_code == 0
    assert "would forget 1 call, 7 writes" in dry.output
    assert contents(store) == before


def test_a_person_with_unsettled_writes_is_not_erased_and_the_writes_are_named(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal, org: Org
) -> None:
    whole_call(client, context, store)
    ask(client, "createSalesforceCase", CASE | {"description": "y"}, call_id="call-3")
    ask(client, "requestCallback", {"reason": "x"}, call_id="call-3")
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    report(client, "call-3", KNOWN)
    before = contents(store)
    for words in ((), ("--yes",)):
        refused = run("forget", KNOWN, *words)
        assert refused.exit_code == 1
        for intent in journal.of_call("call-3"):
            assert intent.id in refused.output
        for state in ("due", "held", "parked", "--discard-unsettled"):
            assert state in refused.output
        assert contents(store) == before


def test_what_is_unsettled_is_given_up_on_demand_and_never_written(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal, org: Org
) -> None:
    ask(client, "createSalesforceCase", CASE | {"description": CANARY})
    ask(client, "addCaseComment", {"comment": CANARY})
    ask(client, "requestCallback", {"reason": CANARY})
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    drain(context, Kind.CASE_CREATE)
    drain(context, Kind.CASE_COMMENT)
    org.fault()
    assert of_kind(journal, Kind.CASE_COMMENT).state is State.PARKED  # because the case did
    report(client, "call-1", KNOWN)
    dry = run("forget", KNOWN, "--discard-unsettled")
    assert dry.exit_code == 0
    assert dry.output.count("would give up") == len(journal.of_call("call-1"))
    assert len(org.records("Task")) == 0
    done = run("forget", KNOWN, "--discard-unsettled", "--yes")
    assert done.exit_code == 0, done.output
    assert "discarded 2" in done.output
    assert with_words(store, KNOWN, CANARY) == []
    deliver_all(context, store)
    assert journal.counts()["accepted"] == 0
    assert not [record for record in org.records("Case") if record["Call_Key__c"]]
    assert org.records("Task") == []


def test_nothing_becomes_due_because_something_else_is_given_up(
    client: FlaskClient, store: redis.Redis
) -> None:
    ask(client, "createSalesforceCase", CASE | {"description": "x"})
    ask(client, "addCaseComment", {"comment": "It waits for its case."})
    report(client, "call-1", KNOWN)  # and its Task waits for both
    wake_up_is_lost(store, *Kind)
    assert run("forget", KNOWN, "--discard-unsettled", "--yes").exit_code == 0
    assert list(store.scan_iter("vs:wakeup:*")) == []


def test_a_write_that_may_be_in_salesforce_is_never_given_up(
    client: FlaskClient, store: redis.Redis, journal: Journal
) -> None:
    ask(client, "createSalesforceCase", CASE | {"description": "x"})
    report(client, "call-1", KNOWN)
    intent_id = of_kind(journal, Kind.CASE_CREATE).id
    before = contents(store)
    lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=1000)
    assert len(lease.intents) == 1
    refused = run("forget", KNOWN, "--discard-unsettled", "--yes")
    assert refused.exit_code == 1
    assert f"{intent_id}" in refused.output
    assert "may be in Salesforce already" in refused.output
    intent_has(store, intent_id, state="due", in_doubt=1)
    store.hdel(f"vs:intent:{intent_id}", "lease")
    refused = run("forget", KNOWN, "--discard-unsettled", "--yes")
    assert refused.exit_code == 1
    assert "may be in Salesforce already" in refused.output
    assert before.keys() <= contents(store).keys() | {"vs:wakeup:case_create"}


def test_a_call_that_lasts_is_never_erased(client: FlaskClient, store: redis.Redis) -> None:
    post(client, message("status-update", status="in-progress"))
    refused = run("forget", KNOWN, "--discard-unsettled", "--yes")
    assert refused.exit_code == 1
    assert "call call-1 lasts" in refused.output
    assert store.hget("vs:call:call-1", "number") == KNOWN


def test_a_call_whose_end_is_not_recorded_is_erased_on_demand_alone(
    app: Flask, client: FlaskClient, store: redis.Redis, org: Org, context: DeliveryContext
) -> None:
    post(client, message("status-update", status="ended"))
    refused = run("forget", KNOWN, "--yes")
    assert refused.exit_code == 1
    assert "its end is not recorded yet" in refused.output
    assert run("forget", KNOWN, "--discard-unsettled", "--yes").exit_code == 0
    assert with_words(store, KNOWN) == []
    service: Service = app.extensions["service"]
    assert service.end_of_call.end_quiet_calls(0)[0] == 0
    deliver_all(context, store)
    assert tasks_of(org, "call-1") == []


def test_what_arrives_late_for_an_erased_call_is_neither_stored_nor_written_twice(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    whole_call(client, context, store)
    assert run("forget", KNOWN, "--yes").exit_code == 0
    written = {name: len(org.records(name)) for name in ("Case", "Task", "CaseComment")}
    talk(client, "call-1", KNOWN, CANARY)
    report(client, "call-1", KNOWN)
    without_id = message("status-update", "", status="ended", phoneCallProviderId="CA-call-1")
    post(client, without_id)
    late = ask(client, "createSalesforceCase", CASE | {"description": f"{CANARY} again"})
    assert "ended" in late["error"]
    assert with_words(store, KNOWN, "4155550101", CANARY, "Jane") == []
    deliver_all(context, store)
    assert {name: len(org.records(name)) for name in written} == written
    assert context.journal.counts()["accepted"] == 0


def test_a_new_call_of_the_person_is_stored_like_any_other(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org
) -> None:
    whole_call(client, context, store)
    run("forget", KNOWN, "--yes")
    whole_call(client, context, store, "call-9")
    assert [call["id"] for call in shown()["calls"]] == ["call-9"]
    assert len(tasks_of(org, "call-9")) == 1


def test_a_copy_of_the_contact_under_another_number_is_erased_too(
    client: FlaskClient, store: redis.Redis
) -> None:
    ask(client, "lookupCustomer", number=LUIS_MOBILE)
    call_has(store, "call-1", closed="1", ended="1")
    store.zrem("vs:calls", "call-1")
    assert with_words(store, "555-0103")  # in his snapshot
    assert run("forget", LUIS, "--yes").exit_code == 0
    assert with_words(store, LUIS, "555-0103") == []
    assert shown(LUIS_MOBILE)["calls"]


def test_of_the_writes_to_a_contact_those_of_the_number_are_erased_and_no_others(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal
) -> None:
    for call_id, number in (("call-1", LUIS), ("call-2", LUIS_MOBILE)):
        email = {"email": f"{call_id}@example.com"}
        ask(client, "updateContact", email, call_id=call_id, number=number)
        report(client, call_id, number)
        deliver_all(context, store)
    (key,) = store.scan_iter("vs:contact:*")
    first, second = store.lrange(key, 0, -1)
    assert of_kind(journal, Kind.CONTACT_UPDATE).id in first
    assert run("forget", LUIS, "--yes").exit_code == 0
    assert store.lrange(key, 0, -1) == [second]


def test_what_other_callers_say_of_the_number_is_purged_once_it_is_delivered(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal
) -> None:
    whole_call(client, context, store)
    draft = CallbackDraft(caller_number=MEI, phone=KNOWN, phone_was_given=True, reason="My friend")
    sent = accept(journal, Kind.CALLBACK, draft, "call-2")
    deliver_all(context, store)
    waits = accept(journal, Kind.CALLBACK, draft, "call-2")
    assert shown()["mentioned_in_intents_of_others"] == [sent, waits]
    done = run("forget", KNOWN, "--yes")
    assert done.exit_code == 0
    assert "purged 1 write of other callers" in done.output
    assert "the number is still in: vs:intent:{id} (1)" in done.output
    delivered, open_ = (journal.get_many([sent, waits])[id_] for id_ in (sent, waits))
    assert delivered.is_purged
    assert delivered.receipt
    assert open_.state is State.DUE
    assert open_.payload["phone"] == KNOWN


def test_a_case_for_which_another_callers_write_waits_is_not_erased(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, journal: Journal
) -> None:
    whole_call(client, context, store)
    case_intent = of_kind(journal, Kind.CASE_CREATE).id
    draft = CommentDraft(caller_number=MEI, case_intent=case_intent, text="Me too")
    comment = accept(journal, Kind.CASE_COMMENT, draft, "call-2")
    intent_is_not_due(store, comment, Kind.CASE_COMMENT)
    for words in ((), ("--discard-unsettled", "--yes")):
        refused = run("forget", KNOWN, *words)
        assert refused.exit_code == 1
        assert f"{comment}  of another caller waits" in refused.output
    assert journal.cancel(comment, "x")[0] == "cancelled"
    assert run("forget", KNOWN, "--yes").exit_code == 0


def test_entries_of_the_number_in_keys_of_the_whole_fleet_are_removed(
    store: redis.Redis, keys: str
) -> None:
    store.zadd(f"{keys}wanted", {KNOWN: 1, MEI: 2})
    store.sadd("vs:failing:contact_update", KNOWN, MEI)
    store.sadd("vs:failing:agent/updateContact", KNOWN, MEI)
    assert run("forget", KNOWN, "--yes").exit_code == 0
    assert store.zrange(f"{keys}wanted", 0, -1) == [MEI]
    assert store.smembers("vs:failing:contact_update") == {MEI}
    assert store.smembers("vs:failing:agent/updateContact") == {MEI}


def test_the_log_has_a_line_with_counts_and_without_the_number(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis
) -> None:
    whole_call(client, context, store)
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "person", "forget", KNOWN, "--yes"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    (line,) = (json.loads(text) for text in ended.stderr.splitlines())
    assert line["event"] == "person_erased"
    assert (line["calls"], line["intents"], line["left"]) == (1, 7, 0)
    assert "dropped" not in line
    assert line["erasure"] in ended.stdout
    assert "forgot 1 call, 7 writes" in ended.stdout
    for word in (KNOWN, "5550101", "call-1", CANARY):
        assert word not in ended.stdout + ended.stderr


def test_a_server_that_refuses_is_not_a_store_without_the_person(
    client: FlaskClient, store: redis.Redis, store_server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, message("status-update", status="ended"))
    store.acl_setuser("clerk", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-hmget"])
    try:
        monkeypatch.setenv("REDIS_URL", store_server.url.replace("redis://", "redis://clerk:x@"))
        load_settings.cache_clear()
        for command in ("show", "export", "forget"):
            refused = run(command, KNOWN)
            assert refused.exit_code == 1
            assert "does not answer (NoPermissionError)" in refused.output
    finally:
        store.acl_deluser("clerk")


# -- size ------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_a_store_with_a_hundred_thousand_keys_is_read_in_pages(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis
) -> None:
    whole_call(client, context, store)
    pipe: Any = store.pipeline(transaction=False)
    for nth in range(100_000):
        id_ = f"{nth:032x}"
        if nth % 4:
            pipe.set(f"vs:answer:other-{nth}:{id_}", '{"result": "ok"}')
        else:
            row = {"kind": "call_log", "state": "delivered", "payload": "{}", "call": f"o-{nth}"}
            pipe.hset(f"vs:intent:{id_}", mapping=row)
            pipe.zadd("vs:intents", {id_: 1})
            pipe.zadd("vs:receipts", {id_: 1})
        if nth % 5_000 == 0:
            pipe.execute()
    pipe.execute()
    store.config_resetstat()
    assert [call["id"] for call in shown()["calls"]] == ["call-1"]
    used = set(store.info("commandstats"))
    reading = {"get", "hget", "hgetall", "hlen", "hmget", "hscan", "lrange", "scan", "sismember",
               "sscan", "time", "zscan", "zscore"}  # fmt: skip
    assert used - {f"cmdstat_{name}" for name in reading} <= {
        "cmdstat_client|setinfo", "cmdstat_config|resetstat", "cmdstat_hello", "cmdstat_info",
        "cmdstat_select",
    }  # fmt: skip
    assert store.info("commandstats")["cmdstat_scan"]["calls"] > 100
    done = run("forget", KNOWN, "--yes")
    assert done.exit_code == 0, done.output
    assert with_words(store, CANARY) == []
