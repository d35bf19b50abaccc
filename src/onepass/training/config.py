"""What a training run is told: one frozen value, read from JSON or YAML and checked at once.

It does not need torch, and knows nothing about what the values do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from onepass.errors import InputError
from onepass.models.choosing import Device
from onepass.text.words import Splitter
from onepass.training.asking.means import SamplingOptions
from onepass.training.config_rules import check_config
from onepass.training.config_text import YAML_SUFFIXES, parse_json, parse_yaml
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions
from onepass.training.rl.config import RlOptions
from onepass.training.sections import Loss, read_sections
from onepass.training.selftrain import SelfTraining


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run; decay, warm-up and clip default to Table 5 of the paper.

    Paths are relative to the current directory.

    Attributes:
        model: directory or hub id of the checkpoint to start from, or "builtin".
        data: files in onepass's, GLiNER2's or GLiNER's format, ``.jsonl`` or ``.jsonl.gz`` (of
            GLiNER's also one JSON list); or directories of such files, each with an optional
            ``mix.json`` of file names and weights. May be empty beside ``self_train``.
        output: directory that receives checkpoints and the log.
        dev: a file to score on, in any format that `onepass.evaluation` reads; None holds out a
            part of the data.
        bank: a label bank in JSON, see `onepass.training.bank`.
        held_out: share of the data that is held out (at most 500 examples); 0 for none.
        length_buckets: numbers of words; texts below, between and above them are drawn equally
            often from each file.
        steps: optimizer steps in all.
        epochs: times that as many examples are used as there are; if no end is given, 5 to 10,
            the more the fewer examples there are (`onepass.training.pace`).
        minutes: wall time in all. Of several ends, the first one counts.
        encoder_rate: learning rate of the encoders of texts and labels; None for 1e-5, as in
            Table 5, or 5e-5 where the text encoder is small (`onepass.training.pace`).
        head_rate: learning rate of everything else; None for 2e-5, or 1e-4, likewise.
        weight_decay: weight decay of matrices.
        layer_decay: factor between the rates of an encoder's layer and of the one above it.
        shape_rate: learning rate of the vectors of shapes of words, where a checkpoint has them
            (`word_shapes`); None for that of the encoder.
        optimizer: "adamw", or "muon" for the matrices of layers (`onepass.training.muon`).
        betas: the two betas of AdamW.
        warmup: steps of linear warm-up; None for 1000, but at most a tenth of the run.
        clip: largest gradient norm.
        batch_pieces: padded pieces of one batch.
        max_batch: largest number of examples in a batch.
        max_pieces: longest sequence, prompt included; texts are cut there.
        pool: examples that are sorted by length together.
        precision: "bf16", "fp16" (on a GPU), "fp32", or "auto" for bf16 where the processor has
            products in it.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        threads: number of threads of the CPU; None leaves torch's choice.
        loaders: processes that draw and build batches beside the one that trains, for a GPU that
            would wait for them; 0 leaves it to the one that trains.
        seed: seed of all random choices.
        log_every: steps between progress lines.
        score_every: steps between held-out scores and checkpoints; 0 for only at the end.
        samples: held-out texts that are shown at each score, with gold and predicted answers.
        patience: held-out scores in a row without a new best one after which the run stops; None
            goes on to the end.
        ema: decay of a running mean of the weights, such as 0.999, which is scored and saved in
            place of the last weights; None for the last weights.
        quantize: whether steps are computed as the graphs in eight bits will, with rounded weights
            and inputs of products (`onepass.training.quantizing`), so that an export in eight bits
            loses little; the checkpoint stays in fp32.
        keep: newest checkpoints that stay.
        skip_bad_batches: batches that may fail before the run stops.
        resume: whether to continue the run that is in ``output``.
        sampling: probabilities and limits of how questions are drawn.
        loss: weights of the loss terms of a GLiNER2 checkpoint, or the options of
            `onepass.models.gliner.loss` or `onepass.models.gliclass.loss`; None for their defaults.
            In JSON form they are read once the family is known, by
            `onepass.training.families.loss_options`.
        freeze: parts that stay as they are: text_encoder, label_encoder, decoder, heads.
        self_train: texts that the model labels itself before it is trained.
        few_shot: examples of each label to learn from; the run then tests what they brought, on
            ``dev`` or on the others. None learns from all.
        lora: low-rank changes of layers in place of training them whole, see
            `onepass.training.lora`; None trains everything.
        rl: options of learning to decide classification tasks from rewards in place of annotated
            answers, see `onepass.training.rl.config`; None learns from the answers.
        distill: a bigger checkpoint whose scores are learned beside the gold answers, see
            `onepass.training.distilling`.
        license: license of the trained checkpoint, for its model card, such as "apache-2.0".
        word_splitter: "script", "jieba" or another (`onepass.text.splitters`), which the trained
            checkpoint then names; None for the words that ``model`` reads.
        revision: branch, tag or commit of a ``model`` of the hub; None for its main branch.

    >>> TrainConfig.from_dict({"model": "start", "data": "data.jsonl", "output": "run"}).clip
    1.0
    """

    model: str
    data: tuple[str, ...]
    output: str
    dev: str | None = None
    bank: str | None = None
    held_out: float = 0.02
    length_buckets: tuple[int, ...] = ()
    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    encoder_rate: float | None = None
    head_rate: float | None = None
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    shape_rate: float | None = None
    optimizer: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: int | None = None
    clip: float = 1.0
    batch_pieces: int = 4096
    max_batch: int = 64
    max_pieces: int = 512
    pool: int = 768
    precision: str = "auto"
    device: Device = "auto"
    threads: int | None = None
    loaders: int = 0
    seed: int = 0
    log_every: int = 50
    score_every: int = 1000
    samples: int = 2
    patience: int | None = None
    ema: float | None = None
    quantize: bool = False
    keep: int = 2
    skip_bad_batches: int = 0
    resume: bool = False
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    loss: Mapping[str, Any] | Loss | None = None
    freeze: tuple[str, ...] = ()
    self_train: SelfTraining | None = None
    few_shot: int | None = None
    lora: LoraOptions | None = None
    rl: RlOptions | None = None
    distill: DistillOptions | None = None
    license: str | None = None
    word_splitter: Splitter | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        check_config(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `from_dict` reads it back equal."""
        lists = {"data": self.data, "betas": self.betas, "freeze": self.freeze}
        lists["length_buckets"] = self.length_buckets
        written = asdict(self) | {name: list(values) for name, values in lists.items()}
        if self.self_train is not None:
            written["self_train"] = self.self_train.to_dict()
        if self.lora is not None:
            written["lora"] = self.lora.to_dict()
        if self.rl is not None:
            written["rl"] = self.rl.to_dict()
        if self.distill is not None:
            written["distill"] = self.distill.to_dict()
        return written

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrainConfig:
        """Read a configuration in its JSON form.

        Raises:
            InputError: for an unknown or missing key, or a wrong value.

        >>> TrainConfig.from_dict({"model": "start", "datas": []})
        Traceback (most recent call last):
        ...
        onepass.errors.InputError: A training configuration has no key 'datas'; its keys are \
model, data, output, dev, bank, held_out, length_buckets, steps, epochs, minutes, encoder_rate, \
head_rate, weight_decay, layer_decay, shape_rate, optimizer, betas, warmup, clip, batch_pieces, \
max_batch, max_pieces, pool, precision, device, threads, loaders, seed, log_every, score_every, \
samples, patience, ema, quantize, keep, skip_bad_batches, resume, sampling, loss, freeze, \
self_train, few_shot, lora, rl, distill, license, word_splitter, revision.
        """
        names = [f.name for f in fields(cls)]
        for key in data:
            if key not in names:
                raise InputError(
                    f"A training configuration has no key {key!r}; its keys are {', '.join(names)}."
                )
        values = dict(data)
        read_sections(values)
        for key in names[:3]:
            if key not in values:
                raise InputError(
                    f"A training configuration needs {key!r}; give model, data and output "
                    "(--model, --data, --output)."
                )
        for key in ("data", "freeze"):
            if isinstance(values.get(key), str):
                values[key] = (values[key],)
        for key in ("data", "betas", "freeze", "length_buckets"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        return cls(**values)


def read_config(path: Path, overrides: Mapping[str, Any] | None = None) -> TrainConfig:
    """Read a configuration file.

    Args:
        path: a JSON file, or a YAML file if its name ends in ``.yaml`` or ``.yml``.
        overrides: values in place of those of the file, within an object (such as ``lora``) key by
            key; None changes nothing.

    Raises:
        InputError: if there is no such file, or it names what is wrong in it.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}; give the path of a training configuration.")
    try:
        text = path.read_text(encoding="utf-8")
        data = parse_yaml(text) if path.suffix.lower() in YAML_SUFFIXES else parse_json(text)
        return TrainConfig.from_dict(_merged(data, overrides))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8; convert it.") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _merged(data: Mapping[str, Any], overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values with the overrides that count in their place, within an object key by key."""
    merged = dict(data)
    for key, value in (overrides or {}).items():
        own = data.get(key)
        if isinstance(value, Mapping) and isinstance(own, Mapping):
            merged[key] = {**own, **value}
        elif value is not None:
            merged[key] = value
    return merged
