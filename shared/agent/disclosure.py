"""What a caller has to be told at the beginning: that an AI talks, and that the call is recorded.

The words are sentences of each language, and every greeting has to contain them. Vapi records a
call unless the assistant's `artifactPlan.recordingEnabled` is false.
"""

from collections.abc import Iterator

from shared.agent.folder import Agent

AI, RECORDED = "disclosure-ai", "disclosure-recorded"


def is_recorded(agent: Agent) -> bool:
    plan = agent.assistant.get("artifactPlan")
    return not (isinstance(plan, dict) and plan.get("recordingEnabled") is False)


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
    needed = [AI, RECORDED] if is_recorded(agent) else [AI]
    for name, text in greetings.items():
        for key in needed:
            words = agent.sentences.say(language, key)
            if words not in text:
                yield name, words
