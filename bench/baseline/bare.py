"""A Flask view that checks the signature, parses the JSON, and stores nothing."""

import hashlib
import hmac
import json
import os

from flask import Flask, Response, abort, request

SECRET = os.environ["VAPI_SERVER_SECRET"].encode()

app = Flask(__name__)


@app.post("/webhook/vapi")
def webhook() -> Response:
    body = request.get_data()
    signed = request.headers["x-timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(request.headers["x-signature"], expected):
        abort(401)
    json.loads(body)
    return Response("{}", content_type="application/json")
