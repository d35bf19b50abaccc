"""The program that the page offers gives what the page shows."""

import io
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.demo.asked import samples

from onepass import Extractor
from onepass.demo.answering import Answering
from onepass.demo.code import opening, program
from onepass.demo.form import Asked, entity_part

ANY = st.text(st.characters(), max_size=200)  # lone surrogates, too


@pytest.fixture(scope="module")
def answering() -> Answering:
    return Answering(Extractor(), opening(None))


def printed(code: str) -> str:
    """Run a program and return what it printed."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(code, "copied.py", "exec"), {})
    return out.getvalue()


@pytest.mark.parametrize("name", samples())
def test_a_sample_finds_something_and_its_program_the_same(answering: Answering, name: str):
    asked = samples()[name]
    answer = answering.answer(lambda: asked)
    doc = answering.model.extract(
        asked.text, asked.schema, threshold=asked.threshold, overlap=asked.overlap
    )
    assert doc.entities or doc.classifications or doc.records
    assert answer.json == doc.to_json(indent=2)
    assert printed(answer.code) == answer.json + "\n"


def test_a_program_of_an_awkward_text(answering: Answering):
    text = "'Ann' said:\r\n\t\"Bo\\n\"\u2028 \ud800 {{x}} ${1}\n" + "word " * 40 + "\x00Ann Lee"
    asked = Asked(text, (entity_part('per\'son = "who" \\\\ {x}\n√'),), {"√": 0.5}, "all")
    answer = answering.answer(lambda: asked)
    assert answer.json
    assert printed(answer.code) == answer.json + "\n"
    assert max(map(len, answer.code.splitlines())) < 120


@settings(max_examples=50)
@given(ANY.filter(str.strip), st.sampled_from(["flat", "all"]))
def test_the_text_of_a_program_is_the_text(text: str, overlap: str):
    code = program(Asked(text, (entity_part("a"),), 0.25, overlap))
    names: dict[str, object] = {}
    exec(code[: code.index("model =")], names)
    assert names["text"] == text


def test_a_program_opens_the_same_model(answering: Answering):
    code = program(samples()["News"], opening("some/model", backend="onnx", precision="int8"))
    line = "model = Extractor.from_pretrained('some/model', backend='onnx', precision='int8')"
    assert line in code.splitlines()
    assert opening(None, backend="onnx") == "Extractor(backend='onnx')"
