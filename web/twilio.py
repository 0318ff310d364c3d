"""POST /twilio/...: what Twilio asks when Vapi can't take a call, and what became of each call.

The number's voice URL is Vapi's; its fallback URL is /twilio/voice and its status callback
/twilio/status. The fallback calls a person. If nobody answers, it takes a voicemail, which becomes
a case. A caller who reached nobody becomes a call-back. Twilio repeats requests: each call counts
once.
"""

from http import HTTPStatus
from io import BytesIO

from flask import Blueprint, Response, current_app, request
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from shared.agent.folder import Agent
from shared.calls.limits import missed_call_limits
from shared.domain.attestation import Attested, lowest
from shared.domain.drafts import CallbackDraft, CaseDraft, Draft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.results import Accepted, TooMany
from shared.logs import log
from shared.phone import earns_by_calls, region_of
from shared.store import StoreUnavailableError
from shared.vapi.attestation import attestation_of
from shared.vapi.caller_id import e164
from web import body
from web.limits import limit_reached
from web.metrics import REFUSED
from web.service import Service

blueprint = Blueprint("twilio", __name__)

MAX_FORM_BYTES = 64 * 1024
"""Twilio documents no limit for its requests; its own limit for answers is 64 KB (error 11750). The
parameters of a call take some 2 KB."""

NOTIFY_S = 20
MAX_VOICEMAIL_S = 180
UNSIGNED = ("CallToken", "StirVerstat")
"""Parameters that Twilio adds after it has signed the others (docs/vendors.md T8)."""

NOT_REACHED = frozenset({"busy", "failed", "no-answer", "canceled"})
"""Final call statuses of a caller who never got through (Twilio docs, "Call Status Values")."""


@blueprint.before_request
def _authentic() -> Response | None:
    """404 when Twilio is not set up, 403 for what Twilio has not signed, 413 and 415 for what
    Twilio never sends. Reads nothing of a request without a signature."""
    settings = _service().settings
    if not settings.twilio.auth_token or not settings.web.public_url:
        return Response(status=404)
    signature = request.headers.get("X-Twilio-Signature")
    if not signature:
        return _refused(403)
    if request.mimetype != "application/x-www-form-urlencoded":
        return _refused(415)
    try:
        raw = body.read(request.environ, MAX_FORM_BYTES)
    except body.BodyRefusedError as refused:
        return _refused(refused.status)
    # `request.form` is parsed from these.
    request.environ.update({"wsgi.input": BytesIO(raw), "CONTENT_LENGTH": str(len(raw))})
    # Behind a proxy the URL that was signed is the public one.
    path = request.full_path if request.query_string else request.path
    url = f"{settings.web.public_url.rstrip('/')}{path}"
    validator = RequestValidator(settings.twilio.auth_token.get_secret_value())
    form = request.form.to_dict()
    signed = {name: value for name, value in form.items() if name not in UNSIGNED}
    if not any(validator.validate(url, fields, signature) for fields in (request.form, signed)):
        return _refused(403)
    body.authenticated(request.environ)
    return None


def _refused(status: int) -> Response:
    reason = f"twilio_{HTTPStatus(status).name.lower()}"
    REFUSED.labels(status=str(int(status)), reason=reason).inc()
    log.warning("twilio_not_authenticated" if status == 403 else "twilio_refused", code=int(status))
    return Response(status=status)


@blueprint.errorhandler(StoreUnavailableError)
def _store_is_away(_: StoreUnavailableError) -> Response:
    """Twilio gets 503: it tells the caller, or asks again."""
    log.error("store_unavailable", reason="twilio")
    return Response(status=503)


@blueprint.post("/twilio/voice")
def voice() -> Response:
    """Vapi did not answer: call a person."""
    number = _service().settings.calls.fallback_phone_number
    attestation = attestation_of(request.form.get("StirVerstat"))
    noted = {"attestation": str(attestation)} if attestation else {}
    _service().calls.note(_call_id(), fallback="1", **noted)
    said = VoiceResponse()
    if number:
        said.dial(number, timeout=NOTIFY_S, action="/twilio/voice/rung", method="POST")
    else:
        _ask_for_word(said)
    return _twiml(said)


@blueprint.post("/twilio/voice/rung")
def notified() -> Response:
    """The person has answered and hung up, or did not answer."""
    said = VoiceResponse()
    if request.form.get("DialCallStatus") in ("completed", "answered"):
        _service().calls.note(_call_id(), reached="1")
        said.hangup()
    else:
        _ask_for_word(said)
    return _twiml(said)


@blueprint.post("/twilio/voicemail")
def voicemail() -> Response:
    """A word was left: a case with the recording. Nothing said leaves nothing."""
    url, seconds = request.form.get("RecordingUrl", ""), request.form.get("RecordingDuration", "0")
    said = VoiceResponse()
    if url and seconds not in ("", "0"):
        count = int(seconds) if seconds.isdecimal() else 0
        left = _agent().sentences.for_staff("record-voicemail", count=count)
        case_draft = CaseDraft(
            caller_number=_caller(),
            has_no_contact=_has_no_contact(),
            issue_type="voicemail",
            description=f"{left} {url}",
        )
        is_taken = _write_request(Kind.CASE_CREATE, case_draft, "voicemail")
        _service().calls.note(_call_id(), reached="1")
        _say(said, "voicemail-thanks" if is_taken else "voicemail-too-many")
    said.hangup()
    return _twiml(said)


@blueprint.post("/twilio/status")
def status() -> Response:
    """The call is over: who got through to nobody is called back."""
    state = request.form.get("CallStatus", "")
    noted = _service().calls.noted(_call_id(), "fallback", "reached")
    in_vain = noted["fallback"] and not noted["reached"]
    if (state in NOT_REACHED or (state == "completed" and in_vain)) and _may_be_called(_caller()):
        why = _agent().sentences.for_staff("record-call-back-missed")
        callback = CallbackDraft(
            caller_number=_caller(),
            has_no_contact=_has_no_contact(),
            phone=_caller(),
            reason=why,
        )
        _write_request(Kind.CALLBACK, callback, "not-reached")
    return Response(status=204)


def _ask_for_word(said: VoiceResponse) -> None:
    _say(said, "voicemail-prompt")
    said.record(action="/twilio/voicemail", method="POST", max_length=MAX_VOICEMAIL_S)


def _say(said: VoiceResponse, key: str) -> None:
    """In the default language. Twilio's voice speaks the language that is named."""
    sentences = _agent().sentences
    language = sentences.region_tag(sentences.default)
    said.say(sentences.for_staff(key), language=language)


def _may_be_called(number: str) -> bool:
    """Whether a call in vain makes a call-back: not to numbers that earn by it, which call only for
    that, nor to other countries where a setting names some."""
    settings = _service().settings.calls
    if not number:
        return False
    is_named = not settings.callback_countries or region_of(number) in settings.may_be_called
    if is_named and not earns_by_calls(number):
        return True
    limit_reached("call_back_country", _call_id())
    return False


def _write_request(kind: Kind, draft: Draft, fingerprint: str) -> bool:
    """Recorded once for a call, however often Twilio reports it. False when a limit refuses it."""
    service = _service()
    intent = NewIntent(
        id=new_intent_id(),
        kind=kind,
        draft=draft,
        reference=new_reference(),
        fingerprint=fingerprint,
    )
    limits = missed_call_limits(service.settings.calls, _caller())
    accepted = service.journal.accept(_call_id(), [intent], limits=limits, agent=_agent().name)
    if isinstance(accepted, Accepted):
        service.notifier.notify(accepted.due_kinds)
        log.info("twilio_call_noted", call_id=_call_id(), kind=kind)
    if isinstance(accepted, TooMany):
        limit_reached(accepted.limit, _call_id())
    return not isinstance(accepted, TooMany)


def _call_id() -> str:
    return f"twilio:{request.form.get('CallSid', '')[:64]}"


def _caller() -> str:
    """The caller's number in E.164; "" for a caller who shows no number."""
    return e164(request.form.get("From", ""))


def _has_no_contact() -> bool:
    """The caller's number is no evidence (`shared/domain/attestation.py`), so the worker looks for
    no contact."""
    service = _service()
    shown = service.calls.state(_call_id()).attestation
    now = attestation_of(request.form.get("StirVerstat"))
    levels = [level for level in (shown, now) if level]
    attested = Attested(lowest(*levels) if levels else None, service.settings.calls.attestation)
    return not attested.counts


def _service() -> Service:
    service: Service = current_app.extensions["service"]
    return service


def _agent() -> Agent:
    """The agent folder that answers the number which was called."""
    agents = _service().agents
    return agents.named(agents.claiming("", e164(request.form.get("To", ""))))


def _twiml(said: VoiceResponse) -> Response:
    return Response(str(said), content_type="text/xml")
