"""Whether `salesforce.toml` fits the org: owners, record type, and the fields that it fills."""

from collections.abc import Iterator

from shared.agent.errors import Mistake
from shared.agent.folder import Agent
from shared.agent.salesforce import FILE, QUEUE, USER
from shared.agent.toml_lines import line_of, lines_of
from shared.salesforce.org_setup import Setup

REMEDY = "correct the name, or create what is missing in the org and let the user see it"


def mapping_misfits(agent: Agent, setup: Setup) -> list[Mistake]:
    """setup: what the org has of what the mapping names."""
    path = agent.folder / FILE
    if not path.exists():
        return []
    lines = lines_of(path.read_text(encoding="utf-8-sig"))
    return [
        Mistake(FILE, line_of(lines, where), problem, REMEDY)
        for where, problem in _misfits(agent, setup)
    ]


def _misfits(agent: Agent, setup: Setup) -> Iterator[tuple[tuple[str, ...], str]]:
    mapping = agent.salesforce
    for key, rule in mapping.owners.items():
        name, where = rule.partition(":")[2], tuple(key.split("."))
        if rule.startswith(USER) and name.lower() not in setup.users:
            yield where, f"{key}: no active user has the username {name}"
        if rule.startswith(QUEUE) and name.lower() not in setup.queues:
            yield where, f"{key}: the org has no queue {name}"
    wanted = mapping.case.record_type
    if wanted and wanted.lower() not in setup.record_types:
        problem = f"case.record_type: Case has no active record type {wanted}"
        yield ("case", "record_type"), problem
    for name, source in mapping.outcome.items():
        is_changed = name.startswith("Case.")  # the case exists when the call ends
        if wrong := _wrong_with(setup, name, is_changed=is_changed):
            yield ("outcome", name), f"outcome {source}: {wrong}"
    for key, name, _ in mapping.constants():
        if wrong := _wrong_with(setup, name, is_changed=False):
            yield tuple(key.split(".")), f"{key}: {wrong}"


def _wrong_with(setup: Setup, name: str, *, is_changed: bool) -> str:
    field = setup.fields.get(name)
    if field is None:
        return f"{name} is missing or hidden"
    return "" if (field.updateable if is_changed else field.createable) else f"{name} is read-only"
