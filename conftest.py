"""Which modules are not searched for tests: programs, and those of packages that are missing."""

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
KERNELS = ["src/onepass/nn/backbones/fused_kernel.py", "tests/nn/backbones/fused_cases.py"]
collect_ignore = ["tests/demo/write_screenshot.py"] + [
    f"src/onepass/integrations/{module}.py"
    for module, package in GUESTS.items()
    if find_spec(package) is None
]
if find_spec("triton") is None:
    collect_ignore += KERNELS
