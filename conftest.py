"""Which modules are not searched for doctests: those for guests that are not installed."""

from importlib.util import find_spec

GUESTS = {
    "langchain": "langchain_core",
    "langextract": "langextract",
    "llamaindex": "llama_index",
    "presidio": "presidio_analyzer",
    "sklearn": "sklearn",
    "spacy": "spacy",
}
collect_ignore = [
    f"src/onepass/integrations/{module}.py"
    for module, package in GUESTS.items()
    if find_spec(package) is None
]
