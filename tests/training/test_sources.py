import gzip
import json
import random
import re
from collections import Counter

import pytest

from onepass.corpus.formats import read_any
from onepass.errors import InputError
from onepass.training.asking.means import Borrowed
from onepass.training.data import Mixture
from onepass.training.sources import Sources, by_length, open_sources


def row(text: str) -> dict:
    return {"text": text, "asked": ["person"]}


@pytest.fixture
def read(tmp_path):
    """Open files below the temporary directory, reports into a list."""

    def open_all(*names: str, held_out: float = 0.0, report=lambda line: None) -> Sources:
        paths = [tmp_path / name for name in names]
        return open_sources(paths, into=tmp_path / "into", held_out=held_out, seed=1, report=report)

    return open_all


def texts(sources: Sources) -> dict[str, list[str]]:
    return {
        name: [file.example(i).text for i in range(len(file))]
        for name, file in sources.files.items()
    }


def test_files_and_directories_are_read_together(write, read):
    write("a.jsonl", row("a1"), row("a2"))
    write("more/b.jsonl", row("b1"))
    write("more/notes.txt", row("x"))
    assert texts(read("a.jsonl", "more")) == {"a": ["a1", "a2"], "b": ["b1"]}


def test_a_mix_chooses_and_weighs_the_files_of_a_directory(tmp_path, write, read):
    for name in ("a", "b", "c"):
        write(f"data/{name}.jsonl", row(name))
    (tmp_path / "data" / "mix.json").write_text('{"c": 2, "a": 0.5}')
    sources = read("data")
    assert list(sources.files) == ["a", "c"]
    assert sources.weights == {"a": 0.5, "c": 2.0}


def drawn(sources: Sources, count: int) -> Counter[str]:
    mixture = Mixture(sources.files, sources.weights, seed=0)
    return Counter(one.source for one in mixture.draw(count, random.Random(0)))


def test_a_mix_beside_a_file_without_a_weight_weighs_as_its_examples_do(tmp_path, write, read):
    for name, count in (("a", 60), ("b", 240)):
        write(f"mix/{name}.jsonl", *[row(name)] * count)
    for weights in ('{"a": 2, "b": 1}', '{"a": 1e308, "b": 5e307}'):
        (tmp_path / "mix" / "mix.json").write_text(weights)
        write("plain.jsonl", *[row("plain")] * 600)
        sources = read("mix", "plain.jsonl")
        assert sources.weights == pytest.approx({"a": 200, "b": 100})
        counts = drawn(sources, 9000)
        assert {name: round(count / 1000) for name, count in counts.items()} == {
            "a": 2, "b": 1, "plain": 6,
        }  # fmt: skip


def test_mixes_alone_weigh_as_they_say(tmp_path, write, read):
    for name, count, weight in (("a", 9, 1), ("b", 2, 3)):
        write(f"{name}/{name}.jsonl", *[row(name)] * count)
        (tmp_path / name / "mix.json").write_text(json.dumps({name: weight}))
    assert read("a", "b").weights == {"a": 1.0, "b": 3.0}
    write("c.jsonl", row("c"))
    assert read("a", "b", "c.jsonl").weights == {"a": 9.0, "b": 2.0}


def test_files_of_weight_0_are_neither_read_nor_held_out(tmp_path, write, read):
    for name in ("a", "b"):
        write(f"data/{name}.jsonl", *[row(name)] * 10)
    (tmp_path / "data" / "mix.json").write_text('{"a": 1, "b": 0}')
    sources = read("data", held_out=0.5)
    assert texts(sources) == {"a": ["a"] * 5}
    assert [example.text for example in sources.held_out] == ["a"] * 5
    (tmp_path / "data" / "mix.json").write_text('{"a": 0}')
    with pytest.raises(InputError, match=r"no file has a weight above 0 in mix\.json; give one"):
        read("data")


def test_half_of_a_surrogate_pair_is_kept(write, read):
    text = "Ann \ud800 met Bo."
    write("a.jsonl", {"input": text, "output": {"entities": {"person": ["Bo"]}}})
    example = read("a.jsonl").files["a"].example(0)
    assert example.text == text
    assert text[example.entities[0].start : example.entities[0].end] == "Bo"


def test_gzip_and_other_formats_are_converted(tmp_path, write, read):
    write("theirs.jsonl", {"input": "Tim", "output": {"entities": {"person": ["Tim"]}}})
    with gzip.open(tmp_path / "packed.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(row("é")) + "\n")
    lines: list[str] = []
    sources = read("theirs.jsonl", "packed.jsonl.gz", report=lines.append)
    assert texts(sources) == {"theirs": ["Tim"], "packed": ["é"]}
    assert sources.files["theirs"].example(0).entities[0].label == "person"
    assert sorted(p.name for p in (tmp_path / "into").iterdir()) == ["packed.jsonl", "theirs.jsonl"]
    assert [line.partition(": ")[2] for line in lines] == [
        "1 examples read, format gliner2",
        "1 examples read, format onepass",
    ]


def test_values_that_are_not_in_their_texts_are_told(write, read):
    rows = [{"input": "Tim", "output": {"entities": {"person": [f"Al {i}"]}}} for i in range(9)]
    write("a.jsonl", *rows)
    lines: list[str] = []
    read("a.jsonl", report=lines.append)
    assert len(lines) == 5
    assert "line 1: the entity 'person' 'Al 0' does not stand in the text" in lines[1]
    assert "6 more values do not stand in their texts" in lines[-1]


def test_a_part_is_held_out_of_every_file(write, read):
    write("a.jsonl", *(row(f"a{i}") for i in range(60)))
    write("b.jsonl", *(row(f"b{i}") for i in range(40)))
    write("c.jsonl", row("c0"))
    sources = read("a.jsonl", "b.jsonl", "c.jsonl", held_out=0.2)
    left = [text for part in texts(sources).values() for text in part]
    held = [example.text for example in sources.held_out]
    assert len(held) == 20
    assert sorted(left + held) == sorted(
        [f"a{i}" for i in range(60)] + [f"b{i}" for i in range(40)] + ["c0"]
    )
    assert texts(sources)["c"] == ["c0"]  # a file keeps at least one
    assert {text[0] for text in held} == {"a", "b"}
    again = read("a.jsonl", "b.jsonl", "c.jsonl", held_out=0.2)
    assert again.held_out == sources.held_out


def test_every_file_keeps_an_entry(write, read):
    for name in ("a", "b", "c"):
        write(f"{name}.jsonl", row(name), row(name))
    sources = read("a.jsonl", "b.jsonl", "c.jsonl", held_out=0.99)
    assert texts(sources) == {"a": ["a"], "b": ["b"], "c": ["c"]}
    assert len(sources.held_out) == 3


def test_at_most_500_are_held_out(write, read):
    write("a.jsonl", *(row(str(i)) for i in range(1200)))
    assert len(read("a.jsonl", held_out=0.9).held_out) == 500


def test_a_wrong_line_is_told_before_anything_starts(write, read):
    write("a.jsonl", row("fine"), {"text": "Bo", "asked": [""]})
    with pytest.raises(InputError, match="line 2: an item of asked must not be empty"):
        read("a.jsonl")


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ('{"z": 1}', "names 'z', but "),
        ('{"a": "1"}', "the weight of 'a' must be a finite number from 0, not '1'"),
        ('{"a": Infinity}', "the weight of 'a' must be a finite number from 0, not inf"),
        ('{"a": NaN}', "the weight of 'a' must be a finite number from 0, not nan"),
        ('{"a": 1' + "0" * 400 + "}", "the weight of 'a' must be a finite number from 0"),
        ('{"a": -1}', "the weight of 'a'"),
        ("[]", "is not a JSON object of names and weights"),
        ("{", "is not a JSON object of names and weights"),
    ],
)
def test_a_wrong_mix_is_refused(tmp_path, write, read, mix, message):
    write("data/a.jsonl", row("a"))
    (tmp_path / "data" / "mix.json").write_text(mix)
    with pytest.raises(InputError, match=re.escape(message)):
        read("data")


def test_paths_must_lead_to_data_with_names_of_its_own(tmp_path, write, read):
    with pytest.raises(InputError, match="There is no file or directory"):
        read("nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no \.jsonl or \.jsonl\.gz file; give files with"):
        read("empty")
    write("x/a.jsonl", row("a"))
    write("y/a.jsonl", row("a"))
    with pytest.raises(InputError, match="are both called 'a'; rename one"):
        read("x", "y")
    with pytest.raises(InputError, match=r"a\.jsonl is given twice; give it once"):
        read("x", "x/a.jsonl")


def test_converted_files_read_back_the_same(tmp_path, write, read):
    path = write("a.jsonl", {"input": "Tim in Rome", "output": {"entities": {"place": ["Rome"]}}})
    read("a.jsonl")
    assert list(read_any(tmp_path / "into" / "a.jsonl")) == list(read_any(path))


def test_texts_of_every_length_are_drawn_equally_often(tmp_path, write):
    short = [{"text": "a b"}] * 90
    long = [{"text": "word " * 30}] * 9
    longest = [{"text": "word " * 300}]
    path = write("data.jsonl", *short, *long, *longest)
    opened = open_sources([path], into=tmp_path, held_out=0, seed=0, report=lambda line: None)
    sources = by_length(opened, (8, 48, 128))
    assert {name: len(file) for name, file in sources.files.items()} == {
        "data 0": 90, "data 1": 9, "data 3": 1,
    }  # fmt: skip
    mixture = Mixture(sources.files, sources.weights, seed=0)
    drawn = [len(one.example.text.split()) for one in mixture.draw(600, random.Random(0))]
    assert min(drawn.count(n) for n in (2, 30, 300)) > 150


def test_nothing_is_left_of_a_file_that_could_not_be_converted(tmp_path, write, read):
    write("a.jsonl", {"input": "Bo", "output": {"entities": {"dog": []}}}, {"input": "Bo"})
    with pytest.raises(InputError, match="line 2"):
        read("a.jsonl")
    assert [path.name for path in tmp_path.rglob("*") if path.name.startswith(".")] == []


def test_two_files_of_a_directory_with_one_name_are_refused(tmp_path, write, read):
    write("set/a.jsonl", row("x"))
    (tmp_path / "set" / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "y"}'))
    with pytest.raises(InputError, match="are both called 'a'; rename one of them"):
        read("set")


def gliner_row(*labels: str, **more: object) -> dict:
    return {
        "tokenized_text": ["Ann", "left"],
        "ner": [[i, i, label] for i, label in enumerate(labels)],
        **more,
    }


def test_names_are_borrowed_within_a_file_that_says_of_none_that_it_does_not_hold(write, read):
    write("plain.jsonl", gliner_row("person"), gliner_row("city", "town", relations=[[0, 1, "is"]]))
    write("listed.jsonl", gliner_row("human"), gliner_row("town", ner_negatives=["date"]))
    write("own.jsonl", row("Ann left."))
    sources = read("plain.jsonl", "listed.jsonl", "own.jsonl")
    assert sources.borrowed["plain"] == Borrowed(("city", "person", "town"), ("is",))
    assert set(sources.borrowed) == {"plain"}
    names = {drawn.source for drawn in Mixture(sources.files, {}, 1).draw(60, random.Random(1))}
    assert names == {"plain", "listed", "own"}
    split = by_length(sources, [1])
    names = {drawn.source for drawn in Mixture(split.files, {}, 1).draw(60, random.Random(1))}
    assert names == {"plain", "listed", "own"}  # the names by which they borrow


def test_nothing_is_held_out_of_a_file_that_is_learned_from_whole(tmp_path, write):
    write("guessed.jsonl", *(row(f"guess {i}") for i in range(30)))
    write("gold.jsonl", *(row(f"gold {i}") for i in range(30)))
    paths = [tmp_path / name for name in ("guessed.jsonl", "gold.jsonl")]
    sources = open_sources(
        paths, into=tmp_path / "into", held_out=0.5, seed=1, report=lambda line: None,
        whole=("guessed",),
    )  # fmt: skip
    assert len(sources.files["guessed"]) == 30
    assert {example.text[:4] for example in sources.held_out} == {"gold"}
    assert len(sources.held_out) == 15


def test_a_table_and_an_object_over_several_lines_are_converted(tmp_path, read):
    (tmp_path / "a.csv").write_text("text,label\nfine,good\nstale,bad\n")
    (tmp_path / "b.json").write_text(json.dumps(row("b1"), indent=1))
    lines: list[str] = []
    sources = read("a.csv", "b.json", report=lines.append)
    assert texts(sources) == {"a.csv": ["fine", "stale"], "b": ["b1"]}
    assert lines[0].endswith("a.csv: 2 examples read, format table")
    (task,) = sources.files["a.csv"].example(1).classifications
    assert (task.name, task.labels, task.true) == ("class", ("bad", "good"), ("bad",))


def test_rows_that_nobody_accepted_are_counted(write, read):
    accepted = {"text": "a", "spans": [], "answer": "accept"}
    write("a.jsonl", accepted, {**accepted, "answer": "reject"})
    lines: list[str] = []
    read("a.jsonl", report=lines.append)
    assert lines[1].endswith("a.jsonl: 1 row is left out: rejected or ignored.")


def test_a_file_without_an_example_is_named_as_it_was_given(tmp_path, write, read):
    table = tmp_path / "a.csv"
    table.write_text("text,label\n")
    with pytest.raises(InputError, match=f"^{re.escape(str(table))} holds no example; give"):
        read("a.csv")
