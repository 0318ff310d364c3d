"""The console's users: a file with a line for each, `name:role:hash`, as in .htpasswd.

The hash is Argon2id in the PHC format. With `-` in its place, the user can't log in by password,
only by the header of a trusted proxy. Lines that begin with # are comments.
"""

import os
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from shared.errors import ServiceError
from shared.logs import log

NO_PASSWORD = "-"
MIN_PASSWORD = 12
MAX_PASSWORD = 200
"""Characters of a password."""

MAX_FILE_BYTES = 256 * 1024

MEMORY_KIB = 19_456
ITERATIONS = 2
LANES = 1
"""The cost of a hash: OWASP's recommendation for Argon2id, some 30 ms of one core and 19 MiB. A
higher cost would let guesses take the processor from calls."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class Role(StrEnum):
    """A reader sees everything but personal data, and changes nothing."""

    READER = "reader"
    OPERATOR = "operator"


class UserRefusedError(ServiceError):
    """The name, the password or the file can't be used. The text is a sentence."""


@dataclass(frozen=True)
class User:
    """hash: in the PHC format, or NO_PASSWORD."""

    name: str
    role: Role
    hash: str

    @property
    def fingerprint(self) -> str:
        """Changes with the role and the password, which ends the user's sessions."""
        return sha256(f"{self.name}:{self.role}:{self.hash}".encode()).hexdigest()[:32]

    def has_password(self, password: str) -> bool:
        """Whether this is the user's password. Takes as long for a user without one."""
        phc = self.hash if self.hash != NO_PASSWORD else _NOBODY
        try:
            Argon2id.verify_phc_encoded(password[:MAX_PASSWORD].encode(), phc)
        except (InvalidKey, ValueError):
            return False
        return self.hash != NO_PASSWORD


def hash_of(password: str) -> str:
    """Raises UserRefusedError for a password that is too short, too long or easy to guess."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UserRefusedError(
            f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        )
    if len(set(password)) < MIN_PASSWORD // 2:
        raise UserRefusedError("The password must not be easy to guess")
    return _hash(password)


def _hash(password: str) -> str:
    argon2 = Argon2id(
        salt=secrets.token_bytes(16),
        length=32,
        iterations=ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )
    return argon2.derive_phc_encoded(password.encode())


_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$yGd33J6qvLATMkX3qQiwIA$"
    "4SdVBw/CFLRQHWyZifGHx6nyosUl4kZwnpuZ3TWb5Vk"
)
"""The hash of a password that nobody has."""

NOBODY = User("", Role.READER, NO_PASSWORD)
"""Stands in when no user has the name, so that the refusal takes as long."""


class Users:
    """The file, read again whenever it changes. A missing file has no users."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], dict[str, User]] | None = None

    def all(self) -> dict[str, User]:
        """By name."""
        try:
            is_now = self._path.stat()
            state = (is_now.st_mtime_ns, is_now.st_size)
            if self._read is None or self._read[0] != state:
                self._read = state, _parsed(self._path)
        except OSError as trouble:
            log.warning("console_users_unreadable", reason=type(trouble).__name__)
            return {}
        return self._read[1]

    def named(self, name: str) -> User | None:
        return self.all().get(name)

    def put(self, user: User) -> bool:
        """Add the user, or replace the one with this name. False for a replacement.

        Only its owner can read the file. Raises UserRefusedError.
        """
        if not _NAME.fullmatch(user.name):
            raise UserRefusedError(
                "The name must have 1 to 64 letters, digits, dots, hyphens, underscores or @"
            )
        return self._rewrite(user.name, f"{user.name}:{user.role}:{user.hash}\n")

    def remove(self, name: str) -> bool:
        """False when there is no such user. Raises UserRefusedError."""
        return bool(self.named(name)) and not self._rewrite(name, "")

    def _rewrite(self, name: str, line: str) -> bool:
        """True when no line had the name before."""
        try:
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
            before = text.splitlines(keepends=True)
            others = [old for old in before if old.split(":", 1)[0].strip() != name]
            if others and not others[-1].endswith("\n"):
                others[-1] += "\n"
            new = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write("".join([*others, line]))
            new.replace(self._path)
        except (OSError, UnicodeError) as trouble:
            raise UserRefusedError(
                f"{self._path} can't be written ({type(trouble).__name__})"
            ) from trouble
        return len(others) == len(before)


def _parsed(path: Path) -> dict[str, User]:
    """Skips lines that are not users, and logs their line numbers."""
    users: dict[str, User] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = file.read(MAX_FILE_BYTES).splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        role, _, hash_ = rest.partition(":")
        is_hash = hash_ == NO_PASSWORD or hash_.startswith("$argon2id$")
        if not _NAME.fullmatch(name) or role not in list(Role) or not is_hash:
            log.warning("console_user_unreadable", count=number)
            continue
        users[name] = User(name, Role(role), hash_)
    return users
