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
from onepass.training.sources import Sources

FILE = "README.md"

_SETTINGS = (
    "encoder_rate", "head_rate", "layer_decay", "weight_decay", "clip", "warmup", "batch_pieces",
    "max_batch", "max_pieces", "ema", "patience", "freeze", "seed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says.

    Attributes:
        config: of the run.
        data: rows of (source, examples, relative weight or None), in the order of names.
        held_out: examples that the run was scored on but did not learn from; 0 for a dev file.
        summary: of the run, see `onepass.training.run.train_from_config`.
        precision: that the run was computed in.
    """

    config: TrainConfig
    data: tuple[tuple[str, int, float | None], ...]
    held_out: int
    summary: Mapping[str, Any]
    precision: str

    @classmethod
    def of(
        cls, config: TrainConfig, sources: Sources, summary: Mapping[str, Any], precision: str
    ) -> Card:
        """Return the card of a run that is over."""
        names = sorted(sources.files)
        rows = tuple((name, len(sources.files[name]), sources.weights.get(name)) for name in names)
        return cls(config, rows, len(sources.held_out), summary, precision)

    def text(self, name: str, scores: Mapping[str, float]) -> str:
        """Return the card of one checkpoint as Markdown with the head that the hub reads.

        Args:
            name: of the checkpoint: "final" or "best".
            scores: held-out scores of it.
        """
        config, summary = self.config, self.summary
        model = _named(config.model)
        head = {"license": config.license or "unknown", "library_name": "onepass"}
        if model == config.model and is_hub_id(model):  # directories here say nothing elsewhere
            head["base_model"] = model
        parts = [
            "---\n" + "".join(f"{key}: {json.dumps(text)}\n" for key, text in head.items()) + "---",
            f"# {Path(config.output).name}, {name}",
            f"Trained with onepass from `{model}`: {summary['steps']} steps, "
            f"{summary['examples']} examples, {summary['minutes']} minutes, in {self.precision}.",
            "## Use",
            _USE,
            "## Data",
            self._data(),
            "## Held-out scores",
            self._scores(scores),
            "## Settings",
            self._settings(),
            "## License",
            config.license
            or "Not stated. The licenses of the checkpoint that the run started from, and of the "
            "data, apply.",
        ]
        return "\n\n".join(parts) + "\n"

    def _data(self) -> str:
        rows = [
            (name, count, "its size" if weight is None else f"{weight:g}")
            for name, count, weight in self.data
        ]
        return _table(("source", "examples", "weight"), rows)

    def _scores(self, scores: Mapping[str, float]) -> str:
        if not scores:
            return "The run was not scored."
        dev = self.config.dev
        where = Path(dev).name if dev else f"{self.held_out} examples held out of the data"
        rows = [(name, f"{value:.4f}") for name, value in scores.items()]
        about = (
            f"On {where}, at a score of 0.5, quick and rough; `onepass eval` gives the scores of "
            "the checkpoint as it is used."
        )
        return f"{about}\n\n{_table(('what', 'score'), rows)}"

    def _settings(self) -> str:
        values = self.config.to_dict()
        rows = [(f"`{name}`", f"`{json.dumps(values[name])}`") for name in _SETTINGS]
        for name in ("loss", "lora", "distill"):
            if values[name] is not None:
                shown = values[name]
                if name == "distill":
                    shown = shown | {"teacher": _named(shown["teacher"])}
                rows.append((f"`{name}`", f"`{json.dumps(shown)}`"))
        if self.config.rl is not None:
            rows.append(("`rl.rewards`", f"`{json.dumps(values['rl']['rewards'])}`"))
        return _table(("key", "value"), rows)


_USE = """```python
from onepass import Extractor

model = Extractor.from_pretrained("PATH")  # the directory of this file, or its hub id
```"""


def write_cards(card: Card, output: Path, best: Mapping[str, float]) -> None:
    """Write the cards of the checkpoints ``final`` and ``best`` of a run.

    Args:
        card: of the run.
        output: its directory.
        best: held-out scores of ``best``, if there is one.
    """
    for name, scores in (("final", card.summary["scores"]), ("best", best)):
        directory = output / name
        if directory.is_dir():
            (directory / FILE).write_text(card.text(name, scores), encoding="utf-8")


def _named(model: str) -> str:
    """Return "builtin" or a hub id as it is, and of a directory its name alone."""
    if model == NAME:
        return model
    return model if is_hub_id(model) and not Path(model).exists() else Path(model).resolve().name


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
