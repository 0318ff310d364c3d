"""Reads what Vapi reports about a call's end: the end-of-call report, and earlier status updates.

The parts of a report lie at message level, in `artifact`, in `analysis` or inside `call`. Each may
be missing or have another type (docs/vendors.md V10, V16 to V19).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.domain.text import one_line
from shared.redaction import clean, redact, redact_json
from shared.vapi.greeting import greeting_in
from shared.vapi.messages import AGENT, CALLER, Message, Utterance
from shared.vapi.values import (
    as_iso,
    as_number,
    as_object,
    as_objects,
    as_text,
    first_moment,
)

MAX_DURATION_S = 24 * 3600
"""A call lasts 12 hours at most (maxDurationSeconds)."""

MAX_OUTCOME = 16_000
MAX_VALUE = 1_000
MAX_NAME = 80
MAX_ITEMS = 30
MAX_DEPTH = 4
MAX_SUMMARY_DEPTH = 20
MAX_URL = 500
MAX_SUMMARY = 8_000
MAX_TRANSCRIPT = 30_000
MAX_SAID = 1_000
MAX_SAID_LENGTH = 2_000
"""Limits in characters, entries and levels: for a report without its summary and transcript, and
for a status update."""


@dataclass(frozen=True)
class EndOfCall:
    """What is known of a call's end. Times are ISO 8601 UTC or None; "" means not reported.

    reported_at: the message's own time.
    greeting: the first words of the agent; greeted_at: when they began.
    recording: an address in the team's own storage, or else the name of the resource at Vapi's API
    ("mono-recording"); "" without a recording.
    outcome: everything else, by our names and within limits (see `_outcome`).
    agent_said: the agent's messages, the last MAX_SAID; 0 where a message has no time.
    """

    ended_reason: str = ""
    summary: str = ""
    transcript: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: int | None = None
    reported_at: str | None = None
    greeting: str = ""
    greeted_at: str | None = None
    recording: str = ""
    outcome: dict[str, Any] = field(default_factory=dict)
    agent_said: tuple[Utterance, ...] = field(default=(), repr=False)


def end_of_call(message: Message, person: str = CALLER, agent: str = AGENT) -> EndOfCall:
    """Everything that a report, or a status update, says about the end, without secrets. Raises
    nothing.

    person, agent: how a transcript names them that has to be made of the messages.
    """
    body, call = message.body, message.call
    artifacts = [as_object(holder.get("artifact")) for holder in (body, call)]
    analyses = [as_object(holder.get("analysis")) for holder in (body, call)]
    everywhere = [body, *artifacts, call]
    started_ms = first_moment(body.get("startedAt"), call.get("startedAt"))
    ended_ms = first_moment(body.get("endedAt"), call.get("endedAt"))
    outputs = _structured_outputs(artifacts)
    summary, from_output = _summary([body, *analyses], outputs)
    in_output = outputs.pop(from_output, None)
    transcript = _first_text(everywhere, "transcript")
    lists = [as_objects(holder.get("messages")) for holder in everywhere]
    if not transcript or any(_has_break(spoken) for messages in lists for spoken in messages):
        # A line break within what somebody said would look like a line of somebody else's.
        transcript = next(
            filter(None, (_spoken(messages, person, agent) for messages in lists)), transcript
        )
    greeting, greeted_ms = greeting_in(lists, transcript, message.without_secrets)
    return EndOfCall(
        greeting=greeting,
        greeted_at=as_iso(greeted_ms),
        ended_reason=_first_text([body, call], "endedReason"),
        summary=message.without_secrets(summary),
        transcript=message.without_secrets(transcript),
        started_at=as_iso(started_ms),
        ended_at=as_iso(ended_ms),
        duration_s=_duration_s(body, started_ms, ended_ms),
        reported_at=as_iso(first_moment(message.at_ms)),
        recording=_recording(everywhere, has_vapi_id=bool(message.call_id)),
        outcome=_outcome(message, artifacts, analyses, outputs, {from_output: in_output}),
        agent_said=_agent_said(next(filter(None, lists), [])),
    )


def _agent_said(messages: list[dict[str, Any]]) -> tuple[Utterance, ...]:
    """A message's time is when it began. What it says was done was done by its end, where the
    report has that (docs/vendors.md V10)."""
    said = [
        Utterance(AGENT, text, first_moment(message.get("endTime"), message.get("time")) or 0)
        for message in messages
        if as_text(message.get("role")) in {"bot", "assistant"}
        and (text := (as_text(message.get("message")) or as_text(message.get("content"))))
    ]
    return tuple(replace(words, text=words.text[:MAX_SAID_LENGTH]) for words in said[-MAX_SAID:])


def call_updates(message: Message) -> dict[str, Any]:
    """What a status update says about a transfer or the end; {} for any other message.

    ended_reason and ended_at for `ended`; forwarded_to, summary and transcript for `forwarding`.
    """
    if message.type != "status-update":
        return {}
    updates = {}
    if message.status == "ended":
        end = end_of_call(message)
        updates = {
            "ended_reason": end.ended_reason[:MAX_VALUE],
            "ended_at": end.ended_at or as_iso(first_moment(message.when_ms())),
        }
    elif message.status == "forwarding":
        summary, transcript = (as_text(message.body.get(it)) for it in ("summary", "transcript"))
        updates = {
            "forwarded_to": destination(message.body.get("destination")),
            "summary": message.without_secrets(summary[:MAX_SUMMARY]),
            "transcript": message.without_secrets(transcript[:MAX_TRANSCRIPT]),
        }
    return {name: value for name, value in updates.items() if value}


# -- when ------------------------------------------------------------------------------------------


def _duration_s(body: dict[str, Any], started_ms: int | None, ended_ms: int | None) -> int | None:
    seconds, milliseconds = (
        as_number(body.get("durationSeconds")),
        as_number(body.get("durationMs")),
    )
    durations_s = [seconds, milliseconds / 1000 if milliseconds is not None else None]
    if started_ms is not None and ended_ms is not None:
        durations_s.append(max(0.0, (ended_ms - started_ms) / 1000))
    return next(
        (
            round(duration_s)
            for duration_s in durations_s
            if duration_s is not None and 0 <= duration_s <= MAX_DURATION_S
        ),
        None,
    )


# -- what was said ---------------------------------------------------------------------------------


def _has_break(message: dict[str, Any]) -> bool:
    text = as_text(message.get("message")) or as_text(message.get("content"))
    return as_text(message.get("role")) != "system" and len(text.splitlines()) > 1


def _spoken(messages: list[dict[str, Any]], person: str, agent: str) -> str:
    lines = [
        f"{person if role == 'user' else agent}: {text}"
        for message in messages
        if (role := as_text(message.get("role"))) in {"user", "bot", "assistant"}
        and (text := one_line(as_text(message.get("message")) or as_text(message.get("content"))))
    ]
    return "\n".join(lines)


def _summary(holders: list[dict[str, Any]], outputs: dict[str, Any]) -> tuple[str, str]:
    """The summary, and the name of the structured output that it comes from ("" for none).

    Vapi recommends structured outputs for summaries as well (docs/vendors.md V16). The team chooses
    their names.
    """
    if text := _first_text(holders, "summary"):
        return text, ""
    named = [name for name in outputs if re.search(r"\bsummary\b", name.replace("_", " "), re.I)]
    named += [name for name in outputs if name not in named and "summary" in name.lower()]
    named.sort(key=lambda name: name.lower() not in ("call summary", "summary"))
    for name in named:
        if text := _as_words(outputs[name]):
            return text, name
    for holder in holders:
        if text := _as_words(as_object(holder.get("structuredData")).get("summary")):
            return text, ""
    return "", ""


def _as_words(value: Any, depth: int = 0) -> str:
    """A result in readable form: a text as it is, an object as its summary or its parts. Leaves out
    what lies too deep in it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict | list) and depth == MAX_SUMMARY_DEPTH:
        return ""
    if isinstance(value, dict):
        for name, inside in value.items():
            if name.lower() in {"summary", "text", "callsummary", "call_summary"} and inside:
                return _as_words(inside, depth + 1)
        return "; ".join(
            f"{name}: {text}"
            for name, part in value.items()
            if (text := _as_words(part, depth + 1))
        )
    if isinstance(value, list):
        return "; ".join(filter(None, (_as_words(part, depth + 1) for part in value)))
    return "" if value is None or isinstance(value, bool) else str(value)


# -- the recording ---------------------------------------------------------------------------------


def _recording(holders: list[dict[str, Any]], *, has_vapi_id: bool) -> str:
    """See EndOfCall. Vapi's own storage is private: its addresses are dead, and the presigned ones
    expire and are secrets. Both show that Vapi's API has a recording (docs/vendors.md V17)."""
    found = [
        (resource, url)
        for resource, at in _RECORDINGS.items()
        for holder in holders
        for path in at
        if (url := as_text(_at(holder, path)))
    ]
    own = next((url for _, url in found if _is_in_own_storage(url)), "")
    return own or (found[0][0] if found and has_vapi_id else "")


_RECORDINGS = {
    "mono-recording": ("recordingUrl", "recording.mono.combinedUrl", "presignedMonoUrl"),
    "stereo-recording": ("stereoRecordingUrl", "recording.stereoUrl", "presignedStereoUrl"),
    "video-recording": ("videoRecordingUrl", "recording.videoUrl", "presignedVideoUrl"),
    "customer-recording": ("recording.mono.customerUrl", "presignedCustomerUrl"),
    "assistant-recording": ("recording.mono.assistantUrl", "presignedAssistantUrl"),
}
"""The resources of Vapi's API, and where a payload says that there is such a recording."""
"""The resources of Vapi's API, and the payload fields that show that there is such a recording."""


def _at(holder: dict[str, Any], path: str) -> Any:
    value: Any = holder
    for name in path.split("."):
        value = as_object(value).get(name)
    return value


_SIGNED = re.compile(r"sig|token|expires|credential|policy|accesskey|^x-(amz|goog)-", re.I)


def _is_in_own_storage(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return False
    is_plain = len(url) <= MAX_URL and url.isprintable() and " " not in url
    is_vapis = host == "vapi.ai" or host.endswith(".vapi.ai") or "hipaa-recordings" in url
    return (
        is_plain
        and parts.scheme in {"https", "http", "s3", "gs"}
        and bool(host)
        and "@" not in parts.netloc
        and not is_vapis
        and not any(_SIGNED.search(name) for name in names)
    )


# -- the rest --------------------------------------------------------------------------------------


def _outcome(
    message: Message,
    artifacts: list[dict[str, Any]],
    analyses: list[dict[str, Any]],
    outputs: dict[str, Any],
    summary_output: dict[str, Any],
) -> dict[str, Any]:
    """Everything else in a report. Omits what the report does not contain.

    structured_outputs {name: result}, structured_data, success_evaluation, scorecards {name:
    {score, score_normalized}}, cost, recording_consent {type, granted_at}, assistants [names],
    assistant_version, transfers [{to, status, mode}], forwarded_to, summary_output {name: result}:
    the structured output with the summary. Its result is None when it is the summary's own text.
    """
    body, call = message.body, message.call
    consent = as_object(as_object(_first([body, call], "compliance")).get("recordingConsent"))
    outcome = {
        "transfers": _transfers(artifacts),
        "forwarded_to": destination(_first([body, call], "destination")),
        "success_evaluation": _bounded(_first(analyses, "successEvaluation")),
        "scorecards": _scorecards(artifacts),
        "cost": next(filter(None, (as_number(part.get("cost")) for part in (body, call))), None),
        "recording_consent": {
            "type": as_text(consent.get("type"))[:MAX_NAME],
            "granted_at": as_iso(first_moment(consent.get("grantedAt"))),
        }
        if as_text(consent.get("type"))
        else None,
        "assistants": _assistants(message, artifacts),
        "assistant_version": _first_text([body, call], "assistantVersion")[:MAX_NAME],
        "summary_output": {
            name: None if isinstance(result, str) else _bounded(result)
            for name, result in summary_output.items()
            if name
        },
        "structured_outputs": {name: _bounded(result) for name, result in outputs.items()},
        "structured_data": _bounded(_first(analyses, "structuredData")),
    }
    known = {name: value for name, value in outcome.items() if value not in (None, "", [], {})}
    return without_secrets(_that_fits(known), lambda text: redact(text, message.removes))


def without_secrets(outcome: dict[str, Any], remove: Callable[[str], str]) -> dict[str, Any]:
    """The outcome with everything that a model wrote as `remove` returns it."""
    return {
        name: redact_json(value, remove) if name in _FROM_A_MODEL else value
        for name, value in outcome.items()
    }


_FROM_A_MODEL = frozenset(
    {"success_evaluation", "summary_output", "structured_outputs", "structured_data"}
)
"""What a caller said may be in any place of these, as a text, a number or a name."""


def _that_fits(outcome: dict[str, Any]) -> dict[str, Any]:
    """As much as fits into MAX_OUTCOME, in this order."""
    fitting: dict[str, Any] = {}
    left = MAX_OUTCOME
    for name, value in outcome.items():
        if name == "structured_outputs":
            value = _that_fits_in(value, left)
        size = len(json.dumps(value))
        if value and size <= left:
            fitting[name] = value
            left -= size
    return fitting


def _that_fits_in(outputs: dict[str, Any], left: int) -> dict[str, Any]:
    fitting = {}
    for name, value in outputs.items():
        left -= len(json.dumps({name: value}))
        if left > 0:
            fitting[name] = value
    return fitting


def _structured_outputs(artifacts: list[dict[str, Any]]) -> dict[str, Any]:
    """Results by name. Vapi stores them by id, each with its name (docs/vendors.md V16)."""
    results: dict[str, Any] = {}
    for artifact in artifacts:
        given = artifact.get("structuredOutputs")
        by_id = dict(enumerate(given)) if isinstance(given, list) else as_object(given)
        for key, output in list(by_id.items())[:MAX_ITEMS]:
            name = one_line(as_text(as_object(output).get("name")) or str(key))[:MAX_NAME]
            result = as_object(output).get("result")
            if result is not None and name not in results:
                results[name] = result
    return results


def _scorecards(artifacts: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    cards: dict[str, dict[str, float]] = {}
    for artifact in artifacts:
        for key, card in list(as_object(artifact.get("scorecards")).items())[:MAX_ITEMS]:
            name = one_line(as_text(as_object(card).get("name")) or key)[:MAX_NAME]
            found = {
                "score": as_number(as_object(card).get("score")),
                "score_normalized": as_number(as_object(card).get("scoreNormalized")),
            }
            if scores := {what: score for what, score in found.items() if score is not None}:
                cards.setdefault(name, scores)
    return cards


def _transfers(artifacts: list[dict[str, Any]]) -> list[dict[str, str]]:
    tried = next(filter(None, (as_objects(part.get("transfers")) for part in artifacts)), [])
    return [
        {
            "to": destination(transfer.get("destination")),
            "status": as_text(transfer.get("status"))[:MAX_NAME],
            "mode": as_text(transfer.get("mode"))[:MAX_NAME],
        }
        for transfer in tried[-MAX_ITEMS:]
    ]


def _assistants(message: Message, artifacts: list[dict[str, Any]]) -> list[str]:
    """The assistants that spoke, in their order: the members of a squad, or else the only one."""
    lists = (as_objects(artifact.get("assistantActivations")) for artifact in artifacts)
    names = [as_text(activation.get("assistantName")) for some in lists for activation in some]
    for holder in (message.body, message.call):
        names.append(as_text(as_object(holder.get("assistant")).get("name")))
    lines = (one_line(name)[:MAX_NAME] for name in names)
    return list(dict.fromkeys(filter(None, lines)))[:MAX_ITEMS]


def destination(value: Any) -> str:
    """Where a call is transferred to: a number, a SIP address or an assistant's name, or ""."""
    fields = as_object(value)
    for name in ("number", "sipUri", "assistantName"):
        if text := one_line(as_text(fields.get(name))):
            return text[:MAX_NAME]
    return ""


def _bounded(value: Any, depth: int = 0) -> Any:
    """A JSON value, cut to the limits."""
    if isinstance(value, str):
        return clean(value[:MAX_VALUE])
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if as_number(value) is not None else str(value)[:MAX_NAME]
    if depth == MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [_bounded(part, depth + 1) for part in value[:MAX_ITEMS]]
    return {
        clean(name)[:MAX_NAME]: _bounded(part, depth + 1)
        for name, part in list(value.items())[:MAX_ITEMS]
    }


def _first(holders: list[dict[str, Any]], name: str) -> Any:
    return next((holder[name] for holder in holders if holder.get(name) is not None), None)


def _first_text(holders: list[dict[str, Any]], name: str) -> str:
    return next(filter(None, (as_text(holder.get(name)) for holder in holders)), "")
