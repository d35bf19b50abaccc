"""The facade: a model that reads texts under a schema.

It checks what it is given and says what the public names are; the work is done by
`onepass.models.reader.Reader`. Questions of one kind are in `onepass.shortcuts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from onepass.errors import InputError
from onepass.hub.options import HubOptions
from onepass.models.batching import budget_of
from onepass.models.choosing import BackendName, Device, Precision, Wanted
from onepass.models.kept import Kept
from onepass.models.labels import LabelVectors, schema_or_labels
from onepass.models.named_options import named_options
from onepass.models.opening import Opening, device_of, open_backend, open_lanes
from onepass.models.reader import Planned, Reader
from onepass.models.registry import read_model
from onepass.models.session import Session
from onepass.models.texts import Texts, checked_texts, read_all, read_list
from onepass.results.types import Extraction
from onepass.schema import Schema
from onepass.schema.leaves import Labels
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold, unit_number
from onepass.schema.reading import SchemaLike
from onepass.shortcuts import Shortcuts
from onepass.text.splitters import load_splitter
from onepass.typed.result import TypedExtraction

if TYPE_CHECKING:
    from pydantic import BaseModel

    from onepass.results.missed import Explanation
    from onepass.typed.plan import TypedPlan

M = TypeVar("M", bound="BaseModel")


class Extractor(Shortcuts):
    """A model that finds entities, classes, records and relations in texts.

    ``Extractor()`` is the model that comes with the package; `from_pretrained` opens any other. One
    object may be used from several threads. A copy or a pickle says how the model was opened, but
    for its token, and is opened anew: in another process, or on another machine.

    Args:
        backend: "auto", "onnx", "openvino" or "torch"; see `onepass.models.choosing` for what
            "auto" means.
        precision: "auto" or "int8", which are the graphs that come with the package; in torch also
            "fp32", "bf16" or "fp16", with weights that are read back from them.
        threads: the number of threads of one run; None means all physical cores that the process
            may use.
        device: "auto", "cpu" or "cuda", for torch.
        compiled: whether torch compiles what it runs.

    Raises:
        BackendError: for an unknown backend or precision, or one that is not to be had here.
        MissingExtra: if a package is needed and not installed.

    >>> doc = Extractor().extract("Tim Cook runs Apple in Cupertino.", {"entities": ["person"]})
    >>> [entity.text for entity in doc.entities]
    ['Tim Cook']
    """

    @named_options
    def __init__(
        self,
        *,
        backend: BackendName = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
        device: Device = "auto",
        compiled: bool = False,
    ) -> None:
        self._open(Opening("builtin", Wanted(backend, precision, threads, device, compiled)))

    @classmethod
    def from_pretrained(  # noqa: PLR0913  all that can be said of how a checkpoint is run
        cls,
        name: str | Path,
        *,
        backend: BackendName = "auto",
        precision: Precision = "auto",
        threads: int | None = None,
        device: Device = "auto",
        compiled: bool = False,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> Extractor:
        """Open a checkpoint.

        Args:
            name: a directory, a hub id ("owner/name"), or "builtin" for the built-in model; a
                directory of that name is "./builtin".
            backend: "auto", "onnx", "openvino" or "torch"; "auto" is the faster one of "onnx" and
                "openvino", or "torch" for what these do not run (docs/backends.md).
            precision: "auto", "fp32", "bf16" (OpenVINO, torch), "fp16" (torch on a GPU) or "int8"
                (ONNX Runtime, OpenVINO); "auto" is exact, unless there are int8 graphs whose loss
                was measured.
            threads: the number of threads of one run; None means all physical cores that the
                process may use.
            device: "auto", "cpu" or "cuda", for torch.
            compiled: whether torch compiles what it runs: the first texts take minutes, those after
                them less time.
            revision: branch, tag or commit on the hub; None for its main branch.
            cache_dir: the directory of downloads; None for the cache of huggingface_hub.
            token: an access token for private or gated checkpoints.
            local_files_only: whether to leave the network alone and read the cache only.

        Raises:
            CheckpointError: if it is not there, incomplete or of an unsupported kind.
            BackendError: for an unknown backend or precision, or one that is not to be had here.
            MissingExtra: if a package is needed and not installed.

        >>> Extractor.from_pretrained("builtin", backend="onnx")
        Extractor('builtin', gliner2, onnx)
        """
        wanted = Wanted(backend, precision, threads, device, compiled)  # refused before a download
        hub = HubOptions(cache_dir, token, local_files_only)
        return cls._of(Opening(name, wanted, hub, revision))

    @classmethod
    def _of(cls, opening: Opening) -> Extractor:
        """Return a model that is opened so."""
        self = cls.__new__(cls)
        self._open(opening)
        return self if opening.calibrated else self.uncalibrated()

    def _open(self, opening: Opening) -> None:
        checkpoint, wanted = opening.checkpoint(), opening.wanted
        model = read_model(checkpoint, opening.hub)
        if model.kept.splitter is not None:  # what it needs is told before a graph is made or read
            load_splitter(model.kept.splitter)
        backend = open_backend(model, checkpoint, wanted)
        batching = budget_of(device_of(backend, wanted))
        self._reader = Reader(model, backend, batching, open_lanes(backend))
        self._opening = opening.without_token()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._opening,)

    def __repr__(self) -> str:
        return f"Extractor({self.name!r}, {self.family}, {self._reader.backend.name})"

    @property
    def name(self) -> str:
        """Return the hub id or directory of the checkpoint, or "builtin"."""
        return self._reader.model.name

    @property
    def family(self) -> str:
        """Return the family of the checkpoint."""
        return self._reader.model.family.name

    @property
    def backend(self) -> str:
        """Return what runs the graphs: "onnx", "openvino" or "torch"."""
        return self._reader.backend.name

    @property
    def precision(self) -> str:
        """Return "fp32", "bf16", "fp16" or "int8"."""
        return self._reader.backend.precision

    @property
    def max_pieces(self) -> int:
        """Return the longest sequence that is read at once, prompt included."""
        return self._reader.model.limits.pieces

    @property
    def kept(self) -> Kept:
        """Return what the checkpoint carries beside its weights: thresholds, calibration."""
        return self._reader.model.kept

    def uncalibrated(self) -> Extractor:
        """Return the same model with its scores as the network gives them, and no thresholds.

        Nothing is opened again. This is what a calibration is fitted on.

        >>> model = Extractor()
        >>> schema, text = {"entities": ["person"]}, "Tim Cook runs Apple."
        >>> found = [one.extract(text, schema).entities[0] for one in (model, model.uncalibrated())]
        >>> found[0].score == found[1].score
        False
        """
        own = self._reader
        plain = self.__class__.__new__(self.__class__)
        model = replace(own.model, kept=own.model.kept.uncalibrated())
        plain._reader = Reader(model, own.backend, own.batching, own.lanes)
        plain._opening = replace(self._opening, calibrated=False)
        return plain

    # -- extraction --------------------------------------------------------------------------

    # The third of each four is for what may be one text or several. A string is an iterable of
    # strings, too, so that the kinds of text overlap.
    # fmt: off
    @overload
    def extract(  # type: ignore[overload-overlap]
        self, text: str, schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> TypedExtraction[M]: ...
    @overload
    def extract(
        self, text: Texts, schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> list[TypedExtraction[M]]: ...
    @overload
    def extract(  # type: ignore[overload-overlap]
        self, text: str | Texts, schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> TypedExtraction[M] | list[TypedExtraction[M]]: ...
    @overload
    def extract(
        self, text: Iterable[str], schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> list[TypedExtraction[M]]: ...
    @overload
    def extract(  # type: ignore[overload-overlap]
        self, text: str, schema: SchemaLike | None = None, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> Extraction: ...
    @overload
    def extract(
        self, text: Texts, schema: SchemaLike | None = None, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> list[Extraction]: ...
    @overload
    def extract(  # type: ignore[overload-overlap]
        self, text: str | Texts, schema: SchemaLike | None = None, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> Extraction | list[Extraction]: ...
    @overload
    def extract(
        self, text: Iterable[str], schema: SchemaLike | None = None, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> list[Extraction]: ...
    # fmt: on

    def extract(
        self,
        text: str | Iterable[str],
        schema: object = None,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        labels: LabelVectors | None = None,
        solver: Solver = "greedy",
    ) -> Extraction | Sequence[Extraction]:
        """Find what a schema asks for.

        Args:
            text: one text, or any iterable of texts.
            schema: a `Schema`, its JSON form (dict or string), a pydantic model class or the JSON
                Schema of an object (the results are then `onepass.typed.TypedExtraction`s); may be
                left out if ``labels`` are given, which are then the entity labels.
            threshold: a number for everything, or numbers by kind ("entities", "classifications",
                "records", "choices", "relations") or by name; None means what the checkpoint was
                calibrated to. Thresholds of the schema's own labels and fields come first.
            overlap: the entities that may share words: "flat" (one label a place), "label" (flat
                within each label), "nested" (no crossing) or "all".
            on_long: texts longer than the window are read in overlapping windows ("window"),
                refused ("error") or cut ("truncate").
            labels: label vectors from `encode_labels`; these labels are not encoded again.
            solver: the way in which entities, relations and values of records are chosen where
                rules join them: "greedy", or "exact" for the best sum of scores.

        Returns:
            An `Extraction`, or a list of them in the order of the texts.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a text that is not a string, or an unknown option.
            TextTooLong: for a long text if ``on_long`` is "error".
            MissingExtra: if the exact solver or a library that reads values is not installed.

        >>> model = Extractor()
        >>> docs = model.extract(["Ann Lee left.", "It rained."], {"entities": ["person"]})
        >>> [[entity.text for entity in doc.entities] for doc in docs]
        [['Ann Lee'], []]
        """
        options = CallOptions(threshold, overlap, on_long, solver)
        plan, asked = self._asked(schema, options, labels)
        if isinstance(text, str):
            return read_list(self._reader, [text], asked, plan)[0]
        texts = list(checked_texts(text))  # a wrong one is found before anything is read
        return read_list(self._reader, texts, asked, plan)

    # fmt: off
    @overload
    def stream(
        self, texts: Iterable[str], schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> Iterator[TypedExtraction[M]]: ...
    @overload
    def stream(
        self, texts: Iterable[str], schema: SchemaLike | None = None, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", labels: LabelVectors | None = None, solver: Solver = "greedy",
    ) -> Iterator[Extraction]: ...
    # fmt: on

    def stream(
        self,
        texts: Iterable[str],
        schema: object = None,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        labels: LabelVectors | None = None,
        solver: Solver = "greedy",
    ) -> Iterator[Extraction]:
        """Yield the extraction of each text, in order, holding only a few texts at a time.

        Args:
            texts: any iterable of strings; it is read as results are taken. If it fails, or holds
                what is refused, the results of all texts before that are yielded first.
            schema: as in `extract`.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.
            labels: as in `extract`.
            solver: as in `extract`.

        Raises:
            SchemaError, InputError, TextTooLong, MissingExtra: as `extract` does.

        >>> docs = Extractor().stream(iter(["Ann Lee left."]), {"entities": ["person"]})
        >>> [entity.text for doc in docs for entity in doc.entities]
        ['Ann Lee']
        """
        options = CallOptions(threshold, overlap, on_long, solver)
        plan, asked = self._asked(schema, options, labels)
        if isinstance(texts, str):
            raise InputError(
                f"The texts must be a list or another iterable of strings, but the one string "
                f"{texts!r:.60} was given; put it into a list."
            )
        all_there = isinstance(texts, Sequence)  # before they are checked one by one
        return read_all(self._reader, checked_texts(texts), asked, plan, all_there=all_there)

    def session(
        self,
        schema: object = None,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        labels: LabelVectors | None = None,
        solver: Solver = "greedy",
    ) -> Session:
        """Begin to read a text that comes piece by piece.

        Args:
            schema: as in `extract`.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.
            labels: as in `extract`.
            solver: as in `extract`.

        Returns:
            A `onepass.Session`; its ``add`` takes the next piece and returns what
            is found in the text so far.

        Raises:
            SchemaError, InputError, MissingExtra: as `extract` does.

        >>> session = Extractor().session({"entities": ["city"]})
        >>> [len(session.add(piece).entities) for piece in ("From Bon", "n to ", "Oslo.")]
        [1, 1, 2]
        """
        options = CallOptions(threshold, overlap, on_long, solver)
        plan, asked = self._asked(schema, options, labels)
        return Session(self._reader, asked, plan)

    def explain(
        self,
        text: str,
        schema: object = None,
        *,
        floor: float = 0.1,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        labels: LabelVectors | None = None,
        solver: Solver = "greedy",
    ) -> Explanation:
        """Find what a schema asks for in a text, and say what was nearly found and why it was not.

        The text is read twice. Classes are not explained: an answer has the score of each label.

        Args:
            text: one text.
            schema: as in `extract`; of a pydantic model, the fields are asked and nothing is made.
            floor: the lowest score of a candidate that is shown, from 0 to 1.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.
            labels: as in `extract`.
            solver: as in `extract`.

        Returns:
            The extraction, and candidates that are not kept, best first. A part of a kept finding,
            or what goes beyond it, is none if it has the same name and scores too little itself.

        Raises:
            SchemaError, InputError, TextTooLong, MissingExtra: as `extract` does.

        >>> model, schema = Extractor(), {"entities": ["city", "place"]}
        >>> told = model.explain("Ann Lee is in Bonn.", schema, floor=0.01)
        >>> told.extraction.entities[0].label, told.missed[0].name, told.missed[0].found.text
        ('city', 'place', 'Bonn')
        """
        from onepass.models.explain import explain  # rarely wanted

        floor = unit_number(floor, "floor")
        options = CallOptions(threshold, overlap, on_long, solver)
        _, asked = self._asked(schema, options, labels)
        return explain(self._reader, _one_text(text), asked, floor)

    def _asked(
        self, schema: object, options: CallOptions, labels: LabelVectors | None
    ) -> tuple[TypedPlan | None, Planned]:
        """Return what is made of the answers, None for a plain schema, and what is asked."""
        plan = None
        if not isinstance(schema, Schema):
            from onepass.typed.plan import typed_plan  # loads the readers of values

            plan = typed_plan(schema)
        whole = schema_or_labels(schema if plan is None else plan.schema, labels)
        return plan, self._reader.ask(whole, options, labels)

    def encode_labels(self, labels: Labels) -> LabelVectors:
        """Return the vectors of labels, for checkpoints with a label encoder (bi-encoders).

        They are made once and can be saved; ``extract(text, labels=vectors)`` uses them.

        Args:
            labels: a list, or a mapping to descriptions.

        Raises:
            SchemaError: for labels that cannot be asked.
            InputError: if this checkpoint has no label encoder.
        """
        return self._reader.encode_labels(Schema().entities(labels).entity_labels)

    def _one(self, text: str, schema: Schema, options: CallOptions) -> Extraction:
        """Return the extraction of what must be a single text."""
        asked = self._reader.ask(schema, options)
        return read_list(self._reader, [_one_text(text)], asked, None)[0]


def _one_text(text: object) -> str:
    """Refuse what is not a single text."""
    if not isinstance(text, str):
        raise InputError(
            f"A shortcut reads one text, but a {type(text).__name__} was given; use extract() or "
            "stream() for several."
        )
    return text
