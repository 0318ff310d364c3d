"""An upgrade: this version delivers what each released version had accepted (recording.py)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.processes import Process, wait_until
from demo.stack import ROOT, Org, Stack, answers, procfile
from shared.domain.kinds import SETTLED, State
from shared.journal.journal import Journal
from shared.salesforce.namespace import keys_of
from tests.accounting import unaccounted
from tests.conftest import make_settings
from tests.journeys.record_store import post, version
from tests.journeys.recording import STORES, Expected, Recording, dump, load, read

OBJECTS = ("Account", "Case", "CaseComment", "Contact", "ContentVersion", "Task")
"""What this service creates, and what it must not create."""

Records = dict[str, list[dict[str, Any]]]


def test_this_version_has_a_recording() -> None:
    """CONTRIBUTING.md says how to make one."""
    assert (STORES / f"{version()}.json").exists()


def test_a_recording_is_loaded_as_if_it_had_just_been_made(store: redis.Redis) -> None:
    recording = read(STORES / f"{version()}.json")
    load(recording, store, "http://org.example:81", "0123456789")
    again = dump(store, "http://org.example:81")
    assert [(name, key.type) for name, key in again.items()] == [
        (name, key.type) for name, key in recording.keys.items()
    ]
    journal = Journal(store)
    ages_ms = [journal.now_ms() - intent.accepted_at_ms for intent in journal.newest(1000)]
    assert 0 < min(ages_ms) < max(ages_ms) < 120_000
    assert {intent.org for intent in journal.newest(1000)} == {"org.example:81"}
    store.delete(*store.keys("vs:writes:*"))  # limits count elsewhere now; these end within a day


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", sorted(STORES.glob("*.json")), ids=lambda path: path.stem)
def test_this_version_delivers_once_what_an_earlier_one_accepted(
    path: Path, programs: Path, folder: Path
) -> None:
    recording = read(path)
    with (
        Stack(folder, (), programs=programs) as stack,
        redis.Redis.from_url(stack.store.url, decode_responses=True) as store,
    ):
        load(recording, store, stack.org.url, digest_of(stack))
        assert unaccounted(store) == []
        seeded = records_of(stack.org)
        with running(stack, "web", "worker"):
            for answered in recording.answered:
                assert post(stack.webhook, answered.message()) == answered.answer
            wait_until(lambda: is_settled(store), for_s=90, what="the recorded store")
        found = records_of(stack.org)
        assert Counter(states(store)) == Counter(expected_states(recording))
        assert unaccounted(store) == []
    assert differences(recording.expected, seeded, found) == []


@contextmanager
def running(stack: Stack, *lines: str) -> Iterator[None]:
    """Lines of Procfile, started on a store that is filled already."""
    processes = [
        Process(name, procfile()[name], stack.env, ROOT, stack.folder / f"{name}.log")
        for name in lines
    ]
    try:
        for process in processes:
            process.start()
        wait_until(lambda: answers(f"{stack.url}/health/ready"), for_s=45, what="web")
        yield
    finally:
        for process in processes:
            process.stop()


def digest_of(stack: Stack) -> str:
    settings = make_settings(stack.store.url, stack.org.url)
    return keys_of(settings.salesforce).rstrip(":").rpartition(":")[2]


def states(store: redis.Redis) -> list[State]:
    return [intent.state for intent in Journal(store).newest(1000)]


def is_settled(store: redis.Redis) -> bool:
    return all(state in SETTLED for state in states(store))


def expected_states(recording: Recording) -> list[State]:
    """What was cancelled stays so. Everything else is delivered."""
    rows = [key.value for name, key in recording.keys.items() if name.startswith("vs:intent:")]
    assert rows
    return [State.CANCELLED if row["state"] == State.CANCELLED else State.DELIVERED for row in rows]


def records_of(org: Org) -> Records:
    return {sobject: org.records(sobject) for sobject in OBJECTS}


def differences(expected: list[Expected], seeded: Records, found: Records) -> list[str]:
    """A sentence for each record that is missing, there twice, or not expected."""
    wrong = []
    for sobject in OBJECTS:
        known = {record["Id"] for record in seeded[sobject]}
        new = [record for record in found[sobject] if record["Id"] not in known]
        due = [item for item in expected if item.sobject == sobject and item.is_new]
        if len(new) != len(due):
            wrong.append(f"{len(new)} new records of {sobject} instead of {len(due)}")
        for item in expected:
            if item.sobject == sobject:
                candidates = new if item.is_new else found[sobject]
                count = sum(is_as(record, item.fields) for record in candidates)
                if count != 1:
                    wrong.append(f"{count} times {sobject} with {item.fields}")
    return wrong


def is_as(record: dict[str, Any], fields: dict[str, Any]) -> bool:
    """The record has these fields. A text may contain more than the expected one."""
    return all(
        value in (record[name] or "") if isinstance(value, str) else record[name] == value
        for name, value in fields.items()
    )
