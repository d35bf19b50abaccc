"""The one graph of an embedding checkpoint: texts in, a vector each out. Labels are texts too."""

from __future__ import annotations

from onepass.backends.base import Graph

GRAPHS = (
    Graph(
        "embed",
        inputs={"ids": ("batch", "pieces"), "mask": ("batch", "pieces")},
        outputs={"vectors": ("batch", "size")},
    ),
)
