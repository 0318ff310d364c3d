"""One token for the fleet: renewed by one process at a time, and replaced when it has expired."""

import threading
import time

import pytest
import redis
from cryptography.fernet import Fernet
from pydantic import SecretStr

from demo.stack import Org, Store
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.grants import RefreshTokens
from shared.salesforce.namespace import keys_of
from shared.salesforce.token import Token, TokenStore
from shared.settings import SalesforceSettings, Settings
from tests.conftest import change_settings, make_settings
from tests.shared.test_grants import GRANTS, PUBLIC, authorise, settings_for


def soon() -> float:
    return time.monotonic() + 10


def test_thirty_askers_at_once_are_one_request(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    org.fault(latency_ms=200)
    got: list[Token] = []
    salesforce = settings.salesforce
    threads = [
        threading.Thread(
            target=lambda: got.append(TokenStore(salesforce, store).current(give_up_at=soon()))
        )
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 30
    assert len({item.access_token for item in got}) == 1
    assert org.stats()["by_resource"] == {"token": 1}


def test_a_spent_token_is_replaced_once_for_all(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    tokens = TokenStore(settings.salesforce, store)
    spent = tokens.current(give_up_at=soon())
    first = tokens.replace(spent, give_up_at=soon())
    assert tokens.replace(spent, give_up_at=soon()) == first
    assert org.stats()["by_resource"]["token"] == 2


def refresh_settings(store_server: Store, org: Org, **others: object) -> SalesforceSettings:
    return make_settings(
        store_server.url, org.url, salesforce_client_secret=None,
        salesforce_grant="refresh_token", **others,
    ).salesforce  # fmt: skip


def test_a_rotated_refresh_token_is_kept_encrypted_and_used_next(
    store_server: Store, org: Org, store: redis.Redis
) -> None:
    org.fault(rotate_refresh_tokens=True)
    settings = refresh_settings(
        store_server, org, salesforce_refresh_token="demo-refresh-token",
        token_encryption_key=Fernet.generate_key().decode(),
    )  # fmt: skip
    tokens = TokenStore(settings, store)
    for _ in range(3):  # reusing the first one would revoke them all
        tokens.replace(tokens.current(give_up_at=soon()), give_up_at=soon())
    stored = store.hgetall(f"{keys_of(settings)}refresh_token")
    assert str(stored["token"]).startswith("gAAAA")


def test_a_newly_configured_refresh_token_wins_over_the_kept_one(
    store_server: Store, org: Org, store: redis.Redis
) -> None:
    org.fault(rotate_refresh_tokens=True)
    settings = refresh_settings(store_server, org, salesforce_refresh_token="demo-refresh-token")
    TokenStore(settings, store).current(give_up_at=soon())
    store.delete(f"{keys_of(settings)}access_token")
    anew = refresh_settings(store_server, org, salesforce_refresh_token="authorised-anew")
    assert TokenStore(anew, store)._refresh_tokens.current() == "authorised-anew"
    assert TokenStore(settings, store)._refresh_tokens.current() not in {"demo-refresh-token", ""}


def test_a_refused_client_is_a_matter_of_configuration(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    wrong = change_settings(settings, salesforce_client_id="")
    with pytest.raises(SalesforceError) as refused:
        TokenStore(wrong.salesforce, store).current(give_up_at=soon())
    assert refused.value.failure is FailureClass.LOGIN_REFUSED


def test_who_waits_for_another_refresher_gives_up_at_their_deadline(
    settings: Settings, store: redis.Redis
) -> None:
    """A process holds the lock and never finishes."""
    store.set(f"{keys_of(settings.salesforce)}token:lock", "somebody else")
    with pytest.raises(SalesforceError, match="TOKEN_WAIT"):
        TokenStore(settings.salesforce, store).current(give_up_at=time.monotonic() + 0.2)


# -- encryption ------------------------------------------------------------------------------------

KEY, NEWER = (Fernet.generate_key().decode() for _ in range(2))


def everything_stored(store: redis.Redis) -> str:
    values: list[object] = []
    for key in store.scan_iter("*"):
        is_hash = store.type(key) == "hash"
        values.append(store.hgetall(key) if is_hash else store.dump(key))
    return repr(values)


@pytest.mark.parametrize("grant", GRANTS)
def test_an_access_token_is_stored_encrypted_and_shared_under_every_grant(
    grant: str, store_server: Store, store: redis.Redis, org: Org
) -> None:
    org.fault(jwt_public_key=PUBLIC.decode())
    settings = settings_for(grant, store_server, org)
    if grant == "by login":
        authorise(settings, store)
    token = TokenStore(settings.salesforce, store).current(give_up_at=soon())
    assert token.access_token
    stored = store.get(f"{keys_of(settings.salesforce)}access_token")
    assert str(stored).startswith("gAAAA")
    assert token.access_token not in everything_stored(store)
    assert TokenStore(settings.salesforce, store).current(give_up_at=soon()) == token


def test_a_token_shows_no_secret_when_it_is_printed() -> None:
    assert "00D-secret" not in repr(Token("00D-secret", "https://x.my.salesforce.com"))


def test_a_token_under_an_unknown_key_or_in_the_clear_is_replaced(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    of_another_key = change_settings(settings, token_encryption_key=SecretStr(KEY))
    first = TokenStore(of_another_key.salesforce, store).current(give_up_at=soon())
    tokens = TokenStore(settings.salesforce, store)
    assert tokens.current(give_up_at=soon()).access_token != first.access_token
    name = f"{keys_of(settings.salesforce)}access_token"
    store.set(name, '{"access_token": "t", "instance_url": "https://x", "issued_at_ms": 1}')
    assert tokens.current(give_up_at=soon()).access_token != "t"


def test_a_token_that_version_0_2_0_stored_in_the_clear_is_deleted(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    earlier = f"{keys_of(settings.salesforce)}token"
    store.set(earlier, '{"access_token": "in the clear"}')
    TokenStore(settings.salesforce, store).current(give_up_at=soon())
    assert not store.exists(earlier)


def test_a_key_is_replaced_without_a_new_login(
    store_server: Store, org: Org, store: redis.Redis
) -> None:
    def with_keys(*keys: str) -> SalesforceSettings:
        settings = settings_for("by login", store_server, org)
        joined = SecretStr(",".join(keys))
        return change_settings(settings, token_encryption_key=joined).salesforce

    old, both, new = with_keys(KEY), with_keys(NEWER, KEY), with_keys(NEWER)
    RefreshTokens(old, store).keep("authorised", by_login=True)
    with pytest.raises(SalesforceError, match="TOKEN_ENCRYPTION_KEY"):
        RefreshTokens(new, store).current()
    assert RefreshTokens(both, store).needs_older_key()
    assert RefreshTokens(both, store).current() == "authorised"
    assert not RefreshTokens(both, store).needs_older_key()
    assert RefreshTokens(new, store).current() == "authorised"


def test_a_token_that_changes_while_its_key_is_replaced_stays(
    store_server: Store, org: Org, store: redis.Redis
) -> None:
    settings = settings_for("by login", store_server, org).salesforce
    tokens = RefreshTokens(settings, store)
    tokens.keep("first", by_login=True)
    name = f"{keys_of(settings)}refresh_token"
    seen = store.hget(name, "token")
    tokens.keep("second", by_login=True)
    tokens._reseal(args=[name, seen, "gAAAA-of-the-first"])
    assert tokens.current() == "second"
