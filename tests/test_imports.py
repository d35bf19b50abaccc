"""What an import costs, and that everything but the networks runs where torch is not installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import onepass

PACKAGE = Path(onepass.__file__).parent
ABSENT = ["torch", "transformers", "accelerate", "peft", "onnx", "onnxscript", "pyarrow", "scipy"]
BLOCK = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked by the test", name=name)

sys.meta_path.insert(0, Absent())
"""


def run(script: str) -> str:
    """Run a script in a fresh interpreter and return what it printed."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs_torch(module: str) -> bool:
    """Say whether a module stands behind the wall that keeps torch in."""
    return (
        module.startswith(("onepass.nn", "onepass.training", "onepass.backends.torch"))
        or ".network" in module
    )


def modules() -> list[str]:
    """Name every module of the package, from its files."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if not name.endswith("__main__")]


def test_block_works():
    with pytest.raises(AssertionError, match="blocked by the test"):
        run(BLOCK + "import torch")


def test_torch_free_modules_import_without_torch():
    free = [name for name in modules() if not needs_torch(name)]
    assert len(free) > 20
    script = f"""
import importlib, json
from onepass.errors import MissingExtra
failed = {{}}
for name in {free!r}:
    try:
        importlib.import_module(name)
    except ImportError as error:
        if not (name.startswith("onepass.integrations.") and isinstance(error, MissingExtra)):
            failed[name] = str(error)
print(json.dumps(failed))
"""
    assert json.loads(run(BLOCK + script)) == {}


@pytest.mark.parametrize(
    ("absent", "module", "extra"),
    [
        ("torch", "onepass.training.run", "train"),
        ("uvicorn", "onepass.serving.run", "serve"),
        ("fastapi", "onepass.serving.run", "serve"),
    ],
)
def test_an_import_without_its_extra_says_which(absent, module, extra):
    script = f"""
import importlib, sys
from onepass.errors import MissingExtra
sys.modules[{absent!r}] = None
try:
    importlib.import_module({module!r})
except MissingExtra as error:
    print(error)
"""
    assert f"pip install 'onepass[{extra}]'" in run(script)


def test_training_starts_without_transformers():
    """It is slow to load, and what is trained seldom needs it."""
    script = """
import sys
import onepass.training.run
print(*({"torch", "transformers", "accelerate", "peft"} & set(sys.modules)))
"""
    assert run(script).split() == ["torch"]


def test_extraction_of_all_four_tasks_without_torch():
    script = """
import json
from onepass import Extractor, Schema

schema = (
    Schema()
    .entities(["person", "product", "location", "price"])
    .classification("sentiment", ["positive", "negative", "neutral"])
    .structure("product", ["name::str", "price::str"])
    .relations(["announced"])
)
text = "Tim Cook announced the iPhone 15 for $999 in Cupertino yesterday."
print(json.dumps(Extractor().extract(text, schema).to_dict()))
"""
    found = json.loads(run(BLOCK + script))
    assert set(found) == {
        "text", "entities", "classifications", "records", "relations", "coverage",
    }  # fmt: skip
    assert "Tim Cook" in [entity["text"] for entity in found["entities"]]
    for entity in found["entities"]:
        assert found["text"][entity["start"] : entity["end"]] == entity["text"]
    assert set(found["classifications"]["sentiment"]["scores"]) == {
        "positive", "negative", "neutral",
    }  # fmt: skip
    assert "product" in found["records"]


def test_import_onepass_loads_no_other_package():
    script = """
import sys
before = set(sys.modules)
import onepass
print(*sorted(set(sys.modules) - before))
"""
    loaded = run(script).split()
    assert [name for name in loaded if name.startswith("onepass")] == ["onepass", "onepass.lazy"]
    outside = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"onepass"}
    assert outside == set()


def test_import_onepass_is_quick():
    script = """
import time
start = time.process_time()
import onepass
print(time.process_time() - start)
"""
    assert min(float(run(script)) for _ in range(3)) < 0.15


@pytest.mark.parametrize("name", onepass.__all__)
def test_public_name_resolves(name: str):
    assert getattr(onepass, name) is not None
    assert name in dir(onepass)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'onepass' has no attribute 'Extractr'"):
        onepass.Extractr  # noqa: B018
