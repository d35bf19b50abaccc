"""Which modules are not searched for tests: programs, and those for guests that are missing."""

from importlib.util import find_spec

GUESTS = {
    "langchain": "langchain_core",
    "langextract": "langextract",
    "llamaindex": "llama_index",
    "presidio": "presidio_analyzer",
    "sklearn": "sklearn",
    "spacy": "spacy",
    "spark": "pandas",
}
collect_ignore = ["tests/demo/write_screenshot.py"] + [
    f"src/onepass/integrations/{module}.py"
    for module, package in GUESTS.items()
    if find_spec(package) is None
]
