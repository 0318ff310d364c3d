FROM python:3.13.15-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
WORKDIR /service
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# requirements-otel.txt adds OpenTelemetry (docs/tracing.md).
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-otel.txt ./
RUN pip install --no-cache-dir --require-hashes -r "$REQUIREMENTS"
COPY shared shared
COPY web web
COPY workers workers
COPY cli cli
COPY agent agent
COPY Procfile ./
# A new volume for FLOWER_DB has the owner of the folder that it is mounted on.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/flower
USER 10001:10001
CMD ["gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()"]
