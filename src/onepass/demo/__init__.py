"""A page for a browser where a model can be tried without writing code.

`form` reads what stands in the form, `answering` gives what the page shows, `code` writes the
same as a program, `policy` says who may ask, `page` lays it out with Gradio (extra ``demo``) and
`run` serves it. Only the last two know Gradio.
"""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.demo.code import program
    from onepass.demo.form import (
        Asked,
        entity_part,
        relation_part,
        structure_parts,
        task_parts,
    )

_HOMES = {
    ".form": (
        "Asked",
        "entity_part",
        "relation_part",
        "structure_parts",
        "task_parts",
    ),
    ".code": ("program",),
}

__all__ = [
    "Asked",
    "entity_part",
    "program",
    "relation_part",
    "structure_parts",
    "task_parts",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
