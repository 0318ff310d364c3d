"""Checks that this Python can run the service, before anything else is imported.

Written for Python 3.6 or later. `python3 shared/installed.py` checks the version alone, as README
and make do before they install anything.
"""

import sys
from importlib.util import find_spec

OLDEST = (3, 11)

PACKAGES = (
    "babel", "celery", "click", "cryptography", "dateparser", "email_validator", "flask",
    "flower", "fluent", "gevent", "gunicorn", "hiredis", "jwt", "langcodes", "msgspec", "packaging",
    "phonenumbers", "prometheus_client", "pydantic", "pydantic_settings", "redis", "requests",
    "simple_salesforce", "structlog", "twilio", "tzdata",
)  # fmt: skip
"""The packages of requirements.in, by the names that Python imports."""


def require_python() -> None:
    """Ends the process with a sentence if Python is too old."""
    if sys.version_info < OLDEST:
        found = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(
            f"vapi-salesforce needs Python 3.11 or later, and {sys.executable} is Python {found}. "
            "Install a newer one, or name it: python3.13 -m venv .venv, or make PYTHON=python3.13"
        )


def require_installation() -> None:
    """Ends the process with a sentence if Python is too old or a package is missing."""
    require_python()
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        sys.exit(
            f"{missing[0]} is not installed for {sys.executable}. Activate the environment of "
            "README's step 1 (. .venv/bin/activate), or update it: "
            "pip install --require-hashes -r requirements.txt"
        )


if __name__ == "__main__":
    require_python()
