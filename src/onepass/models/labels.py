"""Label vectors: what a separate label encoder made of some labels, kept to be used again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onepass.arrays import Float32s
from onepass.errors import CheckpointError, InputError
from onepass.hub.sharing import usual_rights
from onepass.schema import Schema


@dataclass(frozen=True, slots=True, eq=False)
class LabelVectors:
    """Labels and their vectors, of one checkpoint.

    Attributes:
        names: the names of the labels.
        texts: the words that the encoder read for each label: its description, or its name.
        vectors: the vectors, (labels, hidden).
        model: digest of the weights that made the vectors; None if it is not known.
        thresholds: the threshold of each label, None for one that has none; empty if no label has
            one.

    Raises:
        InputError: if there is not one vector a label.

    >>> LabelVectors(("person",), ("person",), np.zeros((1, 4), dtype=np.float32), None)
    LabelVectors(1 labels of 4)
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: Float32s
    model: str | None
    thresholds: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        if self.vectors.ndim != 2 or len(self.vectors) != count or len(self.texts) != count:
            raise InputError(
                f"Label vectors need one row a label, but {count} labels with {len(self.texts)} "
                f"texts and vectors of the shape {self.vectors.shape} were given."
            )
        if self.thresholds and len(self.thresholds) != count:
            raise InputError(
                f"Label vectors need one threshold a label or none at all, but {count} labels with "
                f"{len(self.thresholds)} thresholds were given."
            )

    def __repr__(self) -> str:
        return f"LabelVectors({len(self.names)} labels of {self.vectors.shape[1]})"

    def schema(self) -> Schema:
        """Return a schema that asks for these labels as entities, with their own thresholds."""
        thresholds = self.thresholds or (None,) * len(self.names)
        asked = {
            name: {"description": None if text == name else text, "threshold": threshold}
            for name, text, threshold in zip(self.names, self.texts, thresholds, strict=True)
        }
        return Schema().entities(asked)

    def save(self, path: str | Path) -> None:
        """Write them to a safetensors file.

        Args:
            path: the file to write, in a directory that is there.

        Raises:
            InputError: if it cannot be written.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file  # not needed to use vectors, nor to start

        metadata = {
            "names": json.dumps(self.names),
            "texts": json.dumps(self.texts),
            "thresholds": json.dumps(self.thresholds),
        }
        if self.model is not None:
            metadata["model"] = self.model
        vectors = np.ascontiguousarray(self.vectors, dtype=np.float32)
        try:
            with usual_rights(Path(path)):
                save_file({"vectors": vectors}, str(path), metadata=metadata)
        except (SafetensorError, OSError) as error:
            raise InputError(
                f"Label vectors cannot be written to {path} ({error}); give a file in a directory "
                "that is there."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> LabelVectors:
        """Read a file that `save` wrote.

        Raises:
            CheckpointError: if it is not such a file.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                vectors = file.get_tensor("vectors")
            names, texts = (tuple(json.loads(metadata[key])) for key in ("names", "texts"))
            thresholds = tuple(json.loads(metadata.get("thresholds", "[]")))
        except (
            SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError,
        ) as error:  # fmt: skip
            raise CheckpointError(
                f"{path} holds no label vectors ({error}); write them with LabelVectors.save()."
            ) from error
        return cls(names, texts, vectors, metadata.get("model"), thresholds)


def schema_or_labels(schema: object, labels: object) -> object:
    """Return what is asked where label vectors may be given in place of a schema.

    Args:
        schema: of any form; None if the labels alone are asked.
        labels: `LabelVectors`, or None.

    Raises:
        InputError: for anything else as labels.
    """
    if labels is None:
        return schema
    if not isinstance(labels, LabelVectors):
        raise InputError(
            f"labels takes what encode_labels() or LabelVectors.load() returned, but "
            f"{labels!r:.60} was given; names of labels go into the schema."
        )
    return labels.schema() if schema is None else schema
