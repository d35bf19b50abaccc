"""The page: three tabs for one kind each, a fourth that composes them; laid out with Gradio.

What a click does is `onepass.demo.answering`. Nothing of the page is offered as an API, no run is
kept, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onepass import __version__
from onepass.demo.answering import Answering
from onepass.demo.form import (
    Asked,
    entity_part,
    one_structure,
    one_task,
    read_threshold,
    relation_part,
    structure_parts,
    task_parts,
)
from onepass.demo.samples import COMPOSED, ENTITIES, STRUCTURES, TASKS
from onepass.schema.options import Overlap

if TYPE_CHECKING:
    import gradio as gr

OVERLAPS: tuple[Overlap, ...] = ("flat", "nested", "label", "all")
CSS = """
.onepass{max-width:none}
.onepass ul{padding-left:1.2rem}
.dark .onepass{color-scheme:dark}
.refused{border-left:4px solid #b00020;padding:.5rem .8rem;margin:0}
"""
_LABELS = "One a line: label, or label = description"
_THRESHOLD = "Empty: as the model was calibrated. Or 0.4, or by name: person = 0.4, company = 0.6"
_Ask = Callable[..., Asked]


def build(answering: Answering) -> gr.Blocks:
    """Return the page of a model.

    Args:
        answering: answers what is asked.
    """
    import gradio as gr

    with gr.Blocks(title="onepass", analytics_enabled=False) as page:
        gr.Markdown(
            f"# onepass\nModel: {answering.model.name}, version {__version__}. "
            "Texts go no further than the machine that serves this page, and are not kept."
        )
        with gr.Tab("Entities"):
            _entities(answering)
        with gr.Tab("Classification"):
            _classes(answering)
        with gr.Tab("Structures"):
            _structures(answering)
        with gr.Tab("All together"):
            _composed(answering)
    return page


def _entities(answering: Answering) -> None:
    def ask(text: str, labels: str, threshold: str, overlap: Overlap) -> Asked:
        return Asked(text, (entity_part(labels),), read_threshold(threshold), overlap)

    _tab(
        answering,
        ask,
        lambda: [_text(), _lines("Labels", _LABELS), _threshold(), _overlap()],
        ENTITIES,
    )


def _classes(answering: Answering) -> None:
    import gradio as gr

    def ask(text: str, name: str, labels: str, several: bool, none: bool, least: str) -> Asked:
        task = one_task(name, labels, several=several, none=none)
        return Asked(text, (task,), read_threshold(least))

    def fields() -> list[Any]:
        return [
            _text(),
            gr.Textbox(label="Question", info="A word or two, such as sentiment"),
            _lines("Labels", _LABELS),
            gr.Checkbox(label="Several labels may hold"),
            gr.Checkbox(label="No label may hold", info="The best one must fit by itself"),
            _threshold(),
        ]

    _tab(answering, ask, fields, TASKS)


def _structures(answering: Answering) -> None:
    import gradio as gr

    def ask(text: str, name: str, fields: str, threshold: str) -> Asked:
        return Asked(text, (one_structure(name, fields),), read_threshold(threshold))

    def inputs() -> list[Any]:
        return [
            _text(),
            gr.Textbox(label="Structure", info="What one record is, such as product"),
            _lines(
                "Fields",
                "One a line: name (several values), name::str (one), name::[a|b] (a choice), each "
                "with ::description",
            ),
            _threshold(),
        ]

    _tab(answering, ask, inputs, STRUCTURES)


def _composed(answering: Answering) -> None:
    def ask(  # a field of the page each
        text: str,
        labels: str,
        tasks: str,
        structures: str,
        relations: str,
        threshold: str,
        overlap: Overlap,
    ) -> Asked:
        parts = (
            entity_part(labels),
            *task_parts(tasks),
            *structure_parts(structures),
            relation_part(relations),
        )
        return Asked(text, parts, read_threshold(threshold), overlap)

    def inputs() -> list[Any]:
        return [
            _text(),
            _lines("Labels", _LABELS, rows=3),
            _lines(
                "Classes",
                "One question a line: question = label, label; question* if several may hold; "
                "question[abstain] if none may",
                rows=2,
            ),
            _lines("Structures", "One a line: name: field, field::str, field::[a|b]", rows=2),
            _lines("Relations", "One a line: type, or type = description", rows=2),
            _threshold(),
            _overlap(),
        ]

    _tab(answering, ask, inputs, COMPOSED)


def _tab(
    answering: Answering,
    ask: _Ask,
    inputs: Callable[[], list[Any]],
    samples: Mapping[str, Sequence[str | bool]],
) -> None:
    """Lay out a tab: what is asked on the left, what was found on the right."""
    import gradio as gr

    def run(*given: Any) -> tuple[str, str, str]:
        answer = answering.answer(lambda: ask(*given))
        return answer.html, answer.json, answer.code

    with gr.Row():
        with gr.Column():
            fields = inputs()
        with gr.Column():
            button = gr.Button("Run", variant="primary")
            above = gr.Column()
            html = gr.HTML(label="Result", elem_classes="found", apply_default_css=False)
            with gr.Accordion("JSON", open=False):
                json = gr.Code(language="json", show_label=False, max_lines=30)
            with gr.Accordion("The same in Python", open=False):
                code = gr.Code(language="python", show_label=False)
    shown = [html, json, code]
    with above:
        gr.Examples(
            [list(sample) for sample in samples.values()],
            fields,
            outputs=shown,
            fn=run,
            run_on_click=True,
            cache_examples=False,
            example_labels=list(samples),
            api_visibility="private",
        )
    button.click(run, fields, shown, api_visibility="private")


def _text() -> Any:
    import gradio as gr

    return gr.Textbox(label="Text", lines=5, max_lines=20)


def _lines(label: str, info: str, *, rows: int = 5) -> Any:
    import gradio as gr

    return gr.Textbox(label=label, info=info, lines=rows, max_lines=20)


def _threshold() -> Any:
    import gradio as gr

    return gr.Textbox(label="Threshold", info=_THRESHOLD)


def _overlap() -> Any:
    import gradio as gr

    return gr.Dropdown(
        list(OVERLAPS),
        value="flat",
        label="Overlap",
        info="flat: one label a place; nested: one inside another; label: flat within each "
        "label; all: everything",
    )
