"""An agent folder to break: the default one, and tools on objects of a team's own."""

import shutil
from pathlib import Path

import pytest

from shared.agent.languages import AGENT_FOLDER

RETURN_ITEM = """\
verb = "create"
object = "Return_Request__c"
description = "Ask for an item to be taken back. Read the order number back first."
contact = "Contact__c"
key = "Call_Key__c"
reference = "Voice_Reference__c"
same_if = ["orderNumber"]
optional = ["Reason__c"]

[arguments.orderNumber]
type = "identifier"
required = true
max_length = 20

[arguments.reason]
type = "choice"
choices = { broken = "Defect", late = "Delivered late" }

[arguments.items]
type = "integer"
minimum = 1
maximum = 10

[fields]
Order_Number__c = "{orderNumber}"
Reason__c = "{reason}"
Items__c = "{items}"
Notes__c = { value = "By phone[, from {caller.number}]", max_length = 255 }
"""

ORDER_STATUS = """\
verb = "read"
object = "Order__c"
show = "list"
description = "Tell how the caller's orders stand, newest first."
contact = "Contact__c"
order = "Ordered_On__c DESC"
limit = 3

[arguments.orderNumber]
type = "identifier"
pattern = '[A-Z]{2}[0-9]{6}'

[fields]
number = "Name"
status = "Status__c"
carrier = "Carrier__r.Name"

[where]
Name = "{orderNumber}"
Cancelled__c = false

[sentences.en]
none = "You have no order."
"""

MOVE_RETURN = """\
verb = "update"
object = "Return_Request__c"
description = "Change the day of a return."
contact = "Order__r.Contact__c"

[arguments.returnNumber]
type = "identifier"

[arguments.reference]
type = "reference"

[arguments.day]
type = "date"

[record]
field = "Name"
spoken = "{returnNumber}"

[fields]
Day__c = "{day}"
Moved__c = true
"""

CANCEL_RETURN = """\
verb = "close"
object = "Return_Request__c"
description = "Take a return back."
account = "Account__c"

[arguments.why]
max_length = 255

[fields]
Status__c = "Cancelled"
Why__c = "{why}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the default folder with four more tools."""
    copy = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, copy)
    (copy / "tools" / "returnItem.toml").write_text(RETURN_ITEM)
    (copy / "tools" / "orderStatus.toml").write_text(ORDER_STATUS)
    (copy / "tools" / "moveReturn.toml").write_text(MOVE_RETURN)
    (copy / "tools" / "cancelReturn.toml").write_text(CANCEL_RETURN)
    return copy
