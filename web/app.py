"""The Flask application, put together. gunicorn calls `create_app()` in each worker, and
`create_ops_app()` in that of OPS_PORT."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from shared import logs
from shared.logs import log
from shared.settings import Settings, load_settings
from shared.tracing import start_recording
from web import console, description, health, hosts, oauth, twilio, webhook
from web.service import Service


class Application(Flask):
    """Flask, except for the webhook, which is plain WSGI."""

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] in webhook.PATHS:
            return webhook.respond(self.extensions["service"], environ, start_response)
        return super().wsgi_app(environ, start_response)


def create_app(settings: Settings | None = None) -> Flask:
    """Raises SettingsError, which names every variable that is missing or unsafe."""
    logs.configure()
    settings = settings or load_settings()
    start_recording(settings.ops.otlp_endpoint, "web")
    app = _with_service(Application(__name__, static_folder=None), settings)
    app.register_blueprint(oauth.blueprint)
    app.register_blueprint(twilio.blueprint)
    app.register_blueprint(description.blueprint)
    if settings.console.users and settings.ops.port is None:
        app.register_blueprint(console.blueprint)
    return app


def create_ops_app(settings: Settings | None = None) -> Flask:
    """What is served on OPS_PORT: console, figures and health, without the webhook.

    The port is for operators alone, so figures and health ask for no token, and only its own hosts
    are answered. It is reached directly: no proxy adds the client's address. Raises SettingsError.
    """
    logs.configure()
    settings = settings or load_settings()
    web = settings.web.model_copy(update={"trusted_proxy_count": 0})
    settings = settings.model_copy(update={"web": web})
    app = _with_service(Flask(__name__, static_folder=None), settings)
    app.extensions[health.FOR_OPERATORS] = True
    app.before_request(hosts.refuse_others)
    if settings.console.users:
        app.register_blueprint(console.blueprint)
    return app


def _with_service(app: Flask, settings: Settings) -> Flask:
    app.register_error_handler(Exception, _failed)
    app.extensions["service"] = Service.from_settings(settings)
    app.register_blueprint(health.blueprint)
    return app


def _failed(error: Exception) -> HTTPException | Response:
    """A defect of ours: Flask's own log line would quote the request."""
    if isinstance(error, HTTPException):
        return error
    log.exception("request_failed")
    return Response(status=500)
