import dataclasses
import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.question import Question, RecordAnswer, folded
from onepass.errors import InputError
from onepass.training.asking.means import Borrowed, SamplingOptions
from onepass.training.bank import LabelBank, head_noun, read_bank
from onepass.training.sampling import Sampler

TEXT = "Ann Lee, a singer, met the painter Bo Day in Rome on Monday."
BANK = LabelBank(
    paraphrases={
        "singer": ["vocalist", "artist"],
        "painter": ["artist", "Singer", "city"],
        "city": ["town"],
        "meets": ["met", "ran into"],
        "knows": ["met"],
    },
    descriptions={"singer": "somebody who sings", "meets": "come together"},
    general={"singer": ["person"], "painter": ["person", "artist"], "city": ["place", "town"]},
    siblings={"person": ["waiter", "driver", "day"], "singer": ["soprano", "alto"]},
)
EXAMPLE = Example(
    TEXT,
    (Mention(0, 7, "singer"), Mention(35, 41, "painter"), Mention(45, 49, "city")),
    asked=("singer", "painter", "city", "day", "month", "Singer"),
    descriptions={"city": "a large town"},
    classifications=(
        GoldTask("tone", ("calm", "angry", "CALM", "sad", "odd"), ("calm",), prompt="How is it?"),
        GoldTask("class", ("a", "b"), (), examples=(("x", "b"),)),
        GoldTask(
            "topics",
            ("art", "law", "food"),
            ("art", "law"),
            multi_label=True,
            examples=(("y", ("art", "food")),),
        ),
    ),
    structures=(
        GoldStructure(
            "meeting",
            (
                GoldField("who", "guests"),
                GoldField("mood", choices=("good", "bad")),
                GoldField("where", dtype="str"),
                GoldField("never"),
            ),
            (
                {"where": (GoldValue(45, 49),), "mood": (GoldValue(choice="good"),)},
                {"who": (GoldValue(0, 7), GoldValue(35, 41)), "where": (GoldValue(text="Oslo"),)},
            ),
        ),
        GoldStructure("car", (GoldField("name"),), ()),
    ),
    relations=(GoldRelation("meets", (0, 7), (35, 41)),),
    asked_relations=("knows", "hates"),
)
POOL = ("oil price", "price", "Rome", "vocalist", "person")


def words_of(question: Question) -> dict[str, set[str]]:
    """Return the surfaces of each asked entity name."""
    names = [label.name for label in question.schema.entity_labels]
    found: dict[str, set[str]] = {name: set() for name in names}
    for i, start, end in question.entities:
        found[names[i]].add(question.text[start:end])
    return found


def questions(count: int = 300, example: Example = EXAMPLE, **options: float) -> list[Question]:
    sampler = Sampler(BANK, POOL, dataclasses.replace(SamplingOptions(), **options))
    return [sampler.question(example, random.Random(seed)) for seed in range(count)]


def test_the_same_seed_asks_the_same():
    assert questions(20) == questions(20)


def test_answers_point_into_the_schema_and_hold():
    meant = {
        "Ann Lee": {"singer", "vocalist", "artist", "person"},
        "Bo Day": {"painter", "artist", "person", "city"},
        "Rome": {"city", "town", "place"},
    }
    for question in questions():
        for name, surfaces in words_of(question).items():
            for surface in surfaces:
                assert name.lower().replace("_", " ") in meant[surface]


def test_names_never_collide_and_a_schema_can_always_be_made():
    for question in questions(paraphrase=1.0, restyle=1.0, compete=1.0, generalize=1.0):
        schema = question.schema
        names = [label.name for label in schema.entity_labels]
        assert len(set(names)) == len(names)
        kinds = [kind.name for kind in schema.relation_types]
        assert len(set(kinds)) == len(kinds)
        assert len(question.pairs) == len(kinds)
        for task, true in zip(schema.classification_tasks, question.classes, strict=True):
            assert all(0 <= i < len(task.labels) for i in true)


def test_true_classes_are_asked_under_any_style():
    for question in questions(restyle=1.0):
        for task, true in zip(question.schema.classification_tasks, question.classes, strict=True):
            chosen = {task.labels[i].name.lower() for i in true}
            if {label.name.lower() for label in task.labels} & {"art", "law", "food"}:
                assert chosen == {"art", "law"}
            elif len(task.labels) == 2 and {x.name.lower() for x in task.labels} == {"a", "b"}:
                assert chosen == set()


def test_two_tasks_called_class_get_different_names():
    names = {
        tuple(task.name for task in question.schema.classification_tasks)
        for question in questions(200)
    }
    assert all(len(set(three)) == 3 for three in names)
    assert any("class again" in three for three in names)


def test_few_shot_examples_follow_their_labels():
    seen = set()
    for question in questions(200, restyle=1.0):
        for task in question.schema.classification_tasks:
            seen |= {(text, *(one.lower() for one in labels)) for text, labels in task.examples}
    assert seen == {("x", "b"), ("y", "art", "food")}


def test_a_label_that_means_what_is_there_is_not_asked_as_absent():
    for question in questions(400, paraphrase=0.0, restyle=0.0, generalize=0.0, foreign=1.0):
        names = words_of(question)
        if names.get("singer"):  # "vocalist" comes from the pool
            assert "vocalist" not in names
        if names.get("city"):  # "town" is more general by the bank, and another name
            assert "town" not in names


def test_an_annotated_label_that_was_dropped_does_not_come_back_as_absent():
    # "day" is annotated in the example and a sibling below "person": asked only as annotated.
    example = dataclasses.replace(EXAMPLE, entities=(*EXAMPLE.entities, Mention(53, 59, "day")))
    for question in questions(400, example, drop_label=0.6, paraphrase=0.0, restyle=0.0):
        names = words_of(question)
        if "day" in names:
            assert names["day"] == {"Monday"}


def test_what_keeps_its_name_falls_under_the_general_label_too():
    outranked = 0
    for question in questions(400, generalize=1.0, compete=0.0, paraphrase=0.0, restyle=0.0):
        names = [label.name for label in question.schema.entity_labels]
        found = words_of(question)
        if "person" in found and found.get("singer") == {"Ann Lee"} and found["person"]:
            assert (names.index("person"), 0, 7) in question.outranked
            outranked += 1
    assert outranked > 5


def test_rivals_below_a_label_do_not_count_where_something_is():
    ignored = 0
    for question in questions(300, compete=1.0, generalize=0.0, paraphrase=0.0, restyle=0.0):
        names = [label.name for label in question.schema.entity_labels]
        right = set(question.entities)
        assert not right & set(question.ignored)
        assert not right & set(question.outranked)
        for rival in {"soprano", "alto"} & set(names):
            assert (names.index(rival), 0, 7) in question.ignored
            ignored += 1
    assert ignored > 20


def test_records_are_in_the_order_of_the_text_with_unknown_places():
    seen = set()
    for question in questions(100):
        at = [structure.name for structure in question.schema.structures]
        if "meeting" not in at:
            continue
        fields = [f.name for f in question.schema.structures[at.index("meeting")].fields]
        records = question.records[at.index("meeting")]
        if {"who", "where", "mood"} <= set(fields):
            first, second = records
            who, where, mood = (fields.index(name) for name in ("who", "where", "mood"))
            good = question.schema.structures[at.index("meeting")].fields[mood].choices
            assert first == RecordAnswer(((who, 0, 7), (who, 35, 41)), (), (where,))
            assert second == RecordAnswer(((where, 45, 49),), ((mood, good.index("good")),))
            seen.add(tuple(fields))
    assert len(seen) > 3


def test_records_and_fields_are_asked_under_other_names():
    bank = LabelBank(
        fields={"who": ("guest", "mood"), "where": ("place",)},
        records={"meeting": ("gathering", "car")},
    )
    sampler = Sampler(bank, options=SamplingOptions(paraphrase=0.5, restyle=0.2, prefix=0.3))
    gold = {"who": [(0, 7), (35, 41)], "where": [(45, 49)]}
    means = {"guest": "who", "place": "where"}
    records, fields = set(), set()
    for seed in range(300):
        question = sampler.question(EXAMPLE, random.Random(seed))
        for structure, answers in zip(question.schema.structures, question.records, strict=True):
            record = folded(structure.name)
            records.add(record)
            names = [folded(f.name).removeprefix(f"{record} ") for f in structure.fields]
            fields.update(names)
            for answer in answers:
                for name in names:
                    found = [span[1:] for span in answer.spans if names[span[0]] == name]
                    assert not found or found == gold[means.get(name, name)]
    assert records == {"meeting", "gathering", "car"}
    assert fields == {"who", "guest", "where", "place", "mood", "never", "name"}


def test_names_of_fields_stay_apart_with_their_record_before_them():
    fields = tuple(GoldField(name) for name in ("end", "Trip end", "TRIP END", "trip_end"))
    example = Example("To Rome.", structures=(GoldStructure("trip", fields, ()),))
    sampler = Sampler(options=SamplingOptions(prefix=1.0, restyle=0.5))
    seen = set()
    for seed in range(100):
        (structure,) = sampler.question(example, random.Random(seed)).schema.structures
        names = {f.name for f in structure.fields}
        assert len(names) == len(structure.fields)
        seen |= names
    assert {"trip end", "Trip end"} <= seen


def test_choices_are_asked_under_other_names_and_stay_right():
    bank = LabelBank(classes={"good": ("fine", "bad"), "bad": ("poor",)})
    sampler = Sampler(bank, options=SamplingOptions(paraphrase=0.5, restyle=0.3))
    seen = set()
    for seed in range(300):
        question = sampler.question(EXAMPLE, random.Random(seed))
        for structure, answers in zip(question.schema.structures, question.records, strict=True):
            for field, choice in (pick for answer in answers for pick in answer.choices):
                asked = structure.fields[field].choices
                assert len(set(asked)) == 2
                seen.add(asked[choice])
    assert {folded(name) for name in seen} == {"good", "fine"}
    assert len(seen) > 4  # in other spellings, too


def test_fewer_fields_are_asked_of_a_record():
    numbers = {
        chance: {
            len(structure.fields)
            for question in questions(100, fewer_fields=chance)
            for structure in question.schema.structures
            if folded(structure.name) == "meeting"
        }
        for chance in (0.0, 1.0)
    }
    assert numbers == {0.0: {3, 4}, 1.0: {1, 2, 3}}


def test_classes_are_asked_under_other_names_beside_those_of_their_task():
    bank = LabelBank(classes={"calm": ("at ease", "angry"), "angry": ("furious",)})
    sampler = Sampler(bank, options=SamplingOptions(paraphrase=1.0, restyle=0.0))
    true = set()
    for seed in range(200):
        question = sampler.question(EXAMPLE, random.Random(seed))
        for task, answers in zip(
            question.schema.classification_tasks, question.classes, strict=True
        ):
            names = [label.name for label in task.labels]
            assert len(set(names)) == len(names)
            if {"sad", "odd"} & set(names):
                true |= {names[i] for i in answers}
    assert true == {"calm", "at ease"}  # not "angry", which is another class of the task


@pytest.mark.parametrize("value", [GoldValue(45, 49), GoldValue(text="x")])
def test_a_value_that_is_no_choice_of_its_field_is_unknown(value):
    field = GoldField("mood", choices=("good", "bad"))
    example = Example(TEXT, structures=(GoldStructure("m", (field,), ({"mood": (value,)},)),))
    assert Sampler().question(example, random.Random(0)).records == ((RecordAnswer((), (), (0,)),),)


def test_relations_keep_their_pairs_under_other_names():
    names = set()
    for question in questions(paraphrase=1.0, restyle=0.0):
        asked = zip(question.schema.relation_types, question.pairs, strict=True)
        holding = {kind.name: pairs for kind, pairs in asked if pairs}
        assert list(holding.values()) == [((0, 7, 35, 41),)]
        names |= set(holding)
    assert names == {"meets", "ran into"}  # not "met", which "knows" may be called as well


def test_nothing_annotated_asks_nothing():
    question = Sampler(BANK, POOL).question(Example(TEXT), random.Random(0))
    assert question.schema.is_empty


def test_a_small_pool_is_enough():
    for pool in (["one"], ["one", "two"]):
        sampler = Sampler(BANK, pool, SamplingOptions(foreign=1.0, restyle=0.0))
        borrowed = set()
        for seed in range(20):
            question = sampler.question(EXAMPLE, random.Random(seed))
            names = [label.name for label in question.schema.entity_labels]
            assert len(set(names)) == len(names)
            borrowed |= set(names) & set(pool)
        assert borrowed == set(pool)


def test_limits_hold():
    labels = tuple(f"label {i}" for i in range(40))
    task = GoldTask("t", labels, labels[:1])
    example = Example(TEXT, asked=labels, classifications=(task,), asked_relations=labels)
    options = {"max_labels": 5, "max_classes": 7, "max_relations": 4, "foreign": 0.0}
    for question in questions(50, example, **options):
        assert len(question.schema.entity_labels) <= 5
        assert len(question.schema.classification_tasks[0].labels) <= 7
        assert len(question.schema.relation_types) <= 4


@given(st.randoms(use_true_random=False), st.text(max_size=12))
def test_labels_of_any_characters_can_be_asked(rng, name):
    if not name.strip():
        return
    labels = dict.fromkeys([name, name.upper(), name + " ", "x"])
    example = Example("Bo", (Mention(0, 2, name),), asked=tuple(labels))
    sampler = Sampler(options=SamplingOptions(restyle=1.0))
    question = sampler.question(example, rng)
    assert len(question.schema.entity_labels) >= 1


def test_options_are_probabilities_and_counts():
    for name, value in (
        ("describe", 1.5),
        ("describe", -0.1),
        ("max_labels", 0),
        ("paraphrase", True),
    ):
        with pytest.raises(InputError, match=re.escape(f"{name!r} must be")):
            SamplingOptions(**{name: value})


def test_head_nouns():
    assert [head_noun(x) for x in ("City of Birth", "glass", "prices", "", "a for b")] == [
        "city", "glass", "price", "", "a",
    ]  # fmt: skip


def test_a_bank_is_read_strictly(tmp_path):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps({"paraphrases": {"a": ["b"]}, "pool": ["c"]}))
    bank, pool = read_bank(path)
    assert (bank.paraphrases, pool) == ({"a": ("b",)}, ("c",))
    for content in ('{"paraphrase": {}}', '{"general": {"a": "b"}}', "[]", "{", '{"pool": [3]}'):
        path.write_text(content)
        with pytest.raises(InputError, match=re.escape(f"{path} is not a label bank: ")):
            read_bank(path)
    with pytest.raises(InputError, match="There is no file"):
        read_bank(tmp_path / "other.json")


def test_any_number_of_labels_may_be_asked():
    labels = tuple(f"label {i}" for i in range(80))
    gold = GoldTask("topic", labels, labels[:40], multi_label=True)
    options = SamplingOptions(max_classes=80, density=1.0, restyle=0.0)
    sampler = Sampler(options=options)
    rng = random.Random(0)
    asked = [sampler.question(Example("x", classifications=(gold,)), rng) for _ in range(300)]
    numbers = [len(one.schema.classification_tasks[0].labels) for one in asked]
    true = [len(one.classes[0]) for one in asked]
    assert min(numbers) <= 3
    assert max(numbers) >= 60
    assert sum(n < 10 for n in true) > 80 < sum(n >= 10 for n in true)
    single = GoldTask("topic", labels, labels[:1])
    for _ in range(50):
        one = sampler.question(Example("x", classifications=(single,)), rng)
        assert len(one.classes[0]) == 1


def test_case_noise_keeps_every_offset():
    text = "Tim Cook eats in Straße."
    example = Example(text, (Mention(0, 8, "person"),), asked=("person",))
    sampler = Sampler(options=SamplingOptions(recase=1.0))
    texts = set()
    for seed in range(30):
        question = sampler.question(example, random.Random(seed))
        texts.add(question.text)
        ((_, start, end),) = question.entities
        assert question.text[start:end].lower() == "tim cook"
    assert texts == {text, text.lower(), text.title()}  # in upper case it would be longer


def test_without_case_noise_nothing_more_is_drawn():
    rng, other = random.Random(5), random.Random(5)
    assert Sampler().means.recased("Bo", rng) == "Bo"
    assert rng.random() == other.random()


# -- what is known to hold is never asked as absent ----------------------------------------------

PEOPLE = LabelBank(
    paraphrases={"company": ["firm"], "person": ["human"], "works for": ["employed by"]},
    general={name: ["person"] for name in ("politician", "athlete", "actor")},
    siblings={"person": ["dancer", "statesman"]},
)
CAST = Example(
    "Ann met Bob, Cleo and Dora.",
    (
        Mention(0, 3, "politician"),
        Mention(8, 11, "athlete"),
        Mention(13, 17, "actor"),
        Mention(22, 26, "company"),
    ),
    relations=(GoldRelation("works for", (0, 3), (22, 26)),),
)


def cells_of(question: Question, name: str) -> dict[str, set[tuple[int, int]]]:
    """Return where a label of a question is right, and where it does not count."""
    labels = [label.name.lower().replace("_", " ") for label in question.schema.entity_labels]
    if name not in labels:
        return {}
    number = labels.index(name)
    return {
        "right": {(s, e) for label, s, e in question.entities if label == number},
        "open": {
            (s, e) for label, s, e in (*question.ignored, *question.outranked) if label == number
        },
    }


@pytest.mark.parametrize("seed", range(200))
def test_a_general_label_holds_wherever_no_specific_one_is_asked(seed):
    options = SamplingOptions(generalize=0.7, compete=0.7, drop_label=0.5, paraphrase=0.0)
    question = Sampler(PEOPLE, options=options).question(CAST, random.Random(seed))
    found = cells_of(question, "person")
    asked = {label.name.lower().replace("_", " ") for label in question.schema.entity_labels}
    for mention in CAST.entities[:3]:
        if found and mention.label not in asked:
            assert (mention.start, mention.end) in found["right"] | found["open"]
    for sibling in ("dancer", "statesman"):
        where = cells_of(question, sibling)
        hidden = {(m.start, m.end) for m in CAST.entities if m.label not in asked | {"company"}}
        if where and "person" not in asked:  # else one of them was moved there
            assert hidden <= where["open"]


@pytest.mark.parametrize("seed", range(200))
def test_no_other_spelling_or_name_of_what_is_there_is_asked(seed):
    pool = ("Company", "firm", "FIRM", "human", "harbor")
    options = SamplingOptions(foreign=1.0, paraphrase=0.0, drop_label=0.5, generalize=0.0)
    borrowed = {"mine": Borrowed((), ("employed by", "Works_For", "owns"))}
    sampler = Sampler(PEOPLE, pool, options, borrowed=borrowed)
    question = sampler.question(CAST, random.Random(seed), "mine")
    present = {label for label, _, _ in question.entities}
    absent = {
        label.name.lower().replace("_", " ")
        for number, label in enumerate(question.schema.entity_labels)
        if number not in present
    }
    assert absent <= {"harbor", "person", "dancer", "statesman"}
    kinds = {folded(kind.name) for kind in question.schema.relation_types}
    assert kinds <= {"works for", "owns"}


@pytest.mark.parametrize("seed", range(100))
def test_no_label_is_asked_by_a_name_that_another_one_has_as_well(seed):
    bank = LabelBank(
        {
            "company": ["firm"], "law office": ["firm", "Company"],
            "works for": ["is with"], "lives with": ["Is_With"],
        },
        classes={"happy": ["joyful"], "excited": ["joyful"], "sad": ["happy"]},
        fields={"role": ["job title"]},
    )  # fmt: skip
    fields = tuple(map(GoldField, ("role", "job_title")))
    example = Example(
        "Acme",
        (Mention(0, 4, "company"),),
        ("law office",),
        classifications=(GoldTask("mood", ("happy", "excited", "sad"), ("happy",)),),
        structures=(GoldStructure("post", fields, ({"role": (GoldValue(0, 4),)},)),),
        relations=(GoldRelation("works for", (0, 4), (0, 4)),),
        asked_relations=("lives with",),
    )
    options = SamplingOptions(paraphrase=1.0, restyle=0.0)
    schema = Sampler(bank, options=options).question(example, random.Random(seed)).schema
    assert {label.name for label in schema.entity_labels} <= {"company", "law office"}
    assert {one.name for one in schema.relation_types} <= {"works for", "lives with"}
    for task in schema.classification_tasks:
        assert {label.name for label in task.labels} <= {"happy", "excited", "sad"}
    for structure in schema.structures:
        assert {one.name for one in structure.fields} <= {"role", "job_title"}


@pytest.mark.parametrize("seed", range(60))
def test_no_other_name_of_what_may_hold_is_asked(seed):
    bank = LabelBank({"company": ["firm"], "hired by": ["employed by"]})
    example = Example(
        "Bo at Acme",
        (Mention(0, 2, "person"),),
        ("firm", "city"),
        relations=(GoldRelation("near", (0, 2), (6, 10)),),
        asked_relations=("employed by", "owns"),
        unsure=("company",),
        unsure_relations=("hired by",),
    )
    question = Sampler(bank).question(example, random.Random(seed))
    assert {folded(one.name) for one in question.schema.entity_labels} <= {"person", "city"}
    assert {folded(one.name) for one in question.schema.relation_types} <= {"near", "owns"}


def test_a_general_label_is_open_where_a_specific_one_holds_unasked():
    bank = LabelBank(general={"company": ["organization"]})
    example = Example(
        "Bo of Acme, Oslo",
        (Mention(0, 2, "person"), Mention(6, 10, "company"), Mention(12, 16, "city")),
        ("organization",),
    )
    options = SamplingOptions(drop_label=0.5, generalize=0.0, restyle=0.0)
    seen = 0
    for seed in range(300):
        question = Sampler(bank, options=options).question(example, random.Random(seed))
        names = [label.name for label in question.schema.entity_labels]
        if "organization" in names and "company" not in names:
            seen += 1
            assert (names.index("organization"), 6, 10) in question.ignored
    assert seen > 10


def test_the_other_direction_of_a_paraphrase_counts():
    example = Example("Acme grew.", (Mention(0, 4, "firm"),))
    sampler = Sampler(PEOPLE, ("company",), SamplingOptions(foreign=1.0, paraphrase=0.0))
    for seed in range(50):
        question = sampler.question(example, random.Random(seed))
        assert [label.name.lower() for label in question.schema.entity_labels] == ["firm"]


def test_what_may_hold_is_not_asked():
    example = Example(
        "Acme hired Bo.", (Mention(0, 4, "firm"),), unsure=("person",), asked_relations=("owns",),
        unsure_relations=("works for",),
    )  # fmt: skip
    sampler = Sampler(
        PEOPLE, ("human", "person"), SamplingOptions(foreign=1.0),
        borrowed={"": Borrowed((), ("employed by",))},
    )  # fmt: skip
    for seed in range(50):
        question = sampler.question(example, random.Random(seed))
        assert len(question.schema.entity_labels) == 1
        assert [folded(kind.name) for kind in question.schema.relation_types] == ["owns"]
        assert {"person", "human"} <= question.known


@pytest.mark.parametrize("seed", range(50))
def test_what_is_more_general_than_what_may_hold_is_not_asked(seed):
    example = Example("Ann met Bo.", (Mention(0, 3, "politician"),), unsure=("athlete",))
    options = SamplingOptions(generalize=1.0, compete=1.0, foreign=1.0)
    question = Sampler(PEOPLE, ("person", "human"), options).question(example, random.Random(seed))
    asked = {label.name.lower() for label in question.schema.entity_labels}
    assert asked.isdisjoint({"person", "human"})


def test_names_are_borrowed_within_their_source():
    borrowed = {"theirs": Borrowed(("harbor",), ("owns",))}
    sampler = Sampler(options=SamplingOptions(foreign=1.0), borrowed=borrowed)
    asked = {
        source: {
            folded(name.name)
            for seed in range(30)
            for question in [sampler.question(CAST, random.Random(seed), source)]
            for name in (*question.schema.entity_labels, *question.schema.relation_types)
        }
        for source in ("theirs", "mine")
    }
    assert asked["theirs"] - asked["mine"] == {"harbor", "owns"}


@pytest.mark.parametrize("density", [0.0, 1.0])
@pytest.mark.parametrize(("true", "false"), [(40, 30), (40, 0), (1, 40), (0, 40)])
def test_a_task_has_as_many_labels_as_may_be_asked(density, true, false):
    labels = tuple(f"label {i}" for i in range(true + false))
    task = GoldTask("topics", labels, labels[:true], multi_label=True)
    example = Example("Hi.", classifications=(task,))
    sampler = Sampler(options=SamplingOptions(max_classes=10, density=density, restyle=0.0))
    numbers = set()
    for seed in range(60):
        question = sampler.question(example, random.Random(seed))
        asked = [label.name for label in question.schema.classification_tasks[0].labels]
        right = question.classes[0]
        assert len(asked) <= 10
        assert bool(right) == bool(true)
        assert (len(right) < len(asked)) == bool(false)
        numbers.add(len(right))
    assert max(numbers) == min(true, 10 - bool(false))
    assert len(numbers) > 3 or not density or true < 4
