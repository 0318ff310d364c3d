"""Every greeting says that an AI talks and, where calls are recorded, that they are."""

from pathlib import Path

import pytest

from shared.agent.disclosure import undisclosed
from shared.agent.folder import load_agent

AI, RECORDED = "You are talking with an AI assistant.", "This call is recorded."


def test_the_shipped_greetings_say_both_in_every_language() -> None:
    assert list(undisclosed(load_agent("agent"))) == []
    assert list(undisclosed(load_agent("examples/orders"))) == []


@pytest.mark.parametrize("words", [AI, RECORDED])
def test_a_first_message_that_leaves_something_out_is_named(folder: Path, words: str) -> None:
    file = folder / "assistant.toml"
    file.write_text(file.read_text().replace(f"{words} ", ""))
    found = list(undisclosed(load_agent(str(folder))))
    assert found == [("firstMessage in assistant.toml", words)]


@pytest.mark.parametrize("key", ["greeting", "greeting-by-name"])
def test_a_greeting_of_another_language_that_leaves_something_out_is_named(
    folder: Path, key: str
) -> None:
    file = folder / "sentences" / "de.ftl"
    lines = [
        line.replace("{ disclosure-ai } ", "") if line.startswith(f"{key} =") else line
        for line in file.read_text().splitlines()
    ]
    file.write_text("\n".join(lines) + "\n")
    found = list(undisclosed(load_agent(str(folder))))
    assert found == [(f"{key} in sentences/de.ftl", "Sie sprechen mit einem KI-Assistenten.")]


def test_calls_that_are_not_recorded_need_not_be_called_so(folder: Path) -> None:
    file = folder / "assistant.toml"
    text = file.read_text().replace(f"{RECORDED} ", "")
    file.write_text(f"{text}\n[artifactPlan]\nrecordingEnabled = false\n")
    sentences = folder / "sentences" / "en.ftl"
    sentences.write_text(sentences.read_text().replace(" { disclosure-recorded }", ""))
    assert list(undisclosed(load_agent(str(folder)))) == []
