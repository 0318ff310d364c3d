"""What a run found, for a reader."""

from collections import Counter
from collections.abc import Iterator

from tests.hostile.attack.attempt import Attempt
from tests.hostile.attack.findings import Finding, Verdict
from tests.hostile.attack.runner import Outcome

MAX_SHOWN = 400
MAX_TEXT = 300


def lines(outcome: Outcome) -> Iterator[str]:
    """Every finding with its family, seed, step, channel and canary, and each failed control."""
    counted = outcome.of(Verdict.DISCLOSURE) + outcome.of(Verdict.FOREIGN_WRITE)
    for finding in counted[:MAX_SHOWN]:
        yield from _finding(outcome, finding)
    if len(counted) > MAX_SHOWN:
        yield f"... and {len(counted) - MAX_SHOWN} more"
    families = Counter(
        (finding.dialogue.partition("/")[0], finding.verdict, finding.channel)
        for finding in counted
    )
    for (family, verdict, channel), count in sorted(families.items()):
        yield f"seed {outcome.seed}: {family or 'no dialogue'}: {count} {verdict} in {channel}"
    for attempt in outcome.controls:
        for failure in attempt.failures:
            yield f"control failed: {attempt.dialogue.key} ({attempt.dialogue.title}): {failure}"
    limits = Counter(filter(None, map(outcome.limit_of, outcome.findings)))
    for limit, count in limits.items():
        yield f"seed {outcome.seed}: {count} findings are a stated limit: {limit}"
    for error in outcome.errors:
        yield f"error: {error}"


def _finding(outcome: Outcome, finding: Finding) -> Iterator[str]:
    attempt = outcome.attempt(finding.dialogue)
    title = attempt.dialogue.title if attempt else ""
    yield f"{finding.verdict}: {finding.dialogue or 'no dialogue'} (seed {outcome.seed}) {title}"
    yield f"    step {finding.step or '?'} · {finding.channel} · {finding.canary}"
    yield f"    {shortened(finding.detail)}"


def steps(attempt: Attempt) -> Iterator[str]:
    """Everything that a dialogue sent, and what came back."""
    yield f"{attempt.dialogue.key}: {attempt.dialogue.title}"
    for step in attempt.steps:
        yield f"  {step.number:3} {step.who}: {shortened(step.what)}"
        if step.answer not in ("", "{}"):
            yield f"      -> {shortened(step.answer)}"


def shortened(text: str) -> str:
    """On one line, without anything that a terminal would act on."""
    shown = ascii(text[:MAX_TEXT])[1:-1]
    return shown + " ..." if len(text) > MAX_TEXT else shown


def last_line(outcomes: list[Outcome]) -> str:
    dialogues = sum(len(outcome.dialogues) for outcome in outcomes)
    disclosures = sum(len(outcome.of(Verdict.DISCLOSURE)) for outcome in outcomes)
    foreign = sum(len(outcome.of(Verdict.FOREIGN_WRITE)) for outcome in outcomes)
    return (
        f"hostile: dialogues={dialogues} seeds={len(outcomes)} "
        f"disclosures={disclosures} foreign_writes={foreign}"
    )


def controls_line(outcomes: list[Outcome]) -> str:
    controls = [attempt for outcome in outcomes for attempt in outcome.controls]
    failed = sum(bool(attempt.failures or attempt.errors) for attempt in controls)
    errors = sum(len(outcome.errors) for outcome in outcomes)
    return f"hostile: controls={len(controls)} controls_failed={failed} errors={errors}"


def passed(outcomes: list[Outcome]) -> bool:
    return not any(
        outcome.of(Verdict.DISCLOSURE)
        or outcome.of(Verdict.FOREIGN_WRITE)
        or outcome.errors
        or any(attempt.failures for attempt in outcome.controls)
        for outcome in outcomes
    )
