"""The agent's first words, as a report has them."""

import re
from collections.abc import Callable, Sequence
from itertools import dropwhile, takewhile
from typing import Any

from shared.domain.text import one_line
from shared.vapi.values import as_text, first_moment

MAX_GREETING = 1_000
_LINE = re.compile(r"(?:AI|Assistant|Agent|Bot): (.+)")


def greeting_in(
    lists: Sequence[list[dict[str, Any]]], transcript: str, remove: Callable[[str], str]
) -> tuple[str, int | None]:
    """Everything until the caller answers, and when it began (epoch ms). "" and None for a report
    without it.

    lists: the lists of messages of a report, the first of which counts. transcript: for a report
    without messages. remove: takes secrets from a text.
    """
    for messages in lists:
        since = dropwhile(lambda message: not _is_of_agent(message), messages)
        if first := list(takewhile(_is_of_agent, since)):
            words = " ".join(one_line(_text(message)) for message in first)
            return _safe(words, remove), first_moment(first[0].get("time"))
    lines = dropwhile(lambda line: not line, map(_LINE.fullmatch, transcript.splitlines()))
    found = takewhile(bool, lines)
    return _safe(" ".join(line[1] for line in found if line), remove), None


def _is_of_agent(message: dict[str, Any]) -> bool:
    return as_text(message.get("role")) in {"bot", "assistant"}


def _text(message: dict[str, Any]) -> str:
    return as_text(message.get("message")) or as_text(message.get("content"))


def _safe(words: str, remove: Callable[[str], str]) -> str:
    return remove(words[:MAX_GREETING])[:MAX_GREETING]
