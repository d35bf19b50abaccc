"""Write the model card of the built-in model: data and terms, scores, limits.

Usage: python recipes/builtin/card.py MANIFEST SCORES MIX LOG... [--before STEPS HOURS]

MANIFEST is the manifest of the public data, SCORES what ``onepass eval --format json`` wrote for
the development sets, MIX the ``mix.json`` at the end of training, each LOG the ``log.jsonl`` of one
run. What earlier runs took, of which there are no logs any more, is given as numbers.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

CARD = Path(__file__).parents[2] / "src/onepass/builtin/model/README.md"

# Terms, as the manifest words them, that a commercial user has to look at.
SHARE_ALIKE = re.compile(r"\bSA\b|Sharing|GPL")
UNCLEAR = re.compile(
    r"\bNC\b|non-commercial|research|unclear|mixed|terms apply|third parties|see LICENSE"
    r"|not stated|two are stated|text (?:by|from)"
)
# Terms that the manifest does not give in full, by where the source is from.
CORRECTED = {
    "awslabs/multi-domain-goal-oriented-dialogues-dataset": (
        "two are stated: CDLA-Permissive-1.0, Apache-2.0"
    ),
}

# What is not in the manifest: name in the mixture, what it is, its terms.
OWN = (
    ("written", "`data/written`, written for this project", "CC0"),
    (
        "annotated", "`data/annotated`, our annotations of texts of the sources above",
        "CC0, the texts as above",
    ),
    ("synthetic", "`onepass.corpus.synthesis`, made up", "Apache-2.0"),
    (
        "records", "relations and mentions of the sources above, asked as records, and records "
        "of ours asked for choices that they do not make (`recipes/builtin/derived.py`, "
        "`absent.py`)", "as above",
    ),
    (
        "joined", "several texts of the sources above and of ours in a row "
        "(`recipes/builtin/joined.py`)", "as above",
    ),
)  # fmt: skip

HEAD = """# The built-in model of onepass

A GLiNER2 span checkpoint that finds entities, classes, records and relations for any labels, in
English. It is stored as ONNX graphs with weights in eight bits ({size:.0f} MB) and runs on a CPU
without torch.

| | |
| --- | --- |
| Encoder | MiniLM-L6 (`all-MiniLM-L6-v2`, Apache-2.0), 22 million parameters, English |
| Heads | GLiNER2 span layout, counting layer `count_lstm_v2`, spans of up to 10 words |
| Behind them | a reranker of candidates for records and relations |
| Window | 512 pieces, labels included; longer texts are read in overlapping windows |
| Training | {steps:,} steps, {hours:.1f} hours on one core (`recipes/builtin`) |
| On a GPU | 1,639 larger steps, 8 minutes |
| Weights | the mean of the last two runs (0.35 each) and of what they began with (0.3) |
| License | Apache-2.0 for the weights; the terms of the sources are listed [below](#data) |

## Scores

Zero-shot, on development sets that were used for measuring only; none of their sources or label
sets is in the training data. Made by `onepass eval` on these sets, which are not in the repository,
with the calibrated thresholds that ship. Several candidates, the last runs and means of their
weights, were compared on held-out examples (those of the calibration) and in int8; since their
scores on the development sets were seen by then, these may flatter a little.

| set | texts | score |
| --- | --- | --- |
{scores}

Entities count if start, end and label are exact; the whole label set is asked of every text. Mean
over the five `ner` sets: micro F1 **{ner}**. Mean over the five `cls` sets: accuracy **{cls}**.
`handwritten` is a development set of its own, not the training file of that name in
`data/multitask`.

Calibration and thresholds (`onepass.json`) were fitted on examples that are not in the training
data, 990 of our own (of `data/calibration`) and some 850 of public sources, so a score is the
share of such findings that were right there. Entities count of as many texts of each source. That,
and how much ours count for records and relations, was settled after a look at the calibration on
the development sets, so the numbers below may flatter a little. On data of another kind scores can
be off; give thresholds of your own where it matters.

The expected calibration error of entities is {ner_errors[0]} over all findings of the five `ner`
sets and {ner_errors[1]} in the mean of the sets, that of classes {cls_errors[0]} and
{cls_errors[1]} on the `cls` sets. The curve, of all findings over the threshold on all sets:

| score | entities: mean score | right | findings | classes: mean score | right | findings |
| --- | --- | --- | --- | --- | --- | --- |
{curve}

## Limits

- It is small: it finds where things are better than which of several similar labels they have, and
  it misses much on domains far from its data.
- Relations and records are the weakest tasks; look at their scores before you use them.
- English only. Its vocabulary is lower-cased; capitals, digits and line breaks are told to it as
  shapes of words (`word_shapes`), and candidates for records and relations are scored once more
  (`reranker`), which other libraries do not do. Other languages are split but
  not understood. Chinese, Japanese and Thai text without spaces is one word a run.
- A word with more than 100 letters and digits in a row (Thai, base64), or with more pieces than fit
  beside the labels (some 490 Chinese characters), is not read, also not in windows; `coverage` says
  so.
- A span has at most 10 words, but for timestamps and addresses, which are never cut
  (`whole_forms`); a record type has at most 19 records a window.
- Labels of a few words that say what is meant work best; descriptions help where a word is
  ambiguous. Tags of corpora (PER, GPE) and names in camel case are read as words (`read_as` and
  `split_names` in `onepass.json`).
- Do not decide about people with it alone.

## Data

Public sources, and what was written for this project. Terms are given as found. Whoever gathered
the data cleared them for a model that ships, but by these terms, at least in parts, some are

- share-alike (CC BY-SA, CDLA-Sharing, GPL): {share_alike}.
- non-commercial, for research, mixed, unclear, or under the terms of others as well: {unclear}.

So are the texts of these sources in `annotated`, `records` and `joined`. The license of a
repository may not be that of the texts in it. Judge for yourself before you use the model
commercially.

`share` is how often a source was drawn at the end of training (`recipes/builtin/README.md` has its
course). Converters: `recipes/builtin/convert.py`.

| source | from | terms as found | share |
| --- | --- | --- | --- |
{data}
"""

Sums = dict[tuple[int, str], list[float]]  # by tenth of the scores and section


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("manifest", "scores", "mix"):
        parser.add_argument(name, type=Path)
    parser.add_argument("logs", type=Path, nargs="+")
    parser.add_argument("--before", type=float, nargs=2, default=(0.0, 0.0))
    given = parser.parse_args()
    report = json.loads(given.scores.read_text(encoding="utf-8"))
    steps, seconds = _spent(given.logs)
    files = [path for path in (CARD.parent / "onnx").rglob("*") if path.is_file()]
    text = card(
        report,
        json.loads(given.manifest.read_text()),
        json.loads(given.mix.read_text()),
        size=sum(path.stat().st_size for path in files) / 1e6,
        steps=steps + int(given.before[0]),
        hours=seconds / 3600 + given.before[1],
    )
    CARD.write_text(text, encoding="utf-8")


def card(
    report: dict[str, Any],
    manifest: list[dict[str, Any]],
    mix: dict[str, float],
    *,
    size: float,
    steps: int,
    hours: float,
) -> str:
    """Return the text of the card.

    Args:
        report: what ``onepass eval --format json`` wrote.
        manifest: the public sources.
        mix: how often each source was drawn.
        size: of the graphs, in MB.
        steps: of training.
        hours: of training.
    """
    public = _public(manifest, mix)
    return HEAD.format(
        size=size,
        steps=steps,
        hours=hours,
        scores="\n".join(_score_rows(report)),
        curve="\n".join(_curve_rows(report)),
        ner=_rounded(report["means"]["ner_micro_f1"]),
        cls=_rounded(report["means"]["cls_accuracy"]),
        ner_errors=_errors(report, "ner/", "entities"),
        cls_errors=_errors(report, "cls/", "classifications"),
        share_alike=_named(public, SHARE_ALIKE),
        unclear=_named(public, UNCLEAR),
        data="\n".join(_data_rows(public, mix)),
    )


def _spent(logs: Sequence[Path]) -> tuple[int, float]:
    """Return the steps and seconds of several runs."""
    steps, seconds = 0, 0.0
    for log in logs:
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        steps += max(line["step"] for line in lines)
        seconds += max(line.get("seconds", 0.0) for line in lines)
    return steps, seconds


def _rounded(score: float) -> str:
    """Return three decimals, halves up: 0.6765 is 0.677, whatever its binary form."""
    exact = Decimal(str(round(score, 9)))
    return str(exact.quantize(Decimal("0.001"), rounding=ROUND_HALF_UP))


def _score_rows(report: dict[str, Any]) -> list[str]:
    rows = []
    for name, one in report["files"].items():
        for section, scores in one["scores"].items():
            shown = {"entities": ("f1", "micro F1"), "classifications": ("accuracy", "accuracy")}
            key, title = shown.get(section, ("f1", f"{section} F1"))
            if key in scores:
                rows.append(f"| {name} | {one['texts']} | {title} {_rounded(scores[key])} |")
    return rows


def _sums(report: dict[str, Any], prefix: str = "") -> Sums:
    """Return the sums of scores, of right findings and of findings, by tenth and section."""
    sums: Sums = defaultdict(lambda: [0.0, 0.0, 0.0])
    files = [one for name, one in report["files"].items() if name.startswith(prefix)]
    for one in files:
        for section in ("entities", "classifications"):
            for point in one["reliability"].get(section, ()):
                row = sums[min(9, int(point["score"] * 10)), section]
                number = point["findings"]
                row[0] += point["score"] * number
                row[1] += point["right"] * number
                row[2] += number
    return sums


def _errors(report: dict[str, Any], prefix: str, section: str) -> tuple[str, str]:
    """Return the expected calibration error over all findings of some sets, and their mean."""
    rows = [row for (_, kind), row in _sums(report, prefix).items() if kind == section]
    each = [
        one["scores"][section]["ece"]
        for name, one in report["files"].items()
        if name.startswith(prefix) and one["reliability"].get(section)
    ]
    if not each:
        return "-", "-"
    off = sum(abs(score - right) for score, right, _ in rows)
    return f"{off / sum(number for *_, number in rows):.3f}", f"{sum(each) / len(each):.3f}"


def _curve_rows(report: dict[str, Any]) -> list[str]:
    """Return a row for each tenth of the scores, over all sets."""
    sums = _sums(report)
    rows = []
    for tenth in sorted({tenth for tenth, _ in sums}):
        cells = [f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}"]
        for section in ("entities", "classifications"):
            score, right, number = sums[tenth, section]
            some = [f"{score / number:.2f}", f"{right / number:.2f}"] if number else ["-", "-"]
            cells += [*some, f"{number:,.0f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _public(
    manifest: list[dict[str, Any]], mix: dict[str, float]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the sources of the manifest that are in the mixture, by their names there."""
    named = [
        (
            ("cls_" if source["kind"] == "classification" else "") + source["id"],
            source | {"licence": CORRECTED.get(source["source"], source["licence"])},
        )
        for source in manifest
        if source["tier"] == "cleared"
    ]
    return [(name, source) for name, source in named if name in mix]


def _named(public: list[tuple[str, dict[str, Any]]], terms: re.Pattern[str]) -> str:
    """Return the names of the sources whose terms have such words."""
    return ", ".join(f"`{name}`" for name, one in public if terms.search(one["licence"])) or "none"


def _data_rows(public: list[tuple[str, dict[str, Any]]], mix: dict[str, float]) -> list[str]:
    total = sum(mix.values())
    rows = []
    for name, source in public:
        terms = source["licence"].replace("|", "/")
        rows.append(f"| {name} | {source['source']} | {terms} | {_share(mix, name) / total:.1%} |")
    for name, origin, terms in OWN:
        share = _share(mix, name)
        if name == "records":
            share = sum(
                mix[key]
                for key in mix
                if key.endswith(("_records", "one_record", "absent_choices"))
            )
            share -= mix.get("sgd_records", 0.0)
        if name == "joined":
            share = sum(mix[key] for key in mix if key.startswith("joined"))
        rows.append(f"| {name} | {origin} | {terms} | {share / total:.1%} |")
    return rows


def _share(mix: dict[str, float], name: str) -> float:
    """Return how often a source is drawn: with other values, records alone and long texts, too."""
    parts = (name, *(f"{name}_{part}" for part in ("swapped", "alone", "long")))
    return sum(mix.get(part, 0.0) for part in parts)


if __name__ == "__main__":
    main()
