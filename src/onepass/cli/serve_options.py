"""Options of ``onepass serve``; where it listens is also asked of ``onepass demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onepass.cli.redact_key import VARIABLE

HostOption = Annotated[
    str,
    typer.Option("--host", help="Address to listen on; 0.0.0.0 is every address of this machine."),
]
PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        metavar="N",
        min=0,
        max=65535,
        help="Port to listen on; with 0 the system chooses one.",
    ),
]
ApiKeysOption = Annotated[
    Path | None,
    typer.Option(
        "--api-keys",
        metavar="FILE",
        help="File of API keys, one per line; ONEPASS_API_KEYS may hold more, separated by commas. "
        "[default: no key is asked for]",
    ),
]
RedactKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--redact-key",
        metavar="FILE",
        help="File with the secret key by which redacted values are hashed. "
        f"[default: what {VARIABLE} holds]",
    ),
]
MaxBodyBytesOption = Annotated[
    int,
    typer.Option("--max-body-bytes", metavar="N", min=1, help="Largest request body, in bytes."),
]
MaxTextCharsOption = Annotated[
    int, typer.Option("--max-text-chars", metavar="N", min=1, help="Longest text, in characters.")
]
MaxSchemaCharsOption = Annotated[
    int,
    typer.Option(
        "--max-schema-chars", metavar="N", min=1, help="Longest schema, in characters of its JSON."
    ),
]
MaxLabelsOption = Annotated[
    int,
    typer.Option(
        "--max-labels",
        metavar="N",
        min=1,
        help="Most labels, fields, choices and relation types in one schema.",
    ),
]
MaxTextsOption = Annotated[
    int, typer.Option("--max-texts", metavar="N", min=1, help="Most texts in one batch request.")
]
MaxFoundOption = Annotated[
    int, typer.Option("--max-found", metavar="N", min=1, help="Most values found in one text.")
]
MaxRequestsOption = Annotated[
    int,
    typer.Option(
        "--max-requests", metavar="N", min=1, help="Most requests at one time; others get 429."
    ),
]
QueueTextsOption = Annotated[
    int,
    typer.Option(
        "--queue-texts", metavar="N", min=1, help="Most texts in the queue; others get 429."
    ),
]
QueueSecondsOption = Annotated[
    float,
    typer.Option(
        "--queue-seconds",
        metavar="SECONDS",
        min=0.001,
        help="Longest queue, in seconds of work; more work gets 429.",
    ),
]
BatchCharsOption = Annotated[
    int,
    typer.Option(
        "--batch-chars",
        metavar="N",
        min=1,
        help="Most characters read together, schemas included.",
    ),
]
BatchTextsOption = Annotated[
    int, typer.Option("--batch-texts", metavar="N", min=1, help="Most texts read together.")
]
BatchDelayMsOption = Annotated[
    float,
    typer.Option(
        "--batch-delay-ms",
        metavar="MS",
        min=0,
        help="Longest wait of a text for others to be read with it, in milliseconds.",
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.001,
        help="Longest time of a request, in seconds; then the answer is 504.",
    ),
]
