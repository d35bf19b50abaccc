"""Whatever is sent, the answer is JSON and never 500."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

LITTLE = settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
ROUTES = ["/v1/extract", "/v1/extract/batch", "/v1/schema/validate"]

words = st.one_of(
    st.sampled_from(["person", "a::str::b", "x::[a|b]", "", "*", "name", "labels", "dtype"]),
    st.text(st.characters(), max_size=8),  # lone surrogates, too
)
numbers = st.one_of(st.floats(), st.integers(), st.just(10**400))
leaves = st.one_of(st.none(), st.booleans(), numbers, words)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)
labels = st.one_of(st.lists(words, max_size=3), st.dictionaries(words, anything, max_size=3))
schemas = st.fixed_dictionaries(
    {},
    optional={
        "entities": st.one_of(labels, anything),
        "classifications": st.one_of(st.dictionaries(words, labels, max_size=2), anything),
        "structures": st.one_of(st.dictionaries(words, labels, max_size=2), anything),
        "relations": st.one_of(labels, anything),
        "questions": st.one_of(labels, anything),
        "name_entities": anything,
    },
)
requests = st.fixed_dictionaries(
    {"schema": st.one_of(schemas, anything)},
    optional={
        "text": st.one_of(st.text(st.characters(), max_size=60), anything),
        "texts": st.one_of(st.lists(st.text(max_size=30), max_size=3), anything),
        "threshold": st.one_of(st.floats(0, 1), st.dictionaries(words, numbers), anything),
        "overlap": st.one_of(st.sampled_from(["flat", "all", "label", "nested"]), anything),
        "on_long": st.one_of(st.sampled_from(["window", "error", "truncate"]), anything),
    },
)


def check(service: Any, path: str, body: bytes) -> None:
    got = service.http.post(path, content=body, headers={"content-type": "application/json"})
    answer = got.json()
    assert got.status_code in (200, 400, 422), (got.status_code, answer)
    if got.status_code != 200:
        assert set(answer["error"]) == {"code", "message"}
    if path == "/v1/extract/batch" and got.status_code == 200:
        assert all("internal" not in str(one.get("error")) for one in answer["results"])


@LITTLE
@given(st.sampled_from(ROUTES), requests)
@example("/v1/extract", {"schema": {"entities": ["a"]}, "text": "", "threshold": {"a": 0.5}})
@example("/v1/extract", {"schema": {"entities": {"a": {"threshold": 10**400}}}, "text": "a"})
def test_any_request(service: Any, path: str, request: dict[str, Any]):
    check(service, path, json.dumps(request).encode())


@LITTLE
@given(st.sampled_from(ROUTES), st.one_of(st.binary(max_size=40), anything.map(json.dumps)))
def test_any_body(service: Any, path: str, body: Any):
    check(service, path, body if isinstance(body, bytes) else body.encode())


@LITTLE
@given(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=200),
    st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=4),
)
def test_offsets_of_any_text(service: Any, text: str, names: list[str]):
    body = {"text": text, "schema": {"entities": names}, "threshold": 0.05, "overlap": "all"}
    got = service.http.post("/v1/extract", json=body)
    assert got.status_code in (200, 422)
    for entity in got.json().get("entities", ()):
        assert text[entity["start"] : entity["end"]] == entity["text"]
