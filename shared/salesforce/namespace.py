"""The prefix of every key that concerns Salesforce: it contains the org and the app.

When the settings name another org, app or user, the service starts without the earlier data. That
data expires.
"""

import hashlib
import json
from urllib.parse import urlsplit

from shared.settings import REDIS_PREFIX, SalesforceSettings

DIGEST_CHARACTERS = 10


def org_name(settings: SalesforceSettings) -> str:
    """The host of the org, in lower case, with its port when that is not the scheme's own.

    Sandboxes and production have hosts of their own, whatever app is used.
    """
    parts = urlsplit(settings.instance_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{(parts.hostname or '').lower()}{port}"


def keys_of(settings: SalesforceSettings, prefix: str = REDIS_PREFIX) -> str:
    """The prefix of every key about Salesforce. It differs by org, app, grant and user.

    With client_credentials and refresh tokens, the app or the token determines the user.
    """
    user = settings.username if settings.grant_type == "jwt" else None
    parts = [org_name(settings), settings.client_id, settings.grant_type, user or ""]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{prefix}salesforce:{digest}:"
