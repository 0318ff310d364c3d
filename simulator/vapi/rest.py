"""Assistants, tools, phone numbers and campaigns of Vapi's REST API. Unknown fields are refused.

Fields: Vapi's OpenAPI description, CreateAssistantDTO, CreateFunctionToolDTO,
CreateTwilioPhoneNumberDTO and CreateCampaignDTO, as far as this project uses them. Campaigns are
listed in pages (CampaignPaginatedResponse). A number is imported from the simulated Twilio: its
voice URL and status callback become Vapi's, as public code shows (unconfirmed).
`DELETE /_vapi/rest` deletes everything.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import BasicAuth, ClientSession, web

KEY = "demo-vapi-key"

SERVER = {
    "url",
    "timeoutSeconds",
    "credentialId",
    "headers",
    "backoffPlan",
    "staticIpAddressesEnabled",
}
FIELDS: dict[str, dict[str, set[str] | None]] = {
    "assistant": {
        "name": None, "firstMessage": None, "firstMessageMode": None, "maxDurationSeconds": None,
        "serverMessages": None, "clientMessages": None, "metadata": None, "hooks": None,
        "model": {
            "provider", "model", "temperature", "maxTokens", "messages", "tools", "toolIds",
            "knowledgeBase", "fallbackModels", "numFastTurns", "emotionRecognitionEnabled",
        },
        "voice": {"provider", "voiceId", "speed", "chunkPlan", "fallbackPlan", "model"},
        "transcriber": {
            "provider", "model", "language", "endpointing", "keywords", "keyterm",
            "confidenceThreshold", "fallbackPlan",
        },
        "startSpeakingPlan": {
            "waitSeconds", "smartEndpointingPlan", "customEndpointingRules",
            "transcriptionEndpointingPlan",
        },
        "stopSpeakingPlan": {
            "numWords", "voiceSeconds", "backoffSeconds", "acknowledgementPhrases",
            "interruptionPhrases",
        },
        "server": SERVER,
        "monitorPlan": {
            "listenEnabled", "controlEnabled", "listenAuthenticationEnabled",
            "controlAuthenticationEnabled",
        },
        "artifactPlan": None, "analysisPlan": None, "compliancePlan": None,
    },
    "tool": {
        "type": None, "async": None, "messages": None, "server": SERVER,
        "function": {"name", "description", "parameters", "strict"},
    },
    "phone-number": {
        "provider": None, "number": None, "name": None, "twilioAccountSid": None,
        "twilioAuthToken": None, "smsEnabled": None, "assistantId": None, "squadId": None,
        "workflowId": None, "hooks": None, "server": SERVER,
        "fallbackDestination": {
            "type", "number", "extension", "message", "callerId", "description",
            "numberE164CheckEnabled", "sipUri", "transferPlan",
        },
    },
    "campaign": {
        "name": None, "assistantId": None, "phoneNumberId": None, "customers": None,
        "maxConcurrency": None, "serverMessages": None, "server": SERVER,
        "schedulePlan": {"earliestAt", "latestAt"}, "predialPlan": {"enabled"},
    },
}  # fmt: skip
JSON_SCHEMA = {
    "type", "items", "properties", "description", "pattern", "format", "required", "enum", "title",
}  # fmt: skip
"""Keys of an argument's schema (JsonSchema). All arguments together: OpenAIFunctionParameters."""

BACKOFF = {"type", "maxRetries", "baseDelaySeconds"}
"""The required keys of a back-off plan (BackoffPlan)."""

KIND = {"tool": ("type", "function"), "phone-number": ("provider", "twilio")}
"""The field that names the kind of a resource. It is set on creation and never changed."""

CAMPAIGN_MESSAGES = {
    "campaign.started", "campaign.cancelled", "campaign.ended", "campaign.archived",
    "campaign.unarchived", "contact.dispatched", "contact.completed", "contact.failed",
    "contact.skipped", "contact.predial-failed", "campaign.job.continued",
}  # fmt: skip

SERVER_MESSAGES = {
    "assistant.started", "conversation-update", "end-of-call-report", "function-call", "hang",
    "language-changed", "language-change-detected", "model-output", "phone-call-control",
    "speech-update", "status-update", "transcript", 'transcript[transcriptType="final"]',
    "tool-calls", "transfer-destination-request", "handoff-destination-request",
    "transfer-update", "user-interrupted", "voice-input",
}  # fmt: skip


def add_rest(app: web.Application, base: str, twilio: str) -> None:
    """base: this server's address. twilio: the address that numbers are imported from."""
    stored: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in FIELDS}

    def allowed(request: web.Request) -> dict[str, dict[str, Any]]:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise web.HTTPUnauthorized(text='{"message": "Invalid Key.", "statusCode": 401}')
        return stored[request.match_info["resource"]]

    def requested(request: web.Request) -> dict[str, Any]:
        found = allowed(request).get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(
                text='{"message": "Not found", "statusCode": 404}', content_type="application/json"
            )
        return found

    async def list_all(request: web.Request) -> web.Response:
        found = list(allowed(request).values())
        if request.match_info["resource"] != "campaign":
            return web.json_response(found)
        size, page = int(request.query.get("limit", 100)), int(request.query.get("page", 1))
        meta = {"itemsPerPage": size, "totalItems": len(found), "currentPage": page}
        part = found[(page - 1) * size : page * size]
        return web.json_response({"results": part, "metadata": meta})

    async def create(request: web.Request) -> web.Response:
        resources = allowed(request)
        body = await _read(request)
        if request.match_info["resource"] == "phone-number":
            await _import_number(body, base, twilio)
            body["status"] = "active"
        elif request.match_info["resource"] == "campaign":
            body["status"] = "scheduled" if body.get("schedulePlan") else "in-progress"
        id_ = str(uuid.uuid4())
        given = {"id": id_, "orgId": "org", "createdAt": _now(), "updatedAt": _now()}
        resources[id_] = given | body
        return web.json_response(resources[id_], status=201)

    async def show(request: web.Request) -> web.Response:
        return web.json_response(requested(request))

    async def change(request: web.Request) -> web.Response:
        resource = requested(request)
        if request.match_info["resource"] == "campaign":
            # UpdateCampaignDTO: a campaign can be ended or cancelled, and nothing else.
            status = (await request.json()).get("status")
            if status not in ("ended", "cancelled"):
                raise bad_request(["status must be one of the following values: ended, cancelled"])
            resource |= {"status": status, "updatedAt": _now()}
            return web.json_response(resource)
        resource.update(await _read(request, partial=True) | {"updatedAt": _now()})
        return web.json_response(resource)

    async def delete(request: web.Request) -> web.Response:
        resource = requested(request)
        del allowed(request)[resource["id"]]
        return web.json_response(resource)

    async def delete_all(_: web.Request) -> web.Response:
        for resources in stored.values():
            resources.clear()
        return web.json_response({})

    which = "{resource:" + "|".join(FIELDS) + "}"
    app.router.add_get(f"/{which}", list_all)
    app.router.add_post(f"/{which}", create)
    app.router.add_get(f"/{which}/{{id}}", show)
    app.router.add_patch(f"/{which}/{{id}}", change)
    app.router.add_delete(f"/{which}/{{id}}", delete)
    app.router.add_delete("/_vapi/rest", delete_all)


async def _read(request: web.Request, *, partial: bool = False) -> dict[str, Any]:
    resource = request.match_info["resource"]
    body = await request.json()
    wrong = list(_wrong(resource, body))
    name, value = KIND.get(resource, ("", None))
    if name and not partial and body.get(name) != value:
        wrong.append(f"{name} must be one of the following values: {value}")
    if name and partial and name in body:
        wrong.append(f"property {name} should not exist")
    if wrong:
        raise bad_request(wrong)
    return dict(body)


async def _import_number(body: dict[str, Any], base: str, twilio: str) -> None:
    """Vapi looks the number up at Twilio and sets its URLs. Raises HTTPBadRequest."""
    if not twilio:
        raise bad_request("Twilio can't be reached. Start `simulator vapi serve` with --twilio")
    sid = body.get("twilioAccountSid", "")
    auth = BasicAuth(sid, body.get("twilioAuthToken") or "")
    numbers = f"{twilio}/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers"
    async with ClientSession(auth=auth) as session:
        async with session.get(
            f"{numbers}.json", params={"PhoneNumber": body.get("number", "")}
        ) as answer:
            if answer.status != 200:
                raise bad_request(f"Twilio Error: {(await answer.json()).get('message')}")
            found = (await answer.json())["incoming_phone_numbers"]
        if not found:
            raise bad_request("Number Not Found on Twilio.")
        urls = {
            "VoiceUrl": f"{base}/twilio/inbound_call",
            "StatusCallback": f"{base}/twilio/status",
        }
        if body.get("smsEnabled", True):
            urls["SmsUrl"] = f"{base}/twilio/sms"
        await session.post(f"{numbers}/{found[0]['sid']}.json", data=urls)


def bad_request(message: object) -> web.HTTPBadRequest:
    body = {"message": message, "error": "Bad Request", "statusCode": 400}
    return web.HTTPBadRequest(text=json.dumps(body), content_type="application/json")


def _wrong(resource: str, body: Any) -> Any:
    if not isinstance(body, dict):
        yield "body must be an object"
        return
    for name, value in body.items():
        if name not in FIELDS[resource]:
            yield f"property {name} should not exist"
            continue
        inside = FIELDS[resource][name]
        if inside is not None and isinstance(value, dict):
            yield from (
                f"{name}.property {key} should not exist" for key in value if key not in inside
            )
        elif inside is not None and value is not None:
            yield f"{name} must be an object"
    yield from _wrong_inside(body)
    known = CAMPAIGN_MESSAGES if resource == "campaign" else SERVER_MESSAGES
    for item in body.get("serverMessages") or []:
        if item not in known:
            yield f"each value in serverMessages must be one of the following values, not {item}"
    timeout = (body.get("server") or {}).get("timeoutSeconds", 20)
    if not 1 <= timeout <= 300:
        yield "server.timeoutSeconds must not be less than 1 or greater than 300"


def _wrong_inside(body: dict[str, Any]) -> Any:
    """What is wrong with a back-off plan and with the arguments of a tool."""
    plan = (body.get("server") or {}).get("backoffPlan")
    if plan is not None:
        for name in plan.keys() - BACKOFF - {"excludedStatusCodes"}:
            yield f"server.backoffPlan.property {name} should not exist"
        for name in BACKOFF - plan.keys():
            yield f"server.backoffPlan.{name} should not be empty"
        if plan.get("type") not in ("fixed", "exponential"):
            yield "server.backoffPlan.type must be one of the following values: fixed, exponential"
        if not 0 <= plan.get("maxRetries", 0) <= 10:
            yield "server.backoffPlan.maxRetries must not be greater than 10"
    parameters = (body.get("function") or {}).get("parameters") or {"type": "object"}
    if parameters.get("type") != "object":
        yield "function.parameters.type must be one of the following values: object"
    for argument, schema in (parameters.get("properties") or {}).items():
        for name in schema.keys() - JSON_SCHEMA:
            yield f"function.parameters.properties.{argument}.property {name} should not exist"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
