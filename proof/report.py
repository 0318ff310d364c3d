"""What was explored, and how a breach came about, for people."""

from collections.abc import Iterator

from proof.explorer import Explored, History
from proof.steps import Step


def summary(explored: Explored) -> str:
    whole = "whole" if explored.is_whole else f"to depth {explored.depth}, not whole"
    rate = explored.transitions / max(explored.seconds, 0.001)
    return (
        f"{explored.world.name:16} {whole}: {explored.states:,} states, "
        f"{explored.transitions:,} steps, depth {explored.depth}, {explored.seconds:.0f} s "
        f"({rate:,.0f}/s), {1 if explored.history else 0} violations"
    )


def story(history: History) -> str:
    """The breach, and the steps to it with what each changed."""
    lines = [str(history.breach)]
    for number, step in enumerate(history.steps, 1):
        said = f" → {step.reply}" if step.action.script and step.reply is not None else ""
        lines.append(f"{number:4}. {step.action.name}{said}"[:160])
        lines += [f"          {change}" for change in _changes(step)]
    return "\n".join(lines)


def _changes(step: Step) -> Iterator[str]:
    for id_ in sorted({*step.before.intents(), *step.now.intents()}):
        was, row = step.before.row(id_), step.now.row(id_)
        if was.get("state") != row.get("state") or was.get("in_doubt") != row.get("in_doubt"):
            doubt = ", in doubt" if row.get("in_doubt") == "1" else ""
            yield f"{id_}: {was.get('state', 'none')} → {row.get('state', 'none')}{doubt}"
    for id_, effects in step.now.org.items():
        if effects != step.before.org.get(id_, ()):
            yield f"{id_} takes effect in Salesforce as {effects[-1]}"
