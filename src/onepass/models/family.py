"""A checkpoint family as one record of torch-free functions, and an opened model of it.

A run is a list of stages: plan (schema to prompts), read (text to pieces), window, encode (arrays),
score (backend), decode (findings). Everything above works with these names only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend, Graph
from onepass.decoding.findings import Findings
from onepass.decoding.overlap import Policy, Ties
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.hub import Checkpoint
from onepass.models.facts import Facts
from onepass.models.kept import Kept
from onepass.models.labels import LabelVectors
from onepass.models.missing import Missing
from onepass.models.thresholds import Thresholds
from onepass.schema import Label, Schema
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words


class Text(Protocol):
    """A text in words and pieces."""

    @property
    def words(self) -> Words:
        """Return the words, with offsets into the text as given."""

    @property
    def lengths(self) -> Int64s:
        """Return (words,) pieces of each word."""

    @property
    def cut(self) -> Int64s:
        """Return (words,) how many characters of each word count as not read."""


class ReadText(Protocol):
    """Returns the words of a text and their pieces."""

    def __call__(
        self,
        text: str,
        tokenizer: PieceTokenizer,
        *,
        max_word_pieces: int,
        splitter: Splitter | None = None,
    ) -> Text:
        """Read a text.

        Args:
            text: any string.
            tokenizer: of the checkpoint.
            max_word_pieces: a longer word keeps only its first pieces.
            splitter: that the checkpoint names; None for the words of the family.
        """


class Prompt(Protocol):
    """What is asked of a text in one pass."""

    @property
    def pieces(self) -> int:
        """Return how many pieces it takes beside a text."""

    @property
    def words(self) -> int:
        """Return how many words it takes of `Limits.words`."""


class Reading(Protocol):
    """A window of a text under a prompt, in pieces."""

    @property
    def pieces(self) -> int:
        """Return how many pieces the backbone reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """What a family needs to know of a call, beside its prompts.

    Attributes:
        schema: the schema of the call.
        thresholds: thresholds of everything in the schema.
        overlap: the policy for entities that share words.
    """

    schema: Schema
    thresholds: Thresholds
    overlap: Policy


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a checkpoint reads at once.

    Attributes:
        pieces: the most pieces of one sequence, prompt included.
        words: the most words of one window; None where only pieces count.
    """

    pieces: int
    words: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One window of a text with what the first prompts found in it.

    Attributes:
        text: the whole text.
        window: the words of it that were read.
        findings: the findings of each prompt.
    """

    text: Text
    window: Window
    findings: tuple[Findings, ...]


NO_NAMING = (
    "This checkpoint writes no names of its own, so it cannot name entities; leave name_entities() "
    "out, or open a GLiNER checkpoint with a decoder."
)


def plain_tokenizer(directory: Path, settings: Any) -> PieceTokenizer:
    """Return the tokenizer of a checkpoint as it is."""
    return PieceTokenizer(directory / "tokenizer.json")


FollowUp = Callable[[Seen, Asking, PieceTokenizer, int], Sequence[Prompt]]


def no_follow_up(schema: Schema, settings: object) -> FollowUp | None:
    """Return None: the first prompts ask everything."""
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Closer:
    """What is asked once more in windows that are shorter than a checkpoint could read.

    Attributes:
        words: the number of words of such a window.
        prompts: prompts that ask for nothing but relations.
    """

    words: int
    prompts: Sequence[Prompt]


def no_closer(
    schema: Schema, tokenizer: PieceTokenizer, settings: object, budget: int
) -> Closer | None:
    """Return None: nothing is asked twice."""
    return None


def nothing_missing(checkpoint: Checkpoint) -> Missing | None:
    """Return None: checkpoints carry everything themselves."""
    return None


def no_splitter(directory: Path) -> Splitter | None:
    """Return None: configurations name no splitter of words."""
    return None


def nothing_else(source: Path, target: Path) -> None:
    """Write nothing."""


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture family.

    What is `Any` here is what a family alone knows: it gets back what its own functions returned.

    Attributes:
        name: the name of the family, as in `Extractor.family`.
        network: "module:function" of the function that loads the torch network, an
            `onepass.nn.network.Network`, from a directory.
        facts: (checkpoint) -> what its configuration says, for people to read.
        from_graphs: the name of a module that writes a checkpoint from its graphs
            (``write_checkpoint``) and lists the beginnings of names of weights that no graph uses
            (``UNUSED``); None where graphs need the weights beside them.
        read_config: (checkpoint directory, this family's keys of ``onepass.json``) -> settings,
            which the functions below are given.
        limits: (settings) -> the most that the checkpoint reads at once.
        graphs: (settings) -> the named graphs that a backend must be able to run.
        plan: (schema, tokenizer, settings, budget in pieces) -> prompts; several if the schema does
            not fit into one. Called once a schema.
        prepare: (prompts, settings, backend, known label vectors) -> prompts ready to be read, with
            label vectors where the family needs them; called once a schema.
        read_text: (text, tokenizer, most pieces of a word, splitter) -> the words of the text and
            their pieces.
        read_window: (prompt, text, window) -> reading: the pieces of the prompt and of the window,
            with what is needed to score them.
        score: (readings, settings, backend, what is asked) -> scores, one for each reading; it runs
            the graphs.
        decode: (scores of one reading, the reading, what is asked, number of words of its window)
            -> findings, whose places are words of the window.
        follow: (schema, settings) -> a function that makes further prompts for a window: (first
            findings, what is asked, tokenizer, budget in pieces) -> prompts; None if the first
            prompts ask everything.
        closer: (schema, tokenizer, settings, budget in pieces) -> the prompts to ask once more in
            shorter windows; None if there are none.
        ties: the span that is kept where scores are equal, see `onepass.decoding.overlap.select`.
        open_tokenizer: (checkpoint directory, settings) -> the tokenizer of texts.
        encode_labels: (labels, settings, backend) -> the words read for each label, and vectors
            (labels, hidden); None for a family whose labels stand in the prompt.
        keys: names of keys of ``onepass.json`` that only its checkpoints may have, beside those of
            every family.
        missing: (checkpoint) -> what it leaves to its base models; None if it is whole.
        named_splitter: (checkpoint directory) -> the splitter of words that its configuration
            names, for which ``onepass.json`` may name another; None for the words of the family.
        folders: names of the folders in which a checkpoint has further configurations and
            tokenizers.
        convert_more: (checkpoint directory, new directory) -> None; writes into a converted
            checkpoint what it has beside the weights of `network`, the files of every family and
            ``folders``.
        adapter_bases: beginning of names of weights -> key of the configuration that names the base
            model of these; settings of an adapter may stand there.
    """

    name: str
    network: str
    facts: Callable[[Checkpoint], Facts]
    read_config: Callable[[Path, Mapping[str, Any]], Any]
    limits: Callable[[Any], Limits]
    graphs: Callable[[Any], tuple[Graph, ...]]
    plan: Callable[[Schema, PieceTokenizer, Any, int], Sequence[Prompt]]
    prepare: Callable[[Sequence[Any], Any, Backend, LabelVectors | None], Sequence[Prompt]]
    read_text: ReadText
    read_window: Callable[[Any, Any, Window], Reading]
    score: Callable[[Sequence[Any], Any, Backend, Asking], Sequence[Any]]
    decode: Callable[[Any, Any, Asking, int], Findings]
    follow: Callable[[Schema, Any], FollowUp | None] = no_follow_up
    closer: Callable[[Schema, PieceTokenizer, Any, int], Closer | None] = no_closer
    ties: Ties = "longest"
    from_graphs: str | None = None
    open_tokenizer: Callable[[Path, Any], PieceTokenizer] = plain_tokenizer
    encode_labels: Callable[[Sequence[Label], Any, Backend], tuple[list[str], Float32s]] | None = (
        None
    )
    keys: tuple[str, ...] = ()
    missing: Callable[[Checkpoint], Missing | None] = nothing_missing
    named_splitter: Callable[[Path], Splitter | None] = no_splitter
    folders: tuple[str, ...] = ()
    convert_more: Callable[[Path, Path], None] = nothing_else
    adapter_bases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """An opened checkpoint: everything about it that does not need torch.

    Attributes:
        family: the family, whose functions apply.
        name: hub id, directory or "builtin".
        directory: the directory of its files.
        settings: the settings that `Family.read_config` returned.
        tokenizer: the tokenizer of texts.
        limits: the most that it reads at once.
        kept: thresholds, calibration and words of its own, which stand beside its weights.
    """

    family: Family
    name: str
    directory: Path
    settings: Any
    tokenizer: PieceTokenizer
    limits: Limits
    kept: Kept
