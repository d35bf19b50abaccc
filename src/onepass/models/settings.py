"""What ``onepass.json`` of a checkpoint says, whatever its family.

What a family alone reads in it, the family checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.hub.files import read_json
from onepass.models.kept import Calibration, Kept
from onepass.models.splitting import WORD_SPLITTER, read_splitter
from onepass.models.thresholds import ABSTAIN, KINDS, SINGLE
from onepass.text.words import Splitter

if TYPE_CHECKING:
    from onepass.models.family import Family

FITTED_LABELS = "fitted_labels"
_SETTINGS = ("thresholds", "labels", FITTED_LABELS, "calibration", WORD_SPLITTER)
_KINDS = (*KINDS, SINGLE, ABSTAIN)
_LARGEST = 1e6  # of a calibration, which is computed in fp32


def own_settings(directory: Path) -> dict[str, Any]:
    """Return what ``onepass.json`` of a checkpoint says; nothing if there is none.

    >>> own_settings(Path("models/without/settings"))
    {}
    """
    path = directory / SETTINGS_FILE
    return read_json(path) if path.is_file() else {}


def write_settings(directory: Path, settings: Mapping[str, Any]) -> None:
    """Write ``onepass.json`` of a checkpoint, if there is anything to say.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_settings(Path(folder), {"word_splitter": "char"})
    ...     own_settings(Path(folder))
    {'word_splitter': 'char'}
    """
    if settings:
        text = json.dumps(settings, indent=2) + "\n"
        (directory / SETTINGS_FILE).write_text(text, encoding="utf-8")


def own_splitter(directory: Path, family: Family | None = None) -> Splitter | None:
    """Return the splitter that a checkpoint names; None for the words of its family.

    Args:
        directory: of the checkpoint.
        family: whose configuration counts where ``onepass.json`` names none.

    Raises:
        CheckpointError: if there is no such splitter.

    >>> print(own_splitter(Path("models/without/settings")))
    None
    """
    return _splitter(own_settings(directory), directory, family)


def _splitter(own: Mapping[str, Any], directory: Path, family: Family | None) -> Splitter | None:
    if WORD_SPLITTER in own or family is None:
        return read_splitter(own, directory / SETTINGS_FILE)
    return family.named_splitter(directory)


def read_kept(
    directory: Path, families: Mapping[str, Family], family: Family | None = None
) -> Kept:
    """Return what a checkpoint carries beside the settings of its family.

    Args:
        directory: of the checkpoint.
        families: by name; the keys of one are those that it alone reads.
        family: whose keys are allowed; None for those of all.

    Raises:
        CheckpointError: if ``onepass.json`` is not what it should be.

    >>> read_kept(Path("models/without/settings"), {}).thresholds
    {}
    """
    path = directory / SETTINGS_FILE
    own = own_settings(directory)
    _check_keys(own, families, family, path)
    thresholds, calibration = _numbers(own, "thresholds", path), _calibration(own, path)
    stray = [kind for kind in (*thresholds, *calibration) if kind not in _KINDS]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join(_KINDS)}."
        )
    labels = _numbers(own, "labels", path)
    of_family = {key: value for key, value in own.items() if key not in _SETTINGS}
    splitter, fitted = _splitter(own, directory, family), _fitted_labels(own, labels, path)
    return Kept(thresholds, calibration, labels, splitter, of_family, fitted)


def _fitted_labels(
    own: Mapping[str, Any], labels: Mapping[str, float], path: Path
) -> dict[str, str]:
    """Return the kinds of the labels whose thresholds were fitted."""
    table = _table(own, FITTED_LABELS, path)
    for name, kind in table.items():
        if name not in labels or kind not in KINDS:
            raise CheckpointError(
                f"{path} must hold {FITTED_LABELS!r} as a table from names in 'labels' to kinds "
                f"({', '.join(KINDS)}), but {kind!r:.60} was given for {name!r:.60}."
            )
    return table


def _calibration(own: Mapping[str, Any], path: Path) -> dict[str, Calibration]:
    """Return the calibration by kind."""
    calibration = {}
    for kind, value in _table(own, "calibration", path).items():
        if not isinstance(value, dict) or not {"scale"} <= {*value} <= {"scale", "shift"}:
            raise CheckpointError(
                f"{path} must hold a 'scale' and perhaps a 'shift' for the calibration of "
                f"{kind!r}, but {value!r:.60} was given."
            )
        scale, shift = (_number(value.get(part, 0.0), kind, path) for part in ("scale", "shift"))
        if not (0.0 <= scale <= _LARGEST and abs(shift) <= _LARGEST):  # also refuses nan
            raise CheckpointError(
                f"{path} has a calibration of scale {scale:g} and shift {shift:g} "
                f"for {kind}; a scale must not be negative, and neither be beyond {_LARGEST:g}."
            )
        calibration[kind] = Calibration(scale, shift)
    return calibration


def _check_keys(
    own: Mapping[str, Any], families: Mapping[str, Family], family: Family | None, path: Path
) -> None:
    """Refuse keys that nothing reads: most are misspelled, or were meant for another family."""
    if family is not None and all(key in (*_SETTINGS, *family.keys) for key in own):
        return  # the other families need not be loaded
    of_any = {key for one in families.values() for key in one.keys}
    allowed = {*_SETTINGS, *(of_any if family is None else family.keys)}
    for key in own:
        if key in allowed:
            continue
        if family is not None and key in of_any:
            meant_for = [name for name, one in families.items() if key in one.keys]
            raise CheckpointError(
                f"{path} has the key {key!r}, which is for {' and '.join(meant_for)} checkpoints, "
                f"but this is a {family.name} checkpoint; leave it out."
            )
        near = get_close_matches(key, allowed, n=1)
        listed = ", ".join(sorted(allowed))
        meant = f"did you mean {near[0]!r}?" if near else f"its keys are {listed}."
        raise CheckpointError(f"{path} has the key {key!r:.60}, which nothing reads; {meant}")


def _table(own: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    """Return a table of the settings, empty if it is not there."""
    table = own.get(key, {})
    if not isinstance(table, dict):
        raise CheckpointError(f"{path} must hold {key!r} as a table, but {table!r:.60} was given.")
    return table


def _numbers(own: Mapping[str, Any], key: str, path: Path) -> dict[str, float]:
    """Return a table of thresholds."""
    found = {}
    for name, value in _table(own, key, path).items():
        found[name] = _number(value, name, path)
        if not 0.0 <= found[name] <= 1.0:  # also refuses nan
            raise CheckpointError(
                f"{path} has the threshold {found[name]:g} for {name}; "
                "it must be a number from 0 to 1."
            )
    return found


def _number(value: object, name: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckpointError(
            f"{path} must hold numbers, but {value!r:.60} was given for {name!r}."
        )
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf
