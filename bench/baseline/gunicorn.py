"""gunicorn's settings for the webhooks beside which the service is measured."""

import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = int(os.environ["WEB_CONCURRENCY"])
worker_class = "gthread"
threads = 64
keepalive = 75
timeout = 30
accesslog = None
loglevel = "warning"
