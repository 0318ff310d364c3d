"""User, Profile, Group and QueueSobject (queues), RecordType and Organization: the org itself,
read-only.
"""

from simulator.org.schema.model import (
    Field,
    SObject,
    address,
    flag,
    picklist,
    read_only,
    record_id,
    reference,
    system,
    text,
)

USER = SObject(
    "User",
    "User",
    "Users",
    "005",
    (
        record_id("User"),
        text("Username", "Username", 80, nillable=False, id_lookup=True),
        text("LastName", "Last Name", 80, nillable=False),
        text("FirstName", "First Name", 40),
        read_only("Name", "string", "Full Name", length=121, nillable=False),
        Field("Email", "email", "Email", length=128, nillable=False, id_lookup=True),
        Field("Phone", "phone", "Phone", length=40),
        text("Title", "Title", 80),
        text("Alias", "Alias", 8, nillable=False),
        flag("IsActive", "Active"),
        picklist("UserType", "User Type", ("Standard", "Guest"), default="Standard"),
        reference("ProfileId", "Profile ID", "Profile", children="Users"),
        text("TimeZoneSidKey", "Time Zone", 40),
        text("LocaleSidKey", "Locale", 40),
        text("LanguageLocaleKey", "Language", 40),
        text("EmailEncodingKey", "Email Encoding", 40),
        *system(),
    ),
    create=False,
    update=False,
    delete=False,
    name_group=("Name", "Username"),
)

PROFILE = SObject(
    "Profile",
    "Profile",
    "Profile",
    "00e",
    (record_id("Profile"), text("Name", "Name", 255, nillable=False, id_lookup=True), *system()),
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

GROUP = SObject(
    "Group",
    "Group",
    "Group",
    "00G",
    (
        record_id("Group"),
        text("Name", "Name", 40, nillable=False),
        text("DeveloperName", "Developer Name", 80),
        picklist("Type", "Type", ("Queue", "Regular", "Role"), nillable=False),
        Field("Email", "email", "Email", length=255),
        *system(),
    ),
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

QUEUE_SOBJECT = SObject(
    "QueueSobject",
    "Queue Sobject",
    "Queue Sobject",
    "03g",
    (
        record_id("Queue Sobject"),
        reference("QueueId", "Group ID", "Group", children="QueueSobjects", nillable=False),
        text("SobjectType", "Sobject Type", 40, nillable=False),
        *system(modified=False),
    ),
    name_field="",
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

RECORD_TYPE = SObject(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    (
        record_id("Record Type"),
        text("Name", "Name", 80, nillable=False),
        text("DeveloperName", "Record Type Name", 80, nillable=False),
        text("NamespacePrefix", "Namespace Prefix", 15),
        text("Description", "Description", 255),
        text("SobjectType", "SObject Type Name", 40, nillable=False),
        flag("IsActive", "Active"),
        *system(),
    ),
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

ORGANIZATION = SObject(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    (
        record_id("Organization"),
        text("Name", "Name", 80, nillable=False),
        *address("", "Organization"),
        Field("Phone", "phone", "Phone", length=40),
        text("InstanceName", "Instance Name", 5),
        flag("IsSandbox", "Is Sandbox"),
        text("OrganizationType", "Edition", 40),
        text("NamespacePrefix", "Namespace Prefix", 15),
        read_only("TrialExpirationDate", "datetime", "Trial Expiration Date"),
        text("LanguageLocaleKey", "Language", 40),
        text("TimeZoneSidKey", "Time Zone", 40),
        *system(),
    ),
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

# What a polymorphic relationship (Who, What, Owner) shows upwards: the fields all its targets
# share. Not an object of its own in describe; the store has a view of this name.
NAME = SObject(
    "Name",
    "Name",
    "Names",
    "",
    (
        record_id("Name"),
        text("Name", "Name", 255),
        text("Type", "Type", 40),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80),
        Field("Email", "email", "Email", length=80),
        Field("Phone", "phone", "Phone", length=40),
        text("Title", "Title", 128),
        text("Username", "Username", 80),
        text("Alias", "Alias", 8),
        flag("IsActive", "Active"),
    ),
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

OBJECTS = (USER, PROFILE, GROUP, QUEUE_SOBJECT, RECORD_TYPE, ORGANIZATION)
