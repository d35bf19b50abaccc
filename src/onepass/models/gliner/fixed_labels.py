"""Labels that are compressed into a checkpoint: their vectors are weights, and no prompt has them.

GLiNER makes them as means over texts (``compress_prompt_embeddings``). Texts are read without
labels then, and nothing can be asked but what is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onepass.arrays import Float32s
from onepass.backends.base import Backend
from onepass.encoding.options import Options
from onepass.errors import CheckpointError, InputError, SchemaError
from onepass.models.labels import LabelVectors
from onepass.schema import Schema
from onepass.schema.shown import shown

MODE, NAMES = "precomputed_prompts_mode", "id_to_classes"
WEIGHT = "precomputed_prompts"  # published name of the vectors, (labels, hidden)
WEIGHT_OF_TYPES = "precomputed_rel_prompts"  # likewise, of relation types
_WHO = ("UniEncoderSpan", "UniEncoderToken")
_NAMED = 20  # labels that a message lists


def fixed_labels(options: Options) -> tuple[str, ...] | None:
    """Return the labels of a checkpoint in the order of their vectors; None if it reads its labels.

    Args:
        options: of the checkpoint.

    Raises:
        CheckpointError: if the labels are not named one after another.

    >>> said = {"precomputed_prompts_mode": True, "id_to_classes": {"2": "city", "1": "person"}}
    >>> fixed_labels(Options(said, "this checkpoint"))
    ('person', 'city')
    """
    if not options.flag(MODE, False, null=False):
        return None
    found = options.mapping(NAMES) or {}
    labels = [found.get(str(number)) for number in range(1, len(found) + 1)]
    names = [label for label in labels if isinstance(label, str) and label]
    if not names or len(set(names)) < len(found):
        expected = "labels by their numbers, from 1 on"
        raise options.wrong(NAMES, expected, found)
    return tuple(names)


def check_holder(fixed: Sequence[str] | None, architecture: str) -> None:
    """Refuse labels that are compressed into a checkpoint of another kind.

    Raises:
        CheckpointError: that says which kinds may have them.
    """
    if fixed is not None and architecture not in _WHO:
        raise CheckpointError(
            f"This {architecture} checkpoint has its labels compressed into it "
            f"({MODE}), which is not supported; those of {' and '.join(_WHO)} are: use the "
            "checkpoint that it was made from."
        )


def check_asked(schema: Schema, fixed: Sequence[str]) -> None:
    """Refuse what a checkpoint cannot be asked that has no other labels than its own.

    Raises:
        SchemaError: that says which labels there are.
    """
    known = set(fixed)
    asked = [f"the question {shown(one.name)}" for one in schema.questions]
    asked += [f"the classification {shown(one.name)}" for one in schema.classification_tasks]
    asked += [f"the relation type {shown(one.name)}" for one in schema.relation_types]
    unknown = [label.name for label in schema.entity_labels if label.name not in known]
    asked += [f"the entity label {shown(name)}" for name in unknown]
    if asked:
        raise SchemaError(
            "This checkpoint answers only the entity labels that were compressed into it "
            f"({_listed(fixed)}); leave {asked[0]} to the checkpoint that it was made from."
        )


def read_fixed(
    texts: Sequence[str], fixed: Sequence[str], backend: Backend, known: LabelVectors | None
) -> Float32s:
    """Return (labels, hidden): the vectors of some of a checkpoint's labels.

    Args:
        texts: the labels.
        fixed: all of the checkpoint.
        backend: that runs its graphs.
        known: what a user gave in place of them, which is refused.

    Raises:
        InputError: for vectors of a user.
    """
    if known is not None:
        raise InputError(
            "Label vectors are for checkpoints with a label encoder, but the labels of this one "
            "are compressed into it; give it the labels themselves."
        )
    row = {label: number for number, label in enumerate(fixed)}
    rows = np.array([row[text] for text in texts], dtype=np.int64)
    vectors: Float32s = backend.run("fixed_labels", {"rows": rows})[0]
    return vectors


def _listed(labels: Sequence[str]) -> str:
    names = [shown(label) for label in labels[:_NAMED]]
    more = len(labels) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
