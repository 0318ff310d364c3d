"""The console: is there a file of users, can it be read, and does it have an operator?"""

from pathlib import Path

from cli.chain import Link, Problem, Suspicion
from cli.checks.context import CheckContext
from shared.operators.users import Role, Users

ADD = "Run: python -m cli console user add NAME --role operator --yes"


def _users(check_context: CheckContext) -> str:
    path = check_context.settings.console.users
    if path is None:
        return "off, because CONSOLE_USERS is not set"
    if not Path(path).is_file():
        raise Problem("CONSOLE_USERS names a file that does not exist", ADD)
    users = Users(Path(path)).all().values()
    operators = sum(user.role is Role.OPERATOR for user in users)
    if not operators:
        raise Suspicion("nobody in the file of CONSOLE_USERS is an operator", ADD)
    return f"{len(users)} users, {operators} of them operators"


LINKS = (Link("console", "", _users),)
