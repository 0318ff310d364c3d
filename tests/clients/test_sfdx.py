"""The Salesforce CLI accepts salesforce/ as source. This does not show that an org accepts it."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from demo.stack import ROOT
from tests.clients.node import Node

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def test_the_cli_converts_all_of_the_source(node24: Node, cli: Path, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    folders = [
        word
        for item in json.loads((ROOT / "salesforce/sfdx-project.json").read_text())[
            "packageDirectories"
        ]
        for word in ("--source-dir", item["path"])
    ]
    command = [str(node24.binary), str(cli), "project", "convert", "source", *folders]
    ended = subprocess.run(
        [*command, "--output-dir", str(converted), "--json"],
        cwd=ROOT / "salesforce",
        env={
            "PATH": os.defpath,
            "HOME": str(node24.home),
            "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
            "SF_DISABLE_TELEMETRY": "true",
            "SF_AUTOUPDATE_DISABLE": "true",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert (answer["status"], answer["warnings"]) == (0, [])
    package = ElementTree.parse(converted / "package.xml").getroot()
    found = {
        types.findtext(f"{NAMESPACE}name"): {
            item.text for item in types.findall(f"{NAMESPACE}members")
        }
        for types in package.findall(f"{NAMESPACE}types")
    }
    assert found == {
        "CustomField": {
            "Activity.Call_Key__c", "Case.Call_Key__c", "Case.Voice_Reference__c",
            "Contact.Voice_PIN__c", "ContentVersion.Call_Key__c",
        },
        "ListView": {"Case.Voice_Cases"},
        "PermissionSet": {"Voice_Integration"},
        "ExternalClientApplication": {"Voice_Integration"},
        "ExtlClntAppOauthSettings": {"Voice_Integration_oauth"},
    }  # fmt: skip
