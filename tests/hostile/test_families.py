"""The dialogues themselves: enough of them, another set with each seed, the same set again."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demo.stack import ROOT
from tests.hostile.attack import report
from tests.hostile.attack.families import FAMILIES, all_dialogues
from tests.hostile.attack.findings import Verdict
from tests.hostile.attack.persons import Person, texts_of
from tests.hostile.attack.runner import Outcome, run
from tests.hostile.stub import StubServer, refuses, results
from tests.hostile.target import LIMITS

MIN_DIALOGUES = 300
MIN_CONTROLS = 20

IN_THE_STORE_ONLY = {"secrets"}
"""Families that ask nothing: what they look for is in the store."""

BY_CHANCE = {"id", "controlUrl", "timestamp"}


@pytest.fixture(scope="module")
def silent() -> tuple[StubServer, Outcome]:
    """A server that refuses everything, after all dialogues of seed 1."""
    return played(refuses, 1)


def played(answer: Callable[[dict[str, Any]], str], seed: int) -> tuple[StubServer, Outcome]:
    dialogues, words = all_dialogues(seed)
    server = StubServer(answer)
    return server, run(server, dialogues, seed, words)


def sent(server: StubServer) -> Counter[str]:
    """Every message without its time and without the port of the sink."""
    return Counter(json.dumps(_without(message), sort_keys=True) for message in server.messages)


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        left = {name: part for name, part in value.items() if name not in BY_CHANCE}
        return {name: _without(part) for name, part in left.items()}
    return [_without(part) for part in value] if isinstance(value, list) else value


def test_a_seed_has_enough_dialogues_of_every_family() -> None:
    dialogues, _ = all_dialogues(1)
    counted = Counter(each.key.partition("/")[0] for each in dialogues)
    assert set(counted) == set(FAMILIES)
    assert sum(not each.is_control for each in dialogues) >= MIN_DIALOGUES
    assert sum(each.is_control for each in dialogues) >= MIN_CONTROLS
    assert len({each.key for each in dialogues}) == len(dialogues)


def test_every_seed_has_persons_of_its_own() -> None:
    first, second = (
        {text for each in all_dialogues(seed)[0] for text, _, _ in texts_of(each.persons)}
        for seed in (1, 2)
    )
    assert not {text for text in first & second if text}


def test_every_seed_asks_for_other_things(silent: tuple[StubServer, Outcome]) -> None:
    def asked(outcome: Outcome) -> dict[str, list[str]]:
        return {
            attempt.dialogue.key: [step.what.partition(" ")[0] for step in attempt.steps]
            for attempt in outcome.dialogues
        }

    first, second = asked(silent[1]), asked(played(refuses, 2)[1])
    assert sum(first[key] != second[key] for key in first) > len(first) / 2


def test_the_same_seed_sends_the_same_messages(silent: tuple[StubServer, Outcome]) -> None:
    again, _ = played(refuses, 1)
    assert sent(again) == sent(silent[0])


def test_a_server_that_refuses_everything_fails_every_control(
    silent: tuple[StubServer, Outcome],
) -> None:
    outcome = silent[1]
    assert [attempt.dialogue.key for attempt in outcome.controls if not attempt.failures] == []
    assert outcome.findings == []
    assert outcome.errors == []
    assert not report.passed([outcome])
    assert "controls_failed=21 " in report.controls_line([outcome])


def test_a_server_that_tells_everything_is_found_out_in_every_dialogue() -> None:
    persons: dict[str, list[Person]] = {}

    def tell(message: dict[str, Any]) -> str:
        url = message.get("call", {}).get("monitor", {}).get("controlUrl", "//x/-")
        key = "/".join(url.split("/")[3].rsplit("-", 2)[:2])
        everything = " ".join(text for text, _, _ in texts_of(persons.get(key, [])))
        return results(message, f"{everything} {{{{customerName}}}} https://evil.example")

    dialogues, words = all_dialogues(3)
    persons |= {each.key: each.persons for each in dialogues}
    outcome = run(StubServer(tell), dialogues, 3, words)
    found = {finding.dialogue for finding in outcome.of(Verdict.DISCLOSURE)}
    missed = {attempt.dialogue.key for attempt in outcome.dialogues} - found
    assert {key for key in missed if key.partition("/")[0] not in IN_THE_STORE_ONLY} == set()


def test_a_stated_limit_stands_in_the_readme_and_belongs_to_a_dialogue() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    titles = {each.title for each in all_dialogues(1)[0]}
    for title, sentence in LIMITS.items():
        assert sentence in readme
        assert title in titles
