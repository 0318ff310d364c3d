"""Corrections of a parked draft: which names it has, and which values they accept.

A value is validated by the same tool that accepted the draft (shared/vapi/tools.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from shared.domain.drafts import DRAFTS
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.errors import ServiceError
from shared.phone import as_e164
from shared.salesforce.customers import CHANGEABLE
from shared.vapi.tools import BadArgumentsError, read_arguments

WHO = ("contact_id", "caller_number")
"""Whose write it is. An operator sets one when the number belongs to no contact, or to several."""

_CONTACT_ID = re.compile(r"003[A-Za-z0-9]{12}([A-Za-z0-9]{3})?")


class EditRefusedError(ServiceError):
    """The correction is not possible. The text is a sentence for the operator."""


@dataclass(frozen=True)
class Form:
    """How a kind of draft is corrected.

    tool: the tool that validates it. arguments: the tool's argument for each name of the draft.
    who: whether the draft says whose write it is.
    """

    tool: str
    arguments: Mapping[str, str]
    who: bool = True


FORMS = {
    Kind.CASE_CREATE: Form(
        "createSalesforceCase",
        {
            "issue_type": "issueType",
            "description": "description",
            "priority": "priority",
            "account_number": "accountNumber",
        },
    ),
    Kind.CASE_COMMENT: Form("addCaseComment", {"text": "comment", "case_number": "caseNumber"}),
    Kind.CASE_CLOSE: Form("getCaseStatus", {"case_number": "caseNumber"}),
    Kind.CONTACT_UPDATE: Form(
        "updateContact", {name: name[0].lower() + name[1:] for name in CHANGEABLE}
    ),
    Kind.CALLBACK: Form("requestCallback", {"phone": "phone", "when": "when", "reason": "reason"}),
    # No tool accepts these. A summary may be as long as the reason of a call-back.
    Kind.CALL_LOG: Form("requestCallback", {"summary": "reason"}),
    Kind.TRANSCRIPT_FILE: Form("requestCallback", {}, who=False),
    Kind.TASK_LINK: Form("requestCallback", {}, who=False),
}


@dataclass(frozen=True)
class Edit:
    """draft: the corrected draft. changed: name → (old, new); None stands for "left out"."""

    draft: dict[str, Any]
    changed: dict[str, tuple[str | None, str | None]]


def edited(
    intent: Intent,
    *,
    put: Sequence[str],
    left_out: Sequence[str],
    emptied: Sequence[str],
    region: str,
) -> Edit:
    """put: NAME=VALUE each. left_out, emptied: names. Raises EditRefusedError."""
    values = _values(put)
    named = [*values, *left_out, *emptied]
    _check_names(intent.kind, named)
    if intent.kind is not Kind.CONTACT_UPDATE and emptied:
        raise EditRefusedError(
            f"--empty {emptied[0]}: only a contact update can erase what the org has. "
            f"Use --unset {emptied[0]} to leave it out"
        )
    before = _texts(intent)
    after: dict[str, str | None] = {**before, **values}
    after |= dict.fromkeys(left_out) | dict.fromkeys(emptied, "")
    _validate(intent.kind, after, values, region)
    changed = {name: (before.get(name), after[name]) for name in named}
    return Edit(_draft(intent, after, named), changed)


def _values(put: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for assignment in put:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise EditRefusedError(f"--set {name}: write --set {name}=VALUE")
        if not value.strip():
            raise EditRefusedError(
                f"--set {name}= has no value. Use --unset {name} to leave it out, so that the org "
                f"keeps what it has, or --empty {name} to erase it in the org"
            )
        if name in values:
            raise EditRefusedError(f"{name} is named twice")
        values[name] = value.strip()
    return values


def _check_names(kind: Kind, named: Sequence[str]) -> None:
    form = FORMS[kind]
    known = [*form.arguments, *(WHO if form.who else ())]
    for name in named:
        if name not in known:
            editable = f"it has {', '.join(known)}" if known else "nothing of it can be edited"
            raise EditRefusedError(f"a {kind} has no {name}: {editable}")
        if named.count(name) > 1:
            raise EditRefusedError(f"{name} is named twice")


def _texts(intent: Intent) -> dict[str, str | None]:
    """What can be edited, as it is now. A contact update has only the fields that it changes."""
    payload, form = intent.payload, FORMS[intent.kind]
    if intent.kind is Kind.CONTACT_UPDATE:
        texts: dict[str, str | None] = dict(payload["changes"])
    else:
        texts = {name: payload.get(name) for name in form.arguments}
    return texts | {name: payload.get(name) for name in WHO if form.who}


def _validate(
    kind: Kind, after: dict[str, str | None], values: dict[str, str], region: str
) -> None:
    """Writes the values into `after` in the tool's own form. Raises EditRefusedError."""
    form = FORMS[kind]
    given = {argument: after[name] for name, argument in form.arguments.items() if after.get(name)}
    if any(name in form.arguments for name in values):
        try:
            read = read_arguments(form.tool, given, region).model_dump(by_alias=True)
        except BadArgumentsError as refused:
            raise EditRefusedError(str(refused)) from None
        for name in values:
            if name in form.arguments:
                after[name] = read[form.arguments[name]]
    if "contact_id" in values and not _CONTACT_ID.fullmatch(values["contact_id"]):
        raise EditRefusedError("contact_id must be a Contact id, such as 003000000000001AAA")
    if "caller_number" in values:
        number = as_e164(values["caller_number"], region)
        if number is None:
            raise EditRefusedError("caller_number must be a phone number, such as +14155550100")
        after["caller_number"] = number


def _draft(intent: Intent, after: dict[str, str | None], named: Sequence[str]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(DRAFTS[intent.kind])}
    draft = dict(intent.payload)
    if intent.kind is Kind.CONTACT_UPDATE:
        changes = {
            name: text for name, text in after.items() if name not in WHO and text is not None
        }
        if not changes:
            raise EditRefusedError(
                "nothing would be left to change. To give the intent up, run: "
                f"python -m cli intents discard {intent.id}"
            )
        # The operator has not "seen" older values, so the update overwrites them; a change that
        # somebody makes after now still wins.
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        draft |= {"changes": changes, "seen": None, "accepted_at": now}
        named = [name for name in named if name in WHO]
    for name in named:
        text = after[name]
        default = defaults[name]
        if text is None and not (default is None or isinstance(default, str)):
            raise EditRefusedError(f"{name} can't be left out of a {intent.kind}")
        draft[name] = default if text is None else text
    if set(named) & set(WHO):
        draft["has_no_contact"] = False  # the operator knows better than the call did
    return draft
