"""Flower's settings.

It shows who does what to whom, so it does not start without a password. Its buttons and API could
stop workers, and start tasks with any arguments, so they are off unless FLOWER_READ_ONLY is false.
"""

import os
import sys
from typing import Any

from celery import states
from tornado.options import options

from shared.listening import refuse_taken_port
from shared.settings import load_settings

_settings = load_settings().ops
_auth = _settings.flower_basic_auth
if not _auth:
    wanted = _settings.must_be("flower_basic_auth")
    sys.exit(f"settings refused: FLOWER_BASIC_AUTH is missing; it must be {wanted}")
if not options.unix_socket:
    refuse_taken_port(options.address, options.port, server="Flower", setting="FLOWER_PORT")

read_only = _settings.flower_read_only
basic_auth = [_auth.get_secret_value()]

if _file := _settings.flower_db:
    if not os.access(os.path.dirname(_file) or ".", os.W_OK | os.X_OK):
        sys.exit(f"settings refused: FLOWER_DB must be {_settings.must_be('flower_db')}")
    persistent, db = True, _file
    # Written whole each time, some 2 MB for max_tasks; a process that is killed loses a minute.
    state_save_interval = 60_000

# A delivery that waits is RETRY, and one that parked something is FAILURE (workers/tasks.py).
tasks_columns = "name,args,state,result,received,runtime,worker"


def format_task(task: Any) -> Any:
    """What became of a task is in one column, whichever way Celery reports it."""
    if task.state in (states.RETRY, states.FAILURE):
        task.result = task.exception
    elif task.result:
        task.result = task.result.strip("'")  # Celery shows the text as Python writes it
    return task


# What it remembers of finished tasks and of workers; its own default is 100,000 tasks.
max_tasks = 2_000
max_workers = 100
purge_offline_workers = 60  # names of workers that are gone would pile up in its metrics
