"""``onepass serve``: a model as an HTTP service.

It reads options and keys; the service itself is `onepass.serving`.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

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
    ThreadsOption,
)
from onepass.cli.output import say
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
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; 0.0.0.0 is all of them.")
    ] = _OWN.host,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 lets the system choose.")
    ] = _OWN.port,
    api_keys: Annotated[
        Path | None,
        typer.Option(
            "--api-keys",
            metavar="FILE",
            help="API keys, one a line; ONEPASS_API_KEYS holds keys, too, with commas between. "
            "[default: no key is asked for]",
        ),
    ] = None,
    max_body: Annotated[
        int, typer.Option("--max-body", metavar="BYTES", min=1, help="Of a request.")
    ] = _OWN.body_bytes,
    max_chars: Annotated[
        int, typer.Option("--max-chars", min=1, help="Characters of a text.")
    ] = _OWN.text_chars,
    max_schema: Annotated[
        int, typer.Option("--max-schema", min=1, help="Characters of a schema, written as JSON.")
    ] = _OWN.schema_chars,
    max_labels: Annotated[
        int, typer.Option("--max-labels", min=1, help="Names that a schema asks about.")
    ] = _OWN.labels,
    max_texts: Annotated[
        int, typer.Option("--max-texts", min=1, help="Texts of a batch request.")
    ] = _OWN.texts,
    max_found: Annotated[
        int, typer.Option("--max-found", min=1, help="Values that are found in a text.")
    ] = _OWN.found,
    max_requests: Annotated[
        int, typer.Option("--max-requests", min=1, help="Requests at one time; others get 429.")
    ] = _OWN.requests,
    queue_texts: Annotated[
        int, typer.Option("--queue-texts", min=1, help="Texts that wait; others get 429.")
    ] = _OWN.queue_texts,
    queue_seconds: Annotated[
        float,
        typer.Option("--queue-seconds", min=0.001, help="Work that waits; other work gets 429."),
    ] = _OWN.queue_seconds,
    batch_chars: Annotated[
        int,
        typer.Option("--batch-chars", min=1, help="Characters read together, schemas included."),
    ] = _OWN.batch_chars,
    batch_texts: Annotated[
        int, typer.Option("--batch-texts", min=1, help="Texts read together.")
    ] = _OWN.batch_texts,
    batch_delay: Annotated[
        float,
        typer.Option(
            "--batch-delay", metavar="MS", min=0, help="Milliseconds a text waits for others."
        ),
    ] = _OWN.batch_delay * 1000,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.001, help="Seconds until a request gets 504.")
    ] = _OWN.timeout,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    device: DeviceOption = Device.AUTO,
    compiled: CompileOption = False,
) -> None:
    """Answer HTTP requests: extraction, validation of schemas, health, metrics.

    GET /docs is a page about all of it. SIGTERM or Ctrl-C stops it after it has answered what it
    accepted. Texts are never logged.
    """
    for package in _PACKAGES:
        loading.require(package, feature="The service", extra="serve")
    from onepass.serving.keys import read_keys
    from onepass.serving.run import serve as run

    settings = Settings(
        host=host,
        port=port,
        keys=read_keys(os.environ, api_keys),
        body_bytes=max_body,
        text_chars=max_chars,
        schema_chars=max_schema,
        labels=max_labels,
        texts=max_texts,
        found=max_found,
        requests=max_requests,
        queue_texts=queue_texts,
        queue_seconds=queue_seconds,
        batch_chars=batch_chars,
        batch_texts=batch_texts,
        batch_delay=batch_delay / 1000,
        timeout=timeout,
    )
    opened = loading.load_model(
        model,
        backend=backend,
        precision=precision,
        threads=threads,
        device=device,
        compiled=compiled,
    )
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")  # to standard error

    def started(address: str) -> None:
        keys = f"{len(settings.keys)} API keys" if settings.keys else "no API key: all may use it"
        say(f"onepass serves {opened.name} at {address}, {keys}; see {address}/docs")

    run(opened, settings, started=started)
