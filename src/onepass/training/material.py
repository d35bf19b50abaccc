"""The examples of a run: what it learns from, what it is scored on, and what it is tested on.

It knows the configuration, and neither the network nor the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from onepass.corpus.example import Example
from onepass.corpus.formats import read_any
from onepass.errors import InputError
from onepass.training.bank import LabelBank, read_bank
from onepass.training.config import TrainConfig, read_config
from onepass.training.failures import said
from onepass.training.families import answered
from onepass.training.fewshot import few_of, is_asked
from onepass.training.progress import LOG
from onepass.training.sampling import Sampler
from onepass.training.selftrain import SelfTraining, write_weak_labels
from onepass.training.sources import Sources, find_files, open_sources

P = ParamSpec("P")
T = TypeVar("T")
Report = Callable[[str], None]

CONFIG = "train.json"  # of a run, in its directory
DATA = "onepass-data"  # there, for what is made of the data: a name that nobody else uses
WEAK = "self-trained.jsonl"  # in that
_GUESSED = Path(WEAK).stem  # no gold to be scored on, nor to choose from


def _check_files(config: TrainConfig) -> None:
    """Refuse files that the run would write over."""
    output = Path(config.output).resolve()
    weak, rl = config.self_train, config.rl
    named = (config.dev, config.bank, rl.feedback if rl is not None else None)
    data = find_files([*map(Path, config.data)]).files.values() if config.data else ()
    texts = map(Path, weak.texts if weak is not None else ())
    for path in (*data, *texts, *(Path(name) for name in named if name)):
        place = path.resolve()
        if place in (output / CONFIG, output / LOG) or place.is_relative_to(output / DATA):
            raise InputError(
                f"The run would write over {path}, which it reads; give another output directory, "
                "or move the file elsewhere."
            )


def open_data(config: TrainConfig, *, scored: bool, again: bool, report: Report) -> Sources:
    """Return what a run learns from, and what is held out of it.

    Args:
        config: of the run, whose output directory receives what is made of the data.
        scored: whether the run has a scorer of its own, so that nothing need be held out.
        again: whether texts that the model has labeled itself are there already, perhaps.
        report: receives lines of progress.

    Raises:
        InputError: if something in the data is wrong, or would be written over.
    """
    _check_files(config)
    into = Path(config.output) / DATA
    weak = _weak_labels(config, into, again, report)
    few = config.few_shot is not None
    sources = open_sources(
        [*map(Path, config.data), *weak],
        into=into,
        held_out=0.0 if config.dev or scored or few else config.held_out,
        seed=config.seed,
        report=report,
        whole=(_GUESSED,),
    )
    if config.few_shot is None:
        return sources
    return few_of(
        sources, config.few_shot, seed=config.seed, into=into, report=report,
        answered=answered(config.model, config.revision), whole=(_GUESSED,),
    )  # fmt: skip


def _weak_labels(config: TrainConfig, into: Path, again: bool, report: Report) -> list[Path]:
    """Return the file of what the model has labeled itself, which a resumed run has already."""
    if config.self_train is None:
        return []
    path = into / WEAK
    if config.resume:
        _check_labeled(config.self_train, Path(config.output))
    if not (again and path.is_file()):
        from onepass.extractor import Extractor  # most runs do without

        model = Extractor.from_pretrained(
            config.model, backend="torch", threads=config.threads, device=config.device,
            revision=config.revision,
        )  # fmt: skip
        into.mkdir(parents=True, exist_ok=True)
        write_weak_labels(model, config.self_train, path, report=report)
    return [path]


def _check_labeled(options: SelfTraining, output: Path) -> None:
    """Refuse to go on with texts that were labeled otherwise; smoothing comes after the labels."""
    path = output / CONFIG
    if not path.is_file():
        return
    before = read_config(path).self_train
    if before is not None and replace(before, smoothing=options.smoothing) != options:
        raise InputError(
            f"The run in {output} was begun with another self_train, and what the model labeled is "
            "kept; give what it was begun with (smoothing may differ), or start without resume in "
            "another output directory."
        )


def held_out(config: TrainConfig, sources: Sources, report: Report) -> Sequence[Example]:
    """Return the dev file, in any format that `onepass.evaluation` reads, or the held-out part."""
    if not config.dev:
        return sources.held_out
    examples = tuple(read_any(Path(config.dev), on_missing=report, on_left_out=report))
    if not examples:
        raise InputError(f"{config.dev} (dev) holds no annotated text; give a file with some.")
    _tell_of_shared(examples, sources, report)
    return examples


def _tell_of_shared(examples: Sequence[Example], sources: Sources, report: Report) -> None:
    """Say how many texts of a dev file are also learned from."""
    held = {one.text for one in examples}
    learned = {text for file in sources.files.values() for text in file.texts() if text in held}
    if learned:
        shared = sum(one.text in learned for one in examples)
        report(
            f"{shared} of {len(examples)} held-out texts are also trained on: the score says "
            "little of new texts; give a dev file of other ones."
        )


def telling(compute: Callable[P, T], config: TrainConfig) -> Callable[P, T]:
    """Return what computes something of the held-out examples, and says what helps if it fails.

    Args:
        compute: is called before the run begins or goes on, and while it does.
        config: of the run.
    """

    def told(*given: P.args, **named: P.kwargs) -> T:
        try:
            return compute(*given, **named)
        except Exception as error:
            what, other = "The held-out part of the data", ""
            if config.dev:
                what, other = f"{config.dev} (dev)", "another dev file, "
            raise InputError(
                f"{what} could not be scored ({said(error)}). What was learned is saved, and a run "
                f"that begins or is resumed scores first: give it {other}a smaller batch_pieces or "
                "a smaller max_pieces."
            ) from error

    return told


def tested(config: TrainConfig, sources: Sources, report: Report) -> list[Example]:
    """Return what a few-shot run is tested on: the dev file, or what was not chosen.

    Raises:
        InputError: if nothing is left.
    """
    if config.few_shot is None:
        return []
    every = held_out(config, sources, report)
    examples = [one for one in map(answered(config.model, config.revision), every) if is_asked(one)]
    if not examples:
        raise InputError(
            "No example is left to test on that this checkpoint answers; lower few_shot, give more "
            "data, or give a dev file."
        )
    return examples


def open_sampler(config: TrainConfig, sources: Sources) -> Sampler:
    """Return what draws questions; foreign labels are those of the bank's pool, if it has one."""
    bank, pool = read_bank(Path(config.bank)) if config.bank else (LabelBank(), ())
    return Sampler(bank, pool, config.sampling, borrowed=sources.borrowed)
