"""``onepass serve``: a model as an HTTP service.

It reads options and keys; the service itself is `onepass.serving`.
"""

from __future__ import annotations

import logging
import os

from onepass.cli import loading
from onepass.cli.options import (
    Backend,
    BackendOption,
    CompileOption,
    Device,
    DeviceOption,
    ModelOption,
    Precision,
    PrecisionOption,
    RevisionOption,
    ThreadsOption,
)
from onepass.cli.output import say
from onepass.cli.redact_key import read_key
from onepass.cli.serve_options import (
    ApiKeysOption,
    BatchCharsOption,
    BatchDelayMsOption,
    BatchTextsOption,
    HostOption,
    MaxBodyBytesOption,
    MaxFoundOption,
    MaxLabelsOption,
    MaxRequestsOption,
    MaxSchemaCharsOption,
    MaxTextCharsOption,
    MaxTextsOption,
    PortOption,
    QueueSecondsOption,
    QueueTextsOption,
    RedactKeyOption,
    TimeoutOption,
)
from onepass.serving.settings import Settings

EXAMPLES = """Examples:

\b
  onepass serve
  onepass serve --model fastino/gliner2-base-v1 --host 0.0.0.0 --port 9000 --api-keys keys.txt
  curl localhost:8000/v1/extract -H 'content-type: application/json' \\
    -d '{"text": "Tim Cook runs Apple.", "schema": {"entities": ["person"]}}'
"""

_PACKAGES = ("fastapi", "uvicorn", "prometheus_client")
_OWN = Settings()  # the defaults


def serve(
    model: ModelOption = None,
    revision: RevisionOption = None,
    host: HostOption = _OWN.host,
    port: PortOption = _OWN.port,
    api_keys: ApiKeysOption = None,
    redact_key: RedactKeyOption = None,
    max_body_bytes: MaxBodyBytesOption = _OWN.max_body_bytes,
    max_text_chars: MaxTextCharsOption = _OWN.max_text_chars,
    max_schema_chars: MaxSchemaCharsOption = _OWN.max_schema_chars,
    max_labels: MaxLabelsOption = _OWN.max_labels,
    max_texts: MaxTextsOption = _OWN.max_texts,
    max_found: MaxFoundOption = _OWN.max_found,
    max_requests: MaxRequestsOption = _OWN.max_requests,
    queue_texts: QueueTextsOption = _OWN.queue_texts,
    queue_seconds: QueueSecondsOption = _OWN.queue_seconds,
    batch_chars: BatchCharsOption = _OWN.batch_chars,
    batch_texts: BatchTextsOption = _OWN.batch_texts,
    batch_delay_ms: BatchDelayMsOption = _OWN.batch_delay_ms,
    timeout: TimeoutOption = _OWN.timeout,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    device: DeviceOption = Device.AUTO,
    compiled: CompileOption = False,
) -> None:
    """Start an HTTP service: extraction, redaction, validation of schemas, health, metrics.

    GET /docs is a page about all of it. On SIGTERM or Ctrl-C it answers what it has accepted and
    then stops. Texts are never logged.
    """
    for package in _PACKAGES:
        loading.require(package, feature="The service", extra="serve")
    from onepass.serving.keys import read_keys
    from onepass.serving.run import serve as run

    settings = Settings(
        host=host,
        port=port,
        api_keys=read_keys(os.environ, api_keys),
        redact_key=read_key(redact_key),
        max_body_bytes=max_body_bytes,
        max_text_chars=max_text_chars,
        max_schema_chars=max_schema_chars,
        max_labels=max_labels,
        max_texts=max_texts,
        max_found=max_found,
        max_requests=max_requests,
        queue_texts=queue_texts,
        queue_seconds=queue_seconds,
        batch_chars=batch_chars,
        batch_texts=batch_texts,
        batch_delay_ms=batch_delay_ms,
        timeout=timeout,
    )
    chosen = loading.choice(model, backend, precision, threads, device, compiled, revision=revision)
    opened = loading.load_model(chosen)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")  # to standard error

    def started(address: str) -> None:
        count = len(settings.api_keys)
        few = {0: "no API key: all may use it", 1: "1 API key"}
        keys = few.get(count, f"{count} API keys")
        say(f"onepass serves {opened.name} at {address}, {keys}; see {address}/docs")

    run(opened, settings, started=started)
