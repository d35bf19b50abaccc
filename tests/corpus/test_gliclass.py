import gzip
import json

import pytest

from onepass.corpus.example import GoldTask
from onepass.corpus.formats import Format, format_of, read_any
from onepass.corpus.gliclass import example_from_gliclass
from onepass.errors import InputError

ROW = {
    "text": "The cup final starts at nine.",
    "all_labels": ["sports", "law", "sports"],
    "true_labels": ["sports"],
    "prompt": "What is it about?",
    "examples": [{"text": "He sued.", "labels": ["law"]}],
    "_diversity": {"overall_diversity": 0.3},
}


def test_a_row_is_one_question():
    example = example_from_gliclass(ROW)
    assert example.classifications == (
        GoldTask(
            "class",
            ("sports", "law"),
            ("sports",),
            multi_label=True,
            prompt="What is it about?",
            examples=(("He sued.", ("law",)),),
        ),
    )


def test_labels_with_a_share_of_one_half_are_true():
    row = ROW | {"true_labels": {"sports": 0.5, "law": 0.49}, "examples": []}
    assert example_from_gliclass(row).classifications[0].true == ("sports",)


@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.jsonl.gz"])
def test_files_of_lines_and_of_one_list_are_read(tmp_path, name):
    path = tmp_path / name
    text = json.dumps([ROW, ROW]) if name.endswith(".json") else f"{json.dumps(ROW)}\n" * 2
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    assert format_of(path) is Format.GLICLASS
    assert list(read_any(path)) == [example_from_gliclass(ROW)] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"true_labels": ["music"]}, "the true label 'music' of task 'class' is not one of"),
        ({"true_labels": {"sports": 2}}, "the share of 'sports' in true_labels must be from 0"),
        ({"all_labels": []}, "needs at least one label"),
        ({"images": ["a.png"]}, "the key 'images' is not known; the keys are text, all_labels"),
        ({"examples": [{"text": "x", "labels": ["music"]}]}, "the example label 'music'"),
        ({"text": 3}, "text must be"),
    ],
)
def test_wrong_rows_are_told_with_their_place(tmp_path, change, message):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([ROW, ROW | change]))
    with pytest.raises(InputError, match=f"data.json, entry 2: .*{message}"):
        list(read_any(path))
