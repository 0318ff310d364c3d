"""Sentences that several tools say: short, for the ear, without our machinery."""

from shared.domain.drafts import CaseDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.salesforce.customers import CaseSummary
from shared.vapi.answers import Answer, result
from web.tools.caller import Caller

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

SPOKEN_KINDS = {
    Kind.CASE_CREATE: "case",
    Kind.CASE_COMMENT: "comment",
    Kind.CASE_CLOSE: "closing of the case",
    Kind.CONTACT_UPDATE: "change of contact details",
    Kind.CALLBACK: "call-back request",
    Kind.CALL_LOG: "record of the call",
    Kind.TRANSCRIPT_FILE: "transcript",
}

MAX_SPOKEN_SUBJECT = 60


def described(intent: Intent) -> str:
    """What was asked for, to name it to its caller: "billing case", "call-back request"."""
    if case_draft := intent.draft_as(CaseDraft):
        return f"{case_draft.issue_type} case"
    return SPOKEN_KINDS.get(intent.kind, "request")


def case_sentence(found: CaseSummary) -> str:
    about = f", {_short(found.subject)}," if found.subject else ""
    if not found.number:
        return f"The case with reference {found.reference}{about} is {found.status}."
    return f"Case {found.number}{about} is {found.status or 'open'}."


def already_open(caller: Caller, earlier: Intent | None) -> Answer:
    """Asks what to do instead of opening a second case about the same.

    Names the case only to the caller it was opened for; other callers of the account learn that
    it exists. A case of an earlier call is not named until the org has said whose the number is
    now.
    """
    if not earlier or not caller.identity.requested(earlier):
        return result(
            "There is a case of the last day for this account, but I can't add to it on this phone "
            "number. Nothing was saved yet. Shall I open a new one?"
        )
    number = earlier.receipt.number if earlier.receipt else None
    named = f"number {number}" if number else f"reference {earlier.reference}"
    if earlier.call_id and earlier.call_id == caller.identity.call_id:
        return result(
            f"There is a {described(earlier)} of this call already, {named}. Nothing more was "
            "saved. Shall I correct that one, add to it, or open another one?"
        )
    case = "a case of the last day for this" + ("" if caller.is_old else f", {named}")
    return result(
        f"There is already {case}. Nothing was saved yet. "
        "Shall I add to that case, or open a new one?"
    )


def listed(words: list[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(count: int, noun: str) -> str:
    """ "two open cases"."""
    return f"{number_word(count)} {noun}{'' if count == 1 else 's'}"


def number_word(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def spoken_age(age_ms: int) -> str:
    minutes = max(1, round(age_ms / 60_000))
    if minutes < 90:
        return counted(minutes, "minute")
    return counted(round(minutes / 60), "hour")


def _short(subject: str) -> str:
    short = subject
    if len(subject) > MAX_SPOKEN_SUBJECT:
        short = subject[:MAX_SPOKEN_SUBJECT].rsplit(" ", 1)[0]
    return short.rstrip(" .,;:!?")
