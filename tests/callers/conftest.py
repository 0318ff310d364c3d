"""An org with fields of its own on Contact, Account and AccountContactRelation, and folders that
name them."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import say
from tests.conftest import make_settings
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

LUIS = "+14155550103"

LOOKUP = (
    "<type>Lookup</type><referenceTo>Contact</referenceTo><relationshipName>{}</relationshipName>"
)
LONG_TEXT = "<type>LongTextArea</type><length>1000</length><visibleLines>3</visibleLines>"
CHECKBOX = "<type>Checkbox</type><defaultValue>false</defaultValue>"
FIELDS = {
    "Contact.Work_Phone__c": "<type>Phone</type>",
    "Contact.Spoken_Number__c": "<type>Text</type><length>40</length>",
    "Contact.Notes__c": LONG_TEXT,
    "Contact.Guardian__c": LOOKUP.format("Wards"),
    "Contact.Employer__c": LOOKUP.replace(">Contact<", ">Account<").format("Employees"),
    "Account.Service_Line__c": "<type>Phone</type>",
    "Account.Primary_Contact__c": LOOKUP.format("Primary_Of"),
    "AccountContactRelation.May_Act__c": CHECKBOX,
}
ROLES = ("Parent", "Child", "Decision Maker")


def write_source(root: Path) -> Path:
    """SFDX source of the fields above, and of the roles."""
    for name, body in FIELDS.items():
        sobject, _, field = name.partition(".")
        fields = root / "objects" / sobject / "fields"
        fields.mkdir(parents=True, exist_ok=True)
        (fields / f"{field}.field-meta.xml").write_text(
            '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
            f"<fullName>{field}</fullName><label>{field[:-3]}</label>{body}</CustomField>"
        )
    sets = root / "standardValueSets"
    sets.mkdir()
    values = "".join(
        f"<standardValue><fullName>{role}</fullName><default>false</default></standardValue>"
        for role in ROLES
    )
    (sets / "AccountContactMultiRoles.standardValueSet-meta.xml").write_text(
        f'<StandardValueSet xmlns="http://soap.sforce.com/2006/04/metadata">{values}'
        "</StandardValueSet>"
    )
    return root


@pytest.fixture(scope="session")
def org_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    server = Org(
        tmp_path_factory.mktemp("org"), source=write_source(tmp_path_factory.mktemp("source"))
    )
    server.start()
    yield server
    server.process.stop()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write waits for what the org says, however slow the machine is."""
    monkeypatch.setattr("web.tools.caller.IDENTITY_WAIT_S", 10.0)
    monkeypatch.setattr("web.tools.which_case.CASE_WAIT_S", 10.0)


def contact(org: Org, name: str) -> dict[str, Any]:
    (found,) = (record for record in org.records("Contact") if record["Name"] == name)
    return found


def account(org: Org, name: str) -> dict[str, Any]:
    (found,) = (record for record in org.records("Account") if record["Name"] == name)
    return found


def requests_of(org: Org) -> int:
    """Requests but for tokens."""
    stats = org.stats()
    return int(stats["requests"] - stats["by_resource"].get("token", 0))


@dataclass
class Brand:
    """A server with one agent folder, and what it has accepted."""

    name: str
    org: Org
    settings: Settings
    client: FlaskClient
    service: Service
    context: DeliveryContext
    journal: Journal
    calls: int = 0

    def says(self, number: str, tool: str, arguments: Any = None, call_id: str = "") -> str:
        """In a call of its own, unless call_id names one."""
        self.calls += 1
        call_id = call_id or f"{self.name}-c{self.calls}"
        id_ = f"t{self.calls}"
        return say(self.client, tool, arguments or {}, number=number, call_id=call_id, id=id_)

    def accepted(self) -> list[Intent]:
        """What the last call has accepted."""
        return self.journal.of_call(f"{self.name}-c{self.calls}")

    def deliver(self) -> None:
        for _ in range(3):
            for kind in Kind:
                drain(self.context, kind)

    def comments(self) -> list[str]:
        """The first line of each: the words of the caller."""
        comments = self.org.records("CaseComment")
        return [str(record["CommentBody"]).splitlines()[0] for record in comments]


MakeBrand = Callable[..., Brand]
NO_EDITS: Mapping[str, tuple[str, str]] = {}


@pytest.fixture
def brand(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path, journal: Journal
) -> Iterator[MakeBrand]:
    """brand(identify, policy, edits): by the contents of identify.toml and policy.toml, and by
    changes of other files: path → (old, new)."""
    with ExitStack() as stack:

        def make(
            identify: str,
            policy: str = 'base = "open"',
            edits: Mapping[str, tuple[str, str]] = NO_EDITS,
        ) -> Brand:
            name = f"agent-{len(list(tmp_path.iterdir()))}"
            folder = tmp_path / name
            shutil.copytree(AGENT_FOLDER, folder)
            (folder / "policy.toml").write_text(policy)
            (folder / "identify.toml").write_text(identify)
            for path, (old, new) in edits.items():
                text = (folder / path).read_text()
                assert old in text
                (folder / path).write_text(text.replace(old, new, 1))
            settings = make_settings(store_server.url, org.url, agent_dir=str(folder))
            app = create_app(settings)
            service: Service = app.extensions["service"]
            stack.callback(service.close)
            context = DeliveryContext.from_settings(settings, store)
            return Brand(name, org, settings, app.test_client(), service, context, journal)

        yield make
