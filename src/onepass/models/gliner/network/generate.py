"""The part of a GLiNER checkpoint that generates labels: a causal language model.

It reads one vector (of a span, or in prompt mode of a label's marker), then the pieces of the
span's words, and writes a label. Rows of different length are padded on the left, behind a mask and
with positions that count from the first real step, so that no row knows of the others. It runs in
torch only and never runs code that comes with a checkpoint.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from onepass.decoding.trie import Trie
from onepass.errors import CheckpointError
from onepass.models.gliner.network.beams import Search, beam_search
from onepass.nn.backbones.foreign import in_one_line, read_config
from onepass.nn.keymap import Entry, Rename
from onepass.nn.mlp import Mlp, mlp_keys

_THEIRS = "decoder.decoder_layer.model."
_AT_ONCE = 32  # rows that are generated together


class LabelDecoder(nn.Module):
    """A causal language model that starts from the vectors of another network.

    Args:
        config: its transformers configuration, ``labels_decoder_config`` of a checkpoint.
        hidden: size of the vectors that it starts from.
        dropout: of the projection, while training.

    Raises:
        CheckpointError: for remote code, an unknown ``model_type``, values that transformers
            refuses, or a model that cannot go on from what it has read.

    >>> sizes = {"vocab_size": 9, "n_embd": 8, "n_head": 2, "n_layer": 1}
    >>> decoder = LabelDecoder({"model_type": "gpt2", "eos_token_id": 0, **sizes}, 4).eval()
    >>> states, pieces = torch.zeros(2, 4), torch.tensor([[3, 4], [5, -1]])
    >>> ids, scores = decoder.generate(states, pieces, Search(end=0, trie=Trie([(1,), (1, 2)])))
    >>> ids.shape[:2], scores.shape
    (torch.Size([2, 1]), torch.Size([2, 1]))
    """

    def __init__(self, config: Mapping[str, Any], hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.model = _build(read_config({"model_type": "gpt2", **config}, "decoder"))
        self.size = int(self.model.config.hidden_size)
        self.inward = None
        if hidden != self.size:
            self.inward = Mlp(hidden, 4 * self.size, self.size, dropout)
        self._takes = frozenset(inspect.signature(self.model.forward).parameters)
        if not {"inputs_embeds", "past_key_values"} <= self._takes:
            raise CheckpointError(
                f"The decoder {self.model.config.model_type!r} cannot start from vectors or go on "
                "from what it has read; expected a causal language model with attention."
            )

    @property
    def most_steps(self) -> int | None:
        """Longest sequence, start and label together, None where there is no limit."""
        options = self.model.config.to_dict()
        return options.get("max_position_embeddings", options.get("n_positions"))

    def prefixes(
        self, states: torch.Tensor, pieces: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what a label is generated from.

        Args:
            states: (rows, hidden) vectors of spans; in prompt mode those of label markers.
            pieces: (rows, depth) ids of the pieces of the span's words, in the vocabulary of the
                decoder, -1 behind the last; depth 0 in prompt mode and without full context.

        Returns:
            Vectors (rows, steps, size) and a mask (rows, steps), both padded on the left.
        """
        if self.inward is not None:
            states = self.inward(states)
        counts = (pieces >= 0).sum(1)  # (rows,)
        longest = int(counts.max()) if len(counts) else 0
        places = torch.arange(longest + 1, device=pieces.device) - (longest - counts)[:, None] - 1
        taken = functional.pad(pieces, (0, 1), value=0).gather(1, places.clamp(min=0))
        read = self._embed(taken)  # (rows, steps, size)
        inputs = torch.where((places == -1)[:, :, None], states[:, None].to(read.dtype), read)
        mask = places >= -1
        return inputs.masked_fill(~mask[:, :, None], 0.0), mask.long()

    def loss(
        self, states: torch.Tensor, pieces: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """Return the cross-entropy of the pieces of all labels, summed.

        Args:
            states: as for `prefixes`.
            pieces: as for `prefixes`.
            targets: (rows, steps) ids of each label with the piece that ends it, -1 behind.
        """
        inputs, mask = self.prefixes(states, self._cut(pieces, targets.shape[1]))
        if not len(targets):
            return inputs.sum()  # zero, and a part of the graph
        real = targets >= 0
        written = self._embed(targets[:, :-1].clamp(min=0))
        inputs = torch.cat([inputs, written], dim=1)
        mask = torch.cat([mask, real[:, :-1].to(mask.dtype)], dim=1)
        out = self._run(mask, inputs_embeds=inputs, use_cache=False)
        logits = out.logits[:, -targets.shape[1] :]
        return functional.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-1, reduction="sum"
        )

    @torch.no_grad()
    def generate(
        self, states: torch.Tensor, pieces: torch.Tensor, search: Search
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the labels of each row.

        Args:
            states: as for `prefixes`; no rows are no labels.
            pieces: as for `prefixes`.
            search: how many, how long, and which ones are allowed.

        Returns:
            Ids (rows, sequences, steps) without the piece that ends a label, -1 behind the last,
            and log-probabilities (rows, sequences) under the model, best first. Where a row has
            fewer labels (because only a few are allowed) there are -1 and minus infinity.
        """
        ids = [states.new_zeros((0, search.sequences, 0), dtype=torch.int64)]
        scores = [states.new_zeros((0, search.sequences), dtype=torch.float32)]
        for start in range(0, len(states), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            found = self._generate(states[part], pieces[part], search)
            ids.append(found[0])
            scores.append(found[1])
        longest = max(one.shape[2] for one in ids)
        padded = [functional.pad(one, (0, longest - one.shape[2]), value=-1) for one in ids]
        return torch.cat(padded), torch.cat(scores)

    def _generate(
        self, states: torch.Tensor, pieces: torch.Tensor, search: Search
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, mask = self.prefixes(states, self._cut(pieces, search.most))
        last = {"logits_to_keep": 1} if "logits_to_keep" in self._takes else {}
        out = self._run(mask, inputs_embeds=inputs, use_cache=True, **last)
        cache = out.past_key_values
        cache.batch_repeat_interleave(search.width)
        mask = mask.repeat_interleave(search.width, 0)  # (rows * beams, steps)

        def advance(ids: torch.Tensor, origins: torch.Tensor) -> torch.Tensor:
            nonlocal mask
            cache.reorder_cache(origins)  # the beams of a row have one mask
            mask = functional.pad(mask, (0, 1), value=1)
            step = self._run(mask, input_ids=ids[:, None], past_key_values=cache, use_cache=True)
            return step.logits[:, -1]

        return beam_search(out.logits[:, -1], advance, len(states), search)

    def _run(self, mask: torch.Tensor, **inputs: Any) -> Any:
        """Run the model on vectors, or on ids behind what its cache holds."""
        if "position_ids" in self._takes:
            steps = inputs["input_ids" if "input_ids" in inputs else "inputs_embeds"].shape[1]
            inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)[:, -steps:]
        return self.model(attention_mask=mask, **inputs)

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model.get_input_embeddings()(ids)

    def _cut(self, pieces: torch.Tensor, label: int) -> torch.Tensor:
        """Return the first pieces that fit beside the vector and a label."""
        if self.most_steps is None:
            return pieces
        return pieces[:, : max(self.most_steps - label - 1, 0)]

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours; tied weights have all their names."""
        table = [Rename(_THEIRS + name, f"model.{name}") for name in self.model.state_dict()]
        if self.inward is not None:
            table += mlp_keys("_enc2dec_proj", "inward", 3)
        return tuple(table)

    def aliases(self) -> dict[str, str]:
        """Return the published names of tied weights: one that files leave out to one they hold.

        Files hold tied weights once and say so in their metadata, but not all of them do.
        """
        names: dict[int, list[str]] = {}
        for name, parameter in self.model.named_parameters(remove_duplicate=False):
            names.setdefault(id(parameter), []).append(_THEIRS + name)
        tied = [sorted(several) for several in names.values()]
        return {other: kept for kept, *others in tied for other in others}


def restore_aliases(
    state: Mapping[str, torch.Tensor], aliases: Mapping[str, str]
) -> dict[str, torch.Tensor]:
    """Return published weights with both names of each tied pair, whichever the file holds.

    >>> sorted(restore_aliases({"head": torch.zeros(1)}, {"words": "head"}))
    ['head', 'words']
    """
    whole = dict(state)
    for one, other in aliases.items():
        if one in whole:
            whole.setdefault(other, whole[one])
        elif other in whole:
            whole[one] = whole[other]
    return whole


def as_graph(
    decoder: LabelDecoder,
    states: torch.Tensor,
    pieces: torch.Tensor,
    allowed: torch.Tensor,
    limits: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Generate with arrays only, which is what a backend passes.

    Args:
        decoder: of the checkpoint.
        states: as for `LabelDecoder.prefixes`.
        pieces: as for `LabelDecoder.prefixes`.
        allowed: (names, steps) ids of the labels allowed, -1 behind the last; no names allow all.
        limits: (4,): the piece that ends a label, sequences, beams, and most pieces of a label.

    Returns:
        As `LabelDecoder.generate`.
    """
    end, sequences, beams, steps = (int(one) for one in limits)
    names = [[one for one in row if one >= 0] for row in allowed.tolist()]
    trie = Trie(names) if names else None
    search = Search(end=end, sequences=sequences, beams=beams, steps=steps, trie=trie)
    return decoder.generate(states, pieces, search)


def _build(config: PretrainedConfig) -> PreTrainedModel:
    try:
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:  # each transformers version has exceptions of its own for this
        raise CheckpointError(
            f"transformers cannot build a decoder {config.model_type!r} that generates text: "
            f"{in_one_line(error)}"
        ) from error
