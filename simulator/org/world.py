"""An org: its records, clock, faults, meters, tokens and text index, and their reset."""

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from simulator.org.clock import Clock
from simulator.org.cursors import Cursors
from simulator.org.faults import Faults
from simulator.org.meters import Limits, RowLocks, Stats
from simulator.org.oauth.tokens import Tokens
from simulator.org.records.autonumber import USUAL
from simulator.org.schema.catalog import STANDARD, Schema, View
from simulator.org.schema.model import Field
from simulator.org.search.index import TextIndex
from simulator.org.seed import INTEGRATION_USER, ORGANIZATION_ID, show_setup, show_source, sow
from simulator.org.store import Store


class Org:
    """Everything behind the HTTP surface. path: where the records live, `:memory:` for nowhere.

    plant: adds records to those of the seed. my_domain: the org's own address, which the server
    knows once it listens.
    """

    def __init__(
        self,
        path: str = ":memory:",
        strict_clients: bool = False,
        case_number_format: str = USUAL,
        schema: Schema = STANDARD,
        plant: "Callable[[Org], None]" = lambda org: None,
    ) -> None:
        self.schema = schema
        self.store = Store(path, schema)
        self.store.case_number_format = self.case_number_format = case_number_format
        self.my_domain = "https://local-org.my.salesforce.com"
        self.clock = Clock()
        self.faults = Faults()
        self.view = View(schema)
        self.tooling_view = View(schema, tooling=True)
        self.stats = Stats()
        self.limits = Limits()
        self.locks = RowLocks()
        self.tokens = Tokens(strict_clients, ORGANIZATION_ID, INTEGRATION_USER)
        self.index = TextIndex(self.store)
        self.dice = random.Random()
        self.requests = itertools.count(1)
        self.cursors = Cursors()
        self.schema_changed = self.clock.now()
        self.plant = plant
        if self.store.is_empty():
            self._sow()
        else:
            show_source(self.store, self.clock.now())
            show_setup(self.store, self.faults, self.clock.now())
        self.index.rebuild()

    def apply(self, faults: Faults) -> None:
        """Replace the faults in force. Every limit among them starts unused."""
        if faults.expire_tokens:
            self.tokens.expire_all()
        if _schema_of(self.schema, faults) != _schema_of(self.schema, self.faults):
            self.view = View(self.schema, *_schema_of(self.schema, faults))
            self.tooling_view = View(self.schema, *_schema_of(self.schema, faults), tooling=True)
            self.schema_changed = self.clock.now()
        self.faults = faults
        show_setup(self.store, faults, self.clock.now())
        self.clock.offset_s = faults.clock_offset_s
        self.limits.apply(faults)
        self.tokens.logins.clear()
        self.index.lag_s = faults.search_lag_s
        self.locks = RowLocks()

    def reset(self, case_number_format: str = "") -> None:
        """Restore the seed: records, counts and faults. Access tokens stay valid.

        case_number_format: of this org until the next reset; "": the one it was started with.
        """
        self.store.case_number_format = case_number_format or self.case_number_format
        self.apply(Faults())
        self.stats = Stats()
        self.limits = Limits()
        self.cursors = Cursors()
        self.tokens.restore_refresh_tokens()
        self.store.wipe()
        self._sow()
        self.index.rebuild()

    def _sow(self) -> None:
        with self.store.transaction():
            sow(self.store, self.clock.now())
            self.plant(self)


def _schema_of(
    schema: Schema, faults: Faults
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Field]]:
    """What the faults hide, deny and change of the schema."""
    changed: dict[str, Field] = {}
    for name, values in faults.picklists.items():
        changed[name] = replace(
            _field(schema, name),
            values=tuple(value.value for value in values),
            labels=(),
            default=next(value.value for value in values if value.default),
            restricted=True,
        )
    for name, unique in faults.unique.items():
        changed[name] = replace(changed.get(name) or _field(schema, name), unique=unique)
    return faults.hide_fields, faults.deny, changed


def _field(schema: Schema, name: str) -> Field:
    found = schema.field(name)
    assert found is not None, name
    return found


@dataclass(slots=True)
class Context:
    """On whose behalf a request works.

    headers: lower-case names. request: its number, for row locks. internal: the work of a person in
    the UI (a control), not an API call: not counted, never denied. all_or_none: it is part of a
    composite request that is.
    """

    org: Org
    user_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    request: int = 0
    internal: bool = False
    all_or_none: bool = False
