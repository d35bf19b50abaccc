"""The model card of a run: ``README.md`` in its checkpoints, for people and for the model hub.

It writes down what is known of a run, and knows nothing about how it went.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.builtin import NAME
from onepass.hub.find import is_hub_id
from onepass.training.config import TrainConfig
from onepass.training.rl.config import RlOptions
from onepass.training.sources import Sources

FILE = "README.md"

_SETTINGS = (
    "encoder_rate", "head_rate", "layer_decay", "weight_decay", "clip", "warmup", "batch_pieces",
    "max_batch", "max_pieces", "ema", "patience", "freeze", "seed",
)  # fmt: skip
_UNUSUAL = (  # are told where they are not the default
    "optimizer", "betas", "shape_rate", "length_buckets", "few_shot", "quantize", "sampling",
    "loss", "lora", "distill", "self_train", "revision",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says.

    Attributes:
        config: of the run.
        data: rows of (source, examples, relative weight or None), in the order of names.
        held_out: examples that the run was scored or tested on but did not learn from; 0 for a dev
            file.
        summary: of the run, see `onepass.training.run.train_from_config`.
        precision: that the run was computed in.
        own_scorer: whether the run was given what scores it.
    """

    config: TrainConfig
    data: tuple[tuple[str, int, float | None], ...]
    held_out: int
    summary: Mapping[str, Any]
    precision: str
    own_scorer: bool = False

    @classmethod
    def of(
        cls,
        config: TrainConfig,
        sources: Sources,
        summary: Mapping[str, Any],
        precision: str,
        *,
        own_scorer: bool = False,
    ) -> Card:
        """Return the card of a run that is over."""
        names = sorted(sources.files)
        rows = tuple((name, len(sources.files[name]), sources.weights.get(name)) for name in names)
        return cls(config, rows, len(sources.held_out), summary, precision, own_scorer)

    def text(
        self, name: str, scores: Mapping[str, float], at: tuple[int, int] | None = None
    ) -> str:
        """Return the card of one checkpoint as Markdown with the head that the hub reads.

        Args:
            name: of the checkpoint: "final" or "best".
            scores: held-out scores of it.
            at: steps and examples of it, where they are not those of the whole run.
        """
        config = self.config
        model = _named(config.model)
        head = {"license": config.license or "unknown", "library_name": "onepass"}
        if model == config.model and is_hub_id(model):  # directories here say nothing elsewhere
            head["base_model"] = model
        parts = [
            "---\n" + "".join(f"{key}: {json.dumps(text)}\n" for key, text in head.items()) + "---",
            f"# {Path(config.output).resolve().name}, {name}",
            f"Trained with onepass from `{model}`: {self._length(name, at)}, in {self.precision}.",
            "## Use",
            _USE,
            "## Data",
            self._data(),
            "## Held-out scores",
            self._scores(scores),
            *self._tested(name),
            "## Settings",
            self._settings(),
            "## License",
            config.license
            or "Not stated. The licenses of the checkpoint that the run started from, and of the "
            "data, apply.",
        ]
        return "\n\n".join(parts) + "\n"

    def _length(self, name: str, at: tuple[int, int] | None) -> str:
        """Return how long a checkpoint was trained; that of the best score is of a part of it."""
        summary = self.summary
        whole = f"{summary['steps']} steps, {summary['examples']} examples"
        spent = f"{summary['minutes']} minutes"
        if name == "best" and at is None:
            return f"the best one of a run of {whole}, {spent}"
        if at is None or at == (summary["steps"], summary["examples"]):
            return f"{whole}, {spent}"
        return f"{at[0]} steps, {at[1]} examples, of a run of {whole}, {spent}"

    def _data(self) -> str:
        rows = [
            (name, count, "its size" if weight is None else f"{weight:g}")
            for name, count, weight in self.data
        ]
        return _table(("source", "examples", "weight"), rows)

    def _scores(self, scores: Mapping[str, float]) -> str:
        if not scores:
            few = self.config.few_shot is not None
            return "Nothing was scored on the way." if few else "The run was not scored."
        rows = [(name, f"{value:.4f}") for name, value in scores.items()]
        return f"{self._about()}\n\n{_table(('what', 'score'), rows)}"

    def _about(self) -> str:
        """Return what the scores are, and of what."""
        config = self.config
        eval_says = "`onepass eval` gives the scores of the checkpoint as it is used."
        # Without one, a few-shot run is not scored, and others have something held out.
        if self.own_scorer or config.few_shot is not None or not (config.dev or self.held_out):
            return f"By the scorer that the run was given; {eval_says}"
        where = (
            Path(config.dev).name
            if config.dev
            else f"{self.held_out} examples held out of the data"
        )
        if config.rl is not None:
            return (
                f"Rewards of the answers on {where}, each a mean over the texts, every label above "
                f"0.5 being chosen; `score` is their weighted sum. {eval_says}"
            )
        return f"On {where}, at a score of 0.5, quick and rough; {eval_says}"

    def _tested(self, name: str) -> tuple[str, ...]:
        """Return what a few-shot run brought; the model that it ended with is tested."""
        found = self.summary.get("few_shot")
        if found is None or name != "final":
            return ()
        dev = self.config.dev
        where = f"of {Path(dev).name}" if dev else "of the data that were not chosen"
        rows = [
            (f"{section} {what}", f"{found['before'][section][what]:.4f}", f"{value:.4f}")
            for section, values in found["after"].items()
            for what, value in values.items()
        ]
        about = (
            f"On {found['texts']} examples {where}: the checkpoint that the run started from, and "
            "this one."
        )
        return "## Before and after", f"{about}\n\n{_table(('what', 'before', 'after'), rows)}"

    def _settings(self) -> str:
        values = self.config.to_dict()
        rows = [(name, values[name]) for name in _SETTINGS]
        for name, usual in _usual().items():
            shown = values[name]
            if name == "sampling":
                rows += [(f"sampling.{k}", v) for k, v in shown.items() if v != usual[k]]
            elif shown != usual:
                rows.append((name, _without_places(shown)))
        if self.config.rl is not None:
            default = RlOptions().to_dict()
            options = _without_places(values["rl"]).items()
            rows += [(f"rl.{k}", v) for k, v in options if k == "rewards" or v != default[k]]
        return _table(("key", "value"), [(f"`{k}`", f"`{json.dumps(v)}`") for k, v in rows])


_USE = """```python
from onepass import Extractor

model = Extractor.from_pretrained("PATH")  # the directory of this file, or its hub id
```"""


def write_cards(
    card: Card, output: Path, best: Mapping[str, float], *, at: tuple[int, int] | None = None
) -> None:
    """Write the cards of the checkpoints ``final`` and ``best`` of a run.

    Args:
        card: of the run.
        output: its directory.
        best: held-out scores of ``best``, if there is one.
        at: steps and examples until that score, where they are known.
    """
    for name, scores, own in (("final", card.summary["scores"], None), ("best", best, at)):
        directory = output / name
        if directory.is_dir():
            (directory / FILE).write_text(card.text(name, scores, own), encoding="utf-8")


def _usual() -> dict[str, Any]:
    """Return the defaults of `_UNUSUAL`, as in the JSON form."""
    values = TrainConfig("any", ("any",), "any").to_dict()
    return {name: values[name] for name in _UNUSUAL}


def _without_places(value: Any) -> Any:
    """Return a setting whose directories, which say nothing elsewhere, are named alone."""
    if not isinstance(value, Mapping):
        return value
    shown = dict(value)
    for key in ("teacher", "reference"):
        if shown.get(key) is not None:
            shown[key] = _named(shown[key])
    if shown.get("feedback") is not None:
        shown["feedback"] = Path(shown["feedback"]).name
    if "texts" in shown:
        shown["texts"] = [Path(text).name for text in shown["texts"]]
    return shown


def _named(model: str) -> str:
    """Return "builtin" or a hub id as it is, and of a directory its name alone."""
    if model == NAME:
        return model
    return model if is_hub_id(model) and not Path(model).exists() else Path(model).resolve().name


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    """Return a value as a cell of a table, which a bar or a line break would end."""
    return " ".join(str(value).split()).replace("|", "\\|")
