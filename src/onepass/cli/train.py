"""``onepass train``: from a configuration to a trained checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onepass.cli import loading
from onepass.cli.options import RevisionOption, least_score, threads_of
from onepass.cli.output import json_text, say, show
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.schema.relation import RelationType
    from onepass.schema.types import Label

EXAMPLES = """Examples:

\b
  onepass train config.yaml
  onepass train config.json --minutes 30 --resume
  onepass train --model start --data train.jsonl --dev dev.jsonl --output runs/mine
  onepass train --model start --self-train texts.jsonl -e person -e company --output runs/mine
"""


class TrainPrecision(StrEnum):
    """The numbers that a network is trained in."""

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


class Device(StrEnum):
    """Where a network is trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


ConfigArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="CONFIG", help="Configuration file, JSON or YAML; options override what it says."
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ID",
        help="Checkpoint to start from: a model id on the hub, a directory, or 'builtin'.",
    ),
]
DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        "-d",
        metavar="PATH",
        help="Annotated file in a format that `onepass eval` reads, or directory of .jsonl and "
        ".jsonl.gz files; may be repeated.",
    ),
]
FewShotOption = Annotated[
    int | None,
    typer.Option(
        "--few-shot",
        min=1,
        metavar="N",
        help="Number of examples of each label to learn from; what they bring is measured on the "
        "others.",
    ),
]
LoraOption = Annotated[
    int | None,
    typer.Option(
        "--lora",
        min=1,
        metavar="RANK",
        help="Rank of LoRA: low-rank changes of the encoder are trained in place of all of it.",
    ),
]
DistillOption = Annotated[
    str | None,
    typer.Option(
        "--distill",
        metavar="TEACHER",
        help="Bigger checkpoint of the same family whose scores are learned, too.",
    ),
]
SelfTrainOption = Annotated[
    list[str] | None,
    typer.Option(
        "--self-train",
        metavar="FILE",
        help="File of texts that the model first labels itself and then learns from; may be "
        "repeated.",
    ),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--entity",
        "-e",
        metavar="LABEL",
        help="Entity label to find in the texts of --self-train; may be repeated.",
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--relation",
        "-r",
        metavar="TYPE",
        help="Relation type to find in the texts of --self-train; may be repeated.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    least_score("Lowest score of what --self-train learns from. [default: 0.8]"),
]
FreezeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze",
        metavar="PART",
        help="Part of the model that is not trained: text_encoder, label_encoder, decoder or "
        "heads; may be repeated.",
    ),
]
RunOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="DIR", help="Directory for checkpoints and the log."),
]
DevOption = Annotated[
    str | None,
    typer.Option(
        "--dev",
        metavar="FILE",
        help="Annotated file to score on. [default: a held-out part of the data]",
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option("--steps", metavar="N", min=1, help="Most optimizer steps."),
]
EpochsOption = Annotated[
    float | None,
    typer.Option(
        "--epochs",
        metavar="N",
        help="Most passes over the data. [default: 5, or up to 10 for fewer than 1,000 examples, "
        "if no end is given]",
    ),
]
MinutesOption = Annotated[
    float | None,
    typer.Option("--minutes", metavar="N", help="Longest time of the training, in minutes."),
]
EncoderRateOption = Annotated[
    float | None,
    typer.Option(
        "--encoder-rate",
        metavar="RATE",
        help="Learning rate of the encoders. [default: 1e-5, or 5e-5 where the encoder is small]",
    ),
]
HeadRateOption = Annotated[
    float | None,
    typer.Option(
        "--head-rate",
        metavar="RATE",
        help="Learning rate of everything else. [default: 2e-5, or 1e-4 where the encoder is "
        "small]",
    ),
]
TrainPrecisionOption = Annotated[
    TrainPrecision | None,
    typer.Option(
        "--precision",
        help="Number format of the training. [default: bf16 where the processor has it]",
    ),
]
DeviceOption = Annotated[
    Device | None,
    typer.Option("--device", help="Device to train on. [default: cuda where there is one]"),
]
TrainThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", metavar="N", min=1, callback=threads_of, help="Number of CPU threads."
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", min=0, max=2**63 - 1, help="Seed of all random choices. [default: 0]"
    ),
]
SkipOption = Annotated[
    int | None,
    typer.Option(
        "--skip-bad-batches",
        min=0,
        metavar="N",
        help="Number of batches that may fail before the run stops. [default: 0]",
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue the run in the output directory.")
]


def train(
    config: ConfigArgument = None,
    model: StartOption = None,
    revision: RevisionOption = None,
    data: DataOption = None,
    output: RunOption = None,
    dev: DevOption = None,
    steps: StepsOption = None,
    epochs: EpochsOption = None,
    minutes: MinutesOption = None,
    encoder_rate: EncoderRateOption = None,
    head_rate: HeadRateOption = None,
    precision: TrainPrecisionOption = None,
    device: DeviceOption = None,
    threads: TrainThreadsOption = None,
    seed: SeedOption = None,
    freeze: FreezeOption = None,
    few_shot: FewShotOption = None,
    lora: LoraOption = None,
    distill: DistillOption = None,
    self_train: SelfTrainOption = None,
    entity: LabelOption = None,
    relation: TypeOption = None,
    threshold: ThresholdOption = None,
    skip_bad_batches: SkipOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train a model on annotated texts, with a configuration file, options, or both.

    docs/training-options.md lists all that the file can hold. Progress goes to standard error; at
    the end, a summary in JSON goes to standard output.
    """
    loading.require("torch", feature="Training", extra="train")
    from onepass.training.config import TrainConfig, read_config
    from onepass.training.sources import find_files

    options = {
        "model": model,
        "revision": revision,
        "data": data,
        "output": output,
        "dev": dev,
        "steps": steps,
        "epochs": epochs,
        "minutes": minutes,
        "encoder_rate": encoder_rate,
        "head_rate": head_rate,
        "precision": precision,
        "device": device,
        "threads": threads,
        "seed": seed,
        "freeze": freeze,
        "few_shot": few_shot,
        "lora": None if lora is None else {"rank": lora, "alpha": 2.0 * lora},
        "distill": None if distill is None else {"teacher": distill},
        "self_train": _self_train(self_train, entity, relation, threshold),
        "skip_bad_batches": skip_bad_batches,
        "resume": resume or None,
    }
    given = {key: value for key, value in options.items() if value is not None}
    asked = TrainConfig.from_dict(given) if config is None else read_config(config, given)
    if asked.data:
        find_files([Path(path) for path in asked.data])  # told before torch loads, if not there
    from onepass.training.run import train_from_config

    summary = train_from_config(asked, report=say)
    if summary:  # of several processes the main one has it
        show(json_text(summary))


def _self_train(
    texts: list[str] | None,
    labels: list[str] | None,
    types: list[str] | None,
    threshold: float | None,
) -> dict[str, Any] | None:
    """Return the part of a configuration that these options say."""
    from onepass.schema.flags import schema_from_flags  # the help needs none of it

    asked = schema_from_flags(entities=labels or (), relations=types or ())
    values = {
        "texts": texts,
        "labels": _names(asked.entity_labels) if labels else None,
        "relations": _names(asked.relation_types) if types else None,
        "threshold": threshold,
    }
    given = {key: value for key, value in values.items() if value is not None}
    return given or None


def _names(asked: Iterable[Label | RelationType]) -> list[str]:
    """Return names, refusing descriptions."""
    for one in asked:
        if one.description is not None:
            raise InputError(
                f"{one.name!r} was given with a description, which --self-train does not ask with; "
                "give the name alone, or FILE with 'asked' and 'descriptions' in its rows."
            )
    return [one.name for one in asked]
