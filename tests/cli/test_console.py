"""`python -m cli console user`, and the audit of what the command line does."""

import re
import stat
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from cli.__main__ import cli
from cli.chain import Status, examine
from cli.checks.console import LINKS
from cli.checks.context import CheckContext
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.operators.audit import Audit
from shared.operators.users import _NOBODY, Role, User, Users, hash_of
from shared.settings import load_settings

PASSWORD = "a password of tests"
NUMBER = "+14155550101"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "console.users"
    monkeypatch.setenv("CONSOLE_USERS", str(path))
    load_settings.cache_clear()
    return path


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=typed)


def test_a_user_is_added_with_a_role_and_a_hash_that_only_the_owner_can_read(path: Path) -> None:
    words = ("console", "user", "add", "olga", "--role", "operator")
    assert "would add olga as operator" in run(*words).output
    assert not path.exists()
    assert "added olga as operator" in run(*words, "--yes", typed=f"{PASSWORD}\n").output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()
    user = Users(path).named("olga")
    assert user
    assert (user.role, user.has_password(PASSWORD)) == (Role.OPERATOR, True)
    assert not user.has_password(PASSWORD[:-1])
    assert "olga  operator  by password" in run("console", "user", "list").output


def test_adding_a_user_again_replaces_the_line_and_no_other(path: Path) -> None:
    run("console", "user", "add", "rene", "--yes", typed=f"{PASSWORD}\n")
    path.write_text(f"# ours\n{path.read_text()}olga:reader:-")
    other = "another password, 12 or more"
    assert "replaced rene as operator" in run(
        "console", "user", "add", "rene", "--role", "operator", "--yes", typed=f"{other}\n"
    ).output  # fmt: skip
    found = Users(path).all()
    assert set(found) == {"rene", "olga"}
    assert (found["rene"].role, found["rene"].has_password(other)) == (Role.OPERATOR, True)
    assert path.read_text().startswith("# ours\n")
    assert run("console", "user", "remove", "rene", "--yes").output == "removed rene\n"
    assert set(Users(path).all()) == {"olga"}
    assert run("console", "user", "remove", "rene", "--yes").exit_code == 1


@pytest.mark.parametrize(
    ("name", "password"), [("olga", "short"), ("olga", "a" * 20), ("o:lga", PASSWORD), ("", "")]
)
def test_a_weak_password_and_a_name_that_the_file_cannot_hold_are_refused(
    path: Path, name: str, password: str
) -> None:
    assert run("console", "user", "add", name, "--yes", typed=f"{password}\n").exit_code == 1
    assert not path.exists()


def test_a_user_without_password_never_gets_in_by_one(path: Path) -> None:
    assert run("console", "user", "add", "olga", "--no-password", "--yes").exit_code == 0
    user = Users(path).named("olga")
    assert user
    assert not any(user.has_password(guess) for guess in ("", "-", PASSWORD))


@pytest.mark.parametrize(
    "line", ["olga", "olga:admin:-", "olga:operator:plain text", "::", "é:reader:-"]
)
def test_a_line_that_is_no_user_lets_nobody_in(path: Path, line: str) -> None:
    path.write_text(f"{line}\nrene:reader:-\n")
    assert set(Users(path).all()) == {"rene"}


def test_the_file_is_read_again_when_it_changes(path: Path) -> None:
    users = Users(path)
    assert users.all() == {}
    users.put(User("olga", Role.READER, "-"))
    assert set(users.all()) == {"olga"}
    path.unlink()
    assert users.all() == {}


def test_what_the_command_line_does_is_in_the_audit(journal: Journal, store: redis.Redis) -> None:
    run("pause", "callback", "--yes")
    run("resume", "callback")  # a dry run does nothing
    run("resume", "callback", "--yes")
    journal.accept(
        "call-1",
        [
            new := NewIntent(
                "a" * 32, Kind.CALLBACK, CallbackDraft(caller_number=NUMBER, phone=NUMBER)
            )
        ],
    )
    run("intents", "show", new.id, "--reveal")
    run("person", "show", NUMBER)
    run("person", "export", NUMBER)
    run("person", "forget", NUMBER, "--discard-unsettled", "--yes")
    entries = Audit(store).newest(10)
    forgot = entries[0].about
    assert [(entry.what, entry.about) for entry in entries] == [
        ("forget person", forgot),
        ("export person", ""),
        ("reveal", "callback"),
        ("resume", "callback"),
        ("pause", "callback"),
    ]
    assert NUMBER not in str(entries)
    assert all(entry.who.startswith("cli") and entry.at_ms for entry in entries)


def test_the_doctor_says_what_keeps_operators_out_of_the_console(path: Path) -> None:
    def found() -> tuple[Status, str]:
        (finding,) = examine(LINKS, CheckContext(load_settings()))
        return finding.status, finding.message

    assert found()[0] is Status.PROBLEM
    Users(path).put(User("rene", Role.READER, "-"))
    assert found()[0] is Status.WARNING
    Users(path).put(User("olga", Role.OPERATOR, "-"))
    assert found() == (Status.OK, "2 users, 1 of them operators")


def test_the_doctor_says_that_the_console_is_off() -> None:
    (finding,) = examine(LINKS, CheckContext(load_settings()))
    assert finding.status is Status.OK
    assert "off, because CONSOLE_USERS is not set" in finding.message


def test_what_is_compared_for_unknown_names_costs_as_much_as_a_users_hash(path: Path) -> None:
    cost = re.compile(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$")
    assert cost.match(hash_of(PASSWORD))
    assert cost.match(_NOBODY)
