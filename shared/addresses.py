"""Checks addresses in settings. Each function returns what is wrong, as a clause after the name.

Secrets are sent to these addresses, so an unsafe address is refused before anything is sent.
"""

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

MY_DOMAINS = (".my.salesforce.com", ".my.salesforce.mil", ".my.sfcrmproducts.cn")
LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})
BROWSER_DOMAINS = (".lightning.force.com", ".lightning.force.mil", ".salesforce-setup.com")
EXAMPLES = frozenset({"acme.my.salesforce.com", "mydomainname.my.salesforce.com"})
"""My Domains that documents use as examples: each is, or may become, a real org."""

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
    """For an address that secrets may be sent to; "" when it is good. path: it may have one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError unless the port is a number
    except ValueError:
        return "must be a web address"
    if parts.scheme not in ("http", "https"):
        return "must begin with https://"
    host = parts.hostname or ""
    if not is_host(host) or url != url.strip():
        return "must be a web address"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https:// (http:// only for this machine, as 127.0.0.1)"
    if "@" in parts.netloc:
        return "must not contain a user or a password"
    if "?" in url or "#" in url:
        return "must end before the ? or #"
    if parts.path.strip("/") and not path:
        return "must have no path"
    return ""


def wrong_with_org(url: str) -> str:
    """For an org's My Domain, or a login host; "" when it is good."""
    if wrong := wrong_with_web(url):
        return wrong
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return ""
    if parts.port is not None:
        return "must have no port"
    if host in EXAMPLES:
        return "must not be an example"
    if host.endswith(BROWSER_DOMAINS):
        return f"must be the My Domain: {host} is for browsers and issues no tokens"
    if host not in LOGIN_HOSTS and not host.endswith(MY_DOMAINS):
        return f"must be the My Domain: {host} does not belong to Salesforce"
    return ""


def wrong_with_redis(url: str) -> str:
    """For redis://, rediss:// or unix://; "" when it is good."""
    scheme = url.partition("://")[0]
    if scheme not in REDIS_SCHEMES:
        return "must begin with redis://, rediss:// or unix://"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError unless the port is a number
    except ValueError:
        return "must have a number as its port"
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - REDIS_OPTIONS[scheme]):
        return f"must not have the option {unknown[0]} with {scheme}://"
    if scheme == "unix":
        database = options.get("db", "0")
        if parts.hostname or not parts.path.strip("/"):
            return "must name a socket by its whole path"
    else:
        database = parts.path.strip("/") or "0"
        if not parts.hostname:
            return "must name a host"
    if not (database.isascii() and database.isdigit()):
        return "must have a number as its database"
    if options.get("ssl_cert_reqs", "required") not in ("required", "optional", "none"):
        return "must have required, optional or none as its ssl_cert_reqs"
    return ""


def wrong_with_hosts(patterns: str) -> str:
    """For a comma-separated list of host names; `*.vapi.ai` stands for all names below it."""
    for pattern in patterns.split(","):
        host = pattern.strip().lower()
        fixed = host.removeprefix("*.")
        if is_loopback(host):
            continue
        if not is_host(fixed) or _is_ip(fixed):
            return "must contain host names only"
        if fixed.count(".") < 1:
            return "must not allow a whole top-level domain"
    return ""


def is_host(host: str) -> bool:
    """True for an address or a name, in lower case."""
    return _is_ip(host) or (
        len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))
    )


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
