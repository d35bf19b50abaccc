"""The prompts that ask a schema of a model, made once and kept; and vectors of labels.

It does not know texts.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from onepass.backends.base import Backend
from onepass.errors import InputError
from onepass.hub import Checkpoint
from onepass.hub.exports import graphs_fingerprint, weights_fingerprint
from onepass.models.family import Closer, Model, Prompt
from onepass.models.labels import LabelVectors
from onepass.models.readable import check_readable, names_of
from onepass.schema import Label, Schema

_PLANS = 64  # schemas whose prompts are kept


class Plan(NamedTuple):
    """How a schema is asked.

    Attributes:
        prompts: the passes that ask all of it.
        closer: what is asked once more in shorter windows; None if nothing is.
    """

    prompts: Sequence[Prompt]
    closer: Closer | None


class Plans:
    """The plans of the last few schemas; may be used from several threads.

    Args:
        model: an opened checkpoint.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.opening import open_backend
    >>> from onepass.models.registry import read_model
    >>> checkpoint = builtin_checkpoint()
    >>> model = read_model(checkpoint)
    >>> plans, backend = Plans(model), open_backend(model, checkpoint)
    >>> schema = Schema().entities(["person"])
    >>> plans.of(schema, backend) is plans.of(schema.copy(), backend)
    True
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept: OrderedDict[tuple[Schema, LabelVectors | None], Plan] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def budget(self) -> int:
        """Pieces that a prompt may have: the rest is for the text."""
        return self._model.limits.pieces // 2

    def of(self, schema: Schema, backend: Backend, vectors: LabelVectors | None = None) -> Plan:
        """Return the plan of a schema.

        Args:
            schema: that nobody changes any more.
            backend: that runs the graphs of the model.
            vectors: of labels that need not be encoded again.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for vectors that are not for this model.
        """
        key = (schema, vectors)
        with self._lock:
            plan = self._kept.get(key)
            if plan is not None:
                self._kept.move_to_end(key)
        if plan is None:
            # Outside the lock: a plan may run a label encoder. Two threads may make the same one.
            plan = self._made(schema, backend, vectors)
            with self._lock:
                self._kept[key] = plan
                while len(self._kept) > _PLANS:
                    self._kept.popitem(last=False)
        if vectors is not None:
            self._check(vectors)
        return plan

    def _made(self, schema: Schema, backend: Backend, vectors: LabelVectors | None) -> Plan:
        model = self._model
        family, settings = model.family, model.settings
        planned = family.plan(schema, model.tokenizer, settings, self.budget)
        check_readable(names_of(schema), model.tokenizer)
        prompts = family.prepare(planned, settings, backend, vectors)
        closer = family.closer(schema, model.tokenizer, settings, self.budget)
        if closer is not None:
            again = family.prepare(closer.prompts, settings, backend, vectors)
            closer = replace(closer, prompts=again)
        return Plan(prompts, closer)

    def encode_labels(self, labels: Sequence[Label], backend: Backend) -> LabelVectors:
        """Return the vectors that a separate label encoder makes of labels.

        Raises:
            InputError: if this checkpoint has no label encoder.
        """
        family = self._model.family
        if family.encode_labels is None:
            raise InputError(
                f"A {family.name} checkpoint has no label encoder: its labels are read together "
                "with each text."
            )
        texts, vectors = family.encode_labels(labels, self._model.settings, backend)
        names = tuple(label.name for label in labels)
        own = tuple(label.threshold for label in labels)
        thresholds = own if any(one is not None for one in own) else ()
        return LabelVectors(names, tuple(texts), vectors, self._fingerprint, thresholds)

    def _check(self, vectors: LabelVectors) -> None:
        """Refuse vectors of another model."""
        if None not in (vectors.model, self._fingerprint) and vectors.model != self._fingerprint:
            raise InputError(
                f"The label vectors were made by another checkpoint than {self._model.name}; make "
                "them again with its encode_labels()."
            )

    @cached_property
    def _fingerprint(self) -> str | None:
        """Digest of the weights, which label vectors carry; that of the graphs without them."""
        checkpoint = Checkpoint(self._model.directory, self._model.name, None)
        return weights_fingerprint(checkpoint) or graphs_fingerprint(checkpoint)
