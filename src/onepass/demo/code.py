"""The Python program that asks what the page asked, for people to copy.

It is written from the same values as the call; run, it gives the same result. It does not know the
page.
"""

from __future__ import annotations

from collections.abc import Iterator

from onepass.demo.form import Asked
from onepass.models.choosing import BackendName, Precision

_WIDTH = 84  # characters of a piece of text, before its quotes
_BUILT_IN = "Extractor()"


def opening(
    name: str | None,
    *,
    backend: BackendName = "auto",
    precision: Precision = "auto",
    revision: str | None = None,
) -> str:
    """Return the expression that opens a model.

    Args:
        name: of a checkpoint; None for the built-in model.
        backend: as it was asked for.
        precision: as it was asked for.
        revision: of a model of the hub.

    >>> opening(None), opening("fastino/gliner2-base-v1", precision="int8")
    ('Extractor()', "Extractor.from_pretrained('fastino/gliner2-base-v1', precision='int8')")
    """
    options = [f"backend={backend!r}"] if backend != "auto" else []
    options += [f"precision={precision!r}"] if precision != "auto" else []
    options += [f"revision={revision!r}"] if revision is not None else []
    if name is None:
        return f"Extractor({', '.join(options)})"
    return f"Extractor.from_pretrained({', '.join([repr(name), *options])})"


def program(asked: Asked, opened: str = _BUILT_IN) -> str:
    r"""Return the Python program that asks the same.

    Args:
        asked: the question.
        opened: the expression that opens the model, as `opening` returns it.

    >>> from onepass.demo.form import entity_part
    >>> print(program(Asked("Ann runs Acme.", (entity_part("person"),), threshold=0.4)))
    from onepass import Extractor, Schema
    <BLANKLINE>
    text = 'Ann runs Acme.'
    schema = (
        Schema()
        .entities(['person'])
    )
    model = Extractor()
    doc = model.extract(text, schema, threshold=0.4)
    print(doc.to_json(indent=2))
    <BLANKLINE>
    """
    calls = [repr(part).removeprefix("Schema()") for part in asked.parts if not part.is_empty]
    schema = "\n".join(["    Schema()", *(f"    {call}" for call in calls)])
    options = "" if asked.threshold is None else f", threshold={asked.threshold!r}"
    options += "" if asked.overlap == "flat" else f", overlap={asked.overlap!r}"
    return (
        "from onepass import Extractor, Schema\n\n"
        f"text = {_literal(asked.text)}\n"
        f"schema = (\n{schema}\n)\n"
        f"model = {opened}\n"
        f"doc = model.extract(text, schema{options})\n"
        "print(doc.to_json(indent=2))\n"
    )


def _literal(text: str) -> str:
    """Return a text as an expression of lines that can be read."""
    pieces = [piece for line in text.splitlines(keepends=True) for piece in _pieces(line)]
    if len(pieces) < 2:
        return repr(text)  # which escapes what cannot be printed, lone surrogates included
    return "(\n" + "".join(f"    {piece!r}\n" for piece in pieces) + ")"


def _pieces(line: str) -> Iterator[str]:
    """Yield a line in pieces that end behind a space, if there is one."""
    while len(line) > _WIDTH:
        end = line.rfind(" ", 0, _WIDTH) + 1 or _WIDTH
        yield line[:end]
        line = line[end:]
    yield line
