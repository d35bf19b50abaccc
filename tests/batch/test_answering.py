"""Requests travel to other processes as plain values."""

import json

from onepass.batch.answering import Request, column_answers
from onepass.schema.schema import Schema


def test_a_request_survives_json():
    schema = (
        Schema()
        .entities({"city": "a town", "person": None})
        .classification("tone", ["calm", "angry"], abstain=True)
        .structure("product", ["name::str", "size::[s|m]::str"])
        .relations(["born in"])
    )
    for threshold in (None, 0.4, {"city": 0.3}):
        request = Request(schema, threshold, "nested", "error", "exact")
        assert Request.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_texts_that_fail_do_not_keep_others_from_being_read(load):
    request = Request(Schema().entities(["city"]), on_long="error")
    values = ["in Warsaw", 5, "word " * 5000, "in Bern"]
    found, errors = column_answers(load(), request, values)
    assert [text is None for text in found] == [False, True, True, False]
    assert [error is None for error in errors] == [True, False, False, True]
    assert [json.loads(found[n])["entities"][0]["text"] for n in (0, 3)] == ["Warsaw", "Bern"]
