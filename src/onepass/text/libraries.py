"""Words of other libraries: how each is loaded, and what it is asked.

Each function imports its library, so it is called where a splitter of it is named, and returns a
function that many threads may call: those of a library that is not made for that wait in turn. What
stands behind the colon of the name is given to it. The defaults are those of gliner.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from onepass.errors import CheckpointError
from onepass.text.aligning import Places, Split, place_forms

_HANLP_MODEL = "FINE_ELECTRA_SMALL_ZH"


def by_spacy(language: str | None) -> Split:
    """Return the words of spaCy's rules for a language, which need no model."""
    from spacy import blank

    nlp = blank(language or "en")

    def split(text: str) -> Places:
        with nlp.memory_zone():  # otherwise every new word of any text is kept for good
            return [(token.idx, token.idx + len(token)) for token in nlp.tokenizer(text)]

    return _in_turn(split)


def by_mecab(_: str | None) -> Split:
    """Return the morphemes of Korean that python-mecab-ko finds."""
    from mecab import MeCab

    tagger = MeCab()
    return _in_turn(lambda text: place_forms(text, tagger.morphs(text)))


def by_janome(_: str | None) -> Split:
    """Return the morphemes of Japanese that Janome finds."""
    from janome.tokenizer import Tokenizer

    tokenizer = Tokenizer(wakati=True)
    return _in_turn(lambda text: place_forms(text, tokenizer.tokenize(text)))


def by_jieba(_: str | None) -> Split:
    """Return the words of Chinese that jieba3 finds."""
    from jieba3 import jieba3

    tokenizer = jieba3()
    return lambda text: place_forms(text, tokenizer.cut_text(text))


def by_camel(_: str | None) -> Split:
    """Return the words of Arabic, by the rules of CAMeL Tools."""
    from camel_tools.tokenizers.word import simple_word_tokenize

    return lambda text: place_forms(text, simple_word_tokenize(text))


def by_indic(_: str | None) -> Split:
    """Return the words of Hindi, by the rules of the Indic NLP Library."""
    from indicnlp.tokenize.indic_tokenize import trivial_tokenize

    return lambda text: place_forms(text, trivial_tokenize(text, lang="hi"))


def by_hanlp(name: str | None) -> Split:
    """Return the words of Chinese that a model of HanLP finds, on the CPU.

    Raises:
        CheckpointError: if there is no such model, or it was not downloaded.
    """
    import hanlp
    from hanlp.utils.io_util import path_from_url, split_if_compressed

    known = hanlp.pretrained.tok.ALL
    name = name or _HANLP_MODEL
    if name not in known:
        raise CheckpointError(
            f"HanLP has no model {name!r:.80} that splits words; it has {', '.join(sorted(known))}."
        )
    directory = Path(split_if_compressed(path_from_url(known[name]))[0])
    if not directory.is_dir():
        raise not_downloaded("HanLP", name, f"import hanlp; hanlp.load('{known[name]}')")
    tokenizer = hanlp.load(str(directory), devices=-1, verbose=False)
    return _in_turn(lambda text: place_forms(text, tokenizer(text)))


def not_downloaded(library: str, model: str, code: str) -> CheckpointError:
    """Return the error for a model of a library that is not here."""
    return CheckpointError(
        f"The words of {library} need its model {model!r}, which was not downloaded: "
        f'run  python -c "{code}"'
    )


def _in_turn(split: Callable[[str], Places]) -> Split:
    """Return the same for many threads."""
    lock = Lock()

    def words(text: str) -> Places:
        with lock:
            return split(text)

    return words
