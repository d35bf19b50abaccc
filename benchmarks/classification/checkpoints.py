"""Random checkpoints of the size of DeBERTa-v3-base (or tiny), and texts and labels for them.

Weights are random: they say nothing about quality, and take as long as trained ones. The tokenizer
is small, and every word of `WORDS` is one piece to it; the embedding has its full size.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.common.encoders import (  # noqa: E402
    BASE,
    TINY,
    Size,
    encoder_config,
    write_tokenizer,
)
from tests.gliclass_checkpoints import MARKERS, make_reference, save_reference  # noqa: E402
from tokenizers import (  # noqa: E402
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

__all__ = ["BASE", "TINY", "Size"]  # where the other files of this benchmark find them

_WORDS = """
art bank bread bridge city cloud coast court dance east engine farm film fire fish flag forest game
garden gold health horse house island law light market moon mountain music north ocean paper police
price rain river road school ship silver south space spring storm summer train water west winter
"""
WORDS = tuple(_WORDS.split())
PIECES_A_LABEL = 3  # two words and the marker
_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
_HYPOTHESIS = ("this", "example", "is", ".")


def tokenizer(markers: Sequence[str] = ()) -> Tokenizer:
    """Return the tokenizer of all checkpoints, with some markers as special tokens."""
    pieces = [*_SPECIAL, *_HYPOTHESIS, *WORDS]
    made = Tokenizer(models.WordLevel({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens([AddedToken(one, special=True) for one in (*_SPECIAL, *markers)])
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return made


def make_gliclass(directory: Path, size: Size) -> Path:
    """Write a uni-encoder, labels first, with the reference library; return where it is."""
    own = tokenizer(MARKERS)
    ids = [own.token_to_id(marker) for marker in MARKERS]
    model = make_reference(
        encoder_config=encoder_config(size), vocab_size=size.vocabulary, hidden_size=size.hidden,
        class_token_index=ids[0], text_token_index=ids[1], example_token_index=ids[2],
        prompt_first=True, scorer_type="mlp",
    )  # fmt: skip
    save_reference(model, directory)
    return write_tokenizer(directory, own)


def make_nli(directory: Path, size: Size) -> Path:
    """Write a classifier of entailment with transformers; return where it is."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    labels = ("contradiction", "neutral", "entailment")
    config = AutoConfig.for_model(
        **encoder_config(size), id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForSequenceClassification.from_config(config)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:  # far enough from nothing that scores differ
                    weight.copy_(torch.randn_like(weight) * weight.shape[-1] ** -0.5)
    model.eval().save_pretrained(str(directory))
    return write_tokenizer(directory, tokenizer())


def make_texts(count: int, pieces: int) -> list[str]:
    """Return different texts of exactly so many pieces, always the same ones."""
    chosen = random.Random(pieces)
    return [" ".join(chosen.choices(WORDS, k=pieces)) for _ in range(count)]


def make_labels(count: int) -> list[str]:
    """Return different labels of two words each."""
    pairs = [f"{a} {b}" for a in WORDS for b in WORDS if a < b]
    return random.Random(0).sample(pairs, count)
