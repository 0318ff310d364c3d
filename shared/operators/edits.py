"""Corrections of a parked draft: which names it has, and which values they accept.

The tool that accepted the draft validates the values, as the agent folder has it now. If the tool
is gone, the first tool with the same verb does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from shared.agent.arguments import ArgumentSchema, BadArgumentsError, schema_of
from shared.agent.folder import Agent
from shared.agent.sentences import SHIPPED
from shared.agent.tool_files import ArgumentFile, ArgumentType, UpdateFile, Verb
from shared.agent.tools import Tool
from shared.agent.wrong_arguments import sentence_of
from shared.domain.drafts import draft_of
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.domain.record_mapping import placeholders
from shared.errors import ServiceError
from shared.phone import as_e164

WHO = ("contact_id", "caller_number")
"""Whose write it is. An operator sets one when the number belongs to no contact, or to several."""

_CONTACT_ID = re.compile(r"003[A-Za-z0-9]{12}([A-Za-z0-9]{3})?")


class EditRefusedError(ServiceError):
    """The correction is not possible. The text is a sentence for the operator."""


@dataclass(frozen=True)
class Form:
    """How a draft is corrected.

    schema: validates it. names: the argument for each name of the draft. who: whether the draft
    says whose write it is.
    """

    schema: ArgumentSchema
    names: Mapping[str, str]
    who: bool = True


VERBS = {
    Kind.CASE_CREATE: Verb.CREATE,
    Kind.CASE_COMMENT: Verb.COMMENT,
    Kind.CASE_CLOSE: Verb.CLOSE,
    Kind.CONTACT_UPDATE: Verb.UPDATE,
    Kind.CALLBACK: Verb.CALL_BACK,
}

MEANINGS: dict[Kind, dict[str, str]] = {
    Kind.CASE_CREATE: {
        "issue_type": "issueType",
        "description": "description",
        "priority": "priority",
        "account_number": "accountNumber",
    },
    Kind.CASE_COMMENT: {"text": "comment", "case_number": "caseNumber"},
    Kind.CALLBACK: {"phone": "phone", "when": "when", "reason": "reason"},
}
"""The draft's own names → what the tool's argument means."""

OF_NO_TOOL: dict[Kind, Form] = {
    Kind.CASE_CLOSE: Form(
        schema_of({"case_number": ArgumentFile(type=ArgumentType.CASE_NUMBER)}),
        {"case_number": "case_number"},
    ),
    # A summary may be as long as the reason of a call-back.
    Kind.CALL_LOG: Form(schema_of({"summary": ArgumentFile()}), {"summary": "summary"}),
    Kind.TRANSCRIPT_FILE: Form(schema_of({}), {}, who=False),
    Kind.TASK_LINK: Form(schema_of({}), {}, who=False),
    Kind.CHANGE_ALERT: Form(schema_of({}), {}, who=False),
}
"""No tool has these arguments."""


def form_of(intent: Intent, agent: Agent) -> Form:
    if intent.kind in OF_NO_TOOL:
        return OF_NO_TOOL[intent.kind]
    tool = _tool_of(intent, agent)
    if tool is None:
        return Form(schema_of({}), {})
    if isinstance(tool.file, UpdateFile) and tool.change is None:
        fields = tool.file.fields.items()
        return Form(tool.arguments, {field: placeholders(str(it))[0] for field, it in fields})
    meanings = MEANINGS.get(intent.kind, {})
    named = {name: tool.arguments.names.get(meaning) for name, meaning in meanings.items()}
    names = {name: argument for name, argument in named.items() if argument}
    others = set(intent.payload.get("arguments") or {}) & set(tool.file.arguments)
    others -= set(names.values())
    return Form(tool.arguments, names | {name: name for name in sorted(others)})


def _tool_of(intent: Intent, agent: Agent) -> Tool | None:
    verb = Verb(intent.kind.verb) if intent.kind.verb else VERBS.get(intent.kind, Verb.CREATE)
    sobject = intent.kind.sobject or ("Case" if verb is Verb.CREATE else "")
    fitting = [
        tool
        for tool in agent.tools.values()
        if tool.verb is verb and (not sobject or getattr(tool.file, "object", "") == sobject)
    ]
    return next((tool for tool in fitting if tool.name == intent.tool), None) or next(
        iter(fitting), None
    )


@dataclass(frozen=True)
class Edit:
    """draft: the corrected draft. changed: name → (old, new); None stands for "left out"."""

    draft: dict[str, Any]
    changed: dict[str, tuple[str | None, str | None]]


def editable(intent: Intent, agent: Agent) -> dict[str, str | None]:
    """The names that can be corrected, with their present values; None for a name without one."""
    return _texts(intent, form_of(intent, agent))


def edited(
    intent: Intent,
    *,
    put: Sequence[str],
    left_out: Sequence[str],
    emptied: Sequence[str],
    agent: Agent,
    region: str,
) -> Edit:
    """put: NAME=VALUE each. left_out, emptied: names. Raises EditRefusedError."""
    values = _values(put)
    named = [*values, *left_out, *emptied]
    form = form_of(intent, agent)
    _check_names(intent.kind, form, named)
    if intent.kind is not Kind.CONTACT_UPDATE and emptied:
        raise EditRefusedError(
            f"--empty {emptied[0]}: only a contact update can erase what the org has. "
            f"Use --unset {emptied[0]} to leave it out"
        )
    before = _texts(intent, form)
    after: dict[str, str | None] = {**before, **values}
    after |= dict.fromkeys(left_out) | dict.fromkeys(emptied, "")
    _validate(intent, form, agent, after, values, region)
    changed = {name: (before.get(name), after[name]) for name in named}
    return Edit(_draft(intent, form, after, named), changed)


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


def _check_names(kind: Kind, form: Form, named: Sequence[str]) -> None:
    known = [*form.names, *(WHO if form.who else ())]
    for name in named:
        if name not in known:
            editable = f"it has {', '.join(known)}" if known else "nothing of it can be edited"
            raise EditRefusedError(f"a {kind} has no {name}: {editable}")
        if named.count(name) > 1:
            raise EditRefusedError(f"{name} is named twice")


def _texts(intent: Intent, form: Form) -> dict[str, str | None]:
    """What can be edited, as it is now. A contact update has only the fields that it changes."""
    payload = intent.payload
    if intent.kind is Kind.CONTACT_UPDATE:
        texts: dict[str, str | None] = dict(payload["changes"])
    else:
        arguments = payload.get("arguments") or {}
        texts = {
            name: form.schema.spoken(argument, arguments[name])
            if name in arguments
            else payload.get(name)
            for name, argument in form.names.items()
        }
    return texts | {name: payload.get(name) for name in WHO if form.who}


def _validate(
    intent: Intent,
    form: Form,
    agent: Agent,
    after: dict[str, str | None],
    values: dict[str, str],
    region: str,
) -> None:
    """Writes the values into `after` in the tool's own form. Raises EditRefusedError."""
    given = {argument: after[name] for name, argument in form.names.items() if after.get(name)}
    if any(name in form.names for name in values):
        try:
            read = form.schema.read(given, region).values
        except BadArgumentsError as refused:
            raise EditRefusedError(_in_words(agent, intent.tool, refused)) from None
        for name in values:
            if name in form.names:
                after[name] = read.get(form.names[name])
    if "contact_id" in values and not _CONTACT_ID.fullmatch(values["contact_id"]):
        raise EditRefusedError("contact_id must be a Contact id, such as 003000000000001AAA")
    if "caller_number" in values:
        number = as_e164(values["caller_number"], region)
        if number is None:
            raise EditRefusedError("caller_number must be a phone number, such as +14155550100")
        after["caller_number"] = number


def _in_words(agent: Agent, tool: str, refused: BadArgumentsError) -> str:
    """Operators get English, like all of the command line."""
    return sentence_of(agent.sentences, SHIPPED, tool, "", refused.problems)


def _draft(
    intent: Intent, form: Form, after: dict[str, str | None], named: Sequence[str]
) -> dict[str, Any]:
    drafts = draft_of(intent.kind)
    defaults = {field.name: field.default for field in fields(drafts)} if drafts else {}
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
        draft |= {"changes": changes}
        named = [name for name in named if name in WHO]
    arguments = dict(draft.get("arguments") or {})
    for name in named:
        text = after[name]
        argument = form.names.get(name, "")
        if argument in arguments:
            del arguments[argument]
            if text is not None:
                arguments[argument] = form.schema.stored(argument, text)
        if name not in defaults:
            continue
        default = defaults[name]
        if text is None and not (default is None or isinstance(default, str)):
            raise EditRefusedError(f"{name} can't be left out of a {intent.kind}")
        draft[name] = default if text is None else text
    if "accepted_at" in draft:
        # The operator has not "seen" older values, so the update overwrites them; a change that
        # somebody makes after now still wins.
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        draft |= {"seen": None, "accepted_at": now}
    spoken = str((draft.get("mapping") or {}).get("spoken") or "")
    if set(named) & set(placeholders(spoken)):
        draft |= {"record_intent": None, "record_id": None}  # the operator means another record
    if set(named) & set(WHO):
        # The operator knows better than the call did.
        if draft.get("has_no_contact") and draft.get("account_id"):
            draft["account_id"] = None  # of the line that the call came from
        draft["has_no_contact"] = False
    return draft | ({"arguments": arguments} if "arguments" in draft else {})
