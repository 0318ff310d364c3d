"""Who gets into the console, how long they stay in, and what forms it takes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from flask import Flask

from shared.operators.audit import Audit
from shared.operators.sessions import MAX_AGE_MS, MAX_SESSIONS, Sessions
from shared.operators.sign_ins import PER_ADDRESS
from shared.operators.users import Role, User, Users
from shared.settings import Settings
from tests.conftest import change_settings
from tests.console.conftest import HASH, ORIGIN, PASSWORD, Browser


def is_in(browser: Browser) -> bool:
    return browser.get("/console/now").status_code == 200


def test_without_a_file_of_users_there_is_no_console(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(change_settings(settings, console_users=None))
    assert app.test_client().get("/console/login").status_code == 404


def test_a_stranger_gets_the_login_page_and_then_the_page_that_was_asked_for(
    stranger: Browser,
) -> None:
    answer = stranger.get("/console/now?x=1")
    assert answer.location == "/console/login?to=/console/now?x%3D1"
    assert 'name="password"' in stranger.get(answer.location).text
    form = {"name": "olga", "password": PASSWORD, "to": "/console/now?x=1"}
    assert stranger.post("/console/login", form).location == "/console/now?x=1"
    assert is_in(stranger)


@pytest.mark.parametrize("to", ["https://example.com/console/", "//example.com", "/health", ""])
def test_a_login_leads_nowhere_else(stranger: Browser, to: str) -> None:
    form = {"name": "olga", "password": PASSWORD, "to": to}
    assert stranger.post("/console/login", form).location == "/console/now"


@pytest.mark.parametrize(("name", "password"), [("olga", "x" * 20), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_or_password_is_refused_with_the_same_words(
    stranger: Browser, name: str, password: str
) -> None:
    answer = stranger.log_in(name, password)
    assert (answer.status_code, "Name or password is wrong." in answer.text) == (403, True)
    assert not is_in(stranger)


def test_an_address_that_guesses_has_to_wait_and_a_right_password_does_not_help_then(
    stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(PER_ADDRESS):
        assert stranger.log_in(f"name {nth}", "wrong").status_code == 403
    compared: list[str] = []
    monkeypatch.setattr(User, "has_password", lambda _, given: compared.append(given))
    answer = stranger.log_in("olga")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    assert compared == [], "guesses cost no time of the processor any more"


def test_right_passwords_do_not_count_as_guesses(stranger: Browser) -> None:
    for _ in range(PER_ADDRESS + 1):
        assert stranger.log_in("olga").status_code == 302


def test_logins_alone_push_nothing_out_of_the_audit(
    operator: Browser, reader: Browser, store: redis.Redis
) -> None:
    for _ in range(3):
        reader.log_in("rene")
    noted = [(entry.who, entry.what) for entry in Audit(store).newest(10)]
    assert noted == [("rene", "login"), ("olga", "login")]


def test_the_cookie_is_for_the_console_alone_and_no_script_reads_it(stranger: Browser) -> None:
    cookie = stranger.log_in("olga").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/console"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_https_the_cookie_never_goes_over_http(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(change_settings(settings, public_url="https://voice.example.com"))
    answer = app.test_client().post(
        "/console/login",
        data={"name": "olga", "password": PASSWORD},
        headers={"Origin": "https://voice.example.com"},
    )
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_the_store_has_no_token_and_no_typed_name(operator: Browser, store: redis.Redis) -> None:
    token = operator.client.get_cookie("vs_console", path="/console")
    assert token
    operator.log_in("a password typed as a name", "wrong")
    keys = [str(key) for key in store.scan_iter("vs:console:*", _type="string")]
    dump = " ".join(key + str(store.get(key)) for key in keys)
    assert "olga" in dump  # a search that finds nothing proves nothing
    assert token.value not in dump
    assert "typed" not in dump


def test_logging_out_ends_the_session_for_whoever_has_the_cookie(operator: Browser) -> None:
    token = operator.client.get_cookie("vs_console", path="/console")
    assert token
    assert operator.post("/console/logout").status_code == 302
    operator.client.set_cookie("vs_console", token.value, path="/console")
    assert not is_in(operator)


def test_a_session_without_requests_ends(operator: Browser, store: redis.Redis) -> None:
    (key,) = store.scan_iter("vs:console:session:*")
    assert 0 < int(store.pttl(key)) <= 30 * 60 * 1000
    store.pexpire(key, 60_000)
    operator.get("/console/now", headers={"X-Poll": "1"})
    assert int(store.pttl(key)) <= 60_000, "a page that is only left open extends nothing"
    operator.get("/console/now")
    assert int(store.pttl(key)) > 60_000
    store.delete(key)
    assert not is_in(operator)


def test_a_session_ends_after_twelve_hours_whatever_it_did(
    operator: Browser, store: redis.Redis
) -> None:
    (key,) = store.scan_iter("vs:console:session:*")
    text = str(store.get(key))
    began = re.search(r'"began_ms": (\d+)', text)
    assert began
    store.set(key, text.replace(began[1], str(int(began[1]) - MAX_AGE_MS - 1)), keepttl=True)
    assert not is_in(operator)


@pytest.mark.parametrize(
    "change",
    [
        User("olga", Role.READER, HASH),
        User("olga", Role.OPERATOR, HASH.replace("m=19456", "m=19457")),
    ],
)
def test_another_role_or_password_ends_the_sessions(
    operator: Browser, users_file: Path, change: User
) -> None:
    assert is_in(operator)
    Users(users_file).put(change)
    assert not is_in(operator)


def test_one_session_too_many_ends_the_users_oldest_one_and_nobody_elses(
    store: redis.Redis,
) -> None:
    sessions = Sessions(store)
    olga, rene = User("olga", Role.OPERATOR, HASH), User("rene", Role.READER, HASH)
    of_olga, _ = sessions.begin(olga)
    oldest, *_ = tokens = [sessions.begin(rene)[0] for _ in range(MAX_SESSIONS - 1)]
    for _ in range(MAX_SESSIONS):  # those that have ended do not count
        sessions.end(sessions.begin(rene)[0])
    tokens.append(sessions.begin(rene)[0])
    assert sessions.find(oldest, extend=True)
    tokens.append(sessions.begin(rene)[0])
    assert [token for token in tokens if not sessions.find(token, extend=True)] == [oldest]
    assert sessions.find(of_olga, extend=True)


def test_a_user_who_is_removed_is_out_at_once(operator: Browser, users_file: Path) -> None:
    Users(users_file).remove("olga")
    assert not is_in(operator)


def test_a_login_does_not_take_over_the_session_of_a_cookie_that_was_there_before(
    stranger: Browser,
) -> None:
    stranger.client.set_cookie("vs_console", "planted", path="/console")
    stranger.log_in("olga")
    token = stranger.client.get_cookie("vs_console", path="/console")
    assert token
    assert token.value != "planted"


# -- forms -----------------------------------------------------------------------------------------


ELSEWHERE = ("https://evil.example", "null", "", "http://localhost.evil", "http://", "http://[")


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_form_from_elsewhere_is_refused(operator: Browser, origin: str) -> None:
    answer = operator.post("/console/logout", headers={"Origin": origin})
    assert answer.status_code == 403
    assert is_in(operator)


def test_a_form_needs_the_token_of_its_session(operator: Browser, reader: Browser) -> None:
    for token in ("", reader.token):
        assert operator.post("/console/logout", {"token": token}).status_code == 403
    assert is_in(operator)


def test_a_form_of_a_session_that_has_ended_changes_nothing(
    operator: Browser, store: redis.Redis
) -> None:
    store.flushall()
    answer = operator.post("/console/logout")
    assert (answer.status_code, "session has ended" in answer.text) == (403, True)


def test_large_forms_and_other_bodies_are_refused_unread(stranger: Browser) -> None:
    assert stranger.log_in("x" * 5000).status_code == 413
    answer = stranger.client.post("/console/login", json={}, headers={"Origin": ORIGIN})
    assert answer.status_code == 415


def test_every_page_forbids_scripts_and_frames_of_others_and_is_stored_nowhere(
    operator: Browser, stranger: Browser
) -> None:
    for answer in (operator.get("/console/now"), stranger.get("/console/login")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?! src=)|style=|\son\w+=", answer.text)


def test_the_store_away_is_said_and_not_hidden_behind_a_login(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(change_settings(settings, redis_url="redis://127.0.0.1:1/0"))
    client = app.test_client()
    client.set_cookie("vs_console", "x", path="/console")
    answer = client.get("/console/now")
    assert (answer.status_code, "the store does not answer" in answer.text) == (503, True)


# -- a proxy that logs users in --------------------------------------------------------------------


@pytest.fixture
def behind_proxy(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    by = {"console_user_header": "X-Forwarded-User", "console_proxies": "10.0.0.0/8"}
    return make_app(change_settings(settings, **by))


def asked_by(app: Flask, address: str, name: str) -> int:
    return (
        app.test_client()
        .get(
            "/console/now",
            headers={"X-Forwarded-User": name},
            environ_overrides={"REMOTE_ADDR": address},
        )
        .status_code
    )


def test_the_header_of_a_trusted_proxy_logs_in_a_user_of_the_file(behind_proxy: Flask) -> None:
    assert asked_by(behind_proxy, "10.1.2.3", "olga") == 200
    assert asked_by(behind_proxy, "10.1.2.3", "nobody") == 302
    assert asked_by(behind_proxy, "10.1.2.3", "") == 302


def test_a_client_behind_the_proxy_that_sends_no_cookie_back_does_not_fill_the_store(
    behind_proxy: Flask, store: redis.Redis
) -> None:
    assert asked_by(behind_proxy, "10.1.2.3", "rene") == 200
    for _ in range(MAX_SESSIONS):
        behind_proxy.test_client().get(
            "/console/login",
            headers={"X-Forwarded-User": "rene"},
            environ_overrides={"REMOTE_ADDR": "10.1.2.3"},
        )
    assert len(list(store.scan_iter("vs:console:session:*"))) == MAX_SESSIONS
    (key,) = store.scan_iter("vs:console:sessions:*")
    assert store.llen(key) == MAX_SESSIONS


def test_the_header_of_anybody_else_is_nothing(behind_proxy: Flask) -> None:
    assert asked_by(behind_proxy, "203.0.113.9", "olga") == 302


def test_behind_a_proxy_no_password_is_asked_for_and_none_taken(behind_proxy: Flask) -> None:
    browser = Browser(behind_proxy.test_client())
    assert browser.get("/console/login").status_code == 403
    assert browser.log_in("olga").status_code == 403


def test_the_session_of_one_user_is_not_that_of_the_next_whom_the_proxy_names(
    behind_proxy: Flask,
) -> None:
    client = behind_proxy.test_client()
    said = [
        client.get(
            "/console/now",
            headers={"X-Forwarded-User": name},
            environ_overrides={"REMOTE_ADDR": "10.1.2.3"},
        ).text
        for name in ("olga", "rene")
    ]
    assert ["olga, operator" in said[0], "rene, reader" in said[1]] == [True, True]
