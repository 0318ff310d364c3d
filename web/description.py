"""GET /openapi.json: what every route of this process takes and answers, as OpenAPI 3.1.

The description is a file, and a test compares it with the routes and their answers.
"""

from pathlib import Path

from flask import Blueprint, Response

blueprint = Blueprint("description", __name__)

FILE = Path(__file__).with_name("openapi.json")

_TEXT = FILE.read_bytes()


@blueprint.get("/openapi.json")
def description() -> Response:
    return Response(_TEXT, mimetype="application/json")
