"""Case, CaseComment and Task: the records of a call. Facts: Object Reference v65."""

from simulator.org.schema.model import (
    Field,
    SObject,
    call_key,
    flag,
    long_text,
    picklist,
    read_only,
    record_id,
    reference,
    system,
    text,
)

CASE = SObject(
    "Case",
    "Case",
    "Cases",
    "500",
    (
        record_id("Case"),
        reference("MasterRecordId", "Master Record ID", "Case", create=False, update=False),
        read_only(
            "CaseNumber",
            "string",
            "Case Number",
            length=30,
            nillable=False,
            auto_number=True,
            id_lookup=True,
        ),
        reference("ContactId", "Contact ID", "Contact", children="Cases"),
        reference("AccountId", "Account ID", "Account", children="Cases"),
        reference("ParentId", "Parent Case ID", "Case", children="Cases"),
        # Lengths 80/80/40/80 of the Supplied fields are not confirmed [K].
        text("SuppliedName", "Name", 80),
        Field("SuppliedEmail", "email", "Email Address", length=80),
        text("SuppliedPhone", "Phone", 40),
        text("SuppliedCompany", "Company", 80),
        picklist("Type", "Case Type", ("Billing", "Technical", "Account", "Problem", "Question")),
        picklist(
            "Status",
            "Status",
            ("New", "Working", "Escalated", "Closed"),
            default="New",
            closed=("Closed",),
        ),
        picklist("Reason", "Case Reason", ("Installation", "Performance", "Breakdown", "Other")),
        picklist("Origin", "Case Origin", ("Phone", "Email", "Web")),
        picklist("Language", "Language", ("en_US", "es", "fr", "de")),
        text("Subject", "Subject", 255),
        picklist("Priority", "Priority", ("High", "Medium", "Low"), default="Medium"),
        long_text("Description", "Description"),
        read_only("IsClosed", "boolean", "Closed", nillable=False, default=False),
        read_only("ClosedDate", "datetime", "Closed Date"),
        flag("IsEscalated", "Escalated"),
        read_only(
            "ContactPhone", "phone", "Contact Phone", mirror=("ContactId", "Phone"), length=40
        ),
        read_only(
            "ContactMobile",
            "phone",
            "Contact Mobile",
            mirror=("ContactId", "MobilePhone"),
            length=40,
        ),
        read_only(
            "ContactEmail", "email", "Contact Email", mirror=("ContactId", "Email"), length=80
        ),
        read_only("ContactFax", "phone", "Contact Fax", mirror=("ContactId", "Fax"), length=40),
        long_text("Comments", "Internal Comments", 4000, max_bytes=4000, write_only=True),
        call_key(),
        text("Voice_Reference__c", "Voice Reference", 8),
        *system(owners=("User", "Group")),
    ),
    name_field="CaseNumber",
    name_group=("CaseNumber", "Subject", "SuppliedName"),
)

CASE_COMMENT = SObject(
    "CaseComment",
    "Case Comment",
    "Case Comments",
    "00a",
    (
        record_id("Case Comment"),
        reference(
            "ParentId",
            "Parent ID",
            "Case",
            children="CaseComments",
            detail=True,
            nillable=False,
            update=False,
        ),
        flag("IsPublished", "Published"),
        # 4,000 bytes with HTML encoding (help 000382141), not characters. It can be filtered by
        # and sorted, and only IsPublished can be changed (Object Reference).
        long_text("CommentBody", "Body", 4000, max_bytes=4000, short=True, update=False),
        *system(),
    ),
    name_field="",
    # Deletion needs Modify All, which the integration user does not have.
    delete=False,
)

CALL_TYPES = ("Internal", "Inbound", "Outbound")
TASK_SUBTYPES = ("Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn")

TASK = SObject(
    "Task",
    "Task",
    "Tasks",
    "00T",
    (
        record_id("Activity"),
        reference("WhoId", "Name ID", ("Contact", "Lead"), children="Tasks"),
        reference("WhatId", "Related To ID", ("Account", "Case"), children="Tasks"),
        Field("Subject", "combobox", "Subject", length=255, values=("Call", "Email", "Other")),
        Field("ActivityDate", "date", "Due Date Only"),
        picklist(
            "Status",
            "Status",
            ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"),
            nillable=False,
            default="Not Started",
            closed=("Completed",),
        ),
        picklist(
            "Priority", "Priority", ("High", "Normal", "Low"), nillable=False, default="Normal"
        ),
        read_only("IsHighPriority", "boolean", "High Priority", nillable=False, default=False),
        long_text("Description", "Description"),
        picklist("Type", "Type", ("Call", "Email", "Meeting", "Other")),
        reference("AccountId", "Account ID", "Account", create=False, update=False),
        read_only("IsClosed", "boolean", "Closed", nillable=False, default=False),
        read_only("IsArchived", "boolean", "Archived", nillable=False, default=False),
        Field("CallDurationInSeconds", "int", "Call Duration"),
        picklist("CallType", "Call Type", CALL_TYPES, restricted=True),
        text("CallDisposition", "Call Result", 255),
        text("CallObject", "Call Object Identifier", 255),
        Field("ReminderDateTime", "datetime", "Reminder Date/Time"),
        flag("IsReminderSet", "Reminder Set"),
        flag("IsRecurrence", "Create Recurring Series of Tasks", update=False),
        picklist(
            "TaskSubtype",
            "Task Subtype",
            TASK_SUBTYPES,
            restricted=True,
            update=False,
            default="Task",
        ),
        read_only("CompletedDateTime", "datetime", "Completed Date"),
        # Lives on Activity in the org's metadata; Task and Event show it.
        call_key(),
        *system(owners=("User", "Group")),
    ),
    name_field="Subject",
    name_group=("Subject",),
)

OBJECTS = (CASE, CASE_COMMENT, TASK)
