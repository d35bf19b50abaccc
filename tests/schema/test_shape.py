"""Levels of fields, whatever they were read from."""

import pytest

from onepass.schema.shape import structure_name


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("Product", "product"),
        ("ProductReview", "product review"),
        ("product_review", "product review"),
        ("HTTPServer", "http server"),
        ("Phase2Trial", "phase2 trial"),
    ],
)
def test_structure_names(class_name: str, name: str) -> None:
    assert structure_name(class_name) == name
