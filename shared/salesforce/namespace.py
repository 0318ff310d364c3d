"""Which org and app the service works with: part of the name of everything that it keeps of them.

So a service that is led to another org, or to another app or user of the same one, starts with
nothing of the one before; what is kept of that one expires.
"""

import hashlib
import json
from urllib.parse import urlsplit

from shared.settings import REDIS_PREFIX, Settings

DIGEST_CHARACTERS = 10


def org_name(settings: Settings) -> str:
    """The host of the org, in lower case, with its port when that is not the scheme's own.

    Sandboxes and production have hosts of their own, whatever app is used.
    """
    parts = urlsplit(settings.salesforce_instance_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{(parts.hostname or '').lower()}{port}"


def keys_of(settings: Settings, prefix: str = REDIS_PREFIX) -> str:
    """What every key about Salesforce begins with: it differs by org, app, grant and user.

    The user of client_credentials and of a refresh token is the app's or the token's matter.
    """
    user = settings.salesforce_username if settings.grant == "jwt" else None
    parts = [org_name(settings), settings.salesforce_client_id, settings.grant, user or ""]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{prefix}salesforce:{digest}:"
