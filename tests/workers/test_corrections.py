"""An agent that claims what no tool has done is corrected in the live call, by a setting."""

import time
from typing import Any

import pytest
import redis

from shared.agent.agents import Agents
from shared.agent.folder import load_agent
from shared.agent.sentences import phrase
from shared.calls.call_updates import CallUpdate, CallUpdates
from shared.calls.calls import Calls
from shared.calls.ledger import GRACE_MS
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.promises import Promises
from shared.settings import Settings
from shared.vapi.caller_id import read_caller_id
from shared.vapi.messages import read_message
from tests.calling import message
from tests.conftest import FIELDS, make_settings
from tests.workers.delivering import BILLING, accept
from workers.corrections import correct_claims

AGENTS = Agents((load_agent("agent"),))
OPENED = "I have opened a case for you."


class Recorded(CallUpdates):
    """Takes what would be posted."""

    def __init__(self) -> None:
        self.updates: list[CallUpdate] = []

    def notify_agent(self, call_updates: Any) -> None:
        self.updates += call_updates


def claim(calls: Calls, text: str = OPENED, call_id: str = "call-1") -> None:
    at_ms = int(time.time() * 1000)
    body = message(
        "transcript", call_id=call_id, role="assistant", transcriptType="final",
        transcript=text, timestamp=at_ms,
    )  # fmt: skip
    event = read_message(body)
    assert event
    calls.record_event(event, read_caller_id(event))


def grace_ends(store: redis.Redis) -> None:
    raw: Any = store
    for name in raw.zrange("vs:claims:due", 0, -1):
        raw.zadd("vs:claims:due", {name: 1})


@pytest.fixture
def calls(store: redis.Redis) -> Calls:
    return Calls(store, correct_after_ms=GRACE_MS)


def corrected(calls: Calls, journal: Journal) -> list[CallUpdate]:
    posted = Recorded()
    correct_claims(calls.claims_said, journal, posted)
    return posted.updates


def test_the_agent_is_corrected_after_the_grace_and_once_for_each_kind(
    calls: Calls, journal: Journal, store: redis.Redis
) -> None:
    claim(calls)
    assert corrected(calls, journal) == []
    grace_ends(store)
    (update,) = corrected(calls, journal)
    assert update.call_id == "call-1"
    claim(calls, "A case has been opened for you.")
    claim(calls, "Your address has been updated.")
    grace_ends(store)
    (other,) = corrected(calls, journal)
    said = AGENTS.first.sentences.speak("en", other.said)
    assert said.startswith("You said that details were changed, but no tool has done that")
    promises = Promises(store)
    assert promises.ever().corrected == 2


def test_a_claim_with_a_tool_behind_it_is_not_corrected(
    calls: Calls, journal: Journal, store: redis.Redis
) -> None:
    claim(calls)
    accept(journal, Kind.CASE_CREATE, BILLING, tool="createSalesforceCase")
    grace_ends(store)
    assert corrected(calls, journal) == []


def test_a_repeated_message_is_not_looked_at_again(
    calls: Calls, journal: Journal, store: redis.Redis
) -> None:
    event = read_message(
        message(
            "transcript", role="assistant", transcriptType="final", transcript=OPENED,
            timestamp=int(time.time() * 1000),
        )
    )  # fmt: skip
    assert event
    for _ in range(2):
        calls.record_event(event, read_caller_id(event))
        grace_ends(store)
        corrected(calls, journal)
        assert not store.exists("vs:claims:due")


def test_no_claim_waits_for_a_correction_unless_the_team_wants_it(store: redis.Redis) -> None:
    claim(Calls(store))
    assert not store.exists("vs:claims:due")


@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize(
    "kind", ["call-back", "cancelled", "commented", "changed", "opened", "done"]
)
def test_every_language_has_a_sentence_for_every_claim(language: str, kind: str) -> None:
    said = phrase("claim-unbacked", claim=phrase(f"claim-{kind}"))
    assert AGENTS.first.sentences.speak(language, said)


def test_a_correction_is_never_spoken_to_the_caller(settings: Settings) -> None:
    wanted = {"correct_claims": True, "vapi_tell_by": "say"}
    assert set(wanted) <= FIELDS.keys()
    with pytest.raises(ValueError, match="CORRECT_CLAIMS needs VAPI_TELL_BY=add-message"):
        make_settings(settings.store.url, settings.salesforce.instance_url, **wanted)
