"""What the doctor and the list of models say, and what the self-test lets pass."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from onepass.backends.cpu import available_cores, cpu
from onepass.cli import selftest
from onepass.cli.machine import NOT_INSTALLED, versions
from onepass.cli.selftest import CASES, compare, record_selftest, run_selftest
from onepass.hub.exports import cache_root
from onepass.hub.registry import KNOWN
from onepass.models import fastest
from onepass.models.fastest import Measured
from onepass.results.types import (
    Classification,
    Coverage,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)
from onepass.schema.schema import Schema

Onepass = Callable[..., Any]

DOC = Extraction(
    "Bo ran home",
    entities=(Entity("dog", "Bo", 0, 2, 0.9), Entity("place", "home", 7, 11, 0.51)),
    classifications={
        "tone": Classification((LabelScore("calm", 0.7),), {"calm": 0.7, "wild": 0.3})
    },
    records={
        "run": (
            {"who": Value("Bo", 0, 2, 0.8), "ways": (), "how": Value("on foot", None, None, 0.6)},
        )
    },
    relations=(Relation("ran to", Value("Bo", 0, 2, 0.9), Value("home", 7, 11, 0.9), 0.7),),
    coverage=Coverage(11, 11, 1, False),
)


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("ONEPASS_CACHE", str(tmp_path / "onepass"))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Any) -> Path:
    """Store what the echo model finds where the built-in model's findings are looked for."""
    path = tmp_path / "selftest.json"
    record_selftest(model, path)
    monkeypatch.setattr(selftest, "files", lambda _: tmp_path)
    return path


def with_entities(*entities: Entity) -> Extraction:
    return replace(DOC, entities=entities)


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        (DOC, []),
        (with_entities(Entity("dog", "Bo", 0, 2, 0.885), DOC.entities[1]), []),
        (with_entities(DOC.entities[0]), []),  # 0.51 is too close to the threshold to count
        (
            with_entities(Entity("dog", "Bo", 0, 2, 0.85)),
            ["entity dog Bo 0 2 scores 0.850, expected 0.900"],
        ),
        (with_entities(), ["entity dog Bo 0 2 (0.900) was not found"]),
        (
            with_entities(*DOC.entities, Entity("cat", "Bo", 0, 2, 0.6)),
            ["entity cat Bo 0 2 (0.600) was found, but is not expected"],
        ),
        (
            replace(DOC, relations=()),
            ["relation ran to Bo 0 2 home 7 11 (0.700) was not found"],
        ),
        (
            replace(DOC, records={"run": ({"who": None},)}),
            [
                "record run 0 who Bo 0 2 (0.800) was not found",
                "record run 0 how on foot None None (0.600) was not found",
            ],
        ),
        (
            replace(
                DOC,
                classifications={
                    "tone": Classification((LabelScore("wild", 0.6),), {"wild": 0.6, "calm": 0.4})
                },
            ),
            [
                "class tone calm scores 0.400, expected 0.700",
                "class tone wild scores 0.600, expected 0.300",
            ],
        ),
    ],
)
def test_compare(found: Extraction, differences: list[str]):
    assert list(compare(DOC, found)) == differences


def test_compare_sees_what_was_read():
    (said,) = compare(DOC, replace(DOC, coverage=Coverage(11, 5, 1, True)))
    assert "chars_read=5" in said


def test_cases_are_schemas_that_ask_for_everything():
    asked = [Schema.from_dict(schema).to_dict() for _, schema in CASES]
    assert {key for schema in asked for key in schema} == {
        "entities", "classifications", "structures", "relations",
    }  # fmt: skip


def test_record_and_run(stored: Path, model: Any):
    assert len(json.loads(stored.read_text())["cases"]) == len(CASES)
    result = run_selftest(model)
    assert result.passed
    assert result.cases == len(CASES)
    assert {(o["threshold"], o["overlap"]) for o in model.options} == {(0.5, "all")}


def test_record_option(onepass: Onepass, tmp_path: Path):
    done = onepass("doctor", "--record", str(tmp_path / "new.json"))
    assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "new.json").read_text())["model"] == "echo"
    assert "--record" not in onepass("doctor", "--help").out


@pytest.mark.usefixtures("stored")
def test_doctor(onepass: Onepass):
    done = onepass("doctor")
    assert (done.code, done.err) == (0, "")
    for part in ("Versions\n", "CPU\n", "Cache\n", "Backends\n", "Self-test\n  result   passed\n"):
        assert part in done.out
    report = json.loads(onepass("doctor", "--format", "json").out)
    assert report["versions"] == versions()
    assert report["cpu"]["threads"] <= report["cpu"]["cores"]
    assert report["cache"]["cached"] == []
    assert report["selftest"]["passed"] is True


@pytest.mark.usefixtures("stored")
def test_doctor_says_which_backend_was_chosen_and_why(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch
):
    def backends() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(onepass("doctor", "--format", "json").out)["backends"]
        return found

    monkeypatch.setenv("ONEPASS_BACKEND", "onnx")
    assert backends()["auto"]["reason"] == "ONEPASS_BACKEND says onnx"
    assert "onnx" in backends()["installed"]
    assert ("openvino" in backends()["installed"]) == (versions()["openvino"] != NOT_INSTALLED)
    monkeypatch.delenv("ONEPASS_BACKEND")
    if versions()["openvino"] == NOT_INSTALLED:
        assert "pip install 'onepass[openvino]'" in backends()["auto"]["reason"]
        return
    assert backends()["auto"]["reason"].startswith("nothing is measured where")
    measured = Measured(
        "builtin", backends_precision(onepass), available_cores(), "openvino", {},
        "OpenVINO is 1.50 times as fast as ONNX Runtime", fastest._versions(),
    )  # fmt: skip
    path = cache_root() / "fastest" / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(asdict(measured)))
    assert backends()["auto"]["reason"] == measured.reason
    assert f"({measured.reason})" in onepass("doctor").out


def backends_precision(onepass: Onepass) -> str:
    """Return the precision of the model that the command opens."""
    precision: str = json.loads(onepass("doctor", "--format", "json").out)["selftest"]["precision"]
    return precision


def test_doctor_fails_with_the_self_test(onepass: Onepass, stored: Path):
    content = json.loads(stored.read_text())
    content["cases"][0]["extraction"]["classifications"]["topic"]["scores"]["sports"] = 0.9
    stored.write_text(json.dumps(content))
    done = onepass("doctor")
    assert done.code == 1
    assert "failed" in done.out
    assert "text 1: class topic sports scores 0.250, expected 0.900" in done.out


def test_doctor_without_stored_results(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(selftest, "files", lambda _: tmp_path)
    done = onepass("doctor", "--format", "json")
    assert done.code == 1
    assert json.loads(done.out)["selftest"] == {
        "passed": False,
        "cases": 0,
        "differences": ["The package has no selftest.json; install onepass again."],
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512_vnni amx_int8 avx\n"
            "\nprocessor\t: 1\nmodel name\t: other\n",
            ("AMD EPYC", ("avx2", "avx512_vnni", "amx_int8")),
        ),
        ("processor: 0\nFeatures: fp asimd asimddp bf16\n", ("asimddp", "bf16")),
    ],
)
def test_cpu_of_linux(tmp_path: Path, content: str, expected: tuple[Any, ...]):
    (tmp_path / "cpuinfo").write_text(content)
    name, features = cpu(tmp_path / "cpuinfo")
    assert (name, features) == expected or features == expected


def test_cpu_elsewhere(tmp_path: Path):
    name, features = cpu(tmp_path / "missing")
    assert features is None
    assert isinstance(name, str)


def test_models_table(onepass: Onepass):
    done = onepass("models")
    assert (done.code, done.err) == (0, "")
    assert "Built in\n  builtin  gliner2  " in done.out
    assert "Downloaded\n  none\n" in done.out
    assert f"  {KNOWN[0].id}  " in done.out


def test_models_json(onepass: Onepass):
    listed = json.loads(onepass("models", "--format", "json").out)
    assert listed["builtin"] == {"name": "builtin", "family": "gliner2"}
    assert listed["cached"] == []
    assert [model["id"] for model in listed["known"]] == [model.id for model in KNOWN]
