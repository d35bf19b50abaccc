"""What goes over the wire, as pydantic models: requests are checked by them, answers described.

Limits that depend on the settings are not theirs to keep.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import BaseModel, ConfigDict, FailFast, Field

from onepass.decoding.consistency_solve import SECONDS
from onepass.models.thresholds import KINDS
from onepass.redact import PII
from onepass.redact import Options as Redaction
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Replacement = Literal["mask", "label", "hash", "pseudonym"]
Asked = Annotated[
    dict[str, Any],
    Field(
        description="What to find: entities, classifications, structures, relations, questions.",
        json_schema_extra={"examples": [{"entities": ["person", "company"]}]},
    ),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Options(_Request):
    """What every extraction has, whatever the number of texts."""

    asked: Asked = Field(alias="schema")
    threshold: Share | dict[str, Share] | None = Field(
        None,
        description="Least score of what is found: one number, or numbers by kind "
        f"({', '.join(KINDS)}) or by name. Null: what the checkpoint was calibrated to.",
    )
    overlap: Overlap = Field("flat", description="Which entities may share words.")
    on_long: OnLong = Field(
        "window",
        description="A text longer than the model's window: read in windows, refused, cut.",
    )
    solver: Solver = Field(
        "greedy",
        description="How findings are chosen that rules of the schema join: best first, or the "
        f"best sum of scores that is found in {SECONDS:g} seconds a text, if the service has the "
        "extra 'exact'.",
    )

    def options(self) -> CallOptions:
        """Return how the model is asked."""
        return CallOptions(self.threshold, self.overlap, self.on_long, self.solver)


class ExtractRequest(Options):
    """One text."""

    text: str = Field(examples=["Tim Cook announced the iPhone 15 in Cupertino."])


class BatchRequest(Options):
    """Several texts, of which the same is asked."""

    # One wrong text is reason enough; each of very many would hold up all clients.
    texts: Annotated[list[str], FailFast()] = Field(
        min_length=1, examples=[["Tim Cook runs Apple.", "Ann Lee lives in Oslo."]]
    )


class RedactOptions(_Request):
    """What is replaced in a text, and by what; as `onepass.redact.Options`."""

    labels: Annotated[list[str], MinLen(1)] | Annotated[dict[str, str], MinLen(1)] | None = Field(
        None,
        description="What to look for: names, or names with descriptions. Null: names, addresses, "
        "numbers and secrets of people.",
        examples=[["person", "email", "phone number"]],
    )
    action: Replacement | dict[str, Replacement] = Field(
        "label",
        description="What stands in its place: stars, its label, a hash by the key of the service, "
        'or a pseudonym; or one for each label, of which "" stands for all others.',
    )
    faker: str | None = Field(
        None, description="A locale whose names are pseudonyms, such as en_US. Null: numbers."
    )
    threshold: Share | None = Field(
        None, description="Least score of what the model finds. Null: low, so that little stays."
    )
    patterns: bool = Field(
        True, description="Whether fixed forms (e-mail, links, cards) are looked for, too."
    )
    region: str | None = Field(
        None, description="Country of phone numbers without its code, such as DE."
    )

    def options(self, key: bytes | None) -> Redaction:
        """Return how texts are redacted.

        Args:
            key: of the service.
        """
        return Redaction(
            PII if self.labels is None else self.labels,
            self.action, key, self.faker, self.threshold, self.patterns, self.region,
        )  # fmt: skip


class RedactRequest(RedactOptions):
    """One text."""

    text: str = Field(examples=["Write to Anna Weiss, anna@example.com."])


class RedactBatchRequest(RedactOptions):
    """Several texts, in which one value has one pseudonym."""

    texts: Annotated[list[str], FailFast()] = Field(
        min_length=1, examples=[["Anna Weiss called.", "Ask Anna Weiss."]]
    )


class SchemaRequest(_Request):
    """A schema to look at."""

    asked: Asked = Field(alias="schema")


class Problem(BaseModel):
    """Why there is no answer."""

    code: str
    message: str


class ProblemAnswer(BaseModel):
    """The answer to a request that was refused."""

    error: Problem


class Found(BaseModel):
    """A span of the text; a choice has no offsets."""

    text: str
    start: int | None
    end: int | None
    score: float


class FoundEntity(BaseModel):
    """A mention; offsets count characters (Unicode code points), the end is not included."""

    label: str
    text: str
    start: int
    end: int
    score: float


class FoundLabel(BaseModel):
    """A label and its score."""

    label: str
    score: float


class FoundClasses(BaseModel):
    """The answer to one classification task."""

    model_config = ConfigDict(extra="allow")

    labels: list[FoundLabel]
    scores: dict[str, float]


class FoundRelation(BaseModel):
    """A directed pair."""

    type: str
    head: Found
    tail: Found
    score: float


class Read(BaseModel):
    """How much of the text was read."""

    chars: int
    chars_read: int
    windows: int
    truncated: bool


class ExtractAnswer(BaseModel):
    """What was found in one text; more than max_found of the service is refused."""

    text: str
    entities: list[FoundEntity]
    classifications: dict[str, FoundClasses]
    records: dict[str, list[dict[str, Found | list[Found] | None]]]
    relations: list[FoundRelation]
    coverage: Read


class BatchAnswer(BaseModel):
    """One result a text, in their order; one that could not be answered has an error instead."""

    results: list[ExtractAnswer | ProblemAnswer]


class Replaced(BaseModel):
    """A place that was replaced, without what stood there."""

    label: str
    start: int = Field(description="In the text that was given.")
    end: int
    score: float
    source: Literal["model", "pattern", "repeat"]
    check: bool | None = Field(description="Whether its check digits are right, if it has any.")
    action: Replacement
    replacement: str
    at: int = Field(description="Where the replacement begins in the new text.")


class RedactAnswer(BaseModel):
    """A text after the replacements."""

    text: str
    found: list[Replaced]
    coverage: Read


class RedactBatchAnswer(BaseModel):
    """One result a text, in their order; one that could not be answered has an error instead."""

    results: list[RedactAnswer | ProblemAnswer]


class SchemaAnswer(BaseModel):
    """Whether a schema can be asked of this model."""

    valid: bool
    schema_: dict[str, Any] | None = Field(alias="schema", description="In its canonical form.")
    labels: int | None = Field(description="How many names it asks about.")
    error: Problem | None


class ModelAnswer(BaseModel):
    """A model."""

    name: str
    family: str
    backend: str
    precision: str
    max_pieces: int = Field(description="The longest sequence that is read at once.")


class Limits(BaseModel):
    """The limits of a request, by the names of `onepass.serving.Settings` and of its flags."""

    max_body_bytes: int
    max_text_chars: int
    max_texts: int
    max_schema_chars: int
    max_labels: int
    max_found: int


class ModelsAnswer(BaseModel):
    """The model of this service, and the limits of a request."""

    models: list[ModelAnswer]
    limits: Limits


class StateAnswer(BaseModel):
    """How the service is."""

    status: Literal["ok", "ready", "not ready"]
