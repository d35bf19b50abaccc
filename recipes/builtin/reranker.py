"""Give a checkpoint a reranker, trained on what the checkpoint finds in annotated texts.

Usage: python recipes/builtin/reranker.py CHECKPOINT OUTPUT CONVERTED [EXAMPLES...]

CONVERTED is what `convert.py` wrote; of EXAMPLES all are used.

The checkpoint itself stays as it is. Its candidates for values of records and for ends of pairs are
scored in view of each other (`onepass.models.gliner2.rivals`): which of them are right is learned
from texts that it was not trained on, or with other values in them (`swapped.py`), since it is too
sure of others.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import functional

from onepass.arrays import Float32s
from onepass.corpus.example import Example, GoldStructure
from onepass.corpus.jsonl import read_examples
from onepass.evaluation.gold_schema import schema_of
from onepass.evaluation.records import choice_fields, gold_row, normalize
from onepass.hub import locate
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.hub.files import read_json
from onepass.models.family import Text as Document
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.reranker import Reranker
from onepass.models.gliner2.prompt import Kind
from onepass.models.gliner2.rerank import groups_of
from onepass.models.gliner2.rivals import AN_END, SEVERAL, Rivals, packed
from onepass.models.opening import open_backend
from onepass.models.reader import Reader
from onepass.models.registry import read_model
from onepass.text.windows import Window
from onepass.text.words import Words

Key = tuple[str, str]  # name of a field and its value
# Texts of each source, with values that were not learned by heart.
SOURCES = {"written_swapped": 2600, "handwritten_swapped": 500, "annotated_swapped": 700}
EPOCHS, BATCH, RATE, WARMUP = 6, 16, 1.5e-3, 100
POOL = 512  # groups that are sorted by their number of candidates together
MOST = 260  # candidates of a group that is learned from
SURE = -1.2  # logit above which candidates say which record is meant


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Candidates of one group, and which of them are right: (n,) of 0 and 1."""

    candidates: Rivals
    right: Float32s


def main(checkpoint: Path, out: Path, converted: Path, *paths: Path) -> None:
    """Write the checkpoint with a reranker."""
    rng = random.Random(0)
    located = locate(checkpoint)
    model = read_model(located)
    reader = Reader(model, open_backend(model, located))
    examples = [one for path in paths for one in asking(path)]
    for name, most in SOURCES.items():
        held = asking(converted / f"{name}.jsonl")
        examples += rng.sample(held, min(most, len(held)))
    rng.shuffle(examples)
    groups = list(gathered(reader, examples, rng))
    sys.stderr.write(f"{len(groups)} groups from {len(examples)} texts\n")
    reranker = trained(groups, rng)
    before = load_network(checkpoint)
    encoder_config = read_json(checkpoint / "encoder_config" / "config.json")
    network = Gliner2Network(replace(before.config, reranker=True), encoder_config)
    own = {f"reranker.{name}": values for name, values in reranker.state_dict().items()}
    network.load_state_dict(before.state_dict() | own)
    save_network(network, out, encoder_config=encoder_config, tokenizer_from=checkpoint)
    if (checkpoint / SETTINGS_FILE).is_file():
        shutil.copyfile(checkpoint / SETTINGS_FILE, out / SETTINGS_FILE)


def asking(path: Path) -> list[Example]:
    """Return the examples of a file that ask for records or relations."""
    return [one for one in read_examples(path) if one.structures or one.asked_relations]


def gathered(reader: Reader, examples: Iterable[Example], rng: random.Random) -> Iterator[Group]:
    """Yield the groups of texts that are read in one window; half are asked for those alone."""
    model = reader.model
    for example in examples:
        alone = replace(example, entities=(), asked=(), descriptions={}, classifications=())
        asked = reader.ask(schema_of(alone if rng.random() < 0.5 else example))
        text = model.family.read_text(example.text, model.tokenizer, max_word_pieces=100)
        if len(asked.plan.prompts) > 1 or not len(text.words):
            continue
        reading = model.family.read_window(asked.plan.prompts[0], text, Window(0, len(text.words)))
        if reading.pieces > model.limits.pieces:
            continue
        schema = asked.asking.schema
        scores = model.family.score([reading], model.settings, reader.backend, asked.asking)
        for one in groups_of(scores, [reading], schema):
            group, own = reading.prompt.groups[one.group], one.candidates
            if not 0 < len(own) <= MOST:
                continue
            if group.kind is Kind.RELATION:
                kind = schema.relation_types[group.task].name
                names, wanted = ("head", "tail"), pairs_of(example, kind)
            else:
                gold = example.structures[group.task]
                names, wanted = tuple(field.name for field in gold.fields), values_of(gold, text)
            right = labeled(own, names, wanted, text.words)
            yield Group(replace(own, owners=own.owners[:0]), right)  # owners are large


def pairs_of(example: Example, kind: str) -> list[set[Key]]:
    """Return the pairs of a relation type, as records of a head and a tail."""
    pairs = [
        {(name, normalize(example.text[slice(*span)]))
         for name, span in (("head", one.head), ("tail", one.tail))}
        for one in example.relations
        if one.type == kind
    ]  # fmt: skip
    return [pair for i, pair in enumerate(pairs) if pair not in pairs[:i]]


def values_of(gold: GoldStructure, text: Document) -> list[set[Key]]:
    """Return the values of each record, but for choices."""
    names = {field.name for field in gold.fields} - choice_fields(gold)
    rows = (gold_row(row, text.words.text) for row in gold.records)
    return [{key for key in row if key[0] in names} for row in rows]


def labeled(
    candidates: Rivals, names: Sequence[str], wanted: Sequence[set[Key]], words: Words
) -> Float32s:
    """Return which candidates are right, (n,): values of the record that theirs is most like."""
    starts, ends = words.starts, words.ends
    keys = [
        (names[item], normalize(words.text[starts[word] : ends[word + width]]))
        for _, item, word, width in candidates.cells.tolist()
    ]
    records, logits, leads = candidates.cells[:, 0], *candidates.scores[:, :2].T
    holds = candidates.holds
    chosen = (leads > 0) & ((logits > SURE) | (holds == AN_END))
    chosen |= (logits > SURE) & (holds == SEVERAL)
    found: list[set[Key]] = [set() for _ in range(int(records.max()) + 1)]
    for n in np.flatnonzero(chosen):
        found[records[n]].add(keys[n])
    agreeing = np.array([[len(one & other) for other in wanted] for one in found])
    pairs = zip(*linear_sum_assignment(-agreeing), strict=True) if wanted else ()
    meant = {one: wanted[other] for one, other in pairs if agreeing[one, other]}
    right = [key in meant.get(one, ()) for one, key in zip(records.tolist(), keys, strict=True)]
    return np.array(right, dtype=np.float32)


def trained(groups: Sequence[Group], rng: random.Random) -> Reranker:
    """Return a reranker that tells which candidates are right."""
    torch.manual_seed(0)
    reranker, own = Reranker(), list(groups)
    every = np.concatenate([one.candidates.scores for one in own])
    reranker.centres.data = torch.from_numpy(every.mean(0))
    reranker.spreads.data = torch.from_numpy(every.std(0)).clamp(min=1e-3)
    optimizer = torch.optim.AdamW(reranker.parameters(), RATE, weight_decay=0.02)
    steps, step = EPOCHS * -(-len(own) // BATCH), 0
    for epoch in range(EPOCHS):
        losses = []
        for batch in batches(own, rng):
            for group in optimizer.param_groups:
                group["lr"] = RATE * min((step + 1) / WARMUP, 1.0) * max(1 - step / steps, 0.02)
            arrays = packed([one.candidates for one in batch])
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            logits, real = reranker(**inputs), inputs["mask"] > 0
            gold = torch.zeros_like(logits)
            for line, one in enumerate(batch):
                gold[line, : len(one.right)] = torch.from_numpy(one.right)
            loss = functional.binary_cross_entropy_with_logits(logits[real], gold[real])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reranker.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            step += 1
        sys.stderr.write(f"epoch {epoch + 1}: {sum(losses) / len(losses):.4f}\n")
    return reranker.eval()


def batches(groups: list[Group], rng: random.Random) -> list[list[Group]]:
    """Return the groups in batches of similar size, in an order of its own."""
    rng.shuffle(groups)
    out = []
    for first in range(0, len(groups), POOL):
        pool = sorted(groups[first : first + POOL], key=lambda one: len(one.candidates))
        out += [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
    rng.shuffle(out)
    return out


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
