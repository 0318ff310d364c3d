"""One token for the fleet: renewed by one process at a time, and replaced when it has expired."""

import threading
import time

import pytest
import redis
from cryptography.fernet import Fernet

from demo.stack import Org, Store
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.namespace import keys_of
from shared.salesforce.token import Token, TokenStore
from shared.settings import SalesforceSettings, Settings
from tests.conftest import change_settings, make_settings


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
    store.delete(f"{keys_of(settings)}token")
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
