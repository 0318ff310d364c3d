"""The hosts under which operators reach the console and OPS_PORT.

A stranger's page can have its own name lead to this machine (DNS rebinding), and then reads what
the browser of whoever opened it gets from here. Its requests still say the stranger's name. So only
names that are ours are answered, and addresses, which are nobody's name.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, current_app, request
from werkzeug.sansio.utils import host_is_trusted

from shared.settings import Settings


def refuse_others() -> Response | None:
    """For `before_request`. 421: this is not the server of that name."""
    settings: Settings = current_app.extensions["service"].settings
    return None if is_ours(request.host, settings) else Response(status=421)


def is_ours(host: str, settings: Settings) -> bool:
    """host: with or without a port, as a request says it."""
    public = urlsplit(settings.web.public_url or "").hostname or ""
    names = ("localhost", *filter(None, [public]), *settings.ops.host_names)
    # Werkzeug's list, which Flask's TRUSTED_HOSTS is, knows no IPv6 address and no "any address".
    return _is_address(host) or host_is_trusted(host.casefold(), names)


def _is_address(host: str) -> bool:
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True
