"""What a caller has to be told at the beginning: that an AI talks, and that the call is recorded.

The words are sentences of each language, and every greeting has to contain them. Vapi records a
call unless the assistant's `artifactPlan.recordingEnabled` is false.
"""

import hashlib
import json
from collections.abc import Iterator

from shared.agent.folder import Agent
from shared.domain.drafts import Disclosure

AI, RECORDED = "disclosure-ai", "disclosure-recorded"
VERSION_CHARACTERS = 8


def is_recorded(agent: Agent) -> bool:
    plan = agent.assistant.get("artifactPlan")
    return not (isinstance(plan, dict) and plan.get("recordingEnabled") is False)


def version_of(agent: Agent) -> str:
    """Changes with the words of any greeting of the folder."""
    sentences = agent.sentences
    keys = ("greeting", AI, RECORDED)
    languages = sorted(sentences.languages)
    texts = [sentences.say(language, key) for language in languages for key in keys]
    content = [agent.assistant.get("firstMessage"), is_recorded(agent), *texts]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:VERSION_CHARACTERS]


def disclosed(agent: Agent, greeting: str, at: str | None, tag: str) -> Disclosure:
    """What a greeting has disclosed, in whatever language it was.

    greeting: what the agent said, "" when no report says it; at: when. tag: of the assistant's
    language, "" when unknown.
    """
    sentences = agent.sentences
    own = sentences.matching(tag) or sentences.default
    needed = {language: _needed(agent, language) for language in (own, *sentences.languages)}
    version = version_of(agent)
    if not greeting:
        return Disclosure(words=needed[own], version=version, is_reported=False)
    said = {
        language: [words for words in texts if _plain(words) in _plain(greeting)]
        for language, texts in needed.items()
    }
    language = max(said, key=lambda language: len(said[language]))
    return Disclosure(
        words=said[language],
        missing=[words for words in needed[language] if words not in said[language]],
        at=at,
        version=version,
    )


def _needed(agent: Agent, language: str) -> list[str]:
    keys = [AI, RECORDED] if is_recorded(agent) else [AI]
    return [agent.sentences.say(language, key) for key in keys]


def _plain(text: str) -> str:
    """Letters and digits alone, because a transcriber punctuates differently."""
    return "".join(filter(str.isalnum, text.casefold()))


def undisclosed(agent: Agent) -> Iterator[tuple[str, str]]:
    """(greeting, what it does not say) of each greeting that leaves something out."""
    sentences = agent.sentences
    for language in sentences.languages:
        greetings = {
            f"greeting in sentences/{language}.ftl": sentences.say(language, "greeting"),
            f"greeting-by-name in sentences/{language}.ftl": sentences.say(
                language, "greeting-by-name", name="Ada"
            ),
        }
        yield from _left_out(agent, language, greetings)
    transcriber = agent.assistant.get("transcriber")
    tag = transcriber.get("language") if isinstance(transcriber, dict) else ""
    language = sentences.matching(str(tag or "")) or sentences.default
    first = " ".join(str(agent.assistant.get("firstMessage") or "").split())
    yield from _left_out(agent, language, {"firstMessage in assistant.toml": first})


def _left_out(agent: Agent, language: str, greetings: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in greetings.items():
        for words in _needed(agent, language):
            if words not in text:
                yield name, words
