"""What a training run is told: one frozen value, read from JSON or YAML and checked at once.

It does not need torch, and knows nothing about what the values do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from onepass.errors import InputError
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner2.targets import LossWeights
from onepass.text.words import SPLITTERS, Splitter
from onepass.training.asking.means import SamplingOptions
from onepass.training.checks import check, either, is_above, is_number, is_whole
from onepass.training.config_text import YAML_SUFFIXES, parse_json, parse_yaml
from onepass.training.distilling import DistillOptions
from onepass.training.lora import LoraOptions
from onepass.training.rl.config import RlOptions
from onepass.training.sections import read_sections
from onepass.training.selftrain import SelfTraining

_PRECISIONS = ("auto", "bf16", "fp16", "fp32")
_DEVICES = ("auto", "cpu", "cuda")
_PARTS = ("text_encoder", "label_encoder", "decoder", "heads")
_DEFAULT_EPOCHS = 5.0
MOST_SEED = 2**63 - 1  # that torch takes


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run; rates, decay, warm-up, clip and epochs default to Table 5 of the paper.

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
        epochs: times that as many examples are used as there are; 5 if no end is given.
        minutes: wall time in all. Of several ends, the first one counts.
        encoder_rate: learning rate of the encoders of texts and labels.
        head_rate: learning rate of everything else.
        weight_decay: on matrices.
        layer_decay: factor between the rates of an encoder's layer and of the one above it.
        shape_rate: learning rate of the vectors of shapes of words, where a checkpoint has them
            (`word_shapes`); None for that of the encoder.
        betas: of AdamW.
        warmup: steps of linear warm-up; None for 1000, but at most a tenth of the run.
        clip: largest gradient norm.
        batch_pieces: padded pieces of one batch.
        max_batch: largest number of examples in a batch.
        max_pieces: longest sequence, prompt included; texts are cut there.
        pool: examples that are sorted by length together.
        precision: "bf16", "fp16" (on a GPU), "fp32", or "auto" for bf16 where the processor has
            products in it.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        threads: of the CPU; None leaves torch's choice.
        loaders: processes that draw and build batches beside the one that trains, for a GPU that
            would wait for them; 0 leaves it to the one that trains.
        seed: of everything that is drawn.
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
        resume: continue the run that is in ``output``.
        sampling: how questions are drawn.
        loss: of a GLiNER2 checkpoint the weights of the loss terms, of a GLiNER or a GLiClass
            checkpoint the options of `onepass.models.gliner.loss` or
            `onepass.models.gliclass.loss`; None for their defaults.
        freeze: parts that stay as they are: text_encoder, label_encoder, decoder, heads.
        self_train: texts that the model labels itself before it is trained.
        few_shot: examples of each label to learn from; the run then tests what they brought, on
            ``dev`` or on the others. None learns from all.
        lora: low-rank changes of layers in place of training them whole, see
            `onepass.training.lora`; None trains everything.
        rl: learn to decide classification tasks from rewards in place of annotated answers, see
            `onepass.training.rl.config`; None learns from the answers.
        distill: a bigger checkpoint whose scores are learned beside the gold answers, see
            `onepass.training.distilling`.
        license: of the trained checkpoint, for its model card, such as "apache-2.0".
        word_splitter: "char" or "script" (`onepass.text.words`), which the trained checkpoint then
            names; None for the words that ``model`` reads.

    >>> TrainConfig.from_dict({"model": "start", "data": "data.jsonl", "output": "run"}).epochs
    5.0
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
    encoder_rate: float = 1e-5
    head_rate: float = 2e-5
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    shape_rate: float | None = None
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: int | None = None
    clip: float = 1.0
    batch_pieces: int = 4096
    max_batch: int = 64
    max_pieces: int = 512
    pool: int = 768
    precision: str = "auto"
    device: str = "auto"
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
    loss: LossWeights | GlinerLoss | GliclassLoss | None = None
    freeze: tuple[str, ...] = ()
    self_train: SelfTraining | None = None
    few_shot: int | None = None
    lora: LoraOptions | None = None
    rl: RlOptions | None = None
    distill: DistillOptions | None = None
    license: str | None = None
    word_splitter: Splitter | None = None

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_numbers()
        self._check_together()
        if self.steps is None and self.epochs is None and self.minutes is None:
            object.__setattr__(self, "epochs", _DEFAULT_EPOCHS)

    def _check_choices(self) -> None:
        for name, text, kind in (
            ("model", self.model, "a path or a hub id"),
            ("output", self.output, "a path"),
        ):
            check(name, text, isinstance(text, str) and bool(text.strip()), kind)
        for name, path in (("dev", self.dev), ("bank", self.bank)):
            check(name, path, path is None or isinstance(path, str), "a path or null")
        paths = isinstance(self.data, tuple) and all(isinstance(p, str) for p in self.data)
        some = bool(self.data) or self.self_train is not None
        check("data", self.data, paths and some, "a path or a list of paths")
        check("precision", self.precision, self.precision in _PRECISIONS, either(_PRECISIONS))
        check("device", self.device, self.device in _DEVICES, either(_DEVICES))
        for name, flag in (("resume", self.resume), ("quantize", self.quantize)):
            check(name, flag, isinstance(flag, bool), "true or false")
        named = self.license is None or (isinstance(self.license, str) and self.license.strip())
        check("license", self.license, bool(named), "a name such as 'apache-2.0', or null")
        split = self.word_splitter is None or self.word_splitter in tuple(SPLITTERS)
        check("word_splitter", self.word_splitter, split, f"{either(tuple(SPLITTERS))}, or null")
        parts = isinstance(self.freeze, tuple) and all(part in _PARTS for part in self.freeze)
        check("freeze", self.freeze, parts, f"a list of {', '.join(_PARTS)}")

    def _check_together(self) -> None:
        """Refuse values that are right alone, but not beside each other."""
        for name, value in (
            ("loss", self.loss),
            ("ema", self.ema),
            ("quantize", self.quantize or None),
            ("distill", self.distill),
            ("loaders", self.loaders or None),
            ("bank", self.bank),
        ):
            if self.rl is not None and value is not None:
                raise InputError(
                    f"{name!r} is of supervised training, which a run with 'rl' is not; "
                    "leave it out."
                )
        if self.quantize and self.lora is not None:
            raise InputError(
                "'quantize' rounds whole weights, which 'lora' does not train; leave one of them "
                "out."
            )
        if self.rl is not None and self.precision == "fp16":
            raise InputError("A run with 'rl' has no 'precision' fp16; give bf16, fp32 or auto.")
        if self.patience is not None and not self.score_every:
            raise InputError(
                "'patience' counts held-out scores, but 'score_every' is 0, which scores only at "
                "the end; give a number of steps from 1."
            )

    def _check_numbers(self) -> None:
        for name, whole, least in (
            ("batch_pieces", self.batch_pieces, 1),
            ("max_batch", self.max_batch, 1),
            ("max_pieces", self.max_pieces, 8),
            ("pool", self.pool, 1),
            ("log_every", self.log_every, 1),
            ("keep", self.keep, 1),
            ("score_every", self.score_every, 0),
            ("samples", self.samples, 0),
            ("loaders", self.loaders, 0),
            ("skip_bad_batches", self.skip_bad_batches, 0),
        ):
            check(name, whole, is_whole(whole, least), f"a whole number from {least}")
        for name, optional, least in (
            ("steps", self.steps, 1),
            ("warmup", self.warmup, 0),
            ("few_shot", self.few_shot, 1),
            ("patience", self.patience, 1),
            ("threads", self.threads, 1),
        ):
            right = optional is None or is_whole(optional, least)
            check(name, optional, right, f"a whole number from {least}, or null")
        seed = is_whole(self.seed, 0, MOST_SEED)
        check("seed", self.seed, seed, f"a whole number from 0 to {MOST_SEED}")
        for name, limit in (("epochs", self.epochs), ("minutes", self.minutes)):
            check(name, limit, limit is None or is_above(limit), "a number above 0, or null")
        for name, rate in (
            ("encoder_rate", self.encoder_rate),
            ("head_rate", self.head_rate),
            ("weight_decay", self.weight_decay),
        ):
            check(name, rate, is_number(rate), "a number from 0")
        own = self.shape_rate is None or is_number(self.shape_rate)
        check("shape_rate", self.shape_rate, own, "a number from 0, or null")
        share = self.ema is None or (is_above(self.ema) and self.ema < 1)
        check("ema", self.ema, share, "a number above 0 and below 1, or null")
        below = is_above(self.layer_decay) and self.layer_decay <= 1
        check("layer_decay", self.layer_decay, below, "a number above 0, up to 1")
        bounds = self.length_buckets
        rising = isinstance(bounds, tuple) and all(is_whole(b, 1) for b in bounds)
        rising = rising and list(bounds) == sorted(set(bounds))
        check("length_buckets", bounds, rising, "rising whole numbers from 1")
        check("clip", self.clip, is_above(self.clip), "a number above 0")
        part = is_number(self.held_out) and self.held_out < 1
        check("held_out", self.held_out, part, "a share from 0 to below 1")
        pair = isinstance(self.betas, tuple) and len(self.betas) == 2
        pair = pair and all(is_number(b) and b < 1 for b in self.betas)
        check("betas", self.betas, pair, "two numbers from 0 to below 1")

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
head_rate, weight_decay, layer_decay, shape_rate, betas, warmup, clip, batch_pieces, max_batch, \
max_pieces, pool, precision, device, threads, loaders, seed, log_every, score_every, samples, \
patience, ema, quantize, keep, skip_bad_batches, resume, sampling, loss, freeze, self_train, \
few_shot, lora, rl, distill, license, word_splitter.
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
                    f"A training configuration needs {key!r}; give model, data and output."
                )
        for key in ("data", "freeze"):
            if isinstance(values.get(key), str):
                values[key] = (values[key],)
        for key in ("data", "betas", "freeze", "length_buckets"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        return cls(**values)

    @classmethod
    def from_json(cls, text: str, overrides: Mapping[str, Any] | None = None) -> TrainConfig:
        """Read a configuration from JSON text.

        Args:
            text: a JSON object.
            overrides: values that count instead, within an object (such as ``lora``) key by key;
                those that are None do not.

        Raises:
            InputError: if the text is not a JSON object, or names what is wrong in it.

        >>> text = '{"model": "start", "data": "data.jsonl", "output": "run"}'
        >>> TrainConfig.from_json(text, {"steps": 10, "minutes": None}).steps
        10
        """
        return cls.from_dict(_merged(parse_json(text), overrides))


def read_config(path: Path, overrides: Mapping[str, Any] | None = None) -> TrainConfig:
    """Read a configuration file.

    Args:
        path: a JSON file, or a YAML file if its name ends in ``.yaml`` or ``.yml``.
        overrides: as in `TrainConfig.from_json`.

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
