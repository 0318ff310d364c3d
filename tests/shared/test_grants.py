"""Every grant gets a token, and an expired token is replaced during a call without any failure."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import redis
import requests
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from demo.stack import ROOT, Org, Store
from shared.salesforce.authorisation import Authorisation, AuthorisationRefusedError
from shared.salesforce.failures import SalesforceError
from shared.salesforce.grants import RefreshTokens, assertion, audience
from shared.salesforce.namespace import keys_of
from shared.salesforce.token import TokenStore
from shared.settings import Settings
from tests.calling import ask
from tests.conftest import change_settings, make_settings
from web.app import create_app

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
CALLBACK = "http://127.0.0.1/oauth/callback"
GRANTS: dict[str, dict[str, Any]] = {
    "jwt": {"salesforce_jwt_key": PEM, "salesforce_username": "voice@acme.example"},
    "client_credentials": {},
    "refresh_token": {
        "salesforce_client_secret": None, "salesforce_refresh_token": "demo-refresh-token",
    },
    "by login": {
        "salesforce_client_secret": None,
        "salesforce_redirect_uri": CALLBACK,
        "token_encryption_key": Fernet.generate_key().decode(),
        "operator_basic_auth": "operator:a-long-password",
    },
}  # fmt: skip


def settings_for(grant: str, store_server: Store, org: Org) -> Settings:
    return make_settings(store_server.url, org.url, **GRANTS[grant])


def authorise(settings: Settings, store: redis.Redis) -> None:
    """What the operator's browser does: go there, approve, come back."""
    authorisation = Authorisation(settings.salesforce, store)
    url, state = authorisation.begin()
    back = requests.get(url, allow_redirects=False, timeout=10).headers["Location"]
    code = back.partition("code=")[2].partition("&")[0]
    authorisation.finish(state, code)


@pytest.mark.parametrize("grant", GRANTS)
def test_an_expiry_in_mid_call_fails_no_tool_call(
    grant: str, store_server: Store, store: redis.Redis, org: Org
) -> None:
    org.fault(jwt_public_key=PUBLIC.decode())
    settings = settings_for(grant, store_server, org)
    if grant == "by login":
        authorise(settings, store)
    app = create_app(settings)
    client = app.test_client()
    assert "Jane Miller" in ask(client, "lookupCustomer", call_id="a")["result"]
    org.fault(jwt_public_key=PUBLIC.decode(), expire_tokens=True)
    for call_id in ("b", "c"):
        assert "Jane Miller" in ask(client, "lookupCustomer", call_id=call_id)["result"]
    app.extensions["service"].close()


def test_eight_processes_at_once_ask_for_one_token(
    store_server: Store, store: redis.Redis, org: Org
) -> None:
    org.fault(latency_ms=300)
    program = (
        "import sys, time; from shared.salesforce.token import TokenStore\n"
        "from shared.store import connect; from tests.conftest import make_settings\n"
        "settings = make_settings(sys.argv[1], sys.argv[2])\n"
        "store = connect(settings.store.url)\n"
        "store.blpop('go', 30)\n"
        "tokens = TokenStore(settings.salesforce, store)\n"
        "print(tokens.current(give_up_at=time.monotonic() + 20).access_token)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, store_server.url, org.url],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(8)
    ]  # fmt: skip
    store.rpush("go", *range(8))
    tokens = {item.communicate(timeout=60)[0] for item in running}
    assert len(tokens) == 1
    assert org.stats()["by_resource"]["token"] == 1


# -- jwt -------------------------------------------------------------------------------------------


def test_an_assertion_says_who_and_for_how_long(store_server: Store, org: Org) -> None:
    settings = settings_for("jwt", store_server, org)
    claims = jwt.decode(
        assertion(settings.salesforce), PUBLIC, ["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("demo-client", "voice@acme.example")
    assert 0 < claims["exp"] - time.time() <= 180


@pytest.mark.parametrize(
    ("host", "at"),
    [
        ("acme.my.salesforce.com", "login"),
        ("acme--uat.sandbox.my.salesforce.com", "test"),
        ("fluffy-1234.scratch.my.salesforce.com", "test"),
        ("test.salesforce.com", "test"),
        ("login.salesforce.com", "login"),
    ],
)
def test_the_audience_follows_from_the_host(host: str, at: str) -> None:
    assert audience(f"https://{host}") == f"https://{at}.salesforce.com"


def test_a_key_may_be_a_path_or_one_line(store_server: Store, org: Org, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    for given in (str(file), PEM.replace("\n", "\\n")):
        settings = make_settings(
            store_server.url, org.url, salesforce_jwt_key=given, salesforce_username="u"
        )
        assert settings.salesforce.grant_type == "jwt"
        assert settings.salesforce.jwt_key_pem.strip() == PEM.strip()


EC = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@pytest.mark.parametrize("given", ["/nowhere/key.pem", "-----BEGIN nonsense", EC.decode()])
def test_a_key_that_can_not_sign_is_refused_by_its_name(
    given: str, store_server: Store, org: Org
) -> None:
    with pytest.raises(ValueError, match="SALESFORCE_JWT_KEY"):
        make_settings(store_server.url, org.url, salesforce_jwt_key=given, salesforce_username="u")


# -- an operator's login ---------------------------------------------------------------------------


def test_an_authorisation_outlives_restarts_rotation_and_the_setting(
    store_server: Store, store: redis.Redis, org: Org
) -> None:
    org.fault(rotate_refresh_tokens=True)
    settings = settings_for("by login", store_server, org)
    with pytest.raises(SalesforceError, match="NOT_AUTHORISED"):
        TokenStore(settings.salesforce, store).current(give_up_at=time.monotonic() + 5)
    authorise(settings, store)
    stored = store.hget(f"{keys_of(settings.salesforce)}refresh_token", "token")
    assert str(stored).startswith("gAAAA")
    for _ in range(3):
        tokens = TokenStore(settings.salesforce, store)  # a process that starts anew
        spent = tokens.current(give_up_at=time.monotonic() + 5)
        tokens.replace(spent, give_up_at=time.monotonic() + 5)
    assert RefreshTokens(settings.salesforce, store).current()


def test_a_rotated_token_is_never_kept_in_the_clear(
    store_server: Store, store: redis.Redis, org: Org
) -> None:
    org.fault(rotate_refresh_tokens=True)
    settings = settings_for("refresh_token", store_server, org)
    for _ in range(3):
        tokens = TokenStore(settings.salesforce, store)
        tokens.replace(
            tokens.current(give_up_at=time.monotonic() + 5), give_up_at=time.monotonic() + 5
        )
    rotated = RefreshTokens(settings.salesforce, store).current()
    assert rotated != "demo-refresh-token"
    stored = json.dumps(store.hgetall(f"{keys_of(settings.salesforce)}refresh_token"))
    assert rotated not in stored
    assert "demo-refresh-token" not in stored
    key = SecretStr(Fernet.generate_key().decode())
    later = change_settings(settings, token_encryption_key=key)
    assert RefreshTokens(later.salesforce, store).current() == rotated


def test_a_token_that_an_earlier_version_kept_in_the_clear_is_still_good(
    store_server: Store, store: redis.Redis, org: Org
) -> None:
    settings = settings_for("refresh_token", store_server, org)
    tokens = RefreshTokens(settings.salesforce, store)
    tokens.keep("rotated")
    store.hset(f"{keys_of(settings.salesforce)}refresh_token", "token", "5Aep861rotated")
    assert tokens.current() == "5Aep861rotated"
    tokens.keep("5Aep861next")
    assert tokens.current() == "5Aep861next"
    assert "5Aep861" not in str(store.hget(f"{keys_of(settings.salesforce)}refresh_token", "token"))


def test_a_login_is_good_once_and_for_the_same_org(
    store_server: Store, store: redis.Redis, org: Org
) -> None:
    settings = settings_for("by login", store_server, org)
    authorisation = Authorisation(settings.salesforce, store)
    with pytest.raises(AuthorisationRefusedError, match="did not start here"):
        authorisation.finish("made-up", "code")
    store.set(f"{keys_of(settings.salesforce)}org", "00D000000000001AAA")
    with pytest.raises(AuthorisationRefusedError, match="another org"):
        authorise(settings, store)
    assert not store.exists(f"{keys_of(settings.salesforce)}refresh_token")


def test_a_login_wants_its_settings(store_server: Store, store: redis.Redis, org: Org) -> None:
    settings = settings_for("client_credentials", store_server, org)
    with pytest.raises(AuthorisationRefusedError, match="TOKEN_ENCRYPTION_KEY"):
        Authorisation(settings.salesforce, store).begin()
