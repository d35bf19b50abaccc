"""The frozen model that a policy should not move far away from.

It knows no family.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from onepass.schema import Schema
from onepass.training.rl.episode import Decisions
from onepass.training.rl.policy import AskedTask, Policy

_EDGE = 1e-6  # scores are not taken nearer to 0 and 1, where logits have no end


class Reference(Protocol):
    """What a policy is compared with."""

    def logits(self, batch: Any, asked: Sequence[AskedTask], what: Decisions) -> torch.Tensor:
        """Return (texts, labels) logits; at padding they may be anything.

        Args:
            batch: that the policy made of the passes.
            asked: the passes.
            what: they are to decide.
        """


class FrozenCopy:
    """The network of a policy as it was when this was made.

    Args:
        policy: whose network is copied.

    Attributes:
        network: the copy.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.network = copy.deepcopy(policy.network).eval().requires_grad_(False)

    def logits(self, batch: Any, asked: Sequence[AskedTask], what: Decisions) -> torch.Tensor:
        with torch.no_grad():
            return self._policy.logits(self.network, batch, what.mask)


class OtherModel:
    """Any checkpoint that the library opens: a zero-shot classifier that is asked the same.

    Args:
        model: a directory or a hub id.
        threads: of the CPU.

    Raises:
        CheckpointError: if there is no such checkpoint.
    """

    def __init__(self, model: str, *, threads: int | None = None) -> None:
        from onepass.extractor import Extractor  # most runs do without

        self._model = Extractor.from_pretrained(model, threads=threads)

    def logits(self, batch: Any, asked: Sequence[AskedTask], what: Decisions) -> torch.Tensor:
        found = torch.full(what.mask.shape, 0.5)
        found[what.mask.cpu()] = torch.tensor([score for one in asked for score in self._of(one)])
        return torch.logit(found, _EDGE).to(what.mask.device)

    def _of(self, asked: AskedTask) -> list[float]:
        """Return the score of each label of a pass, by itself."""
        task = asked.question.schema.classification_tasks[0]
        schema = Schema().classification(
            task.name,
            {task.labels[item].name: task.labels[item].description for item in asked.items},
            multi_label=True,
            prompt=task.prompt,
        )
        scores = self._model.extract(asked.question.text, schema).classifications[task.name].scores
        return [scores[name] for name in asked.labels]
