"""Whether what the transfer rules compare is in the org: the field of the VIPs, and its values."""

from collections.abc import Iterator

from cli.org.field_fit import Fit, misfit_of_value
from cli.org.objects import Objects
from shared.agent.errors import Mistake
from shared.agent.folder import Agent
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.transfer import FILE


def transfer_misfits(agent: Agent, org: Objects) -> Iterator[Mistake]:
    """Raises SalesforceError."""
    vip = agent.transfer.vip
    if vip is None:
        return
    lines = lines_of((agent.folder / FILE).read_text(encoding="utf-8-sig"))
    sobject, _, name = vip.field.partition(".")
    described = org.describe(sobject)
    field = described.field(name) if described else None
    if not described or not field:
        wrong = org.no_field(described, name) if described else org.no_object(sobject)
        yield Mistake(FILE, line_of(lines, ("vip", "field")), *wrong)
        return
    for value in vip.values:
        if found := misfit_of_value(Fit(field).for_search(), value, None, {}):
            line = line_of(lines, ("vip", "values"))
            yield Mistake(FILE, line, f"{vip.field} {found[0]}", found[1])
