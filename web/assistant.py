"""assistant-request: which assistant answers, and what it knows of the caller before it speaks.

Vapi waits 7.5 s at most (docs/vendors.md V4). Looking up who is calling gets WAIT_S of it; on any
trouble the assistant answers without knowing the caller.

The answer names every variable of the prompt, always: a SIP header `X-customerName` arrives as a
variable of that name (docs/vendors.md V15), and would stand in the prompt where ours is missing.
"""

import json

from shared.calls.calls import CallState
from shared.deadline import Deadline
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from web.service import Service
from web.tools.caller import look_up_caller, open_cases
from web.tools.sentences import case_sentence
from web.tools.turn import Turn

WAIT_S = 2.0
MAX_CASES = 3

VARIABLES = ("customerName", "accountName", "openCaseCount", "openCases", "language")
"""What `prompt.md` of the agent folder may use; a test compares the two."""


def answer_assistant_request(service: Service, state: CallState | None) -> str:
    """state: None when the store does not answer."""
    assistant_id = service.settings.vapi.assistant_id
    if not assistant_id:
        log.error("assistant_not_configured", setting="VAPI_ASSISTANT_ID")
        return json.dumps(
            {"error": "Sorry, nobody can take this call right now. Please call later."}
        )
    values = _variables(service)
    if state and state.number:
        deadline = Deadline.after(WAIT_S)
        try:
            looking = service.lookups.start(lambda: _known(Turn(service, state), deadline))
            values = looking.result(deadline)
        except (SalesforceError, StoreUnavailableError) as trouble:
            log.warning("assistant_plain", call_id=state.call_id, reason=type(trouble).__name__)
        except Exception:
            log.exception("assistant_plain", call_id=state.call_id)
    overrides = {"variableValues": values}
    return json.dumps({"assistantId": assistant_id, "assistantOverrides": overrides})


def _known(turn: Turn, deadline: Deadline) -> dict[str, str]:
    """The variables of the one contact with the number."""
    caller = look_up_caller(turn, deadline)
    contact = caller.contact
    if not contact:
        return _variables(turn.service)
    cases = open_cases(turn, caller)
    return _variables(
        turn.service,
        customerName=contact.name,
        accountName=contact.account_name,
        openCaseCount=str(len(cases)),
        openCases=" ".join(case_sentence(case_) for case_ in cases[:MAX_CASES]),
        language=contact.language,
    )


def _variables(service: Service, **known: str) -> dict[str, str]:
    """Every variable of the prompt; "" for what is not known."""
    values = {name: known.get(name) or "" for name in VARIABLES}
    return values | {"language": values["language"] or service.settings.calls.default_language}
