"""Cleans texts before they are stored, logged, shown or sent: pure functions without a state."""

from shared.redaction.cleaning import clean, without_formula
from shared.redaction.json_values import redact_json
from shared.redaction.kinds import ALL, DEFAULT, Kind, kinds_of
from shared.redaction.quoting import plain_line
from shared.redaction.removal import redact, redact_across, redact_values, redact_values_across
from shared.redaction.tokens import normal_form

__all__ = [
    "ALL",
    "DEFAULT",
    "Kind",
    "clean",
    "kinds_of",
    "normal_form",
    "plain_line",
    "redact",
    "redact_across",
    "redact_json",
    "redact_values",
    "redact_values_across",
    "without_formula",
]
