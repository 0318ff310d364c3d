"""`python -m simulator org`: the process around one org."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.org.gateway import Gateway
from simulator.org.records.autonumber import USUAL, check_format
from simulator.org.source.data import plant
from simulator.org.source.document import SourceError
from simulator.org.source.learn import Source, SourceMistakesError, learn
from simulator.org.world import Org

# Larger than the gateway's own limits, so that the gateway can refuse by itself.
MAX_LINE_BYTES = 1_000_000
MAX_BODY_BYTES = 64 * 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one org until SIGTERM or SIGINT; prints `org: ready on http://…` when it accepts."""
    parser = argparse.ArgumentParser(prog="python -m simulator org", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--strict-clients", action="store_true", help="let in demo-client / demo-secret only"
    )
    parser.add_argument(
        "--db", default=":memory:", help="store the records in this file (default: in memory)"
    )
    parser.add_argument(
        "--case-number-format",
        type=check_format,
        default=USUAL,
        help="how cases are numbered, such as CS-{00000}",
    )
    parser.add_argument(
        "--source",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="learn custom objects, fields, record types, picklist values and queues from a folder "
        "in SFDX source format, and load the records of DIR/data/*.json (sf data export tree); may "
        "be given several times",
    )
    options = parser.parse_args(argv)
    try:
        source = learn(options.source) if options.source else Source()
        org = Org(
            options.db,
            options.strict_clients,
            options.case_number_format,
            source.schema,
            partial(plant, records=source.records),
        )
    except (SourceMistakesError, SourceError) as problem:
        for line in str(problem).splitlines():
            print(f"org: {line}", file=sys.stderr)
        return 2
    for note in source.notes:
        print(f"org: note: {note}", file=sys.stderr)
    asyncio.run(serve(org, options.host, options.port))
    return 0


async def serve(org: Org, host: str, port: int) -> None:
    """Accept requests until stopped, then close open connections."""
    loop = asyncio.get_running_loop()

    def make_request(
        message: Any, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES
        )

    server = web.Server(
        Gateway(org).handle,
        request_factory=make_request,
        access_log=None,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        keepalive_timeout=75,
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address = runner.addresses[0]
    org.my_domain = f"http://{address[0]}:{address[1]}"
    print(f"org: ready on {org.my_domain}", flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()
    org.store.close()
