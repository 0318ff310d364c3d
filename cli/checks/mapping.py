"""salesforce.toml of the agent folder: readable, and everything that it names is in the org."""

from cli.chain import AGENT_FOLDER, Link, NotSetUp, Problem, Suspicion
from cli.checks.context import CheckContext
from cli.org.mapping_fit import mapping_misfits
from cli.org.rules import Statuses
from shared.agent.agents import agents_of
from shared.agent.errors import AgentError
from shared.agent.salesforce import SalesforceMapping

USUAL = {
    "case.closed_status": ("Closed", True),
    "call_log.status": ("Completed", True),
    "callback.status": ("Not Started", False),
}
"""By key: the status that the service prefers, and whether it is a closed one."""

MEANINGS = {
    "case.closed_status": "a closed case",
    "call_log.status": "a call log",
    "callback.status": "a call-back",
}


def _statuses(check_context: CheckContext) -> str:
    mapping, setup = _mapping(check_context), check_context.setup
    for key, (sobject, configured) in mapping.statuses.items():
        listed = setup.statuses.get(sobject, [])
        names = [value.name for value in listed]
        if configured and listed and configured not in names:
            raise Problem(
                f"{key} is {configured!r}, which {sobject}.Status does not have",
                f'Set {key} in salesforce.toml to one of {", ".join(names)}, or to "".',
            )
        closed = [value.name for value in listed if value.closed]
        if key == "case.closed_status" and configured and listed and configured not in closed:
            raise Problem(
                f"{key} is {configured!r}, which does not close a case",
                f'Set {key} in salesforce.toml to one of {", ".join(closed)}, or to "".',
            )
    used = statuses_in_use(check_context)
    names = [used.closed_case, used.call_log, used.callback]
    said = ", ".join(
        f"{name} for {meaning}" for name, meaning in zip(names, MEANINGS.values(), strict=True)
    )
    if hidden := [part for part in ("CaseStatus", "TaskStatus") if part in setup.hidden]:
        raise Suspicion(
            f"The user can't see {' and '.join(hidden)}, so the service uses {said}",
            "Let the user see the object, or set the statuses in salesforce.toml.",
        )
    return said


def statuses_in_use(check_context: CheckContext) -> Statuses:
    """Raises NotSetUp while salesforce.toml can't be used."""
    mapping, setup = _mapping(check_context), check_context.setup
    used = [
        setup.status(sobject, configured, USUAL[key][0], closed=USUAL[key][1])
        for key, (sobject, configured) in mapping.statuses.items()
    ]
    return Statuses(*used)


def _mapping(check_context: CheckContext) -> SalesforceMapping:
    try:
        return check_context.mapping
    except AgentError:
        raise NotSetUp(f"not checked because of {AGENT_FOLDER}") from None


def _names(check_context: CheckContext) -> str:
    mapping = _mapping(check_context)
    agent = agents_of(check_context.settings).first
    if wrong := mapping_misfits(agent, check_context.setup):
        raise Problem(
            "; ".join(mistake.problem for mistake in wrong),
            "Correct the names in salesforce.toml, or create what is missing in the org and let "
            "the user see it. Until then the records are written without it.",
        )
    owners = ", ".join(f"{key} {rule}" for key, rule in mapping.owners.items() if rule)
    return f"all that salesforce.toml names is in the org ({owners or 'no owners'})"


LINKS = (
    Link("salesforce statuses", "salesforce version", _statuses),
    Link("salesforce mapping", "salesforce version", _names),
)
