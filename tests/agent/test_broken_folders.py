"""A mistake in an agent folder is named with its file, its line and what would be right.

Each row breaks a folder that is right, in one place. The folder is refused with that one mistake.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.agent.errors import AgentError, Mistake
from shared.agent.folder import MAX_FILE_BYTES, MAX_TOOLS, load_agent
from tests.agent.conftest import RETURN_ITEM


@dataclass(frozen=True)
class Broken:
    """old → new: the change of the file. line: of the mistake, by its number or its text.

    problem, remedy: what the mistake must say.
    """

    old: str
    new: str
    line: int | str
    problem: str
    remedy: str
    file: str = "returnItem"


BROKEN: dict[str, Broken] = {
    # -- TOML
    "a text without quotes": Broken(
        'verb = "create"', "verb = create", 1, "is not TOML: invalid value", 'name = "value"',
    ),
    "a text without its last quotes": Broken(
        'contact = "Contact__c"', 'contact = "Contact__c', 4, "is not TOML", "end the text",
    ),
    "a key without a value": Broken(
        'contact = "Contact__c"', "contact", 4, "is not TOML: expected '='", 'name = "value"',
    ),
    "a key that is there twice": Broken(
        'key = "Call_Key__c"', 'contact = "Contact__c"', 5,
        "is not TOML: cannot overwrite", "each key once",
    ),
    "a table that is there twice": Broken(
        "[arguments.reason]", "[arguments.orderNumber]", 15, "twice", "each table once",
    ),
    "a list without its end": Broken(
        'optional = ["Reason__c"]', 'optional = ["Reason__c"', 10, "is not TOML", "]",
    ),
    "a backslash of Windows": Broken(
        "By phone", r"By \phone", 28, "is not TOML: unescaped", "between ' and '",
    ),
    "an equals sign for a colon": Broken(
        'object = "Return_Request__c"', 'object: "Return_Request__c"', 2,
        "is not TOML", 'name = "value"',
    ),
    # -- keys
    "a misspelt key": Broken(
        "optional =", "optionel =", 8, "optionel is unknown", "write optional",
    ),
    "a misspelt key that is required": Broken(
        "description =", "descripton =", 3, "descripton is unknown", "write description",
    ),
    "a misspelt verb key": Broken("verb =", "vreb =", 1, "vreb is unknown", "write verb"),
    "a misspelt key of an argument": Broken(
        "required = true", "requird = true", 12,
        "arguments.orderNumber.requird is unknown", "write required",
    ),
    "a misspelt key of a field": Broken(
        "max_length = 255", "maxlength = 255", 28,
        "fields.Notes__c.maxlength is unknown", "write max_length",
    ),
    "a key of another verb": Broken(
        "limit = 3", 'same_if = ["orderNumber"]', 7,
        "same_if is unknown", "a tool with the verb read has", "orderStatus",
    ),
    "a key that no tool has": Broken(
        "limit = 3", "limit = 3\ncolour = 3", 8, "colour is unknown", "remove it", "orderStatus",
    ),
    "no description": Broken(
        'description = "Ask for an item to be taken back. Read the order number back first."', "",
        1, "description is missing", "add description =",
    ),
    "no object": Broken(
        'object = "Return_Request__c"', "", 1, "object is missing", 'add object = "Case"',
    ),
    "no verb": Broken('verb = "create"', "", 1, "verb is missing", "identify, read, create"),
    "no fields": Broken(
        RETURN_ITEM[RETURN_ITEM.index("[fields]") :], "", 1, "fields is missing", "Subject =",
    ),
    "a field without its value": Broken(
        'value = "By phone[, from {caller.number}]", ', "", 28,
        "fields.Notes__c.value is missing", "add value",
    ),
    "an empty file": Broken(RETURN_ITEM, "", 1, "verb is missing", "add verb"),
    # -- types
    "a text for true": Broken(
        "required = true", 'required = "yes"', 12,
        "arguments.orderNumber.required is a text", "write true or false",
    ),
    "a number for a text": Broken(
        'contact = "Contact__c"', "contact = 3", 4, "contact is the number 3", "in quotes",
    ),
    "a text for a number": Broken(
        "max_length = 20", 'max_length = "20"', 13, "max_length is a text", "a whole number",
    ),
    "a fraction for a whole number": Broken(
        "limit = 3", "limit = 2.5", 7, "limit is the number 2.5", "a whole number", "orderStatus",
    ),
    "no number at all": Broken(
        "minimum = 1", "minimum = nan", 21, "minimum is the number nan", "a number",
    ),
    "a text for a list": Broken(
        'same_if = ["orderNumber"]', 'same_if = "orderNumber"', 7,
        "same_if is a text", 'a list such as ["one", "other"]',
    ),
    "a number in a list of texts": Broken(
        'optional = ["Reason__c"]', 'optional = [\n  "Reason__c",\n  3,\n]', 10,
        "optional.1 is the number 3", "in quotes",
    ),
    "a list for a field": Broken(
        '"{reason}"', '["{reason}"]', 26, "fields.Reason__c is a list", "a text in quotes",
    ),
    "a date for a field": Broken(
        '"{reason}"', "2026-01-01", 26, "Reason__c is a date", "a text in quotes",
    ),
    "a text for an argument": Broken(
        '[fields]\nOrder', '[arguments]\nnote = "text"\n[fields]\nOrder', 25,
        "arguments.note is a text", "a table",
    ),
    "a list of numbers for choices": Broken(
        'choices = { broken = "Defect", late = "Delivered late" }', "choices = [1]", 17,
        "choices.0 is the number 1", "in quotes",
    ),
    "a list of stored values for a choice": Broken(
        '"Delivered late" }', '["Delivered late"] }', 17,
        "arguments.reason.choices.late is a list", "a text in quotes",
    ),
    # -- values
    "an unknown verb": Broken(
        'verb = "create"', 'verb = "creat"', 1, "there is no verb creat", "write create",
    ),
    "a verb unlike any": Broken(
        'verb = "create"', 'verb = "delete it"', 1, "there is no verb", "one of identify, read",
    ),
    "a list for a verb": Broken(
        'verb = "create"', 'verb = ["create"]', 1, "there is no verb", "create",
    ),
    "a verb that works on another object": Broken(
        'object = "Case"', 'object = "Account"', 'object = "Account"',
        'object can\'t be "Account"', 'write "Case"', "addCaseComment",
    ),
    "an unknown type": Broken(
        'type = "identifier"', 'type = "txt"', 11, 'type can\'t be "txt"', '"text", "choice"',
    ),
    "an unknown way to show": Broken(
        'show = "list"', 'show = "all"', 3,
        'show can\'t be "all"', '"one" or "list"', "orderStatus",
    ),
    "a label for an API name": Broken(
        '"Return_Request__c"', '"Return Request"', 2, "object has another form", "an API name",
    ),
    "a label for a field": Broken(
        "Items__c =", '"Items to return" =', 27,
        'fields.Items to return has another form', "an API name",
    ),
    "a label for the key": Broken(
        '"Call_Key__c"', '"Call Key"', 5, "key has another form", "an API name",
    ),
    "a path where a field must be": Broken(
        '"Contact__c"', '"Order__r.Contact__c"', 4, "contact has another form", "an API name",
    ),
    "SOQL for an order": Broken(
        '"Ordered_On__c DESC"', '"Ordered_On__c DESC, Id"', 6,
        "order has another form", "CreatedDate DESC", "orderStatus",
    ),
    "SOQL for a field": Broken(
        '"Carrier__r.Name"', '"Name FROM Account"', 16,
        "fields.carrier has another form", "Contact__r.Name", "orderStatus",
    ),
    "an argument with a capital letter": Broken(
        '[arguments.items]\ntype = "integer"\nminimum = 1\nmaximum = 10\n',
        '[arguments.Items]\ntype = "integer"\nminimum = 1\nmaximum = 10\n', 19,
        "arguments.Items has another form", "a small letter first",
    ),
    "an empty description": Broken(
        '"Tell how the caller\'s orders stand, newest first."', '"  "', 4,
        "description is empty", "What the tool does", "orderStatus",
    ),
    "too long a description": Broken(
        "newest first", "newest first" * 90, 4, "description has 1117 characters", "1000",
        "orderStatus",
    ),
    "too many records": Broken(
        "limit = 3", "limit = 200", 7, "limit is 200", "20 or less", "orderStatus",
    ),
    "no length": Broken(
        "max_length = 20", "max_length = 0", 13, "max_length is 0", "1 or more",
    ),
    # -- arguments
    "an argument of the service": Broken(
        "[fields]\nOrder", "[arguments.replaces]\n[fields]\nOrder", 24,
        "replaces is an argument that the service adds", "another name",
    ),
    "a choice without choices": Broken(
        'choices = { broken = "Defect", late = "Delivered late" }', "", 15,
        "a choice needs choices", "add choices",
    ),
    "an empty list of choices": Broken(
        'choices = { broken = "Defect", late = "Delivered late" }', "choices = []", 17,
        "a choice needs choices", "add choices",
    ),
    "choices of a text": Broken(
        'type = "choice"', 'type = "text"', 17, "type text has no choices", 'type = "choice"',
    ),
    "a choice twice": Broken(
        '{ broken = "Defect", late = "Delivered late" }', '["late", "broken", "Late"]', 17,
        'the choice "Late" is there twice', "once",
    ),
    "a choice that counts as not given": Broken(
        "late = ", "unknown = ", 17, '"unknown" counts as not given', "another word",
    ),
    "a minimum above the maximum": Broken(
        "minimum = 1", "minimum = 11", 21, "minimum 11 is above maximum 10", "swap",
    ),
    "a minimum of a text": Broken(
        "max_length = 20", "minimum = 20", 13,
        "type identifier has no minimum", 'type = "integer"',
    ),
    "a length of a number": Broken(
        "maximum = 10", "max_length = 10", 22, "type integer has no max_length", 'type = "text"',
    ),
    "a pattern that is none": Broken(
        "'[A-Z]{2}[0-9]{6}'", "'[A-Z{2}'", 11,
        "pattern is not a regular expression: unclosed character class", "[A-Z]{2}", "orderStatus",
    ),
    "a pattern that takes more than linear time": Broken(
        "'[A-Z]{2}[0-9]{6}'", r"'([A-Z])\1'", 11,
        "pattern is not a regular expression: backreferences are not supported", "[A-Z]{2}",
        "orderStatus",
    ),
    "a meaning that does not exist": Broken(
        "required = true", 'means = "order"', 12, 'there is no meaning "order"', "caseNumber",
    ),
    "two arguments that mean the same": Broken(
        '[arguments.reference]\ntype = "reference"',
        '[arguments.reference]\ntype = "reference"\n[arguments.other]\nmeans = "reference"',
        'means = "reference"',
        "a second argument means reference", "keep one", "addCaseComment",
    ),
    "a comment without its text": Broken(
        '[arguments.comment]\ntype = "comment"\nrequired = true\n', "", 'verb = "comment"',
        "comment needs an argument for the comment", "[arguments.comment]", "addCaseComment",
    ),
    "an argument that the verb does nothing with": Broken(
        "[arguments.reason]", "[arguments.colour]", "[arguments.colour]",
        "close does nothing with colour", "name it reason or reference", "cancelCase",
    ),
    "an argument that fills no field": Broken(
        'Items__c = "{items}"\n', "", 19, "items fills no field", "to [fields]",
    ),
    "an argument that selects nothing": Broken(
        'Name = "{orderNumber}"\n', "", 9, "orderNumber selects nothing", "to [where]",
        "orderStatus",
    ),
    "an argument that changes nothing": Broken(
        'Email = "{email}"\n', "", "[arguments.email]",
        "email changes no field", "to [fields]", "updateContact",
    ),
    # -- fields
    "an unknown argument in a template": Broken(
        '"{orderNumber}"', '"{orderNo}"', 25,
        "{orderNo} is no argument", "{orderNumber}, {reason}, {items}, {caller.number}",
    ),
    "an unknown argument in a long template": Broken(
        "{caller.number}", "{caller.name}", 28, "{caller.name} is no argument", "{caller.number}",
    ),
    "an unknown argument in a condition": Broken(
        '"{orderNumber}"', '"{order}"', 19, "{order} is no argument", "{orderNumber}",
        "orderStatus",
    ),
    "an unknown argument of a change": Broken(
        '"{email}"', '"{mail}"', 'Email = "{mail}"',
        "{mail} is no argument", "{email}", "updateContact",
    ),
    "a brace too few": Broken(
        '"{reason}"', '"{reason"', 26, "Reason__c has a brace", "{name}",
    ),
    "a brace too many": Broken(
        '"{reason}"', '"{{reason}}"', 26, "Reason__c has a brace", "{name}",
    ),
    "a change of more than one argument": Broken(
        '"{phone}"', '"{phone} {email}"', 'Phone = "{phone} {email}"',
        "Phone must be one argument alone",
        'Phone = "{argument}"', "updateContact",
    ),
    "a change to a constant": Broken(
        '"{phone}"', '"none"', 'Phone = "none"',
        "Phone must be one argument alone", "{argument}", "updateContact",
    ),
    "no way to the caller": Broken(
        'contact = "Contact__c"\n', "", 1,
        "nothing leads from Return_Request__c to the caller", 'contact = "Contact__c"',
    ),
    "no way from a read to the caller": Broken(
        'contact = "Contact__c"\n', "", 1, "nothing leads from Order__c", "account =",
        "orderStatus",
    ),
    "a way to the contact of a case": Broken(
        'show = "one"', 'show = "one"\ncontact = "ContactId"', 'contact = "ContactId"',
        "by itself", "leave contact out",
        "getCaseStatus",
    ),
    "a list that sends a reference": Broken(
        'show = "one"', 'show = "list"', "send_reference = true",
        "only a tool that tells how one case stands", "remove it", "getCaseStatus",
    ),
    "an argument of the service's for sending references": Broken(
        "[arguments.caseNumber]", "[arguments.textTo]", "[arguments.textTo]",
        "the service adds itself", "another name", "getCaseStatus",
    ),
    "a read of nothing": Broken(
        '[fields]\nnumber = "Name"\nstatus = "Status__c"\ncarrier = "Carrier__r.Name"\n', "", 1,
        "reads no field", "[fields]", "orderStatus",
    ),
    "a condition on a time of day": Broken(
        'type = "identifier"\npattern', 'type = "time"\npattern', 'Name = "{orderNumber}"',
        "no record is found by a time", "let the argument be a date", "orderStatus",
    ),
    "an unknown variable in a sentence": Broken(
        "You have no order.", "You have no { $thing }.", 'none = "You have no { $thing }."',
        "none does not know $thing", "$name", "orderStatus",
    ),
    "a sentence that the tool never says": Broken(
        'none = "You', 'nonne = "You', 'nonne = "You have no order."',
        "read says no sentence nonne", "write none", "orderStatus",
    ),
    "a name of nothing": Broken(
        "[sentences.en]", '[sentences.de]\ncolour-name = "Farbe"\n[sentences.en]',
        'colour-name = "Farbe"', "read says no sentence colour-name", "write", "orderStatus",
    ),
    "a name with a value": Broken(
        "[sentences.en]", '[sentences.de]\nstatus-name = "{ $status }"\n[sentences.en]',
        'status-name = "{ $status }"', "status-name does not know $status", "no variable",
        "orderStatus",
    ),
    "a value without its sign": Broken(
        "You have no order.", "You have no { name }.", 'none = "You have no { name }."',
        "refers to the sentence name", "write { $name }", "orderStatus",
    ),
    "a sentence that is not Fluent": Broken(
        "You have no order.", "You have no { order.", 'none = "You have no { order."',
        "is not Fluent", "write key", "orderStatus",
    ),
    "the key as a field": Broken(
        "Items__c =", "Call_Key__c =", 27, "Call_Key__c is filled by the service", "leave it out",
    ),
    "the contact as a field, in small letters": Broken(
        "Items__c =", "contact__c =", 27, "contact__c is filled by the service", "leave it out",
    ),
    "an owner that the caller names": Broken(
        "Items__c =", "AccountId =", 27, "AccountId would be what the caller says", "account =",
    ),
    "a link without its object": Broken(
        'Items__c = "{items}"\n',
        'Items__c = "{items}"\n[links.Order__c]\ncontact = "Contact__c"\nfield = "Name"\n'
        'spoken = "{orderNumber}"\n[fields.Notes__c]\nvalue = "x"\n#', 28,
        "links.Order__c.object is missing", "add object",
    ),
    "a misspelt key of a link": Broken(
        'Items__c = "{items}"\n',
        'Items__c = "{items}"\n[links.Order__c]\nobjekt = "O__c"\ncontact = "C__c"\n'
        'field = "Name"\nspoken = "{orderNumber}"\n[fields.Notes__c]\nvalue = "x"\n#', 29,
        "links.Order__c.objekt is unknown", "write object",
    ),
    "an unknown argument of a link": Broken(
        'Items__c = "{items}"\n',
        'Items__c = "{items}"\n[links.Order__c]\nobject = "O__c"\ncontact = "C__c"\n'
        'field = "Name"\nspoken = "{order}"\n[fields.Notes__c]\nvalue = "x"\n#', 32,
        "{order} is no argument", "{orderNumber}",
    ),
    "a field that is filled twice": Broken(
        "Items__c =", "reason__c =", 27, "reason__c is filled twice", "once",
    ),
    "same_if of an unknown argument": Broken(
        'same_if = ["orderNumber"]', 'same_if = ["orderNo"]', 7,
        "orderNo is no argument", "one of its arguments",
    ),
    "an optional field that is not filled": Broken(
        'optional = ["Reason__c"]', 'optional = ["Color__c"]', 8,
        "Color__c is no field of this tool", "[fields]",
    ),
    "an optional key": Broken(
        'optional = ["Reason__c"]', 'optional = ["Call_Key__c"]', 8,
        "keeps a record from being created twice", "remove it",
    ),
    # -- changes of records of the team's own
    "a change that nothing leads to the caller from": Broken(
        'contact = "Order__r.Contact__c"\n', "", 1,
        "nothing leads from Return_Request__c to the caller", "account =", "moveReturn",
    ),
    "a way to the caller that is no path": Broken(
        '"Order__r.Contact__c"', '"Order__r.Contact__c OR Id"', 4,
        "contact has another form", "a path such as Contact__r.Name", "moveReturn",
    ),
    "a change of nothing": Broken(
        '[fields]\nDay__c = "{day}"\nMoved__c = true\n', "[fields]\n", 1,
        "changes no field", "Status__c =", "moveReturn",
    ),
    "a change without fields": Broken(
        '[fields]\nDay__c = "{day}"\nMoved__c = true\n', "", 1,
        "fields is missing", "Subject =", "moveReturn",
    ),
    "a change of whose record it is": Broken(
        "Moved__c = true", 'Order__c = "{day}"', 'Order__c = "{day}"',
        "Order__c decides whose record it is", "leave it out", "moveReturn",
    ),
    "a change of the owner's id": Broken(
        "Moved__c = true", 'ContactId = "{day}"', 'ContactId = "{day}"',
        "ContactId decides whose record it is", "leave it out", "moveReturn",
    ),
    "a change that names a field twice": Broken(
        "Moved__c = true", "day__c = true", "day__c = true", "day__c is filled twice", "once",
        "moveReturn",
    ),
    "an unknown argument of a changed field": Broken(
        '"{day}"', '"{date}"', 'Day__c = "{date}"',
        "{date} is no argument", "{returnNumber}, {reference}, {day}", "moveReturn",
    ),
    "an unknown argument of a record's name": Broken(
        'spoken = "{returnNumber}"', 'spoken = "{number}"', 'spoken = "{number}"',
        "{number} is no argument", "{returnNumber}", "moveReturn",
    ),
    "a record without the field of its name": Broken(
        'field = "Name"\n', "", "[record]",
        "record.field is missing", "add field", "moveReturn",
    ),
    "a misspelt key of a record": Broken(
        'spoken = "{returnNumber}"', 'said = "{returnNumber}"\nspoken = "{returnNumber}"',
        'said = "{returnNumber}"', "record.said is unknown", "field, spoken", "moveReturn",
    ),
    "a record's name that is a path": Broken(
        'field = "Name"', 'field = "Order__r.Name"', 'field = "Order__r.Name"',
        "record.field has another form", "an API name", "moveReturn",
    ),
    "an argument that a change does nothing with": Broken(
        '[record]\nfield = "Name"\nspoken = "{returnNumber}"\n', "", "[arguments.returnNumber]",
        "returnNumber changes no field", "to [fields]", "moveReturn",
    ),
    "two references of a record": Broken(
        "[arguments.reference]", '[arguments.other]\ntype = "reference"\n[arguments.reference]',
        'type = "reference"', "a second argument means reference", "keep one", "moveReturn",
    ),
    "a closing of nothing": Broken(
        '[fields]\nStatus__c = "Cancelled"\nWhy__c = "{why}"\n', "", 1,
        "changes no field", "Status__c =", "cancelReturn",
    ),
    "a closing that the caller has to fill": Broken(
        'Status__c = "Cancelled"\n', "", "[fields]",
        "closes nothing when the caller gives no argument", 'Status__c = "Cancelled"',
        "cancelReturn",
    ),
    "an argument that closes nothing": Broken(
        'Why__c = "{why}"\n', "", "[arguments.why]", "why changes no field", "to [fields]",
        "cancelReturn",
    ),
    "a way to the contact of a contact": Broken(
        'object = "Contact"\n', 'object = "Contact"\ncontact = "Id"\n', 'contact = "Id"',
        "a contact needs no contact", "leave contact out", "updateContact",
    ),
    "a name for the caller's contact": Broken(
        "[fields]", '[record]\nfield = "Name"\nspoken = "{email}"\n[fields]', "[record]",
        "a contact needs no record", "leave record out", "updateContact",
    ),
    "a number for a field of a contact": Broken(
        'Phone = "{phone}"', 'Phone = "{phone}"\nLevel__c = 3', "Level__c = 3",
        "Level__c must be one argument alone", "{argument}", "updateContact",
    ),
    "fields of a case that is closed": Broken(
        "[arguments.reference]", '[fields]\nStatus = "Closed"\n[arguments.reference]',
        'Status = "Closed"', "a case that is closed gets no Status", "closed_status", "cancelCase",
    ),
    "a sentence that a change never says": Broken(
        "Moved__c = true", 'Moved__c = true\n[sentences.en]\nnumber-of-another = "No."',
        'number-of-another = "No."', "update says no sentence number-of-another", "write",
        "moveReturn",
    ),
    "a variable that a change does not have": Broken(
        "Moved__c = true", 'Moved__c = true\n[sentences.en]\naccepted = "{ $fields }"',
        'accepted = "{ $fields }"', "accepted does not know $fields", "$day", "moveReturn",
    ),
    # -- sentences
    "a language with an underscore": Broken(
        "[sentences.en]", "[sentences.en_US]", 22,
        "sentences.en_US has another form", "a language tag", "orderStatus",
    ),
    "a language that does not exist": Broken(
        "[sentences.en]", "[sentences.xx]", 22, 'no language "xx"', "en or pt-BR", "orderStatus",
    ),
    "a sentence that is no text": Broken(
        'none = "You have no order."', "none = 0", 23,
        "sentences.en.none is the number 0", "a text in quotes", "orderStatus",
    ),
}  # fmt: skip

JARGON = (
    "Input",
    "valid",
    "pydantic",
    "FieldFile",
    "constrained",
    "str'",
    "[key]",
    "dict",
    "union",
)


def mistakes(folder: Path) -> list[Mistake]:
    load_agent.cache_clear()
    with pytest.raises(AgentError) as refused:
        load_agent(str(folder))
    for mistake in refused.value.mistakes:
        assert mistake.said_in(folder) in str(refused.value)
        assert not any(word in str(mistake).replace("invalid value", "") for word in JARGON)
    return list(refused.value.mistakes)


def test_the_folder_is_right_before_it_is_broken(folder: Path) -> None:
    load_agent.cache_clear()
    assert len(load_agent(str(folder)).tools) == 13


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_named_with_file_line_and_remedy(name: str, folder: Path) -> None:
    broken = BROKEN[name]
    path = folder / "tools" / f"{broken.file}.toml"
    text = path.read_text()
    assert broken.old in text
    changed = text.replace(broken.old, broken.new, 1)
    path.write_text(changed)
    (mistake,) = mistakes(folder)
    assert mistake.file == f"tools/{broken.file}.toml"
    assert broken.problem in mistake.problem
    assert broken.remedy in mistake.remedy
    assert broken.line in (mistake.line, *changed.splitlines()[mistake.line - 1 : mistake.line])


def test_two_mistakes_are_both_named_in_their_order(folder: Path) -> None:
    order, item = folder / "tools" / "orderStatus.toml", folder / "tools" / "returnItem.toml"
    order.write_text(order.read_text().replace("limit = 3", "limit = 30"))
    item.write_text(item.read_text().replace("minimum = 1", "minimum = 11"))
    item.write_text(item.read_text().replace('"{reason}"', '"{why}"'))
    assert [(found.file, found.line) for found in mistakes(folder)] == [
        ("tools/orderStatus.toml", 7),
        ("tools/returnItem.toml", 21),
        ("tools/returnItem.toml", 26),
    ]


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("limit = 30\nshow = 3\n", ("limit is 30", "show can't be"), ("20", "one")),
        ("colour = 1\ntaste = 2\n", ("colour is unknown", "taste is unknown"), ("remove",) * 2),
        ('order = "a b"\nobject = "c d"\n', ("object has", "order has"), ("API name", "a field")),
    ],
)  # fmt: skip
def test_two_mistakes_of_one_file_are_both_named(
    text: str, problem: tuple[str, str], remedy: tuple[str, str], folder: Path
) -> None:
    (folder / "tools" / "new.toml").write_text(
        f'verb = "read"\ndescription = "d"\ncontact = "C__c"\n{text}'
        + ("" if "object" in text else 'object = "A__c"\n')
        + '[fields]\na = "B__c"\n'
    )
    found = sorted(mistakes(folder), key=lambda mistake: mistake.problem)
    assert len(found) == 2
    for mistake, said, right in zip(found, problem, remedy, strict=True):
        assert mistake.problem.startswith(said)
        assert right in mistake.remedy


# -- what is wrong with a file, or with the folder, as a whole -------------------------------------


def not_utf8(folder: Path) -> None:
    text = RETURN_ITEM.replace("Ask for", "Für").encode("latin-1")
    (folder / "tools" / "returnItem.toml").write_bytes(text)


def utf16(folder: Path) -> None:
    (folder / "tools" / "returnItem.toml").write_text(RETURN_ITEM, encoding="utf-16")


def too_large(folder: Path) -> None:
    (folder / "tools" / "returnItem.toml").write_text("#" * MAX_FILE_BYTES + RETURN_ITEM)


def a_folder_for_a_file(folder: Path) -> None:
    (folder / "tools" / "other.toml").mkdir()


def a_link_to_nothing(folder: Path) -> None:
    (folder / "tools" / "other.toml").symlink_to(folder / "gone.toml")


def a_name_with_a_space(folder: Path) -> None:
    os.rename(folder / "tools" / "returnItem.toml", folder / "tools" / "return item.toml")


def a_name_with_a_digit_first(folder: Path) -> None:
    os.rename(folder / "tools" / "returnItem.toml", folder / "tools" / "2nd.toml")


def too_long_a_name(folder: Path) -> None:
    os.rename(folder / "tools" / "returnItem.toml", folder / "tools" / f"{'a' * 65}.toml")


def names_alike(folder: Path) -> None:
    (folder / "tools" / "ReturnItem.toml").write_text(RETURN_ITEM)


def too_many_tools(folder: Path) -> None:
    for nth in range(MAX_TOOLS - 9):
        (folder / "tools" / f"tool{nth}.toml").write_text(RETURN_ITEM)


def no_tool(folder: Path) -> None:
    for path in (folder / "tools").iterdir():
        path.unlink()


def no_folder_of_tools(folder: Path) -> None:
    os.rename(folder / "tools", folder / "tool")


WHOLE: dict[Callable[[Path], None], tuple[str, int, str, str]] = {
    not_utf8: ("tools/returnItem.toml", 3, "is not UTF-8", "save it as UTF-8"),
    utf16: ("tools/returnItem.toml", 1, "is not UTF-8", "save it as UTF-8"),
    too_large: ("tools/returnItem.toml", 0, "is too large", "262144 bytes"),
    a_folder_for_a_file: ("tools/other.toml", 0, "can't be read", "must be a file"),
    a_link_to_nothing: ("tools/other.toml", 0, "can't be read", "must be a file"),
    a_name_with_a_space: ("tools/return item.toml", 0, "can't be the name", "rename the file"),
    a_name_with_a_digit_first: ("tools/2nd.toml", 0, "can't be the name", "a letter first"),
    too_long_a_name: (f"tools/{'a' * 65}.toml", 0, "can't be the name", "up to 64 letters"),
    names_alike: ("tools/returnItem.toml", 0, "has the name of ReturnItem.toml", "another name"),
    too_many_tools: ("tools/", 0, "has 54 tools", "keep 50 at most"),
    no_tool: ("tools/", 0, "has no tool", "add a file such as tools/order.toml"),
    no_folder_of_tools: (".", 0, "is no agent folder", "python -m cli agent new DIR"),
}


@pytest.mark.parametrize("breaks", WHOLE, ids=lambda breaks: breaks.__name__)
def test_a_file_or_folder_that_is_wrong_as_a_whole_is_named(
    breaks: Callable[[Path], None], folder: Path
) -> None:
    file, line, problem, remedy = WHOLE[breaks]
    breaks(folder)
    (mistake,) = mistakes(folder)
    assert mistake.file == file
    assert mistake.line == line
    assert problem in mistake.problem
    assert remedy in mistake.remedy


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path / "nowhere")
    assert mistake.place_in(tmp_path / "nowhere") == f"{tmp_path}/nowhere"
    assert mistake.problem.startswith("is no agent folder")


def test_files_of_windows_are_read_as_all_others(folder: Path) -> None:
    """With a byte order mark and lines that end in CRLF; the lines of mistakes stay right."""
    path = folder / "tools" / "returnItem.toml"
    raw = RETURN_ITEM.replace("\n", "\r\n").encode("utf-8-sig")
    path.write_bytes(raw)
    load_agent.cache_clear()
    assert load_agent(str(folder)).tools["returnItem"].version == version_of(RETURN_ITEM, folder)
    path.write_bytes(raw.replace(b"minimum = 1\r", b"minimum = 11\r"))
    assert [found.line for found in mistakes(folder)] == [21]


def version_of(text: str, folder: Path) -> str:
    (folder / "tools" / "same.toml").write_text(text)
    load_agent.cache_clear()
    return load_agent(str(folder)).tools["same"].version


def test_other_files_in_the_folder_are_no_tools(folder: Path) -> None:
    for name in ("README.md", "returnItem.toml~", ".returnItem.toml.swp"):
        (folder / "tools" / name).write_text("no tool")
    load_agent.cache_clear()
    assert len(load_agent(str(folder)).tools) == 13
