"""A limit has one name: in the settings, as a flag, in what a service tells, and in refusals."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from inspect import signature
from typing import Any

import httpx
import pytest

from onepass.cli.serve import serve
from onepass.extractor import Extractor
from onepass.serving.settings import Settings, with_flag

PEOPLE = {"entities": ["person"]}
NAMES = {one.name for one in fields(Settings)}
SMALL = Settings(
    max_body_bytes=600, max_text_chars=40, max_schema_chars=120, max_labels=3, max_texts=2,
    max_found=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def small(start: Any, model: Extractor) -> Iterator[Any]:
    with start(model, SMALL) as one:
        yield one


def refusal(got: httpx.Response) -> str:
    sentence: str = got.json()["error"]["message"]
    return sentence


def test_every_setting_is_an_option_of_the_command():
    assert set(signature(serve).parameters) >= NAMES


def test_limits_of_a_request_are_told_by_their_names(small: Any):
    limits = small.http.get("/v1/models").json()["limits"]
    assert set(limits) <= NAMES
    assert {name: getattr(SMALL, name) for name in limits} == limits


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("max_body_bytes", {"text": "a" * 700, "schema": PEOPLE}),
        ("max_text_chars", {"text": "a" * 41, "schema": PEOPLE}),
        ("max_schema_chars", {"text": "a", "schema": {"entities": {"city": "a" * 120}}}),
        ("max_labels", {"text": "a", "schema": {"entities": ["a", "b", "c", "d"]}}),
        ("max_labels", {"text": "a", "schema": PEOPLE, "threshold": dict.fromkeys("abcdefghi", 1)}),
        ("max_texts", {"texts": ["a", "b", "c"], "schema": PEOPLE}),
        ("max_found", {"text": "Tim Cook met Ann Lee.", "schema": PEOPLE}),
    ],
)
def test_a_refusal_names_the_limit_and_what_to_do(small: Any, name: str, body: dict[str, Any]):
    path = "/v1/extract/batch" if "texts" in body else "/v1/extract"
    sentence = refusal(small.http.post(path, json=body))
    assert f"{with_flag(name)} of this service" in sentence
    assert str(getattr(SMALL, name)) in sentence
    assert "; " in sentence


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("max_requests", {"max_requests": 1}, 1),
        ("queue_texts", {"queue_texts": 1, "batch_texts": 1}, 2),
        ("queue_seconds", {"queue_seconds": 1e-9, "batch_texts": 1}, 2),
    ],
)
def test_a_busy_service_names_what_is_full(
    start: Any, gated: Any, name: str, given: Any, held: int
):
    def ask() -> httpx.Response:
        return one.http.post("/v1/extract", json={"text": "Ann Lee.", "schema": PEOPLE})

    with start(gated, Settings(**given)) as one, ThreadPoolExecutor(held) as pool:
        gated.gate.clear()
        asked: list[Future[httpx.Response]] = []
        for number in range(held):  # one is read, the other waits
            asked.append(pool.submit(ask))
            assert one.metric_becomes("onepass_requests_inside", number + 1)
            assert one.metric_becomes("onepass_queue_texts", number)
        got = ask()
        gated.gate.set()
        assert [answer.result().status_code for answer in asked] == [200] * held
    assert got.status_code == 429
    assert with_flag(name) in refusal(got)
    assert "try again after the seconds in Retry-After" in refusal(got)


def test_a_request_that_takes_too_long_names_the_timeout(start: Any, gated: Any):
    with start(gated, Settings(timeout=0.2)) as one:
        gated.gate.clear()
        got = one.http.post("/v1/extract", json={"text": "Ann Lee.", "schema": PEOPLE})
        gated.gate.set()
    assert got.status_code == 504
    assert "within 0.2 seconds, the timeout (--timeout) of this service; send" in refusal(got)
