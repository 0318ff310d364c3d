"""Account, Contact, their relations, and Lead, with fields and lengths of the Object Reference."""

from simulator.org.schema.model import (
    Field,
    SObject,
    address,
    flag,
    long_text,
    picklist,
    read_only,
    record_id,
    reference,
    system,
    text,
)

INDUSTRIES = ("Banking", "Consulting", "Education", "Energy", "Healthcare", "Retail", "Technology")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
# Which of them a new org has differs [F]; an org adds its own.
RELATION_ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator",
    "Executive Sponsor", "Influencer", "Technical Buyer", "Other",
)  # fmt: skip
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")

ACCOUNT = SObject(
    "Account",
    "Account",
    "Accounts",
    "001",
    (
        record_id("Account"),
        reference("MasterRecordId", "Master Record ID", "Account", create=False, update=False),
        text("Name", "Account Name", 255, nillable=False, id_lookup=True),
        picklist("Type", "Account Type", ("Prospect", "Customer - Direct", "Partner", "Other")),
        reference("ParentId", "Parent Account ID", "Account", children="ChildAccounts"),
        *address("Billing", "Billing"),
        *address("Shipping", "Shipping"),
        Field("Phone", "phone", "Account Phone", length=40),
        Field("Fax", "phone", "Account Fax", length=40),
        text("AccountNumber", "Account Number", 40),
        Field("Website", "url", "Website", length=255),
        picklist("Industry", "Industry", INDUSTRIES),
        Field("AnnualRevenue", "currency", "Annual Revenue"),
        Field("NumberOfEmployees", "int", "Employees"),
        long_text("Description", "Account Description"),
        picklist("Rating", "Account Rating", ("Hot", "Warm", "Cold")),
        text("Site", "Account Site", 80),
        picklist("AccountSource", "Account Source", LEAD_SOURCES),
        *system(owners=("User",)),
    ),
    name_group=("Name",),
)

CONTACT = SObject(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    (
        record_id("Contact"),
        reference("MasterRecordId", "Master Record ID", "Contact", create=False, update=False),
        reference("AccountId", "Account ID", "Account", children="Contacts"),
        text("LastName", "Last Name", 80, nillable=False),
        text("FirstName", "First Name", 40),
        picklist("Salutation", "Salutation", SALUTATIONS),
        read_only("Name", "string", "Full Name", length=121, nillable=False),
        *address("Mailing", "Mailing"),
        *address("Other", "Other"),
        Field("Phone", "phone", "Business Phone", length=40),
        Field("Fax", "phone", "Business Fax", length=40),
        Field("MobilePhone", "phone", "Mobile Phone", length=40),
        Field("HomePhone", "phone", "Home Phone", length=40),
        Field("OtherPhone", "phone", "Other Phone", length=40),
        Field("AssistantPhone", "phone", "Asst. Phone", length=40),
        reference("ReportsToId", "Reports To ID", "Contact"),
        Field("Email", "email", "Email", length=80, id_lookup=True),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("AssistantName", "Assistant's Name", 40),
        picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        Field("Birthdate", "date", "Birthdate"),
        long_text("Description", "Contact Description"),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        text("Voice_PIN__c", "Voice PIN", 16),
        *system(owners=("User",)),
    ),
    name_group=("Name", "FirstName", "LastName"),
)

LEAD = SObject(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    (
        record_id("Lead"),
        text("LastName", "Last Name", 80, nillable=False),
        text("FirstName", "First Name", 40),
        picklist("Salutation", "Salutation", SALUTATIONS),
        read_only("Name", "string", "Full Name", length=121, nillable=False),
        text("Title", "Title", 128),
        text("Company", "Company", 255, nillable=False),
        Field("Phone", "phone", "Phone", length=40),
        Field("MobilePhone", "phone", "Mobile Phone", length=40),
        Field("Email", "email", "Email", length=80, id_lookup=True),
        long_text("Description", "Description"),
        picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        picklist(
            "Status",
            "Status",
            ("Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"),
            nillable=False,
            default="Open - Not Contacted",
        ),
        flag("IsConverted", "Converted", update=False),
        *system(owners=("User", "Group")),
    ),
    name_group=("Name", "FirstName", "LastName", "Company"),
)

ACCOUNT_CONTACT_RELATION = SObject(
    "AccountContactRelation",
    "Account Contact Relationship",
    "Account Contact Relationship",
    "07k",
    (
        record_id("AccountContactRelation"),
        reference(
            "AccountId",
            "Account ID",
            "Account",
            children="AccountContactRelations",
            detail=True,
            nillable=False,
            update=False,
        ),
        reference(
            "ContactId",
            "Contact ID",
            "Contact",
            children="AccountContactRelations",
            detail=True,
            nillable=False,
            update=False,
        ),
        Field("Roles", "multipicklist", "Roles", length=4099, values=RELATION_ROLES),
        read_only("IsDirect", "boolean", "Direct", nillable=False, default=False),
        flag("IsActive", "Active"),
        Field("StartDate", "date", "Start Date"),
        Field("EndDate", "date", "End Date"),
        *system(),
    ),
    name_field="",
    searchable=False,
)

# Read-only: a row for each change of a tracked field (Object Reference, StandardObjectNameHistory).
# It has no SystemModstamp, and its values (of any type) can't be filtered by.
CONTACT_HISTORY = SObject(
    "ContactHistory",
    "Contact History",
    "Contact History",
    "017",
    (
        record_id("Contact History"),
        reference("ContactId", "Contact ID", "Contact", children="Histories"),
        text("Field", "Changed Field", 255, nillable=False),
        text("DataType", "Datatype", 40),
        long_text("OldValue", "Old Value", 256),
        long_text("NewValue", "New Value", 256),
        *(field for field in system(modified=False) if field.name != "SystemModstamp"),
    ),
    name_field="",
    create=False,
    update=False,
    delete=False,
    searchable=False,
)

OBJECTS = (ACCOUNT, CONTACT, ACCOUNT_CONTACT_RELATION, CONTACT_HISTORY, LEAD)
