"""Login: grants, refusals, rotation, and what a token allows."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.simulator.org.harness import LocalOrg, error

BASIC = base64.b64encode(b"demo-client:demo-secret").decode()
USERNAME = "voice.integration@local.example"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def rotating(org: LocalOrg) -> Iterator[LocalOrg]:
    org.faults(rotate_refresh_tokens=True)
    yield org
    org.faults()


def refresh(org: LocalOrg, token: str) -> tuple[int, dict[str, Any]]:
    answer = org.login(grant_type="refresh_token", client_id="demo-client", refresh_token=token)
    return answer.status_code, answer.json()


def works(org: LocalOrg, token: str) -> bool:
    answer = org.get("/limits", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def test_client_credentials_give_a_token_without_expires_in(org: LocalOrg) -> None:
    body = org.login().json()
    assert set(body) == {
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    }
    assert body["instance_url"] == org.url
    assert abs(int(body["issued_at"]) / 1000 - time.time()) < 60
    assert works(org, body["access_token"])


def test_client_credentials_may_come_in_a_basic_header(org: LocalOrg) -> None:
    answer = org.http.post(
        f"{org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {BASIC}"},
        timeout=10,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_client_credentials_are_refused_at_the_shared_login_hosts(org: LocalOrg, host: str) -> None:
    answer = org.http.post(
        f"{org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"},
        headers={"Host": host},
        timeout=10,
    )
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "request not supported on this domain",
    }


def test_any_client_is_accepted_unless_clients_are_strict(
    org: LocalOrg, strict_org: LocalOrg
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "other", "client_secret": "s"}
    assert org.login(**form).status_code == 200
    assert strict_org.login().status_code == 200
    assert strict_org.login(**form).json()["error"] == "invalid_client_id"
    form["client_id"] = "demo-client"
    assert strict_org.login(**form).json()["error"] == "invalid_client"


def test_an_unknown_grant_type_is_refused(org: LocalOrg) -> None:
    answer = org.login(grant_type="password", client_id="a", client_secret="b")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_request_without_a_good_token_is_refused_with_an_array(org: LocalOrg) -> None:
    for headers in ({"Authorization": "Bearer nonsense"}, {"Authorization": ""}):
        assert error(org.get("/limits", headers=headers)) == (
            401,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
        )


def test_a_refresh_token_works_again_and_again_when_it_does_not_rotate(org: LocalOrg) -> None:
    for _ in range(2):
        status, body = refresh(org, "demo-refresh-token")
        assert status == 200
        assert "refresh_token" not in body
        assert works(org, body["access_token"])


def test_a_rotated_refresh_token_is_good_once_and_its_successor_works(rotating: LocalOrg) -> None:
    _, first = refresh(rotating, "demo-refresh-token")
    status, second = refresh(rotating, first["refresh_token"])
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]


def test_reuse_of_a_rotated_refresh_token_revokes_everything_that_came_of_it(
    rotating: LocalOrg,
) -> None:
    _, first = refresh(rotating, "demo-refresh-token")
    assert works(rotating, first["access_token"])
    status, refused = refresh(rotating, "demo-refresh-token")
    assert (status, refused["error"]) == (400, "invalid_grant")
    assert refused["error_description"] == "expired access/refresh token"
    assert not works(rotating, first["access_token"])
    assert refresh(rotating, first["refresh_token"])[0] == 400


def test_an_authorization_code_with_pkce_gives_a_refresh_token_once(org: LocalOrg) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    sent = org.http.get(
        f"{org.url}/services/oauth2/authorize",
        params={
            "response_type": "code",
            "client_id": "demo-client",
            "redirect_uri": "http://127.0.0.1:1/callback",
            "state": "s1",
            "code_challenge": challenge,
        },
        allow_redirects=False,
        timeout=10,
    )
    back = parse_qs(urlsplit(sent.headers["Location"]).query)
    assert (sent.status_code, back["state"]) == (302, ["s1"])
    form = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "client_id": "demo-client",
        "redirect_uri": "http://127.0.0.1:1/callback",
        "code_verifier": verifier,
    }
    body = org.login(**form).json()
    assert refresh(org, body["refresh_token"])[0] == 200
    assert org.login(**form).json()["error_description"] == "expired authorization code"


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def assertion(key: rsa.RSAPrivateKey, **claims: Any) -> str:
    all_claims = {
        "iss": "demo-client",
        "sub": USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120,
        **claims,
    }
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(all_claims).encode()]
    signed = ".".join(map(encoded, parts))
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{encoded(signature)}"


JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def test_a_jwt_assertion_gives_a_token(org: LocalOrg, key: rsa.RSAPrivateKey) -> None:
    answer = org.login(grant_type=JWT, assertion=assertion(key))
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    assert works(org, answer.json()["access_token"])


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"aud": "https://example.com"}, "audience is invalid"),
        ({"exp": 1}, "expired authorization code"),
        ({"exp": "soon"}, "invalid assertion"),
        ({"iss": None}, "invalid assertion"),
    ],
)
def test_a_jwt_assertion_with_a_bad_claim_is_refused(
    org: LocalOrg, key: rsa.RSAPrivateKey, claims: dict[str, Any], description: str
) -> None:
    body = org.login(grant_type=JWT, assertion=assertion(key, **claims)).json()
    assert body == {"error": "invalid_grant", "error_description": description}


def test_a_jwt_expiry_in_milliseconds_as_the_sf_cli_sends_it_is_taken(
    org: LocalOrg, key: rsa.RSAPrivateKey
) -> None:
    far_ahead = int(time.time() * 1000) + 300
    assert org.login(grant_type=JWT, assertion=assertion(key, exp=far_ahead)).status_code == 200


def test_a_jwt_expiry_may_be_text(org: LocalOrg, key: rsa.RSAPrivateKey) -> None:
    """As in Salesforce's own sample, and as simple-salesforce sends it."""
    soon, past = str(int(time.time()) + 120), str(int(time.time()) - 5)
    assert org.login(grant_type=JWT, assertion=assertion(key, exp=soon)).status_code == 200
    refused = org.login(grant_type=JWT, assertion=assertion(key, exp=past))
    assert refused.json()["error_description"] == "expired authorization code"


def test_a_login_at_a_shared_host_leads_to_the_orgs_own(
    org: LocalOrg, key: rsa.RSAPrivateKey
) -> None:
    form = {"grant_type": JWT, "assertion": assertion(key)}
    headers = {"Host": "login.salesforce.com"}
    answer = org.http.post(
        f"{org.url}/services/oauth2/token", data=form, headers=headers, timeout=10
    )
    assert answer.json()["instance_url"] == org.url
    assert answer.json()["id"].startswith("https://login.salesforce.com/id/")
    headers = {"Host": "acme.my.salesforce.com"}
    answer = org.http.post(
        f"{org.url}/services/oauth2/token", data=form, headers=headers, timeout=10
    )
    assert answer.json()["instance_url"] == "https://acme.my.salesforce.com"


def test_a_jwt_signature_is_checked_when_a_key_is_registered(
    org: LocalOrg, key: rsa.RSAPrivateKey
) -> None:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    org.faults(jwt_public_key=pem.decode())
    assert org.login(grant_type=JWT, assertion=assertion(key)).status_code == 200
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert org.login(grant_type=JWT, assertion=assertion(other)).status_code == 400


def test_userinfo_and_identity_name_the_user_and_the_org(org: LocalOrg) -> None:
    token = org.login().json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    info = org.get("/services/oauth2/userinfo", headers=headers).json()
    assert info["preferred_username"] == USERNAME
    assert info["organization_id"] == org.records("Organization")[0]["Id"]
    identity = org.http.get(token["id"], headers=headers, timeout=10).json()
    assert identity["user_id"] == info["user_id"]
    refused = org.get("/services/oauth2/userinfo", headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.text) == (403, "Bad_OAuth_Token")


def test_introspection_distinguishes_a_valid_token_from_a_revoked_one(org: LocalOrg) -> None:
    token = org.login().json()["access_token"]

    def introspect() -> dict[str, Any]:
        answer = org.http.post(
            f"{org.url}/services/oauth2/introspect",
            data={"token": token, "client_id": "demo-client", "client_secret": "demo-secret"},
            timeout=10,
        )
        return dict(answer.json())

    assert introspect()["active"] is True
    assert introspect()["username"] == USERNAME
    revoked = org.http.post(f"{org.url}/services/oauth2/revoke", data={"token": token}, timeout=10)
    assert revoked.status_code == 200
    assert introspect() == {"active": False}
    assert not works(org, token)
