"""The transfer rules: whether what they name can be reached."""

from cli.chain import AGENT_FOLDER, Link, NotSetUp, Problem
from cli.checks.context import CheckContext
from cli.vapi.api import VapiRefusedError
from shared.agent.agents import agents_of
from shared.agent.errors import AgentError
from shared.agent.transfer import Rules

TRY_AGAIN = "This is Vapi's own answer. Run the doctor again in a minute."


def _rules(check_context: CheckContext) -> Rules:
    """Raises NotSetUp while the agent folder has mistakes, which its own link names."""
    try:
        return agents_of(check_context.settings).first.transfer
    except AgentError:
        raise NotSetUp(f"not checked because of {AGENT_FOLDER}") from None


def _transfer_rules(check_context: CheckContext) -> str:
    rules = _rules(check_context)
    fallback = check_context.settings.calls.fallback_phone_number
    elsewhere = f"go to {fallback}" if fallback else "are offered a call-back"
    if rules.closed == "transfer" and not fallback:
        raise Problem(
            "transfer.toml sends calls outside the hours to FALLBACK_PHONE_NUMBER, and it is "
            "not set",
            'Set it, or set closed to "sentence", "assistant" or "another-assistant".',
        )
    queues = f"{len(rules.queues)} queues; " if rules.queues else ""
    return f"{queues}callers who ask for a person and whom no rule sends elsewhere {elsewhere}"


def _assistants(check_context: CheckContext) -> str:
    wanted = _rules(check_context).at_vapi
    if not wanted:
        return "transfer.toml names none"
    try:
        for key, (resource, id_) in wanted.items():
            if check_context.accounts.vapi.find(resource, id_) is None:
                raise Problem(
                    f"transfer.toml: {key} is {id_}, and Vapi has no {resource} with this id",
                    f"Write the id of one of the account's {resource}s.",
                )
    except VapiRefusedError as refused:
        raise Problem(str(refused), TRY_AGAIN) from None
    return f"Vapi has all {len(wanted)} that transfer.toml names"


RULES = Link("transfer rules", "", _transfer_rules)
ASSISTANTS = Link("transfer assistants", "vapi key", _assistants)
