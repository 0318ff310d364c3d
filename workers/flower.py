"""Flower's settings. It shows who does what to whom, so it does not start without a password."""

import sys

from shared.settings import load_settings

_auth = load_settings().flower_basic_auth
if not _auth:
    sys.exit("settings refused: FLOWER_BASIC_AUTH is missing (user:password)")

basic_auth = [_auth.get_secret_value()]

# What it remembers of finished tasks and of workers; its own default is 100,000 tasks.
max_tasks = 2_000
max_workers = 100
purge_offline_workers = 60  # names of workers that are gone would pile up in its metrics
