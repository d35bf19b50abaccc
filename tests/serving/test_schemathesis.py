"""Requests that schemathesis makes from the description of the service, sent in this process.

`test_fuzz` sends what the description does not allow, too; this one holds the service to what its
description says of requests and answers.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from onepass.extractor import Extractor
from onepass.serving.app import create_app
from onepass.serving.settings import Settings

KEPT = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=10,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def described(model: Extractor) -> Any:
    app = create_app(
        model, Settings(max_text_chars=2_000, max_labels=20, max_texts=4, max_body_bytes=20_000)
    )
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_what_is_described_holds(described: Any):
    asked = []
    for operation in (found.ok() for found in described.get_all_operations()):

        @FEW
        @given(case=operation.as_strategy())
        def hold(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=KEPT)

        hold()
        asked.append(operation.label)
    assert "POST /v1/extract/batch" in asked
    assert len(asked) == 10
