FROM python:3.13-slim
WORKDIR /service
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY shared shared
COPY web web
COPY workers workers
COPY cli cli
COPY agent agent
COPY vapi vapi
COPY Procfile ./
USER 10001:10001
CMD ["gunicorn", "--config", "web/gunicorn.py", "web.app:create_app()"]
