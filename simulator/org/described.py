"""`python -m simulator describe`: what a local org with this source says of its objects, as JSON.

Nothing is served, and `aiohttp` is not needed. Records in `data/` are created, so that a mistake in
them is found as well.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from simulator.org.message import Answer, Call
from simulator.org.rest.describe import describe
from simulator.org.rest.request import Request
from simulator.org.seed import INTEGRATION_USER
from simulator.org.source.data import plant
from simulator.org.source.document import SourceError
from simulator.org.source.folder import find_files
from simulator.org.source.learn import SHOWN_ON, Source, SourceMistakesError, learn
from simulator.org.world import Context, Org

VERSION = "68.0"


def main(argv: Sequence[str] | None = None) -> int:
    """Print `{"sobjects", "queues", "left_out"}`; returns 2 after printing mistakes of the source.

    sobjects: the body of each object's describe. queues: developer names. left_out: objects and
    fields ("Object.Field") that the source has and the local org does not emulate.
    """
    parser = argparse.ArgumentParser(prog="python -m simulator describe", description=__doc__)
    parser.add_argument(
        "--source", type=Path, action="append", required=True, metavar="DIR",
        help="a folder in SFDX source format; may be given several times",
    )  # fmt: skip
    folders = parser.parse_args(argv).source
    try:
        source = learn(folders)
        org = Org(schema=source.schema, plant=partial(plant, records=source.records))
    except (SourceMistakesError, SourceError) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps({
        "sobjects": [_described(org, sobject.name) for sobject in source.schema.objects.values()
                     if not sobject.tooling],
        "queues": [queue.developer_name for queue in source.schema.queues],
        "left_out": sorted(_left_out(source, folders)),
    }))  # fmt: skip
    return 0


def _described(org: Org, name: str) -> Any:
    call = Call("GET", f"/services/data/v{VERSION}/sobjects/{name}/describe")
    base = f"/services/data/v{VERSION}"
    context = Context(org, INTEGRATION_USER)
    return describe(Request(call, context, float(VERSION), base, _no_subrequests), name).body


def _no_subrequests(_context: Context, _call: Call) -> Answer:
    raise AssertionError("a describe asks for nothing else")


def _left_out(source: Source, folders: Iterable[Path]) -> set[str]:
    files, objects = find_files(folders), source.schema.objects
    found = {name for name in files.objects if name.lower() not in objects}
    for folder, field in files.fields:
        for owner in SHOWN_ON.get(folder, (folder,)):
            sobject = objects.get(owner.lower())
            if sobject is None or field.lower() not in sobject.by_name:
                found.add(f"{owner}.{field}")
    return found
