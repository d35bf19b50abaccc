"""``onepass demo``: a page for a browser where a model can be tried.

It reads options; the page itself is `onepass.demo`.
"""

from __future__ import annotations

from onepass.cli import loading
from onepass.cli.options import (
    Backend,
    BackendOption,
    ModelOption,
    Precision,
    PrecisionOption,
    RevisionOption,
    ThreadsOption,
)
from onepass.cli.output import say
from onepass.cli.serve_options import HostOption, PortOption

EXAMPLES = """Examples:

\b
  onepass demo
  onepass demo --model fastino/gliner2-base-v1 --port 9000
"""


def demo(
    model: ModelOption = None,
    revision: RevisionOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 7860,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
) -> None:
    """Open a web page to try a model: entities, classes, records, and all of them together.

    The page loads nothing from other machines, sends nothing to them and keeps no text. Whoever
    can reach the address can use it. Ctrl-C stops it.
    """
    loading.require("gradio", feature="The demo", extra="demo")
    from onepass.builtin import NAME
    from onepass.demo.answering import Answering
    from onepass.demo.code import opening
    from onepass.demo.run import serve

    chosen = loading.choice(model, backend, precision, threads, revision=revision)
    opened = loading.load_model(chosen)
    name = None if model == NAME else model
    code = opening(name, backend=backend.value, precision=precision.value, revision=revision)
    answering = Answering(opened, code)

    def started(address: str) -> None:
        say(f"onepass demo of {opened.name} at {address}; Ctrl-C stops it")

    serve(answering, host=host, port=port, started=started)
