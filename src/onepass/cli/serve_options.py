"""Options of ``onepass serve``; where it listens is also asked of ``onepass demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HostOption = Annotated[
    str, typer.Option("--host", help="The address to listen on; 0.0.0.0 is all of them.")
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="0 lets the system choose.")
]
ApiKeysOption = Annotated[
    Path | None,
    typer.Option(
        "--api-keys",
        metavar="FILE",
        help="API keys, one a line; ONEPASS_API_KEYS holds keys, too, with commas between. "
        "[default: no key is asked for]",
    ),
]
MaxBodyOption = Annotated[
    int, typer.Option("--max-body", metavar="BYTES", min=1, help="Of a request.")
]
MaxCharsOption = Annotated[int, typer.Option("--max-chars", min=1, help="Characters of a text.")]
MaxSchemaOption = Annotated[
    int, typer.Option("--max-schema", min=1, help="Characters of a schema, written as JSON.")
]
MaxLabelsOption = Annotated[
    int, typer.Option("--max-labels", min=1, help="Names that a schema asks about.")
]
MaxTextsOption = Annotated[
    int, typer.Option("--max-texts", min=1, help="Texts of a batch request.")
]
MaxFoundOption = Annotated[
    int, typer.Option("--max-found", min=1, help="Values that are found in a text.")
]
MaxRequestsOption = Annotated[
    int, typer.Option("--max-requests", min=1, help="Requests at one time; others get 429.")
]
QueueTextsOption = Annotated[
    int, typer.Option("--queue-texts", min=1, help="Texts that wait; others get 429.")
]
QueueSecondsOption = Annotated[
    float,
    typer.Option("--queue-seconds", min=0.001, help="Work that waits; other work gets 429."),
]
BatchCharsOption = Annotated[
    int,
    typer.Option("--batch-chars", min=1, help="Characters read together, schemas included."),
]
BatchTextsOption = Annotated[int, typer.Option("--batch-texts", min=1, help="Texts read together.")]
BatchDelayOption = Annotated[
    float,
    typer.Option(
        "--batch-delay", metavar="MS", min=0, help="Milliseconds a text waits for others."
    ),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.001, help="Seconds until a request gets 504.")
]
