"""assistant-request: which assistant answers, and what it knows of the caller before it speaks.

Vapi waits 7.5 s at most (docs/vendors.md V4). Looking up who is calling gets WAIT_S of it; on any
trouble the configured assistant answers alone.
"""

import json
from typing import Any

from shared.calls.calls import CallState
from shared.logs import log
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from web.caller import look_up_caller, open_cases
from web.lookups import case_sentence
from web.service import Service

WAIT_S = 2.0
MOST_CASES = 3


def answer_assistant_request(service: Service, state: CallState | None) -> str:
    """state: None when the store does not answer."""
    assistant_id = service.settings.vapi_assistant_id
    if not assistant_id:
        log.error("assistant_not_configured", setting="VAPI_ASSISTANT_ID")
        return json.dumps(
            {"error": "Sorry, nobody can take this call right now. Please call later."}
        )
    answer: dict[str, Any] = {"assistantId": assistant_id}
    if state and state.number:
        deadline = Deadline.after(WAIT_S)
        try:
            looking = service.lookups.start(lambda: _known(service, state, deadline))
            answer["assistantOverrides"] = {"variableValues": looking.result(deadline)}
        except (SalesforceError, StoreUnavailableError) as trouble:
            log.warning("assistant_plain", call_id=state.call_id, reason=type(trouble).__name__)
        except Exception:
            log.exception("assistant_plain", call_id=state.call_id)
    return json.dumps(answer)


def _known(service: Service, state: CallState, deadline: Deadline) -> dict[str, str]:
    """Variables for the prompt, of the one contact with the number; "" for what is not known."""
    caller = look_up_caller(service, state, deadline)
    contact = caller.contact
    cases = open_cases(service, caller)
    return {
        "customerName": contact.name if contact else "",
        "accountName": contact.account_name if contact else "",
        "openCaseCount": str(len(cases)) if contact else "",
        "openCases": " ".join(case_sentence(one) for one in cases[:MOST_CASES]),
        "language": (contact.language if contact else "") or service.settings.default_language,
    }
