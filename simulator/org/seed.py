"""The records that every org starts with: always the same names, numbers and ids.

The table below is the fixture that tests, the demo and docs/local-org.md refer to.
"""

from datetime import datetime, timedelta
from typing import Any

from simulator.org import ids
from simulator.org.clock import write_datetime
from simulator.org.faults import Faults, PicklistValue
from simulator.org.records import behaviour
from simulator.org.schema import setup
from simulator.org.schema.catalog import Schema
from simulator.org.schema.model import Queue
from simulator.org.store import Row, Store

ORGANIZATION_ID = ids.make_id("00D", 1)
INTEGRATION_USER = ids.make_id("005", 1)
# The user who makes the changes of the /_org/records controls.
SUPPORT_AGENT = ids.make_id("005", 2)

PROFILES = ("Minimum Access - API Only Integrations", "System Administrator", "Standard User")

CUSTOMER_AGE_DAYS = 400

# first name, last name, username, alias, profile (1-based)
USERS = (
    ("Voice", "Integration", "voice.integration@local.example", "voice", 1),
    ("Sam", "Okafor", "sam.okafor@local.example", "sokaf", 3),
    ("Rita", "Lindqvist", "rita.lindqvist@local.example", "rlind", 3),
    ("Ada", "Admin", "ada.admin@local.example", "aadmi", 2),
)

QUEUES = (
    Queue("Phone Support", "Phone_Support", owns=("Case", "Lead", "Task")),
    Queue("Billing Team", "Billing_Team", owns=("Case", "Lead", "Task")),
)

# name, account number, phone, industry, city
ACCOUNTS = (
    ("Acme Water Works", "ACC-12345", "(415) 555-0100", "Energy", "San Francisco"),
    ("Bluebird Bakery", "ACC-20001", "415-555-0200", "Retail", "Oakland"),
    ("Cobalt Clinics", "ACC-30001", "+1 415 555 0300", "Healthcare", "San Jose"),
    ("Dover Logistics West", "ACC-77777", "(415) 555-0400", "Consulting", "Fresno"),
    ("Dover Logistics East", "ACC-77777", "(212) 555-0400", "Consulting", "New York"),
)

# first name, last name, account (1-based), phone, mobile phone, e-mail, street, city, state, zip
CONTACTS = (
    ("Jane", "Miller", 1, "(415) 555-0101", None, "jane.miller@acme.example",
     "12 Harbor Street", "San Francisco", "CA", "94105"),
    ("Peter", "Novak", 2, "415-555-0102", None, "peter.novak@bluebird.example",
     "4 Mill Lane", "Oakland", "CA", "94607"),
    ("Paula", "Novak", 2, None, "+1 415 555 0102", "paula.novak@bluebird.example",
     "4 Mill Lane", "Oakland", "CA", "94607"),
    ("Luis", "Garcia", 3, "(415) 555-0103", "(415) 555-0153", "luis.garcia@cobalt.example",
     "800 First Street", "San Jose", "CA", "95113"),
    ("Aisha", "Khan", 3, "415-555-0104", None, "aisha.khan@cobalt.example",
     "802 First Street", "San Jose", "CA", "95113"),
    ("Tom", "O'Brien", 1, "+1 415 555 0105", None, "tom.obrien@acme.example",
     "14 Harbor Street", "San Francisco", "CA", "94105"),
    ("Grace", "Lee", 4, "415-555-0106 x204", None, "grace.lee@dover-west.example",
     "77 Depot Road", "Fresno", "CA", "93721"),
    ("Henrik", "Sørensen", 5, "4155550107", "+14155550157", "henrik.sorensen@dover-east.example",
     "501 Pier Avenue", "New York", "NY", "10013"),
    ("Mei", "Chen", 2, "415.555.0108", None, "mei.chen@bluebird.example",
     "9 Orchard Way", "Berkeley", "CA", "94704"),
    ("Robert", "Brown", 1, "1-415-555-0109", "(415) 555-0159", None,
     "31 Bay Road", "Daly City", "CA", "94014"),
    ("Zoë", "Ångström", 3, "+44 20 7946 0110", None, "zoe.angstrom@cobalt.example",
     "5 King Street", "London", None, "WC2E 8JF"),
    ("Carla", "Rossi", 4, None, "415 555 0111", "carla.rossi@dover-west.example",
     "78 Depot Road", "Fresno", "CA", "93721"),
    ("Ivan", "Petrov", 5, None, None, "ivan.petrov@dover-east.example",
     "502 Pier Avenue", "New York", "NY", "10013"),
)  # fmt: skip

# contact (1-based) → PIN
PINS = {1: "4271", 3: "9038", 4: "5516"}

# contact (1-based), subject, type, status, priority, origin, days old
CASES = (
    (1, "Invoice shows last month twice", "Billing", "New", "High", "Phone", 3),
    (1, "No hot water since Monday", "Technical", "Working", "Medium", "Phone", 1),
    (1, "Change of delivery address", "Account", "Closed", "Low", "Email", 40),
    (2, "Oven order not delivered", "Technical", "New", "High", "Web", 2),
    (4, "Wrong amount on statement", "Billing", "Working", "Medium", "Phone", 5),
    (5, "Password reset", "Account", "Closed", "Low", "Phone", 20),
    (7, "Pallet damaged on arrival", "Technical", "Escalated", "High", "Email", 4),
)

# case (1-based), text
COMMENTS = (
    (1, "Billing is looking into the double charge."),
    (2, "Technician booked for Thursday morning."),
)


def sow(store: Store, now: datetime) -> None:
    """Fill an empty store. Ages count back from now, so LAST_N_DAYS always finds the same."""
    with store.transaction():
        show_setup(store, Faults(), now)
        sower = _Sower(store, now)
        sower.users()
        sower.customers()


def show_source(store: Store, now: datetime) -> None:
    """Add the queues and record types of the schema to an org whose records are older."""
    with store.transaction():
        _Sower(store, now).queues_and_types()


def show_setup(store: Store, faults: Faults, now: datetime) -> None:
    """The rules and statuses in force, as records of the objects that list them."""
    with store.transaction():
        for sobject in setup.OBJECTS:
            store.execute(f'DELETE FROM "{sobject.name}"')
        sower = _Sower(store, now)
        for name in ("Case", "Task"):
            listed = faults.picklists.get(f"{name}.Status".lower()) or usual_values(
                store.schema, name
            )
            for order, status in enumerate(listed, 1):
                sower.add(
                    f"{name}Status",
                    ApiName=status.value,
                    MasterLabel=status.value,
                    IsClosed=int(status.closed),
                    IsDefault=int(status.default),
                    SortOrder=order,
                )
        if faults.duplicate_rule:
            sower.add(
                "DuplicateRule",
                DeveloperName="Standard_Contact_Duplicate_Rule",
                MasterLabel="Standard Contact Duplicate Rule",
                SobjectType="Contact",
                IsActive=1,
            )
        if faults.assignment_rule:
            sower.add("AssignmentRule", Name="Standard", SobjectType="Case", Active=1)
        for rule in faults.validation_rules:
            entity = sower.add("EntityDefinition", QualifiedApiName=rule.sobject)
            sower.add(
                "ValidationRule",
                ValidationName=rule.name,
                ErrorMessage=rule.message,
                Active=1,
                EntityDefinitionId=entity,
            )


def usual_values(schema: Schema, sobject_name: str) -> tuple[PicklistValue, ...]:
    """The statuses as the schema has them."""
    status = schema.objects[sobject_name.lower()].by_name["status"]
    return tuple(
        PicklistValue(value, value == status.default, value in status.closed)
        for value in status.values
    )


class _Sower:
    """Writes the tables above through the store, with the derived fields the objects have."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.now = now.replace(microsecond=0)

    def add(self, sobject_name: str, age_days: int = CUSTOMER_AGE_DAYS, **values: Any) -> str:
        sobject = self.store.schema.objects[sobject_name.lower()]
        created = write_datetime(self.now - timedelta(days=age_days))
        record: Row = {
            field.name: int(field.default) if isinstance(field.default, bool) else field.default
            for field in sobject.fields
            if field.default is not None and field.stored
        }
        record |= {"Id": self.store.next_id(sobject), "IsDeleted": 0}
        for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            record[name] = created
        for name in ("CreatedById", "LastModifiedById"):
            record[name] = SUPPORT_AGENT
        record = {name: value for name, value in record.items() if name.lower() in sobject.by_name}
        if "ownerid" in sobject.by_name:
            record["OwnerId"] = SUPPORT_AGENT
        record |= values
        derive = behaviour.DERIVE.get(sobject.name)
        if derive is not None:
            derive(self.store, record, None, created)
        self.store.insert(sobject, record)
        return str(record["Id"])

    def users(self) -> None:
        self.add(
            "Organization",
            Name="Local Org",
            InstanceName="LOC1",
            OrganizationType="Developer Edition",
            LanguageLocaleKey="en_US",
            TimeZoneSidKey="GMT",
        )
        profiles = [self.add("Profile", Name=name) for name in PROFILES]
        for first, last, username, alias, profile in USERS:
            self.add(
                "User",
                FirstName=first,
                LastName=last,
                Name=f"{first} {last}",
                Username=username,
                Email=username,
                Alias=alias,
                IsActive=1,
                ProfileId=profiles[profile - 1],
                TimeZoneSidKey="GMT",
                LocaleSidKey="en_US",
                LanguageLocaleKey="en_US",
                EmailEncodingKey="UTF-8",
            )
        self.queues_and_types()

    def queues_and_types(self) -> None:
        """The queues and record types of this org that are not yet among its records."""
        for queue in (*QUEUES, *self.store.schema.queues):
            queue_id = self.known("Group", DeveloperName=queue.developer_name) or self.add(
                "Group",
                Name=queue.name,
                DeveloperName=queue.developer_name,
                Type="Queue",
                Email=queue.email,
            )
            for name in queue.owns:
                if not self.known("QueueSobject", QueueId=queue_id, SobjectType=name):
                    self.add("QueueSobject", QueueId=queue_id, SobjectType=name)
        for record_types in self.store.schema.record_types.values():
            for kind in record_types:
                name = kind.developer_name
                if not self.known("RecordType", SobjectType=kind.sobject, DeveloperName=name):
                    self.add(
                        "RecordType",
                        Name=kind.label,
                        DeveloperName=name,
                        SobjectType=kind.sobject,
                        Description=kind.description or None,
                        IsActive=int(kind.active),
                    )

    def known(self, sobject_name: str, **values: str) -> str | None:
        """The id of the record with these values; None without one."""
        where = " AND ".join(f'"{name}" = ?' for name in values)
        found = self.store.execute(
            f'SELECT "Id" FROM "{sobject_name}" WHERE {where}', tuple(values.values())
        ).fetchone()
        return None if found is None else str(found[0])

    def customers(self) -> None:
        accounts = [
            self.add(
                "Account",
                Name=name,
                AccountNumber=number,
                Phone=phone,
                Industry=industry,
                BillingCity=city,
                Type="Customer - Direct",
            )
            for name, number, phone, industry, city in ACCOUNTS
        ]
        contacts = [
            self.add(
                "Contact",
                FirstName=first,
                LastName=last,
                AccountId=accounts[account - 1],
                Phone=phone,
                MobilePhone=mobile,
                Email=email,
                MailingStreet=street,
                MailingCity=city,
                MailingState=state,
                Voice_PIN__c=PINS.get(nth),
                MailingPostalCode=code,
                MailingCountry="United Kingdom" if state is None else "United States",
            )
            for nth, (
                first,
                last,
                account,
                phone,
                mobile,
                email,
                street,
                city,
                state,
                code,
            ) in enumerate(CONTACTS, 1)
        ]
        cases = [
            self.add(
                "Case",
                ContactId=contacts[contact - 1],
                Subject=subject,
                Description=f"{subject}.",
                Type=kind,
                Status=status,
                Priority=priority,
                Origin=origin,
                age_days=days,
            )
            for contact, subject, kind, status, priority, origin, days in CASES
        ]
        for number, text in COMMENTS:
            self.add("CaseComment", 1, ParentId=cases[number - 1], CommentBody=text)
