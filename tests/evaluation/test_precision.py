"""The loss of a reduced precision is measured file by file, and refused where it is too large."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepass.builtin import builtin_checkpoint
from onepass.corpus.example import Example, Mention
from onepass.corpus.jsonl import write_examples
from onepass.errors import BackendError, InputError
from onepass.evaluation.precision import loss_check, sample_texts
from onepass.models.opening import open_backend
from onepass.models.reader import Reader
from onepass.models.registry import read_model

TEXT = "Tim Cook runs Apple in Paris."


@pytest.fixture(scope="module")
def reader() -> Reader:
    checkpoint = builtin_checkpoint()
    model = read_model(checkpoint)
    return Reader(model, open_backend(model, checkpoint))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two files, in the second of which one mention is annotated that nobody finds."""
    person = Mention(0, 8, "person")
    write_examples(tmp_path / "easy.jsonl", [Example(TEXT, (person,))] * 3)
    write_examples(tmp_path / "hard.jsonl", [Example(TEXT, (person, Mention(9, 13, "person")))])
    return tmp_path


class Silent(Reader):
    """A reader that finds nothing where the text is that of the second file."""

    def read(self, texts, asked):  # type: ignore[no-untyped-def]
        return super().read([""] * len(texts) if len(texts) == 1 else texts, asked)


def test_no_loss(reader: Reader, data: Path) -> None:
    told: list[str] = []
    check = loss_check([data], most=0.0, progress=lambda name, done: told.append(name))
    checked = check(reader, reader)
    assert checked["data"] == ["easy", "hard"] == list(dict.fromkeys(told))
    assert (checked["texts"], checked["loss"]) == (4, 0.0)
    assert checked["exact"] == checked["reduced"]
    assert checked["exact"]["easy"] == {"entities": 100.0}
    assert checked["exact"]["hard"]["entities"] == pytest.approx(66.67)


def test_a_loss_in_one_file(reader: Reader, data: Path) -> None:
    silent = Silent(reader.model, reader.backend)
    with pytest.raises(BackendError, match=r"66\.67 points of F1 on the entities of hard \(66\.67"):
        loss_check([data], most=66.0)(reader, silent)
    assert loss_check([data], most=67.0)(reader, silent)["loss"] == pytest.approx(66.67)
    assert loss_check([data], most=0.0)(silent, reader)["loss"] <= 0  # a gain


def test_a_loss_on_few_texts_may_be_chance(reader: Reader, data: Path) -> None:
    silent = Silent(reader.model, reader.backend)
    with pytest.raises(BackendError) as refused:
        loss_check([data], most=0.5)(reader, silent)
    assert str(refused.value).endswith(
        "at most 0.5 may be lost, so nothing was written. Rounding for many typical texts (sample, "
        "--sample) and products=False (--weights-only) lose less; most (--max-loss) allows more. "
        "This was measured on 1 text: on few, much of it is chance."
    )


def test_samples_are_of_every_file(reader: Reader, data: Path) -> None:
    taken: list[int] = []

    class Counting(Reader):
        def read(self, texts, asked):  # type: ignore[no-untyped-def]
            taken.append(len(texts))
            return super().read(texts, asked)

    sample_texts([data], count=4)(Counting(reader.model, reader.backend))
    assert taken == [1, 1, 1]  # two of the first file, and the only one of the second
    with pytest.raises(InputError, match="no file or directory"):
        sample_texts([data / "absent"])


@pytest.mark.parametrize("rows", [[], [Example(TEXT)]])
def test_a_sample_without_an_annotated_text_is_refused(data: Path, rows: list[Example]) -> None:
    write_examples(data / "none.jsonl", rows)
    with pytest.raises(InputError, match=r"none\.jsonl has no annotated example"):
        sample_texts([data])
