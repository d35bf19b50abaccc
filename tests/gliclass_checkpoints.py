"""Tiny random GLiClass networks made by the reference library, and prompts for them in ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

HIDDEN, VOCABULARY = 32, 60
PAD, CLS, SEP = 0, 1, 2  # of every tiny encoder
LABEL, TEXT, EXAMPLE = 57, 58, 59  # the markers
_COMMON = {
    "vocab_size": VOCABULARY, "hidden_size": HIDDEN, "num_hidden_layers": 3,
    "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 160,
    "pad_token_id": PAD,
}  # fmt: skip
ENCODERS: Mapping[str, Mapping[str, Any]] = {
    "bert": {"model_type": "bert", **_COMMON},
    "deberta-v2": {
        "model_type": "deberta-v2", **_COMMON, "relative_attention": True, "position_buckets": 16,
        "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True,
        "type_vocab_size": 0, "position_biased_input": False,
    },
    "modernbert": {
        "model_type": "modernbert", **_COMMON, "global_attn_every_n_layers": 2,
        "local_attention": 8, "bos_token_id": CLS, "eos_token_id": SEP, "cls_token_id": CLS,
        "sep_token_id": SEP,
    },
    "t5": {
        "model_type": "t5", "vocab_size": VOCABULARY, "d_model": HIDDEN, "d_kv": 8, "d_ff": 48,
        "num_layers": 3, "num_heads": 4, "pad_token_id": PAD,
    },
    "qwen3": {"model_type": "qwen3", **_COMMON, "num_key_value_heads": 2, "head_dim": 8},
}  # fmt: skip
DECODER = {"encoder": "qwen3", "architecture_type": "decoder-kv"}
AGAIN = {"recurrent_steps": 3, "recurrent_read_text": True, "recurrent_halt_threshold": 0.0}
LABEL_ENCODER = {**ENCODERS["bert"], "hidden_size": 24, "num_hidden_layers": 2}


def make_reference(
    *, encoder: str = "deberta-v2", label_encoder: str = "bert", seed: int = 0, **options: Any
) -> Any:
    """Return a model of the reference library with weights far from nothing.

    Args:
        encoder: of texts, one of `ENCODERS`.
        label_encoder: likewise, of labels, for bi-encoders.
        seed: of all weights.
        options: what ``config.json`` says beside.
    """
    from gliclass import GLiClassModel, GLiClassModelConfig

    labels: dict[str, Any] = {}
    if options.get("architecture_type", "").startswith("bi-encoder"):
        own = LABEL_ENCODER if label_encoder == "bert" else ENCODERS[label_encoder]
        labels = {"label_model_name": "labels", "label_model_config": deepcopy(dict(own))}
    config = GLiClassModelConfig(
        **{
            "encoder_config": deepcopy(dict(ENCODERS[encoder])), "encoder_model": "text",
            "class_token_index": LABEL, "text_token_index": TEXT, "example_token_index": EXAMPLE,
            "sep_token_index": options.get("text_token_index", TEXT), "scorer_num_heads": 4,
            "scorer_mlp_hidden_size": 40, **labels, **options,
        }
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GLiClassModel(config).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if name.endswith("logit_scale"):
                    continue
                norm = weight.ndim == 1 and bool(weight.mean() > 0.5)
                backbones = ("encoder_model.", "label_encoder.", "decoder_model.")
                gain = 1.0 if any(part in name for part in backbones) else 1.2
                if config.scorer_type == "simple" and name.endswith("linear_2.weight"):
                    gain = 0.5  # a sum over products of these
                spread = 0.1 if weight.ndim == 1 else gain * weight.shape[1] ** -0.5
                weight.copy_(spread * torch.randn_like(weight) + float(norm))
    return model


def save_reference(model: Any, directory: Path) -> Path:
    """Write a model with the reference library and return where it is."""
    model.save_pretrained(str(directory), safe_serialization=True)
    return directory


@dataclass(frozen=True)
class Prompt:
    """One text with its labels, as ids, and where its parts stand.

    Attributes:
        ids: of the pieces.
        markers: place of each label's marker.
        text: place of the marker behind the labels.
        examples: place of the first example's marker, None without examples.
    """

    ids: tuple[int, ...]
    markers: tuple[int, ...]
    text: int
    examples: int | None = None

    def ranges(self, *, average: bool, marker: bool, last: int | None = None) -> list[list[int]]:
        """Return the half-open range of the pieces of each label's vector.

        Args:
            average: whether all pieces of a label are averaged.
            marker: whether its marker counts.
            last: where the last label ends; None for the marker behind the labels.
        """
        ends = [*self.markers[1:], self.text if last is None else last]
        if average:
            starts = self.markers if marker else tuple(place + 1 for place in self.markers)
            return [list(pair) for pair in zip(starts, ends, strict=True)]
        places = self.markers if marker else tuple(place + 1 for place in self.markers)
        return [[place, place + 1] for place in places]

    def text_mask(self, *, features: bool) -> list[int]:
        """Return 1 at the pieces that the text's vector is of."""
        return [int(not features or i >= self.text) for i in range(len(self.ids))]


def make_prompt(
    labels: Sequence[int], words: int, *, first: bool = True, examples: int = 0, seed: int = 0
) -> Prompt:
    """Return labels of so many pieces each and a text of so many.

    Args:
        labels: pieces of each label.
        words: pieces of the text.
        first: whether labels stand before the text.
        examples: pieces of an example.
        seed: of the pieces.
    """
    generator = torch.Generator().manual_seed(seed)

    def some(count: int) -> list[int]:
        return torch.randint(5, LABEL, (count,), generator=generator).tolist()

    ids = [CLS] if first else [CLS, *some(words)]
    markers = []
    for pieces in labels:
        markers.append(len(ids))
        ids += [LABEL, *some(pieces)]
    text = len(ids)
    ids += [TEXT, *(some(words) if first else some(2))]
    begin = len(ids) if examples else None
    if examples:
        ids += [EXAMPLE, *some(examples)]
    return Prompt((*ids, SEP), tuple(markers), text, begin)


MARKERS = ("<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>")


def write_checkpoint(
    directory: Path,
    *,
    encoder: str = "bert",
    pieces: str = "wordpiece",
    calm: bool = False,
    **options: Any,
) -> tuple[Any, Any]:
    """Write a whole checkpoint with the reference library and return its model and tokenizer.

    Args:
        directory: receives the checkpoint, with a tokenizer for labels where they have an encoder.
        encoder: of texts, one of `ENCODERS`.
        pieces: one of `tests.tiny_tokenizers.TOKENIZERS`.
        calm: whether nothing is dropped while it is trained.
        options: what ``config.json`` says beside.
    """
    from tokenizers import AddedToken

    from tests.tiny_tokenizers import TOKENIZERS

    tokenizer = TOKENIZERS[pieces]()
    tokenizer.add_special_tokens([AddedToken(marker, special=True) for marker in MARKERS])
    ids = [tokenizer.token_to_id(marker) for marker in MARKERS]
    size: dict[str, Any] = {"vocab_size": tokenizer.get_vocab_size()}
    if calm:
        names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout_rate")
        size |= dict.fromkeys(names, 0.0)
        options |= {"dropout": 0.0}
    own = deepcopy(dict(ENCODERS[encoder])) | size
    own["max_position_embeddings"] = 512
    labelled = options.get("architecture_type", "").startswith("bi-encoder")
    if labelled:
        options["label_model_config"] = deepcopy(dict(LABEL_ENCODER)) | size
    model = make_reference(
        encoder=encoder, encoder_config=own, class_token_index=ids[0], text_token_index=ids[1],
        example_token_index=ids[2], **options,
    )  # fmt: skip
    save_reference(model, directory)
    for part in (".", "label_tokenizer") if labelled else (".",):
        (directory / part).mkdir(exist_ok=True)
        tokenizer.save(str(directory / part / "tokenizer.json"))
    return model, tokenizer
