"""``config.json`` of a sequence classifier that was trained on entailment, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onepass.encoding.options import ROWS, Options
from onepass.errors import CheckpointError

# Those whose head reads the first piece, the mean of all, or (BART) the last one, so that padding
# on the right plays no part.
MODEL_TYPES = (
    "bert", "deberta-v2", "albert", "bart", "camembert", "deberta", "distilbert", "electra",
    "modernbert", "mpnet", "roberta", "xlm-roberta",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NliConfig:
    """What an NLI checkpoint says about itself.

    Attributes:
        model_type: one of `MODEL_TYPES`.
        labels: of its classes, in the order of its logits.
        entailment: which of them says that the hypothesis holds.
        contradiction: which one it is weighed against.
        types: how many types of pieces its encoder tells apart.
        raw: the file as it was read.

    >>> NliConfig.from_dict(
    ...     {"model_type": "bert", "label2id": {"entailment": 0, "neutral": 1, "contradiction": 2}}
    ... ).contradiction
    2
    """

    model_type: str
    labels: tuple[str, ...]
    entailment: int
    contradiction: int
    types: int
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> NliConfig:
        """Read a published configuration.

        The rules are those of the usual zero-shot pipeline: entailment is the first label that
        starts with "entail"; it is weighed against the first class, or against the last one where
        it is the first itself.

        Raises:
            CheckpointError: for another architecture, labels that say nothing of entailment, or a
                wrong number of types.
        """
        kind = config.get("model_type")
        if kind not in MODEL_TYPES:
            raise CheckpointError(
                f"Sequence classifiers of the model_type {kind!r} are not supported; "
                f"{', '.join(MODEL_TYPES)} are."
            )
        ids = label_ids(config)
        entailment = next((i for name, i in ids.items() if is_entailment(name)), None)
        if entailment is None or sorted(ids.values()) != list(range(max(len(ids), 2))):
            raise CheckpointError(
                f"The labels of this sequence classifier are {ids!r:.200}, but for zero-shot "
                "classification two or more are needed, numbered from 0, of which one starts with "
                "'entail'; correct label2id in its config.json if it was trained on entailment."
            )
        return cls(
            model_type=str(kind),
            labels=tuple(sorted(ids, key=ids.__getitem__)),
            entailment=entailment,
            contradiction=len(ids) - 1 if entailment == 0 else 0,
            types=Options(config, "this classifier").whole(
                "type_vocab_size", _TYPES.get(str(kind), 0), least=0, most=ROWS
            ),
            raw=dict(config),
        )


_TYPES = {"bert": 2, "electra": 2, "albert": 2}  # where the configuration leaves it out


def label_ids(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of each class by its label; none where the configuration has no labels."""
    ids, names = config.get("label2id"), config.get("id2label")
    try:
        if isinstance(ids, Mapping):
            return {str(name): int(index) for name, index in ids.items()}
        if isinstance(names, Mapping):
            return {str(name): int(index) for index, name in names.items()}
    except (TypeError, ValueError, OverflowError):
        return {}
    return {}


def is_entailment(label: str) -> bool:
    """Return whether a label says that a hypothesis holds.

    >>> is_entailment("ENTAILMENT"), is_entailment("not_entailment")
    (True, False)
    """
    return label.lower().startswith("entail")
