"""The expressions of the files in ops/: what a dashboard shows, and what a rule watches."""

import json
from typing import Any

from ruamel.yaml import YAML

from demo.stack import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "ops/grafana/vapi-salesforce.json").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for group in YAML(typ="safe").load(ROOT / "ops/prometheus/vapi-salesforce.rules.yml")["groups"]
    for rule in group["rules"]
]

EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())),
    *(rule["expr"] for rule in RULES),
]
