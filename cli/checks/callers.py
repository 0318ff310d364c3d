"""By what callers are recognised: the attestation of their number."""

from cli.chain import Link, Suspicion
from cli.checks.context import CheckContext
from shared.calls.calls import Calls
from shared.domain.attestation import Attestation


def _attestation(check_context: CheckContext) -> str:
    """A setting that no call can satisfy leaves every caller unknown."""
    needed = check_context.settings.calls.attestation
    counts = Calls(check_context.store).attestations()
    shown = ", ".join(f"{level} in {counts[level]}" for level in Attestation if level in counts)
    if needed is not Attestation.NONE and not any(
        level.reaches(needed) for level in Attestation if level in counts
    ):
        seen = f"calls have shown {shown}" if shown else "no call has shown any"
        raise Suspicion(
            f"NEEDED_ATTESTATION is {needed}, and {seen}: callers stay unknown until they show "
            "who they are",
            "Set NEEDED_ATTESTATION=none, unless your carrier's attestation reaches Vapi's "
            "messages (docs/security.md).",
        )
    if not shown:
        return "no call has shown one yet, and none is needed"
    return f"calls have shown {shown}; needed: {needed}"


LINKS = (Link("attestation", "redis", _attestation),)
