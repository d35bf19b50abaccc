"""``onepass doctor``: what this installation is, and whether it computes what it should."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onepass.builtin import NAME
from onepass.cli import loading
from onepass.cli.options import ReportFormat, ReportOption
from onepass.cli.output import json_text, say, section, show
from onepass.errors import OnepassError

if TYPE_CHECKING:
    from onepass.models.fastest import Measured

SELFTEST_FAILED = 1


def doctor(
    form: ReportOption = ReportFormat.TABLE,
    record: Annotated[
        Path | None,
        typer.Option("--record", hidden=True, help="Store what the built-in model finds now."),
    ] = None,
) -> None:
    """Check the installation: versions, CPU, threads, caches, backends, and a self-test.

    The self-test reads a few texts with the built-in model and compares what it finds with what it
    found when it was built. The exit code is 1 if something differs.
    """
    if record is not None:
        from onepass.cli.selftest import record_selftest

        say(f"{record_selftest(loading.load_model(), record)} cases stored in {record}")
        return
    tested = _selftest()  # first: it may find out which backend is faster
    report = {**_machine(), **_caches(), **_backends(tested), "selftest": tested}
    if form is ReportFormat.JSON:
        show(json_text(report))
    else:
        show(_table(report))
    if not report["selftest"]["passed"]:
        raise typer.Exit(SELFTEST_FAILED)


def _machine() -> dict[str, Any]:
    from onepass.backends.cpu import available_cores, cpu
    from onepass.cli.machine import cores, versions

    name, features = cpu()
    return {
        "versions": versions(),
        "cpu": {
            "name": name,
            "features": None if features is None else list(features),
            "cores": cores(),
            "threads": available_cores(),  # what a model uses if it is not told
        },
    }


def _caches() -> dict[str, Any]:
    from onepass.hub.cached import cached_models
    from onepass.hub.exports import find_cache_root
    from onepass.hub.library import constants

    root = find_cache_root()
    return {
        "cache": {
            "models": constants.HF_HUB_CACHE,
            "exports": None if root is None else str(root),
            "cached": [model.name for model in cached_models()],
        }
    }


def _backends(tested: Mapping[str, Any]) -> dict[str, Any]:
    """Return which backends can run here, which one "auto" chose for the built-in model, and why.

    Args:
        tested: the self-test, which opened that model.
    """
    from onepass.backends.cpu import available_cores
    from onepass.cli.machine import NOT_INSTALLED, versions
    from onepass.models.fastest import remembered_choices

    there = versions()
    packages = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch"}
    try:
        measured = remembered_choices()
    except OnepassError:  # no home directory
        measured = []
    mine = [
        one
        for one in measured
        if (one.checkpoint, one.precision, one.threads)
        == (NAME, tested.get("precision"), available_cores())
    ]
    return {
        "backends": {
            "installed": [
                name for name, package in packages.items() if there[package] != NOT_INSTALLED
            ],
            "auto": {
                "backend": tested.get("backend"),
                "reason": _reason(mine, openvino=there["openvino"] != NOT_INSTALLED),
            },
            "measured": [asdict(one) for one in measured],
        }
    }


def _reason(mine: Sequence[Measured], *, openvino: bool) -> str:
    """Return why the built-in model runs where it does."""
    from onepass.models.choosing import VARIABLE

    own = os.environ.get(VARIABLE, "auto")
    if own != "auto":
        return f"{VARIABLE} says {own}"
    if not openvino:
        return "OpenVINO is not installed: pip install 'onepass[openvino]'"
    if not mine:
        return "nothing is measured where the cache cannot be written"
    return mine[0].reason


def _selftest() -> dict[str, Any]:
    from onepass.cli.selftest import run_selftest

    start = time.perf_counter()
    try:
        model = loading.load_model()
        loaded = time.perf_counter() - start
        result = run_selftest(model)
    except OnepassError as error:
        return {"passed": False, "cases": 0, "differences": [str(error)]}
    return {
        "passed": result.passed,
        "cases": result.cases,
        "differences": list(result.differences),
        "backend": model.backend,
        "precision": model.precision,
        "load_seconds": round(loaded, 3),
        "seconds": round(result.seconds, 3),
    }


def _table(report: dict[str, Any]) -> str:
    cpu, cache, test = report["cpu"], report["cache"], report["selftest"]
    features = "unknown" if cpu["features"] is None else " ".join(cpu["features"]) or "none"
    lines = [("result", "passed" if test["passed"] else "failed")]
    if test["cases"]:
        lines += [
            ("model", f"builtin, {test['backend']}, {test['precision']}"),
            ("loading", f"{test['load_seconds']:.2f} s"),
            ("reading", f"{test['cases']} texts in {test['seconds']:.2f} s"),
        ]
    lines += [("differs", difference) for difference in test["differences"]]
    return "\n".join(
        (
            section("Versions", list(report["versions"].items())),
            section(
                "CPU",
                [
                    ("name", cpu["name"]),
                    ("features", features),
                    ("cores", str(cpu["cores"])),
                    ("threads", f"{cpu['threads']} (default)"),
                ],
            ),
            section(
                "Cache",
                [
                    ("models", cache["models"]),
                    ("exports", cache["exports"] or "none: there is no home directory"),
                    ("downloaded", ", ".join(cache["cached"]) or "none"),
                ],
            ),
            section("Backends", _backend_lines(report["backends"])),
            section("Self-test", lines),
        )
    )


def _backend_lines(backends: dict[str, Any]) -> list[tuple[str, str]]:
    auto = backends["auto"]
    lines = [("installed", ", ".join(backends["installed"]))]
    if auto["backend"]:
        lines.append(("auto", f"{auto['backend']} ({auto['reason']})"))
    for one in backends["measured"]:
        threads = "1 thread" if one["threads"] == 1 else f"{one['threads']} threads"
        asked = f"{one['checkpoint']}, {one['precision']}, {threads}"
        lines.append(("measured", f"{asked}: {one['backend']} ({one['reason']})"))
    return lines
