"""The splitters that a checkpoint may name in place of the words of its family, by name.

A name is one of `SPLITTERS`; behind a colon may stand what its library needs to know, such as the
language of "spacy:de". A splitter is a function from a text to the places of its words. It is
loaded once a process, where it is named: names go from one process to another, functions do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from threading import RLock

from onepass.errors import CheckpointError, InputError, MissingExtra
from onepass.text import libraries
from onepass.text.aligning import Split, exact
from onepass.text.languages import language_finder
from onepass.text.patterns import CHAR, by_script
from onepass.text.stanza_words import by_stanza


@dataclass(frozen=True, slots=True)
class Source:
    """Where the words of a splitter come from.

    Attributes:
        load: (what stands behind the colon, or None) -> the function that splits.
        modules: modules of the libraries that it needs, which are installed by the extra of its
            name; empty for one of our own, whose places are exact as they are.
        option: expression of what may stand behind a colon; None for nothing.
    """

    load: Callable[[str | None], Split]
    modules: tuple[str, ...] = ()
    option: str | None = None


def _by_pattern(pattern: re.Pattern[str]) -> Split:
    return lambda text: [match.span() for match in pattern.finditer(text)]


def _by_language(_: str | None) -> Split:
    """Return the words of the library for the language of each text."""
    find = language_finder(seed=0)  # that of gliner
    return lambda text: load_splitter(_OF_LANGUAGES.get(find(text), _OF_OTHERS))(text)


_OF_LANGUAGES: Mapping[str | None, str] = {
    "ar": "camel", "hi": "hindi", "ja": "janome", "ko": "mecab", "zh-cn": "jieba", "zh-tw": "jieba",
}  # fmt: skip
_OF_OTHERS = "spacy:xx"
_MODULES = {
    "camel": "camel_tools", "hindi": "indicnlp", "janome": "janome", "jieba": "jieba3",
    "mecab": "mecab",
}  # fmt: skip
SPLITTERS: Mapping[str, Source] = {
    "char": Source(lambda _: _by_pattern(CHAR)),
    "script": Source(lambda _: _by_pattern(by_script())),
    "camel": Source(libraries.by_camel, (_MODULES["camel"],)),
    "hanlp": Source(libraries.by_hanlp, ("hanlp",), "[A-Z0-9_]+"),
    "hindi": Source(libraries.by_indic, (_MODULES["hindi"],)),
    "janome": Source(libraries.by_janome, (_MODULES["janome"],)),
    "jieba": Source(libraries.by_jieba, (_MODULES["jieba"],)),
    "mecab": Source(libraries.by_mecab, (_MODULES["mecab"],)),
    "spacy": Source(libraries.by_spacy, ("spacy",), "[a-z]{2,3}"),
    "stanza": Source(by_stanza, ("stanza", "langdetect"), "[a-z-]{2,}(,[a-z-]{2,})*"),
    "universal": Source(_by_language, ("langdetect", "spacy", *_MODULES.values())),
}

_loaded: dict[str, Split] = {}
_LOADING = RLock()  # a splitter may load others


def is_splitter(name: object) -> bool:
    """Return whether something is the name of a splitter.

    >>> [is_splitter(name) for name in ("script", "spacy", "spacy:de", "script:de", "spacy:", None)]
    [True, True, True, False, False, False]
    """
    if not isinstance(name, str):
        return False
    base, colon, option = name.partition(":")
    if not colon:
        return base in SPLITTERS
    allowed = SPLITTERS[base].option if base in SPLITTERS else None
    return allowed is not None and re.fullmatch(allowed, option) is not None


def missing_library(name: str) -> MissingExtra | None:
    """Return the error for a splitter whose library is not installed, without loading it.

    >>> print(missing_library("script"))
    None
    """
    base = name.partition(":")[0]
    if all(find_spec(module) is not None for module in SPLITTERS[base].modules):
        return None
    return MissingExtra(f"The word splitter {name!r}", base)


def load_splitter(name: str) -> Split:
    """Return the function that splits a text, loaded if it is not yet.

    Args:
        name: of the splitter.

    Raises:
        InputError: if there is no such splitter.
        MissingExtra: if its library is not installed.
        CheckpointError: if the library cannot do it here, or a model of its own is not there.

    >>> load_splitter("char")("caf\u00e9 9")
    [(0, 3), (3, 4), (5, 6)]
    """
    found = _loaded.get(name)
    if found is not None:
        return found
    with _LOADING:  # by one thread: the others wait for it
        if name not in _loaded:
            _loaded[name] = _load(name)
        return _loaded[name]


def _load(name: str) -> Split:
    if not is_splitter(name):
        raise InputError(
            f"There is no word splitter {name!r:.60}; there are {', '.join(SPLITTERS)}."
        )
    missing = missing_library(name)
    if missing is not None:
        raise missing
    base, _, option = name.partition(":")
    source = SPLITTERS[base]
    try:
        split = source.load(option or None)
    except ImportError as error:  # a library may need another for one of its languages
        raise CheckpointError(
            f"The word splitter {name!r} cannot be loaded here: {error}"
        ) from error
    return exact(split) if source.modules else split
