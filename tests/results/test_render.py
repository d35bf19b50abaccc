"""What people see: every character of the text, and nothing that could act."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.results.arcs import draw_arcs
from onepass.results.page import PALETTE, SCRIPT
from onepass.results.render import to_fragment, to_html
from onepass.results.table import to_table
from onepass.results.types import (
    Classification,
    Coverage,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)

EVIL = (
    "</div></mark><script>alert(1)</script><img src=x onerror='a()'>\"`&amp;&lt;]]>--><!-- \u202e"
)
TAGS = re.compile(
    "html|head|meta|title|style|body|div|span|small|bdi|mark|h2|table|t[rhd]|b|i|p|ul|li"
    "|svg|g|path|text|label|input|output|script"
)
ATTRIBUTES = re.compile(
    "lang|charset|http-equiv|content|name|class|style|dir|title|data-label|data-scores?"
    "|viewbox|width|height|x|y|d|id|type|min|max|step|value|hidden"
)
STYLE = re.compile(r"[-a-z0-9#%:;,.() /]*")
anything = st.text(st.characters(exclude_categories=()), max_size=30)
filled = anything.filter(bool)


class Page(HTMLParser):
    """A page read back, element by element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []  # content of each highlighted block
        self.marks: list[tuple[str, str]] = []  # (title, text) of each marked piece
        self.tags: list[str] = []  # the label tags
        self.styles: list[str] = []
        self.everything: list[str] = []
        self.scripts: list[str] = []
        self._depth = 0  # inside a highlighted block
        self.feed(re.sub("\r\n?", "\n", page))  # what a browser does first
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert TAGS.fullmatch(tag)
        given = dict(attrs)
        assert all(ATTRIBUTES.fullmatch(name) for name in given)
        assert len(given) == len(attrs)
        self.styles.append(given.get("style") or "")
        assert STYLE.fullmatch(self.styles[-1])
        if tag == "div" and given.get("class") == "text":
            self.texts.append("")
            self._depth = 1
        elif self._depth and tag == "mark":
            self.marks.append((given["title"] or "", ""))
        elif tag == "script":
            assert not given
            self.scripts.append("")
        if given.get("class") == "tag":
            self.tags.append(given["data-label"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._depth = 0

    def handle_data(self, data: str) -> None:
        self.everything.append(data)
        if self.lasttag == "script" and data.strip():
            self.scripts[-1] += data
        if self._depth:
            self.texts[-1] += data
            if self.lasttag == "mark" and self.marks:
                title, text = self.marks[-1]
                self.marks[-1] = (title, text + data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def seen(text: str) -> str:
    """What a page can show of a text."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


@st.composite
def marked(draw: st.DrawFn) -> Extraction:
    """Any text under any entities: nested, crossing, side by side, empty, repeated."""
    text = draw(anything)
    entities = []
    for _ in range(draw(st.integers(0, 12))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        entities.append(Entity(draw(filled), text[first:last], first, last, draw(st.floats(0, 1))))
    return Extraction(text, tuple(entities))


@given(marked())
@example(Extraction(EVIL, (Entity(EVIL, EVIL, 0, len(EVIL), 0.5),)))
@example(Extraction("\n\na\r\nb\rc\u2028\u200f\u05d0\u05d1 x\x00\ud83d", ()))
def test_the_highlighted_block_holds_the_text_exactly(doc: Extraction) -> None:
    page = Page(to_html(doc))
    assert page.texts == [seen(doc.text)]


@given(marked())
def test_each_place_is_marked_with_the_entities_that_hold_there(doc: Extraction) -> None:
    page = Page(to_html(doc))
    drawn = [e for e in doc.entities if e.start < e.end]
    assert sorted(page.tags) == sorted(seen(e.label) for e in drawn)
    cuts = sorted({0, len(doc.text)} | {e.start for e in drawn} | {e.end for e in drawn})
    expected = []
    for start, end in pairwise(cuts):
        here = [e for e in drawn if e.start <= start and end <= e.end]
        if here:
            expected.append((here, doc.text[start:end]))
    assert len(page.marks) == len(expected)
    for (title, _), (here, _) in zip(page.marks, expected, strict=True):
        for entity in here:
            assert f"{seen(entity.label)} {entity.score:.3f} ({entity.start}:{entity.end})" in title
        assert title.count(":") - "".join(e.label for e in here).count(":") == len(here)


@given(anything, anything, st.lists(filled, min_size=4, max_size=4, unique=True))
@example(EVIL, EVIL, [EVIL, EVIL + "1", EVIL + "2", EVIL + "3"])
def test_foreign_names_and_values_are_only_ever_text(
    text: str, value: str, names: list[str]
) -> None:
    choice, span = Value(value, None, None, 0.5), Value(text, 0, len(text), 0.5)
    doc = Extraction(
        text,
        classifications={names[0]: Classification((LabelScore(value, 0.5),), {value: 0.5})},
        records={names[1]: ({names[2]: choice, names[3]: (choice, choice)}, {names[2]: None})},
        relations=(Relation(names[0], span, span, 0.5),),
    )
    whole = "".join(Page(to_html(doc, title=value)).everything)
    for name in [value, *names]:
        assert seen(name) in whole
    Page(to_fragment(doc))


def test_marked_pieces_of_nested_and_crossing_entities() -> None:
    text = "University of New York City"
    doc = Extraction(
        text,
        (
            Entity("university", "University of New York", 0, 22, 0.9),
            Entity("state", "New York", 14, 22, 0.8),
            Entity("city", "New York City", 14, 27, 0.7),
        ),
    )
    page = Page(to_html(doc))
    assert [piece for _, piece in page.marks][:2] == ["University of ", "New York"]
    assert page.marks[1][0].split("; ") == [
        "university 0.900 (0:22)",
        "city 0.700 (14:27)",
        "state 0.800 (14:22)",
    ]
    assert page.tags == ["university", "state", "city"]
    lines = [style.count("100% 3px") for style in page.styles if "linear-gradient" in style]
    assert lines == [1, 3, 1]


def test_entities_that_touch_share_a_lane() -> None:
    doc = Extraction("abc", tuple(Entity("x", "abc"[i], i, i + 1, 0.5) for i in range(3)))
    assert "--lanes:1" in to_html(doc)


def colors(doc: Extraction) -> dict[str, str]:
    keys = re.findall(r'class="key" style="--c:(#\w+)"><bdi>(\w+)', to_html(doc))
    return {label: color for color, label in keys}


def with_labels(labels: list[str]) -> Extraction:
    return Extraction("a", tuple(Entity(label, "a", 0, 1, 0.5) for label in labels))


def test_colors_do_not_depend_on_order_and_differ_while_there_are_enough() -> None:
    labels = [f"label{i}" for i in range(len(PALETTE))]
    first = colors(with_labels(labels))
    assert first == colors(with_labels(labels[::-1]))
    assert len(set(first.values())) == len(PALETTE)
    assert colors(with_labels(["person"])) == colors(with_labels(["person", "person"]))
    assert len(colors(with_labels([*labels, "one", "more"]))) == len(PALETTE) + 2


def test_one_page_holds_many_texts_and_loads_nothing() -> None:
    page = to_html([Extraction("one"), Extraction("two"), Extraction("")])
    assert Page(page).texts == ["one", "two", ""]
    assert page.count("<style>") == 1
    assert Page(to_html([])).texts == []
    assert not re.search(r"https?:|//|url\(|@import|<link", page)
    assert "default-src 'none'" in page


@given(marked())
@example(Extraction(EVIL, (Entity(EVIL, EVIL, 0, len(EVIL), 0.5),)))
def test_only_the_slider_runs_and_nothing_in_a_fragment(doc: Extraction) -> None:
    page = Page(to_html(doc))
    assert page.scripts == [SCRIPT]
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in to_html(doc)
    assert Page(to_fragment(doc)).scripts == []


def test_everything_that_the_slider_hides_says_its_score() -> None:
    page = to_html(sample())
    # two tags, a relation in the list and one arc, values of records and of the relation
    assert page.count("data-score=") == 2 + 1 + 1 + 3 + 2
    assert re.findall(r'data-scores="([^"]*)"', page) == ["0.970", "0.800"]
    nested = Extraction("ab", (Entity("x", "ab", 0, 2, 0.5), Entity("y", "a", 0, 1, 0.25)))
    assert re.findall(r'data-scores="([^"]*)"', to_html(nested)) == ["0.500 0.250", "0.500"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), filled, st.floats(0, 1)), max_size=9)
)
def test_each_relation_with_two_places_is_an_arc(rows: list[tuple[int, int, str, float]]) -> None:
    text = "abcdefghij"
    relations = tuple(
        Relation(kind, Value(text[a], a, a + 1, 0.5), Value(text[b], b, b + 1, 0.5), score)
        for a, b, kind, score in rows
    )
    drawing = draw_arcs(Extraction(text, relations=relations))
    apart = [(a, b) for a, b, *_ in rows if a != b]
    x = {node.start: node.x for node in drawing.nodes}
    assert set(x) == {at for pair in apart for at in pair}
    assert [(arc.start, arc.end) for arc in drawing.arcs] == [(x[a], x[b]) for a, b in apart]
    assert list(x.values()) == sorted(x.values())
    for (a, b), arc in zip(apart, drawing.arcs, strict=True):
        for (c, d), other in zip(apart, drawing.arcs, strict=True):
            meet = min(a, b) < max(c, d) and min(c, d) < max(a, b)
            assert arc is other or not meet or arc.height != other.height
    page = Page(to_html(Extraction(text, relations=relations)))
    assert page.texts == [text]


def test_a_long_text_with_many_entities_is_shown_quickly() -> None:
    def extraction(number: int) -> Extraction:
        text = "Tim Cook " * number
        found = [Entity("person", "Tim Cook", at, at + 8, 0.9) for at in range(0, len(text), 9)]
        found += [Entity("name", "Tim", at, at + 3, 0.8) for at in range(0, len(text), 9)]
        return Extraction(text, tuple(found))

    assert Page(to_html(extraction(500))).texts == ["Tim Cook " * 500]
    assert_grows_in_proportion(lambda number: partial(to_html, extraction(number)), 500)


def sample() -> Extraction:
    text = "Tim Cook sells the iPhone."
    tim, phone = Value("Tim Cook", 0, 8, 0.9), Value("iPhone", 19, 25, 0.8)
    return Extraction(
        text,
        (Entity("person", "Tim Cook", 0, 8, 0.97), Entity("product", "iPhone", 19, 25, 0.8)),
        {"mood": Classification((LabelScore("good", 0.9),), {"good": 0.9, "bad": 0.05})},
        {
            "product": (
                {"name": phone, "price": None, "tags": (tim, phone)},
                {"name": None, "price": None, "tags": ()},
            ),
            "order": (),
        },
        (Relation("sells", tim, phone, 0.7),),
        Coverage(26, 20, 1, True),
    )


def test_table_of_everything() -> None:
    assert to_table(sample()) == (
        "Entities\n"
        "  person   Tim Cook  0:8    0.970\n"
        "  product  iPhone    19:25  0.800\n"
        "\n"
        "Class: mood\n"
        "  *  good  0.900\n"
        "     bad   0.050\n"
        "\n"
        "Records: product\n"
        "  name    price  tags\n"
        "  iPhone  -      Tim Cook, iPhone\n"
        "  -       -      -\n"
        "\n"
        "Records: order\n"
        "  none\n"
        "\n"
        "Relations\n"
        "  Tim Cook  -- sells ->  iPhone  0.700\n"
        "\n"
        "20 of 26 characters read in 1 window. The rest was cut off."
    )


def test_table_of_nothing() -> None:
    coverage = Coverage(3, 3, 2, False)
    assert to_table(Extraction("abc", coverage=coverage)) == (
        "Nothing was found.\n3 of 3 characters read in 2 windows."
    )


def test_table_aligns_wide_and_combining_letters() -> None:
    words = ["東京", "cafe\u0301", "abcd"]
    text = "".join(words)
    found, at = [], 0
    for word in words:
        found.append(Entity("x", word, at, at + len(word), 0.5))
        at += len(word)
    lines = to_table(Extraction(text, tuple(found))).splitlines()[1:4]
    assert lines[0].startswith("  x  東京  ")
    # The colons of the offsets: two letters fill four columns, five letters fill four columns.
    assert [line.index(":") for line in lines] == [12 - 2, 12 + 1, 12]


@given(marked())
@example(Extraction("\x1b[31mred\n\r\u202e", (Entity("\x1b]0;x\x07", "\x1b[31mred", 0, 8, 0.5),)))
def test_table_cannot_steer_a_terminal(doc: Extraction) -> None:
    shown = to_table(doc)
    shown.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
    assert shown.count("\n") == (2 + len(doc.entities) if doc.entities else 1)


@pytest.mark.parametrize("length", [60, 61, 10_000])
def test_table_shortens_long_values(length: int) -> None:
    line = to_table(Extraction("a" * length, (Entity("x", "a" * length, 0, length, 0.5),)))
    shown = line.splitlines()[1].split()[1]
    assert shown == ("a" * 60 if length == 60 else "a" * 59 + "…")


def test_names_stand_beside_the_label_where_they_say_more() -> None:
    names = LabelScore("river", 0.5), LabelScore("<b>", 0.25)
    doc = Extraction("Rhine", entities=(Entity("place", "Rhine", 0, 5, 0.9, names),))
    assert "place (river, <b>)  Rhine  0:5  0.900" in to_table(doc)
    assert 'data-label="place (river, &lt;b&gt;)"' in to_html(doc)
    same = Extraction("Rhine", entities=(Entity("river", "Rhine", 0, 5, 0.9, names[:1]),))
    assert "  river  Rhine  0:5  0.900" in to_table(same)


def test_a_task_that_abstained_says_so() -> None:
    scores = {"sport": 0.75, "sport/tennis": 0.75, "science": 0.25}
    none = Classification((), scores, (), 0.125)
    doc = Extraction(
        "a", classifications={"topic": none, "tone": Classification((), {"calm": 0.1})}
    )
    assert to_table(doc).startswith(
        "Class: topic\n"
        "  none of these (the best fits 0.125)\n"
        "    sport         0.750\n"
        "    sport/tennis  0.750\n"
        "    science       0.250\n"
        "\n"
        "Class: tone\n"
        "    calm  0.100\n"
    )
    assert to_html(doc).count("none of these") == 1
    assert "none of these" not in to_html(Extraction("a"))
