"""Addresses that settings name: what is wrong with one, as a clause that goes on from its name.

Secrets are sent to these addresses, so what can't be meant is refused before anything is sent.
"""

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

MY_DOMAINS = (".my.salesforce.com", ".my.salesforce.mil", ".my.sfcrmproducts.cn")
LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
BROWSER_DOMAINS = (".lightning.force.com", ".lightning.force.mil", ".salesforce-setup.com")
EXAMPLES = frozenset({"acme.my.salesforce.com", "mydomainname.my.salesforce.com"})
"""What documents write for a My Domain: each is, or may become, somebody's org."""

REDIS_SCHEMES = ("redis", "rediss", "unix")
_TLS_OPTIONS = frozenset({
    "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname",
})  # fmt: skip
REDIS_OPTIONS = {"redis": frozenset(), "rediss": _TLS_OPTIONS, "unix": frozenset({"db"})}

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")


def is_loopback(host: str) -> bool:
    """True for localhost and for literal loopback addresses; names are not resolved."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def wrong_with_web(url: str, *, path: bool = False) -> str:
    """For an address that secrets may be sent to; "" when nothing is wrong. path: it has one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return "is no web address"
    if parts.scheme not in ("http", "https"):
        return "must begin with https://"
    host = parts.hostname or ""
    if not _is_host(host) or url != url.strip():
        return "is no web address"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https:// (http:// is for this machine alone, as 127.0.0.1)"
    if "@" in parts.netloc:
        return "must not contain a user or a password"
    if "?" in url or "#" in url:
        return "must end before the ? or #"
    if parts.path.strip("/") and not path:
        return "must have no path"
    return ""


def wrong_with_org(url: str) -> str:
    """For an org's My Domain, or a login host; "" when nothing is wrong."""
    if wrong := wrong_with_web(url):
        return wrong
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return ""
    if parts.port is not None:
        return "must have no port"
    if host in EXAMPLES:
        return "is still an example"
    if host.endswith(BROWSER_DOMAINS):
        return f"must be the My Domain: {host} is for browsers and gives no token"
    if host not in LOGIN_HOSTS and not host.endswith(MY_DOMAINS):
        return f"must be the My Domain: {host} is not Salesforce's"
    return ""


def wrong_with_redis(url: str) -> str:
    """For redis://, rediss:// or unix://; "" when nothing is wrong."""
    scheme = url.partition("://")[0]
    if scheme not in REDIS_SCHEMES:
        return "must begin with redis://, rediss:// or unix://"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return "has no port that is a number"
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - REDIS_OPTIONS[scheme]):
        return f"has the option {unknown[0]}, which {scheme}:// does not take here"
    if scheme == "unix":
        database = options.get("db", "0")
        if parts.hostname or not parts.path.strip("/"):
            return "must name a socket by its whole path"
    else:
        database = parts.path.strip("/") or "0"
        if not parts.hostname:
            return "names no host"
    if not (database.isascii() and database.isdigit()):
        return "has a database that is no number"
    if options.get("ssl_cert_reqs", "required") not in ("required", "optional", "none"):
        return "has an ssl_cert_reqs other than required, optional and none"
    return ""


def wrong_with_hosts(patterns: str) -> str:
    """For a comma-separated list of host names, `*.vapi.ai` for all below it."""
    for pattern in patterns.split(","):
        host = pattern.strip().lower()
        fixed = host.removeprefix("*.")
        if is_loopback(host):
            continue
        if not _is_host(fixed) or _is_ip(fixed):
            return "has an entry that is no host name"
        if fixed.count(".") < 1:
            return "has an entry that allows too much"
    return ""


def _is_host(host: str) -> bool:
    return _is_ip(host) or (
        len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))
    )


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
