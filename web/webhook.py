"""POST /webhook/vapi: size, authenticity, JSON, then the answer that the message's type wants.

Nearly every request is one of these, so they are answered as plain WSGI, without Flask's routing
and contexts (see web/app.py).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from http import HTTPStatus
from typing import NamedTuple
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import Counter, Histogram
from werkzeug.wrappers import Request

from shared.agent.folder import Agent
from shared.agent.sentences import phrase
from shared.calls.call_updates import CallUpdate
from shared.calls.calls import CallState
from shared.calls.secrets_said import SecretsSaid
from shared.calls.transcript_labels import TranscriptLabels
from shared.domain.trace import new_trace, read_traceparent, trace_of_call
from shared.logs import log
from shared.store import StoreUnavailableError
from shared.tracing import in_trace, span
from shared.vapi import authentication
from shared.vapi.answers import as_body, as_function_body
from shared.vapi.caller_id import CallerId, read_caller_id
from shared.vapi.json_text import read_json
from shared.vapi.messages import (
    KNOWN,
    Message,
    ToolCall,
    function_call,
    read_message,
    shape,
    tool_calls,
)
from shared.vapi.report import end_of_call
from web import body
from web.assistant import answer_assistant_request
from web.metrics import MESSAGES, REFUSED, WEBHOOK_SECONDS
from web.replay import answer_once
from web.service import Service
from web.tools.amendments import retract
from web.tools.caller import known_caller
from web.tools.dispatch import answer_tool_calls, store_is_away
from web.tools.sentences import about
from web.tools.turn import Turn
from web.transfer import answer_handoff, answer_transfer

PATHS = frozenset({"/webhook/vapi", "/webhook"})

NO_ANSWER_NEEDED = "{}"


def respond(
    service: Service, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a request as a WSGI application does."""
    status, text = handle(service, environ)
    encoded = text.encode()
    start_response(f"{status.value} {status.phrase}", headers(status, encoded))
    return [encoded]


def headers(status: HTTPStatus, content: bytes) -> list[tuple[str, str]]:
    """The headers of an answer."""
    found = [("Content-Length", str(len(content)))]
    if content:
        found.append(("Content-Type", "application/json"))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        found.append(("Allow", "POST"))
    return found


class _Headers:
    """The headers of a request, read from the WSGI environment. werkzeug's are slower, and every
    event needs this."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    def get(self, name: str, /) -> str | None:
        return self._environ.get(variable(name))


@lru_cache(maxsize=256)
def variable(name: str) -> str:
    """The name of a header in a WSGI environment."""
    upper = name.upper().replace("-", "_")
    return upper if upper in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{upper}"


def handle(service: Service, environ: WSGIEnvironment) -> tuple[HTTPStatus, str]:
    """The status and the JSON text that answer a request."""
    settings = service.settings
    if environ["REQUEST_METHOD"] != "POST":
        return HTTPStatus.METHOD_NOT_ALLOWED, ""
    sent = _Headers(environ)
    try:
        body.check_length(environ, settings.web.max_body_bytes)
        head = authentication.check_head(sent, settings.vapi)
        raw = body.read(environ, settings.web.max_body_bytes)
        signed = authentication.Request("POST", _signed_url(service, environ), sent, raw)
        authenticated = authentication.check_body(signed, head, settings.vapi)
    except body.BodyRefusedError as refused:
        return _refused(refused.status, refused.status.name.lower())
    except authentication.NotAuthenticatedError as why:
        log.warning("webhook_not_authenticated", reason=str(why))
        malformed = body.is_malformed(environ)
        if malformed:
            return _refused(HTTPStatus.BAD_REQUEST, "malformed")
        return _refused(HTTPStatus.UNAUTHORIZED, why.code)
    body.authenticated(environ)
    try:
        parsed = read_json(raw)
    except ValueError:
        return _refused(HTTPStatus.BAD_REQUEST, "no_json")
    service.rotation.note(by_previous=authenticated.by_previous)
    message = read_message(parsed, settings.calls.redacted)
    type_ = message.type if message and message.type in KNOWN else "unknown"
    of_type = _figures(type_)
    of_type.messages.inc()
    if message is None:
        log.warning("message_without_type", shape=shape(parsed))
        return HTTPStatus.OK, NO_ANSWER_NEEDED
    # Only from an authentic request, so that a stranger can't put an id into our log lines.
    parent = read_traceparent(sent.get("traceparent"))
    trace = parent.trace if parent else trace_of_call(message.call_id) or new_trace()
    with (
        of_type.seconds.time(),
        in_trace(trace, call_id=message.call_id),
        span(f"webhook {type_}", {"call_id": message.call_id}, parent=parent),
    ):
        return _answered(service, message, authenticated.identity)


class _Figures(NamedTuple):
    messages: Counter
    seconds: Histogram


@cache
def _figures(type_: str) -> _Figures:
    """The metrics of a type of message. Cached, because looking up labels takes longer than
    counting."""
    return _Figures(MESSAGES.labels(type_), WEBHOOK_SECONDS.labels(type_))


def _answered(service: Service, message: Message, identity: bytes) -> tuple[HTTPStatus, str]:
    try:
        return HTTPStatus.OK, answer_once(service, message, identity, answer)
    except StoreUnavailableError:
        log.error("store_unavailable", message_type=message.type, call_id=message.call_id)
        return HTTPStatus.SERVICE_UNAVAILABLE, ""
    except Exception:
        # Vapi repeats it where a back-off plan says so. A report that no try can read leaves its
        # call open, and the call is closed without it.
        log.exception("message_failed", message_type=message.type, call_id=message.call_id)
        return HTTPStatus.INTERNAL_SERVER_ERROR, ""


def answer(service: Service, message: Message) -> str:
    """The JSON text Vapi is to get. The event is recorded first, whatever the answer.

    Raises StoreUnavailableError for events that must not be lost.
    """
    try:
        state = _record(service, message)
    except Exception as trouble:
        if message.type in MUST_BE_RECORDED:
            raise
        if isinstance(trouble, StoreUnavailableError):
            log.error("store_unavailable", message_type=message.type, call_id=message.call_id)
        else:
            log.exception("message_failed", message_type=message.type, call_id=message.call_id)
        return answer_without_store(service, message)
    match message.type:
        case "tool-calls":
            return as_body(_tool_entries(service, message, state, tool_calls(message)))
        case "function-call":
            (entry,) = _tool_entries(service, message, state, [function_call(message)])
            return as_function_body(entry)
        case "assistant-request":
            return answer_assistant_request(service, service.agents.named(state.agent), state)
        case "transfer-destination-request":
            return _transfer(service, state)
        case "handoff-destination-request":
            return answer_handoff(service.agents.named(state.agent), message.parameters)
        case "knowledge-base-request" | "campaign.predial":
            return answer_without_store(service, message)
        case "transcript":
            _remove_secrets(service, message, state)
            _retract(service, state)
        case "status-update":
            _remove_secrets(service, message, state)
            _status(message, state)
        case "end-of-call-report":
            _end_of_call(service, message, state)
    return NO_ANSWER_NEEDED


def answer_without_store(service: Service, message: Message) -> str:
    """An answer that does not need the stored state of the call."""
    agent = service.agent_of(message)
    match message.type:
        case "tool-calls":
            return as_body(store_is_away(agent, tool_calls(message)))
        case "function-call":
            (entry,) = store_is_away(agent, [function_call(message)])
            return as_function_body(entry)
        case "assistant-request":
            return answer_assistant_request(service, agent, None)
        case "transfer-destination-request":
            return _error(agent, "transfer-nobody")
        case "handoff-destination-request":
            return answer_handoff(agent, message.parameters)
        case "campaign.predial":
            return _predial(agent)
        case "knowledge-base-request":
            return json.dumps({"documents": []})
        case _:
            return NO_ANSWER_NEEDED


MUST_BE_RECORDED = frozenset({"transcript", "status-update", "end-of-call-report"})
"""Vapi delivers them again when they are refused, if its back-off plan says so."""


def _record(service: Service, message: Message) -> CallState:
    """What is known of the call with this message. The first event starts the caller's snapshot."""
    if known := service.calls.record_repeat(message):
        return known
    state = service.calls.record_event(
        message,
        _caller_id(service, message),
        service.claiming(message),
        service.agents.keeps_words,
        moves=service.moves(message),
    )
    if state.is_first and not message.ends_call:
        service.prefetch(state)
    return state


def _caller_id(service: Service, message: Message) -> CallerId:
    settings = service.settings.calls
    return read_caller_id(message, settings.trusted_sip_hosts, settings.phone_region)


def _tool_entries(
    service: Service, message: Message, state: CallState, calls: list[ToolCall]
) -> list[str]:
    turn = Turn(
        service,
        state,
        at_ms=message.when_ms(),
        message_id=_message_id(message, calls),
        conversation_id=message.conversation_id,
        shown=_caller_id(service, message).shown,
    )
    return answer_tool_calls(turn, calls)


def _message_id(message: Message, calls: list[ToolCall]) -> str:
    """The same for a redelivery. A message without ids and time is one of its own."""
    ids = ",".join(sorted(call.id for call in calls if call.id))
    content = f"{message.conversation_id} {message.at_ms} {ids}"
    known = content if ids or message.at_ms else secrets.token_hex(8)
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def _remove_secrets(service: Service, message: Message, state: CallState) -> None:
    """What the caller said to be verified is not stored when they say it again."""
    if state.secrets_said:
        key = service.settings.vapi.server_secrets[0].encode()
        secrets = SecretsSaid(key, state.secrets_said)
        service.calls.clean_event(message, state.call_id, secrets)


def _retract(service: Service, state: CallState) -> None:
    """The caller's own words may take back the request of a moment ago. The agent learns of it."""
    for intent in retract(service, state):
        log.info("request_taken_back", call_id=state.call_id, intent_id=intent.id, tool=intent.tool)
        said = phrase(
            "caller-took-back", reference=intent.reference, tool=intent.tool, **about(intent)
        )
        service.call_updates.notify_agent([CallUpdate(state.call_id, said)])


def _error(agent: Agent, key: str) -> str:
    """An answer that needs no stored state of the call, and so in the default language."""
    return json.dumps({"error": agent.sentences.say(agent.sentences.default, key)})


def _predial(agent: Agent) -> str:
    """Whether a campaign may call a contact is not decided here.

    Anything but a boolean `eligible` is a failure that Vapi shows for the contact, who is not
    dialled; `false` would say that somebody had decided against them (docs/vendors.md V20).
    """
    log.warning("campaign_not_approved")
    return _error(agent, "campaign-not-decided")


def _transfer(service: Service, state: CallState) -> str:
    turn = Turn(service, state)
    try:
        return answer_transfer(turn, datetime.now(UTC))
    except StoreUnavailableError:
        log.error("store_unavailable", reason="transfer", call_id=state.call_id)
    except Exception:
        log.exception("transfer_failed", call_id=state.call_id)
    return _error(turn.agent, "transfer-nobody")


def _status(message: Message, state: CallState) -> None:
    if message.body.get("inboundPhoneCallDebuggingArtifacts"):
        # Vapi could not use our answer, and the caller got nothing of it.
        log.error("answer_refused_by_vapi", call_id=state.call_id)


def _end_of_call(service: Service, message: Message, state: CallState) -> None:
    """The call's end becomes intents, once, however often the report arrives."""
    if not state.call_id:
        log.warning("report_without_call_id", message_type=message.type, shape=shape(message.body))
        return
    turn = Turn(service, state)
    identity = known_caller(turn).identity
    labels = TranscriptLabels.of_call(turn.agent.sentences, message.direction)
    due_kinds = service.end_of_call.close(
        state,
        end_of_call(message, labels.person, labels.agent),
        identity.contact_id_to_write,
        has_no_contact=identity.has_no_contact,
    )
    service.notifier.notify(due_kinds)


def signs_url(service: Service) -> bool:
    return "{url}" in service.settings.vapi.hmac_payload_format


def _signed_url(service: Service, environ: WSGIEnvironment) -> str:
    """Built only where it is signed. Behind a proxy the URL that was signed is the public one."""
    settings = service.settings
    if not signs_url(service):
        return ""
    request, public = Request(environ), settings.web.public_url
    path = request.full_path if request.query_string else request.path
    return f"{public.rstrip('/')}{path}" if public else request.url


def _refused(status: HTTPStatus, reason: str) -> tuple[HTTPStatus, str]:
    REFUSED.labels(status=str(status.value), reason=reason).inc()
    return status, ""
