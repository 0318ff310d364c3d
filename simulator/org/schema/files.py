"""ContentVersion, ContentDocument and ContentDocumentLink: files and what they are linked to."""

from simulator.org.schema.model import (
    Field,
    SObject,
    call_key,
    long_text,
    picklist,
    read_only,
    record_id,
    reference,
    system,
    text,
)

CONTENT_VERSION = SObject(
    "ContentVersion",
    "Content Version",
    "Content Versions",
    "068",
    (
        record_id("ContentVersion"),
        reference(
            "ContentDocumentId",
            "ContentDocument ID",
            "ContentDocument",
            children="ContentVersions",
            detail=True,
            update=False,
        ),
        read_only("IsLatest", "boolean", "Is Latest", nillable=False, default=True),
        Field("ContentUrl", "url", "Content URL", length=1300, update=False),
        read_only("VersionNumber", "string", "Version Number", length=20),
        text("Title", "Title", 255),
        Field("Description", "textarea", "Description", length=1000),
        text("ReasonForChange", "Reason For Change", 1000, update=False),
        picklist(
            "SharingOption", "Prevent others from sharing", ("A", "R"), restricted=True, default="A"
        ),
        text("PathOnClient", "Path On Client", 500, nillable=False, update=False),
        read_only("FileType", "string", "File Type", length=20),
        read_only("FileExtension", "string", "File Extension", length=40),
        read_only("ContentSize", "int", "Size"),
        read_only("Checksum", "string", "Checksum", length=50),
        Field("VersionData", "base64", "Version Data", nillable=False, update=False),
        reference(
            "FirstPublishLocationId",
            "First Publish Location ID",
            ("Account", "Case", "Contact", "Lead", "Task", "User"),
            update=False,
        ),
        picklist(
            "ContentLocation",
            "Content Origin",
            ("S", "E", "L"),
            restricted=True,
            default="S",
            update=False,
        ),
        picklist(
            "Origin", "Content Origin", ("C", "H"), restricted=True, default="C", update=False
        ),
        call_key(unique=False),
        *system(owners=("User",)),
    ),
    name_field="Title",
    name_group=("Title",),
    delete=False,
)

CONTENT_DOCUMENT = SObject(
    "ContentDocument",
    "Content Document",
    "Content Documents",
    "069",
    (
        record_id("ContentDocument"),
        text("Title", "Title", 255, nillable=False),
        read_only("FileType", "string", "File Type", length=20),
        read_only("FileExtension", "string", "File Extension", length=40),
        read_only("ContentSize", "int", "Size"),
        long_text("Description", "Description", 1000),
        reference(
            "LatestPublishedVersionId",
            "Latest Published Version ID",
            "ContentVersion",
            create=False,
            update=False,
        ),
        *system(owners=("User",)),
    ),
    name_field="Title",
    create=False,
    searchable=False,
)

CONTENT_DOCUMENT_LINK = SObject(
    "ContentDocumentLink",
    "Content Document Link",
    "Content Document Links",
    "06A",
    (
        record_id("ContentDocumentLink"),
        reference(
            "LinkedEntityId",
            "Linked Entity ID",
            ("Account", "Case", "Contact", "Lead", "Task", "User"),
            children="ContentDocumentLinks",
            detail=True,
            nillable=False,
            update=False,
        ),
        reference(
            "ContentDocumentId",
            "ContentDocument ID",
            "ContentDocument",
            children="ContentDocumentLinks",
            detail=True,
            nillable=False,
            update=False,
        ),
        picklist("ShareType", "Share Type", ("V", "C", "I"), restricted=True, default="V"),
        picklist(
            "Visibility",
            "Visibility",
            ("AllUsers", "InternalUsers", "SharedUsers"),
            restricted=True,
            default="AllUsers",
        ),
        *system(),
    ),
    name_field="",
    searchable=False,
)

OBJECTS = (CONTENT_VERSION, CONTENT_DOCUMENT, CONTENT_DOCUMENT_LINK)
