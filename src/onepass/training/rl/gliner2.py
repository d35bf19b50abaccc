"""How GLiNER2 networks decide: each label of a task by the classifier behind its marker."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from onepass.corpus.question import Question
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import encode_batch, run_network
from onepass.models.gliner2.targets import Asked, Targets


class Gliner2Decides:
    """See `onepass.training.rl.policy.Decides`."""

    def hidden(self, network: Gliner2Network) -> int:
        """Return the size of the encoder's vectors."""
        return network.hidden

    def items(self, question: Question, asked: Asked) -> Sequence[int]:
        """Return the places of all labels: a pass asks the whole task."""
        return range(len(question.schema.classification_tasks[0].labels))

    def logits(self, network: Gliner2Network, batch: Targets) -> torch.Tensor:
        """Return (passes, labels) logits."""
        found = run_network(network, batch).classes
        assert found is not None  # every pass asks one task
        return found

    def vectors(self, network: Gliner2Network, batch: Targets) -> torch.Tensor:
        """Return (passes, hidden): the vector of the marker in front of each task."""
        _, states = encode_batch(network, batch.batch)  # (passes, markers, hidden)
        columns = torch.tensor([group.marker for group in batch.classes], device=states.device)
        return states[torch.arange(len(columns), device=states.device), columns]
