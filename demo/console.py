"""The demo's console: a file with an operator and a reader, whose password is in the repository."""

from pathlib import Path

from shared.operators.users import Role, User, Users, hash_of

CONSOLE_PASSWORD = "demo-console-password"
OPERATOR_NAME = "operator"
READER_NAME = "reader"


def console_users(folder: Path) -> dict[str, str]:
    """Write the file. Returns the environment that names it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "console.users"
    users = Users(path)
    for name, role in ((OPERATOR_NAME, Role.OPERATOR), (READER_NAME, Role.READER)):
        users.put(User(name, role, hash_of(CONSOLE_PASSWORD)))
    return {"CONSOLE_USERS": str(path)}
