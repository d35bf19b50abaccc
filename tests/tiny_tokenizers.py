"""Tiny tokenizers of the kinds that published encoders have, with frames for one and two texts."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tokenizers import (
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from tests.tiny import LETTERS, SIGNS, WORDS

LINES = (
    "tim cook runs apple in paris and rome . the price of a great person costs 9 !",
    "This example is sports, news; art? It is not about red, green or blue colors.",
    "The iPhone isn't calm: works for a bad company (in Cupertino) since 1976...",
)
_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def wordpiece() -> Tokenizer:
    """Return one as BERT has it: lower case, signs apart, parts of words with "##"."""
    pieces = [*_BERT, *WORDS.split(), *LETTERS, *SIGNS, *(f"##{one}" for one in LETTERS)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _BERT])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def unigram() -> Tokenizer:
    """Return one as DeBERTa-v3 has it: pieces of sentencepiece, spaces as part of words."""
    tokenizer = Tokenizer(models.Unigram(_unigrams(), unk_id=_BERT.index("[UNK]")))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _BERT])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def _unigrams() -> list[tuple[str, float]]:
    """Return pieces with their scores: what stands often in the lines, always the same."""
    words = [f"\u2581{word}" for line in LINES for word in line.split()]
    found = Counter(
        word[start:end]
        for word in words
        for start in range(len(word))
        for end in range(start + 1, min(start + 6, len(word)) + 1)
    )
    single = {piece: n for piece, n in found.items() if len(piece) == 1}
    longer = {piece: n * len(piece) for piece, n in found.items() if len(piece) > 1 and n > 1}
    best = sorted(longer, key=lambda piece: (-longer[piece], piece))[:100]
    total = sum(found.values())
    pieces = [*sorted(single), *best]
    scores = [math.log(found[piece] * len(piece) / total) for piece in pieces]
    return [(token, 0.0) for token in _BERT] + list(zip(pieces, scores, strict=True))


def byte_pairs() -> Tokenizer:
    """Return one as RoBERTa has it: pairs of bytes, two separators between texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(_ROBERTA),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return tokenizer


TOKENIZERS: Mapping[str, Callable[[], Tokenizer]] = {
    "wordpiece": wordpiece, "unigram": unigram, "byte pairs": byte_pairs,
}  # fmt: skip


def save_tokenizer(directory: Path, kind: str, *, typed: bool = False) -> int:
    """Write a tokenizer as transformers reads it and return its number of pieces.

    Args:
        directory: is made if it is not there.
        kind: one of `TOKENIZERS`.
        typed: whether transformers gives the types of pieces to the model.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = TOKENIZERS[kind]()
    tokenizer.save(str(directory / "tokenizer.json"))
    pad, unk, cls, sep, mask = _BERT
    if kind == "byte pairs":
        cls, pad, sep, unk, mask = _ROBERTA
    names = ["input_ids", *(["token_type_ids"] if typed else []), "attention_mask"]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128, "pad_token": pad,
        "unk_token": unk, "cls_token": cls, "sep_token": sep, "mask_token": mask,
        "model_input_names": names,
    }  # fmt: skip
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return int(tokenizer.get_vocab_size())
