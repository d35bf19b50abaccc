"""Held-out texts that show what a network says, of a checkpoint of any family.

It knows the seam to the families, not the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from onepass.builtin import named
from onepass.corpus.example import Example
from onepass.models.registry import read_model
from onepass.text.words import Splitter
from onepass.training.families import answered
from onepass.training.fewshot import is_asked
from onepass.training.holdout import whole_question
from onepass.training.live import LiveBackend
from onepass.training.samples import Samples


def open_samples(
    examples: Sequence[Example],
    count: int,
    model: str,
    network: Any,
    *,
    classes: bool = False,
    splitter: Splitter | None = None,
    revision: str | None = None,
) -> Samples:
    """Return a few held-out texts that show what a network says.

    Args:
        examples: of which some are chosen.
        count: how many.
        model: directory or hub id of the checkpoint that the network started from.
        network: that is trained.
        classes: whether only classifications are shown.
        splitter: of words, in place of the one that the checkpoint names.
        revision: branch, tag or commit of the checkpoint on the hub.
    """
    opened = read_model(named(model, revision))
    kept = replace(opened.kept, splitter=splitter or opened.kept.splitter)
    opened = replace(opened, kept=kept)
    keep = answered(model, revision)
    own = [keep(one) for one in examples]
    if classes:
        own = [Example(one.text, classifications=one.classifications) for one in own]
    graphs = opened.family.graphs(opened.settings)
    return Samples(
        [one for one in own if is_asked(one)],
        count,
        opened,
        lambda: LiveBackend(network.graphs(), graphs, network),
        lambda one: whole_question(one).schema,
    )
