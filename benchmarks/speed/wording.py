"""The words of all texts and labels of this benchmark, and the tokenizer that knows them.

A word is one piece, and every fourth has an ending that is a second one: 1.25 pieces a word, about
what English takes. A text has exactly as many words as it should, and is always the same one.
"""

from __future__ import annotations

import random

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_WORDS = """
art bank bread bridge city cloud coast court dance east engine farm film fire fish flag forest game
garden gold health horse house island law light market moon mountain music north ocean paper police
price rain river road school ship silver south space spring storm summer train water west winter
"""
WORDS = tuple(_WORDS.split())
ENDINGS = ("s", "ing", "er")
_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
_GLUE = (".", "(", ")", ",", ":", "|", "entities", "topic", "record", "head", "tail")
MIXED = (10, 350)  # words of the shortest and the longest text of a batch


def tokenizer(size: int) -> Tokenizer:
    """Return a WordPiece tokenizer; pieces that nothing uses fill it up to a size."""
    pieces = [*_SPECIAL, *_GLUE, *WORDS, *(f"##{ending}" for ending in ENDINGS)]
    pieces += [f"unused{number}" for number in range(size - len(pieces))]
    own = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    own.normalizer = normalizers.BertNormalizer(lowercase=True)
    own.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    own.add_special_tokens(list(_SPECIAL))
    own.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return own


def make_text(words: int, seed: int = 0) -> str:
    """Return a text of so many words and a full stop, which gliner2 adds where there is none."""
    chosen = random.Random(f"{words} {seed}")
    text = chosen.choices(WORDS, k=words)
    ends = [chosen.choice(ENDINGS) if number % 4 == 3 else "" for number in range(words)]
    return " ".join(word + end for word, end in zip(text, ends, strict=True)) + "."


def make_batch(count: int, shortest: int = MIXED[0], longest: int = MIXED[1]) -> list[str]:
    """Return texts of mixed length in no order, evenly from the shortest to the longest."""
    step = (longest - shortest) / max(count - 1, 1)
    lengths = [round(shortest + step * number) for number in range(count)]
    random.Random(0).shuffle(lengths)
    return [make_text(words, seed) for seed, words in enumerate(lengths)]


def make_labels(count: int) -> tuple[str, ...]:
    """Return different labels of two words each."""
    pairs = [f"{a} {b}" for a in WORDS for b in WORDS if a < b]
    return tuple(random.Random(0).sample(pairs, 200)[:count])
