"""The JSON schema of a tool's file, with which an editor completes, explains and underlines."""

import json
from typing import Any

from shared.agent.folder import FILES

SCHEMA_FILE = "tool.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    schema = {"$schema": DIALECT, "title": "A tool of the voice agent", **FILES.json_schema()}
    return json.dumps(_tidy(schema), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """Descriptions on one line, no titles that only repeat the names of fields, and no key whose
    name has the wrong form."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    tidy = {key: _tidy(item) for key, item in value.items()}
    if isinstance(tidy.get("title"), str) and "$schema" not in tidy:
        del tidy["title"]
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return tidy
