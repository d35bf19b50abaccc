"""``onepass demo``: a page for a browser where a model can be tried.

It reads options; the page itself is `onepass.demo`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from onepass.cli import loading
from onepass.cli.options import (
    Backend,
    BackendOption,
    ModelOption,
    Precision,
    PrecisionOption,
    ThreadsOption,
)
from onepass.cli.output import say

EXAMPLES = """Examples:

\b
  onepass demo
  onepass demo --model fastino/gliner2-base-v1 --port 9000
"""


def demo(
    model: ModelOption = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; 0.0.0.0 is all of them.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 lets the system choose.")
    ] = 7860,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
) -> None:
    """Try a model in a browser: entities, classes, structures, and all of them together.

    Nothing is loaded from or sent to another machine, no text is kept. Whoever can reach the
    address can use it. Ctrl-C stops it.
    """
    loading.require("gradio", feature="The demo", extra="demo")
    from onepass.builtin import NAME
    from onepass.demo.answering import Answering
    from onepass.demo.code import opening
    from onepass.demo.run import serve

    opened = loading.load_model(model, backend=backend, precision=precision, threads=threads)
    name = None if model == NAME else model
    answering = Answering(opened, opening(name, backend=backend.value, precision=precision.value))

    def started(address: str) -> None:
        say(f"onepass demo of {opened.name} at {address}; Ctrl-C stops it")

    serve(answering, host=host, port=port, started=started)
