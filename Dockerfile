# syntax=docker/dockerfile:1
# The service in a small image for CPUs: no torch, the built-in model inside, no network needed.
#
#   docker build -t onepass .
#   docker run --rm --read-only --tmpfs /tmp -p 8000:8000 -e ONEPASS_API_KEYS=... onepass
#
# Another checkpoint: mount its directory (with ONNX graphs beside it, see `onepass export`) and add
# `--model /models/mine` to the command.

FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN python -m venv /opt/onepass \
    && /opt/onepass/bin/pip install --no-cache-dir '.[serve]' \
    && /opt/onepass/bin/pip uninstall --yes pip

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin onepass
COPY --from=build /opt/onepass /opt/onepass
ENV PATH=/opt/onepass/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HOME=/tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
# SIGTERM lets the service finish what it accepted; give it longer than its --timeout to do so.
STOPSIGNAL SIGTERM
ENTRYPOINT ["onepass", "serve", "--host", "0.0.0.0", "--port", "8000"]
