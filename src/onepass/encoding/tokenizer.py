"""Words to pieces: the checkpoint's own tokenizer, one word at a time, with a cache.

Every element (a word of the text, a label, a piece of punctuation of the prompt) is tokenized by
itself, as the GLiNER family does. User text is kept from being read as special tokens. This module
knows nothing about prompts or models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import ByteLevel

from onepass.arrays import Int64s
from onepass.errors import CheckpointError, InputError
from onepass.results.surrogates import without_surrogates

_CACHE_LIMIT = 200_000  # words; about 40 MB
_CACHED_LENGTH = 64  # characters; what is longer hardly comes again
_MARKUP = re.compile(r"[^\w\s].*\w.*[^\w\s]")


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class PairFrame:
    """What a tokenizer puts around two texts that are read together.

    Attributes:
        before: (pieces,) in front of the first text.
        between: (pieces,) between the two.
        after: (pieces,) behind the second.
        typed: whether the second text, with what follows it, is of another type than the rest.
    """

    before: Int64s
    between: Int64s
    after: Int64s
    typed: bool


class PieceTokenizer:
    """A `tokenizers` tokenizer that turns single words into piece ids.

    Args:
        path: a ``tokenizer.json`` file.

    Raises:
        CheckpointError: if the file is missing or is not a tokenizer.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise CheckpointError(
                f"The checkpoint has no {path.name} (looked in {path.parent}); "
                "copy the tokenizer files of its base model there."
            )
        self._path = path
        self._tokenizer = read_tokenizer(path)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cache: dict[str, tuple[int, ...]] = {}
        self._marks = _marks(self._tokenizer)

    def id_of(self, token: str) -> int:
        """Return the id of a token that must be there.

        Raises:
            CheckpointError: if the vocabulary does not hold it.
        """
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise CheckpointError(
                f"The tokenizer of this checkpoint has no token {token!r}; "
                "its tokenizer.json does not belong to this model family."
            )
        return int(found)

    def knows(self, token: str) -> bool:
        """Say whether the vocabulary holds a token."""
        return self._tokenizer.token_to_id(token) is not None

    @cached_property
    def longest(self) -> tuple[int, int] | None:
        """Return the most characters of a word that is split, and the piece of a longer one.

        None where words of any length are split.

        >>> from onepass.builtin import builtin_checkpoint
        >>> PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json").longest
        (100, 100)
        """
        model = self._tokenizer.model
        if not isinstance(model, WordPiece):
            return None
        unknown = self._tokenizer.token_to_id(model.unk_token)
        return None if unknown is None else (int(model.max_input_chars_per_word), int(unknown))

    @cached_property
    def spaced(self) -> PieceTokenizer:
        """Return this tokenizer, or one that puts a space in front of every text it reads.

        Byte-level tokenizers can do so (``add_prefix_space``), and the first word of a text is then
        read like any other; all other tokenizers stay as they are.
        """
        first = self._tokenizer.pre_tokenizer
        if not isinstance(first, ByteLevel) or first.add_prefix_space:
            return self
        other = PieceTokenizer(self._path)
        other._tokenizer.pre_tokenizer = ByteLevel(
            add_prefix_space=True, trim_offsets=first.trim_offsets, use_regex=first.use_regex
        )
        return other

    @cached_property
    def frame(self) -> tuple[Int64s, Int64s]:
        """Return the pieces that stand before and behind every sequence, such as [CLS] and [SEP].

        >>> from onepass.builtin import builtin_checkpoint
        >>> PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json").frame
        (array([101]), array([102]))
        """
        encoding = self._read(lambda: self._tokenizer.encode("a"))
        inside = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        if not inside:  # a vocabulary that does not know the letter
            raise CheckpointError("The tokenizer of this checkpoint reads 'a' as nothing.")
        ids = np.array(encoding.ids, dtype=np.int64)
        return ids[: inside[0]], ids[inside[-1] + 1 :]

    @cached_property
    def unframed(self) -> PieceTokenizer:
        """Return one that reads alike and puts nothing around a sequence.

        >>> from onepass.builtin import builtin_checkpoint
        >>> path = builtin_checkpoint().directory / "tokenizer.json"
        >>> PieceTokenizer(path).unframed.frame
        (array([], dtype=int64), array([], dtype=int64))
        """
        other = PieceTokenizer(self._path)
        other.frame = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        return other

    @cached_property
    def pair_frame(self) -> PairFrame:
        """Return the pieces that stand around and between two texts, such as [CLS] and [SEP].

        >>> from onepass.builtin import builtin_checkpoint
        >>> PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json").pair_frame.typed
        True
        """
        encoding = self._read(lambda: self._tokenizer.encode("a", "a"))
        ids = np.array(encoding.ids, dtype=np.int64)
        first, second = (
            [i for i, owner in enumerate(encoding.sequence_ids) if owner == text] for text in (0, 1)
        )
        if not first or not second:
            raise CheckpointError("The tokenizer of this checkpoint reads 'a' as nothing.")
        between = ids[first[-1] + 1 : second[0]]
        return PairFrame(
            ids[: first[0]], between, ids[second[-1] + 1 :], encoding.type_ids[second[0]] == 1
        )

    def plain(self, text: str) -> str:
        """Return ``text`` changed so that no part of it is read as a special token.

        A space goes after the first visible character of each special token that occurs in it, and
        lone surrogates (which have no UTF-8 form) become U+FFFD.

        >>> from onepass.builtin import builtin_checkpoint
        >>> PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json").plain("a [SEP] b")
        'a [ SEP] b'
        """
        text = without_surrogates(text)
        while self._marks and self._marks.whole.search(text):  # a space may complete another one
            text = self._marks.begun.sub(r"\g<0> ", text)
        return text

    def plain_parts(self, text: str, parts: Sequence[str]) -> list[str]:
        """Return parts of a text as `plain` gives each; where the text has none of it, as they are.

        Args:
            text: in which all of them stand.
            parts: of it.

        >>> from onepass.builtin import builtin_checkpoint
        >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
        >>> tokenizer.plain_parts("a [SEP] b", ["[SEP]", "b"])
        ['[ SEP]', 'b']
        """
        special = self._marks is not None and self._marks.whole.search(text)
        if not special and without_surrogates(text) == text:
            return list(parts)
        return [self.plain(part) for part in parts]

    def pieces(self, elements: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the piece ids of each element, tokenized by itself.

        Args:
            elements: strings; special tokens in them are honored (use `plain` on user text).

        Returns:
            One tuple an element; empty where the tokenizer drops every character.

        Raises:
            InputError: if the tokenizer fails on one of them, which some files let it do.
        """
        cache = self._cache
        missing = [element for element in dict.fromkeys(elements) if element not in cache]
        if missing:
            if len(cache) + len(missing) > _CACHE_LIMIT:
                cache = self._cache = {}
                missing = list(dict.fromkeys(elements))
            fast = self._tokenizer.encode_batch_fast
            encoded = self._read(partial(fast, missing, add_special_tokens=False))
            long: dict[str, tuple[int, ...]] = {}
            for element, encoding in zip(missing, encoded, strict=True):
                kept = cache if len(element) <= _CACHED_LENGTH else long
                kept[element] = tuple(encoding.ids)
            if long:
                return [long[one] if one in long else cache[one] for one in elements]
        return [cache[element] for element in elements]

    def located(self, text: str, *, marker: str = "") -> tuple[Int64s, Int64s]:
        """Return the pieces of a text that is tokenized whole, and where each of them ends.

        Args:
            text: of a user; no part of it is read as a special token.
            marker: an added token that stands in front of the text; it is none of its pieces, but
                some tokenizers begin a text with other pieces behind one.

        Returns:
            (pieces,) ids, and (pieces,) one past the last character of ``text`` that is in each; a
            piece that stands for no character ends where the one before it does.

        >>> from onepass.builtin import builtin_checkpoint
        >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
        >>> ids, ends = tokenizer.located("a city [SEP]")
        >>> tokenizer.text(ids), ends.tolist()
        ('a city [ sep ]', [1, 6, 8, 11, 12])
        """
        plain = self.plain(text)
        encoding = self._read(
            lambda: self._tokenizer.encode(marker + plain, add_special_tokens=False)
        )
        own = slice(1 if marker else 0, None)
        ends = np.array([end for _, end in encoding.offsets[own]], dtype=np.int64) - len(marker)
        if len(plain) != len(text):
            ends -= np.searchsorted(_inserted(text, plain), ends, side="left")
        return np.array(encoding.ids[own], dtype=np.int64), np.maximum.accumulate(ends)

    def _read(self, encode: Callable[[], _T]) -> _T:
        """Return what the tokenizer makes of a text, or say in a sentence that it fails.

        The sentence does not repeat the text: it also stands in the output of a redaction.
        """
        try:
            return encode()
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Exception as error:  # the library raises bare Exception
            raise self._failed(str(error)) from error
        except BaseException as error:  # a panic, whose words may hold the text
            raise self._failed("it panicked") from error

    def _failed(self, reason: str) -> InputError:
        return InputError(
            f"The tokenizer {self._path} fails on the text ({reason}); leave that text out, or "
            "give the checkpoint the tokenizer.json that it was trained with."
        )

    def text(self, pieces: Sequence[int]) -> str:
        """Return what pieces spell, special tokens left out.

        >>> from onepass.builtin import builtin_checkpoint
        >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
        >>> tokenizer.text([101, *tokenizer.pieces(["city"])[0], 102])
        'city'
        """
        return str(self._tokenizer.decode(list(pieces), skip_special_tokens=True))

    def flat(self, elements: Sequence[str]) -> tuple[Int64s, Int64s]:
        """Return the pieces of all elements in one array.

        Returns:
            (pieces,) ids, and (elements,) number of pieces of each element.
        """
        per_element = self.pieces(elements)
        lengths = np.fromiter(map(len, per_element), dtype=np.int64, count=len(per_element))
        ids = np.fromiter(
            (piece for pieces in per_element for piece in pieces),
            dtype=np.int64,
            count=lengths.sum(),
        )
        return ids, lengths


def _inserted(text: str, plain: str) -> list[int]:
    """Return where in a text that was made plain the spaces are that it did not have."""
    text = without_surrogates(text)
    places, read = [], 0
    for place, char in enumerate(plain):
        if read < len(text) and char == text[read]:
            read += 1
        else:
            places.append(place)
    return places


def read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a ``tokenizer.json`` that is there.

    Raises:
        CheckpointError: if the file is not a tokenizer.
    """
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        problem = f"is not a readable tokenizer file ({error})"
        raise CheckpointError.damaged(path, problem) from error


class _Marks(NamedTuple):
    """What finds added tokens in a text: a whole one, and the beginning of every one.

    Tokens that overlap have beginnings of their own; each ends with its first visible character.
    """

    whole: re.Pattern[str]
    begun: re.Pattern[str]


def _marks(tokenizer: Tokenizer) -> _Marks | None:
    """Return what finds the added tokens that text must not spell.

    Those that are special, and those that look like markup ("[E]"); other added tokens are words of
    a field, which text may well hold. A token with less than two visible characters cannot be
    broken by a space, and none of those marks anything.
    """
    added = tokenizer.get_added_tokens_decoder().values()
    marks = [t.content for t in added if t.special or _MARKUP.fullmatch(t.content)]
    names = sorted((m for m in marks if len("".join(m.split())) > 1), key=len, reverse=True)
    if not names:
        return None
    whole = "|".join(map(re.escape, names))
    return _Marks(re.compile(whole), re.compile(rf"(?={whole})\s*\S"))
