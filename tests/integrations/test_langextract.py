"""The provider, as LangExtract itself calls it."""

import pytest

from onepass import Extractor

lx = pytest.importorskip("langextract")
guest = pytest.importorskip("onepass.integrations.langextract")

from langextract.providers import router  # noqa: E402

TEXT = (
    "Angela Merkel met Emmanuel Macron in Paris.\n\n"
    "Q: Who else was there?\n\n"
    "A: Tim Cook came from Cupertino."
)


@pytest.fixture(autouse=True)
def registered() -> None:
    router.register(*guest.OnepassLanguageModel.get_model_patterns(), priority=20)(
        guest.OnepassLanguageModel
    )


def example(text: str, **found: str) -> "lx.data.ExampleData":
    extractions = [
        lx.data.Extraction(extraction_class=name, extraction_text=said)
        for name, said in found.items()
    ]
    return lx.data.ExampleData(text=text, extractions=extractions)


EXAMPLES = [
    example("Bo lives in Oslo.", person="Bo", city="Oslo"),
    example("Q: Al is here.", person="Al"),
]


def test_examples_say_what_is_found(model: Extractor) -> None:
    found = lx.extract(
        TEXT, prompt_description="Find people and cities.", examples=EXAMPLES, model_id="onepass",
        show_progress=False,
    )  # fmt: skip
    got = {
        (e.extraction_class, e.char_interval.start_pos, e.char_interval.end_pos)
        for e in found.extractions
    }
    asked = model.extract(TEXT, {"entities": ["person", "city"]})
    assert got == {(e.label, e.start, e.end) for e in asked.entities}
    assert "Tim Cook" in {e.extraction_text for e in found.extractions}
    assert all(0 <= float(e.attributes["score"]) <= 1 for e in found.extractions)


def test_documents_in_chunks_with_a_model_that_is_open(model: Extractor) -> None:
    ready = guest.OnepassLanguageModel(labels=["person", "city"], model=model)
    documents = [lx.data.Document(text=TEXT), lx.data.Document(text="Nothing.")]
    with pytest.warns(UserWarning, match="use_schema_constraints"):
        docs = list(
            lx.extract(
                documents, prompt_description="Find people.", examples=EXAMPLES, model=ready,
                show_progress=False, max_char_buffer=60,
            )
        )  # fmt: skip
    assert {"Angela Merkel", "Tim Cook"} <= {e.extraction_text for e in docs[0].extractions}
    for e in docs[0].extractions:
        place = slice(e.char_interval.start_pos, e.char_interval.end_pos)
        assert TEXT[place] == e.extraction_text
    assert docs[1].extractions == []


def test_two_examples_with_one_text(model: Extractor) -> None:
    text = "Bo met Al in Rome."
    examples = [
        example(text, person="Bo"),
        example("Tim ran.", person="Tim"),
        example(text, location="Rome"),
    ]
    found = lx.extract(
        TEXT, prompt_description="Find people and places.", examples=examples, model_id="onepass",
        show_progress=False,
    )  # fmt: skip
    asked = model.extract(TEXT, {"entities": ["person", "location"]})
    assert {e.extraction_text for e in found.extractions} == {e.text for e in asked.entities}


def test_a_question_may_look_like_a_prompt() -> None:
    from langextract import prompting
    from langextract.core.format_handler import FormatHandler

    for fences in (True, False):
        generator = prompting.QAPromptGenerator(
            prompting.PromptTemplateStructured("Find.\n\nQ: no", EXAMPLES),
            FormatHandler(use_fences=fences),
        )
        prompt = generator.render(TEXT, additional_context="Q: before")
        assert guest.question(prompt, [one.text for one in EXAMPLES]) == TEXT


def test_the_entry_point_is_declared() -> None:
    assert router.resolve("onepass") is guest.OnepassLanguageModel
    assert router.resolve("onepass:owner/name") is guest.OnepassLanguageModel
