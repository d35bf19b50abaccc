"""A provider for LangExtract: its examples say what to find, an encoder finds it, without an LLM.

``langextract.extract(..., model_id="onepass")`` uses the built-in model, "onepass:OWNER/NAME" one
of the hub. The classes of the examples are the labels. What else an example shows (attributes)
cannot be learned from it here: the only attribute is the score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request
from onepass.errors import MissingExtra
from onepass.integrations.opening import extractor_of, schema_with_labels
from onepass.schema.options import CallOptions, OnLong, Overlap, Threshold

try:
    from langextract.core.base_model import BaseLanguageModel
    from langextract.core.data import ATTRIBUTE_SUFFIX, EXTRACTIONS_KEY, ExampleData
    from langextract.core.schema import BaseSchema
    from langextract.core.types import ScoredOutput
except ImportError as error:
    raise MissingExtra("The provider for LangExtract", "langextract") from error

if TYPE_CHECKING:
    from onepass.extractor import Extractor

_QUESTION, _ANSWER = "Q: ", "A: "  # what LangExtract puts before the parts of a prompt


class OnepassSchema(BaseSchema):
    """What the examples of LangExtract ask for.

    Args:
        labels: the classes of their extractions.
        texts: of the examples, in their order.
    """

    def __init__(self, labels: Sequence[str], texts: Sequence[str]) -> None:
        self.labels, self.texts = tuple(labels), tuple(texts)

    @classmethod
    def from_examples(
        cls, examples_data: Sequence[ExampleData], attribute_suffix: str = ATTRIBUTE_SUFFIX
    ) -> OnepassSchema:
        """Return the schema of examples; LangExtract calls it."""
        labels = dict.fromkeys(
            one.extraction_class for example in examples_data for one in example.extractions
        )
        return cls(list(labels), [example.text for example in examples_data])

    def to_provider_config(self) -> dict[str, Any]:
        """Return what the provider is made with."""
        return {"labels": list(self.labels), "examples": list(self.texts)}

    @property
    def requires_raw_output(self) -> bool:
        """Say that outputs are JSON without a fence around it."""
        return True


class OnepassLanguageModel(BaseLanguageModel):
    """Answers the prompts of LangExtract with what a onepass model finds in their question.

    Args:
        model_id: "onepass", or "onepass:" and a hub id or directory.
        labels: what to find: names, or a mapping to descriptions; LangExtract gives those of its
            examples.
        examples: the texts of the examples in the prompts; LangExtract gives them.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`. Its ``solver`` is left out: no rules join entities
            alone.
        model: an `Extractor` that is open, in place of the one that the id names.
        options: of other providers, such as a temperature; none has a meaning here.

    Raises:
        SchemaError: if there are no labels.
        InputError: for an unknown option.
    """

    def __init__(
        self,
        model_id: str = "onepass",
        *,
        labels: Sequence[str] | Mapping[str, str] = (),
        examples: Sequence[str] | None = None,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        model: Extractor | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._request = Request(
            schema_with_labels(labels), CallOptions(threshold, overlap, on_long)
        )
        self._examples = examples
        self._model = extractor_of(model or model_id.partition(":")[2] or None)
        self.set_fence_output(False)

    @staticmethod
    def get_model_patterns() -> tuple[str, ...]:
        """Return what ids of this provider look like."""
        return (r"^onepass(?::|$)",)

    @classmethod
    def get_schema_class(cls) -> type[OnepassSchema]:
        """Return what reads the examples."""
        return OnepassSchema

    def infer(
        self, batch_prompts: Sequence[str], **kwargs: Any
    ) -> Iterator[Sequence[ScoredOutput]]:
        """Yield one answer for each prompt; their questions are read together.

        Args:
            batch_prompts: as LangExtract writes them.
            kwargs: of other providers; none has a meaning here.
        """
        texts = [question(prompt, self._examples) for prompt in batch_prompts]
        for doc in self._request.many(self._model, texts):
            found = [
                {
                    entity.label: entity.text,
                    f"{entity.label}{ATTRIBUTE_SUFFIX}": {"score": f"{entity.score:.3f}"},
                }
                for entity in doc.entities
            ]
            answer = json.dumps({EXTRACTIONS_KEY: found}, ensure_ascii=False)
            yield [ScoredOutput(score=1.0, output=answer)]


def question(prompt: str, examples: Sequence[str] | None) -> str:
    r"""Return the text that a prompt asks about.

    A text may itself have lines that begin with "Q: "; the examples before it tell where it starts.

    Args:
        prompt: description, examples, and the question with an empty answer.
        examples: their texts, in their order; None if they are not known.

    >>> question("Find dogs.\n\nExamples\nQ: Bo\nA: {}\n\nQ: Al\nQ: Bo\nA: ", ["Bo"])
    'Al\nQ: Bo'
    """
    body = prompt.removesuffix(f"\n{_ANSWER}")
    mark = f"\n\n{_QUESTION}"
    start = body.rfind(mark) if examples is None else body.find(mark, _end_of(examples, body))
    return body if start < 0 else body[start + len(mark) :]


def _end_of(examples: Sequence[str], prompt: str) -> int:
    """Return where the answer to the last example starts; two examples may have one text."""
    end = 0
    for text in examples:
        shown = f"\n{_QUESTION}{text}\n{_ANSWER}"
        place = prompt.find(shown, end)
        end = len(prompt) if place < 0 else place + len(shown)
    return end
