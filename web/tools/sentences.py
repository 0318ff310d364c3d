"""What several tools say: which sentence it is, and what goes into it."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from shared.agent.arguments import Given
from shared.agent.sentences import NOT_GIVEN, Value, phrase, quoted
from shared.agent.tool_files import ArgumentType, Verb
from shared.agent.tools import Tool
from shared.domain.drafts import CaseDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.redaction import plain_line
from shared.salesforce.customers import CaseSummary
from shared.vapi.answers import Answer, result
from web.tools.caller import Caller, may
from web.tools.turn import Turn

SUBJECT = "Case.Subject"
"""As policy.toml names it."""

MAX_SPOKEN_SUBJECT = 60
MAX_QUOTED = 255
MAX_SPOKEN_VALUE = 80

SAYABLE_YEARS = range(1700, 4001)
"""Those of Salesforce's dates. Times near the limits of Python's can't be put into words."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}.*")


def kind_of(kind: Kind) -> str:
    """The kind as the sentences know it."""
    return kind.replace("_", "-")


def about(intent: Intent) -> dict[str, Value]:
    """What was asked for, to name it to its caller as `request`: "billing case"."""
    case_draft = intent.draft_as(CaseDraft)
    issue_type = case_draft.issue_type if case_draft else "none"
    return {"kind": kind_of(intent.kind), "issueType": issue_type}


def case_sentence(turn: Turn, caller: Caller, found: CaseSummary) -> str:
    """Says what the case is about only where the policy lets the caller hear it."""
    if not may(turn, caller, Verb.READ, SUBJECT):
        found = replace(found, subject="")
    subject = quoted(_short(plain_line(found.subject, MAX_QUOTED)), MAX_QUOTED)
    values = {
        "number": found.number,
        "reference": found.reference,
        "subject": subject,
        "status": quoted(found.status, MAX_SPOKEN_VALUE) or "none",
    }
    match bool(found.number), bool(subject):
        case True, True:
            return turn.say("case-with-number-and-subject", **values)
        case True, False:
            return turn.say("case-with-number", **values)
        case False, True:
            return turn.say("case-with-reference-and-subject", **values)
        case _:
            return turn.say("case-with-reference", **values)


def already_open(turn: Turn, caller: Caller, earlier: Intent | None) -> Answer:
    """Asks what to do instead of opening a second case about the same.

    Names the case only to the caller it was opened for; other callers of the account learn that
    it exists. A case of an earlier call is not named until the org has said whose the number is
    now.
    """
    if not earlier or not caller.identity.requested(earlier):
        return result(turn.say("existing-case-of-account"))
    number = earlier.receipt.number if earlier.receipt else None
    named = (
        phrase("named-by-number", number=number)
        if number
        else phrase("named-by-reference", reference=earlier.reference)
    )
    if earlier.call_id and earlier.call_id == caller.identity.call_id:
        return result(turn.say("existing-request-of-call", named=named, **about(earlier)))
    if earlier.kind is not Kind.CASE_CREATE:
        return result(turn.say("existing-request", named=named, **about(earlier)))
    if caller.is_old:
        return result(turn.say("existing-case"))
    return result(turn.say("existing-case-named", named=named))


def nothing_saved(turn: Turn, why: str) -> str:
    return " ".join((why, turn.say("nothing-saved")))


def _short(subject: str) -> str:
    short = subject
    if len(subject) > MAX_SPOKEN_SUBJECT:
        short = subject[:MAX_SPOKEN_SUBJECT].rsplit(" ", 1)[0]
    return short.rstrip(" .,;:!?")


def said_arguments(turn: Turn, tool: Tool, given: Given) -> dict[str, Value]:
    """Every argument may stand in a sentence, under its name; NOT_GIVEN when the caller did not say
    it. The reference of another request is none of them: `reference` is the new one."""
    said: dict[str, Value] = {}
    for name, argument in tool.file.arguments.items():
        value = given.values.get(name, NOT_GIVEN)
        if argument.type is ArgumentType.CHOICE or name not in given.values:
            said[name] = value  # the file's own word
        elif argument.spell:
            said[name] = turn.spelled(str(value))
        else:
            said[name] = spoken_value(value)
    said.pop("reference", None)
    return said


def spoken_value(value: Any) -> Value:
    """Dates become dates, which each language says in its own way. Texts are quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = plain_line(str(value), MAX_QUOTED)
    with suppress(ValueError):  # a text that only looks like one
        moment = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else moment
        if moment and moment.year in SAYABLE_YEARS:
            return moment
    return quoted(text, MAX_SPOKEN_VALUE)
