"""A family that nothing in the package knows: the entailment classifiers under another name.

A checkpoint of it leaves its tokenizer to the base model that its configuration names, and has a
folder of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER, base_files
from onepass.hub.options import HubOptions
from onepass.models.base_tokenizer import open_tokenizer, write_tokenizer
from onepass.models.facts import Facts
from onepass.models.missing import Lack, Missing
from onepass.models.nli.facts import nli_facts
from onepass.models.nli.family import NLI


def _facts(checkpoint: Checkpoint) -> Facts:
    found = _missing(checkpoint)
    lacks = () if found is None else tuple(lack.clause for lack in found.lacks)
    return replace(nli_facts(checkpoint), architecture="made up", lacks=lacks, problems=())


def _missing(checkpoint: Checkpoint) -> Missing | None:
    directory, base = checkpoint.directory, str(checkpoint.config["made_up"])
    if (directory / TOKENIZER).is_file():
        return None
    files = tuple(path for path in directory.iterdir() if path.is_file())
    return Missing(
        (Lack(TOKENIZER, base),), "made up 1", files, files, partial(_write, checkpoint, base)
    )


def _write(checkpoint: Checkpoint, base: str, target: Path, options: HubOptions) -> None:
    source = base_files(base, checkpoint, options)
    write_tokenizer(open_tokenizer(source, checkpoint.name), source, target)


def _convert_more(source: Path, target: Path) -> None:
    (target / "words.txt").write_bytes((source / "words.txt").read_bytes())


MADE_UP = replace(
    NLI,
    name="made_up",
    facts=_facts,
    missing=_missing,
    folders=("more",),
    convert_more=_convert_more,
)
