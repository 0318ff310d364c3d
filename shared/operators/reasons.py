"""What the reason of a parked intent means, and what to do about it. docs/runbook.md has more."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    meaning: str
    next_step: str


_UNKNOWN = Explanation(
    "Salesforce refused it with this code.",
    "Read Salesforce's message. Fix the cause in Salesforce, then replay.",
)

_OURS = {
    "EDITED_SINCE": Explanation(
        "A person changed these fields after the call had read the record.",
        "Discard to keep the person's edit. Edit to apply what the caller asked for.",
    ),
    "NUMBER_READ_OTHERWISE": Explanation(
        "With the country that the caller wants, a phone number on file without a country code "
        "would be another number, or none.",
        "Give the number its country code in Salesforce, then replay.",
    ),
    "TASK_GONE": Explanation(
        "The Task that a late report should complete was deleted.", "Discard it."
    ),
    "TASK_UNKNOWN": Explanation(
        "The service no longer knows which Task a late report should complete.", "Discard it."
    ),
    "NOT_ONE_CONTACT": Explanation(
        "No contact, or several contacts, have the caller's number.",
        "Find out who called. Edit it, set contact_id, and replay.",
    ),
    "NUMBER_OF_ANOTHER_CONTACT": Explanation(
        "Another contact, or an account's main line, has the number that the caller wants on file.",
        "Ask the caller. Change the contact in Salesforce, and discard.",
    ),
    "CASE_OF_SOMEBODY_ELSE": Explanation(
        "The case that was named is not the caller's.", "Edit the case number, or discard."
    ),
    "CASE_UNKNOWN": Explanation(
        "No case has the number that was named.", "Edit the case number, or discard."
    ),
    "CASE_PARKED": Explanation(
        "It needs a case that is parked.", "Settle the case: this one follows by itself."
    ),
    "COMMENT_PARKED": Explanation(
        "It needs a comment that is parked.", "Settle the comment: this one follows by itself."
    ),
    "TASK_PARKED": Explanation(
        "It needs a Task that is parked.", "Settle the Task: this one follows by itself."
    ),
    "CASE_CANCELLED": Explanation(
        "The caller took back the case that it belongs to.", "Discard it."
    ),
    "CASE_GONE": Explanation("The case was deleted.", "Discard it."),
    "RECORD_OF_SOMEBODY_ELSE": Explanation(
        "The record that was named does not lead to the caller.", "Edit its name, or discard."
    ),
    "RECORD_UNKNOWN": Explanation(
        "None of the caller's records has the name that was named.", "Edit the name, or discard."
    ),
    "RECORD_GONE": Explanation("The record was deleted.", "Discard it."),
    "RECORD_AMBIGUOUS": Explanation(
        "Several of the caller's records sound like the name that they said.",
        "Edit the argument that names it, and replay.",
    ),
    "NOT_THEIR_RECORD": Explanation(
        "A record that the new one should refer to is not the caller's.",
        "Edit the argument that names it, or discard.",
    ),
    "RECORD_PARKED": Explanation(
        "It needs a record that is parked.", "Settle the record: this one follows by itself."
    ),
    "RECORD_CANCELLED": Explanation(
        "The caller took back the record that it belongs to.", "Discard it."
    ),
    "CASE_AMBIGUOUS": Explanation(
        "The number that the caller said fits several cases.",
        "Edit it, set case_number to the right one, and replay.",
    ),
    "OTHER_ORG": Explanation(
        "It was accepted while the service worked with another org.",
        "Discard it, or replay it for the present org.",
    ),
    "NOT_WANTED": Explanation(
        "The caller took it back after it had parked in doubt.",
        "Look for the record in Salesforce. If it does not exist, discard.",
    ),
}

_PREFIXES = {
    "UNREADABLE_": Explanation(
        "Another version of this service wrote it, or its row is broken.",
        "Replay it when a version that can read it is running.",
    ),
    "UNFORESEEN_": Explanation(
        "A defect of this service.", "The log names the place in the code. Report it, and replay."
    ),
    "INSUFFICIENT_ACCESS": Explanation(
        "The service's user lacks a right on this record or object.",
        "Check the permission set Voice_Integration, then replay.",
    ),
}

_SALESFORCE = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Explanation(
        "A validation rule of your org refuses the record.",
        "Change the rule and replay, or edit the record so that the rule accepts it.",
    ),
    "REQUIRED_FIELD_MISSING": Explanation(
        "Your org requires a field that this service does not fill.",
        "Fill it in the agent folder, or make it optional. Then replay.",
    ),
    "DUPLICATES_DETECTED": Explanation(
        "A duplicate rule of your org blocks the record.",
        "Look at the duplicate in Salesforce. Discard, or change the rule and replay.",
    ),
    "INVALID_FIELD": Explanation(
        "A field is missing in the org, or its user does not see it.",
        "Deploy salesforce/ and check Voice_Integration, then replay.",
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Explanation(
        "The service's user may not write this object, or a trigger of your org refuses it.",
        "Check Voice_Integration and the triggers of the object, then replay.",
    ),
    "NOT_FOUND": Explanation(
        "An object or a record is missing, or its user does not see it.",
        "Check Voice_Integration, then replay.",
    ),
    "REQUEST_LIMIT_EXCEEDED": Explanation(
        "The day's API requests are used up, or too many long requests ran at once.",
        "Replay when requests are available again.",
    ),
    "INVALID_SESSION_ID": Explanation(
        "The token had expired, and a new one was refused as well.",
        "Check the policies of the app in Salesforce, then replay.",
    ),
    "UNABLE_TO_LOCK_ROW": Explanation(
        "Somebody else held the record locked for more than ten minutes.", "Replay it."
    ),
    "QUERY_TOO_COMPLICATED": Explanation(
        "This record alone exceeds a limit of a transaction.",
        "Look at the triggers and flows of the object, then replay.",
    ),
    "LIMIT_EXCEEDED": Explanation(
        "This record alone exceeds a limit of a transaction.",
        "Look at the triggers and flows of the object, then replay.",
    ),
}


def explain(reason: str) -> Explanation:
    """reason: as the journal has it, such as "EDITED_SINCE (Phone)"."""
    code = reason.split(" ")[0]
    if found := _OURS.get(code) or _SALESFORCE.get(code):
        return found
    by_prefix = (words for prefix, words in _PREFIXES.items() if code.startswith(prefix))
    return next(by_prefix, _UNKNOWN)


def is_explained(code: str) -> bool:
    """Whether the explanation is about this very code."""
    return explain(code) is not _UNKNOWN
