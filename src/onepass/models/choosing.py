"""The rules behind "auto": which backend runs a checkpoint, and in which numbers.

They are pure functions of what was asked and of what is there. Opening files and measuring are
elsewhere.

Precision, in this order:

1. What is asked by name is what runs, or the call fails.
2. int8, if there is an int8 export whose loss was measured (``onepass export --precision int8
   --check``), and the CPU has products of integers.
3. fp32, which is exact.
4. int8, if the checkpoint comes without its fp32 weights.

Backend:

1. What is asked by name.
2. torch, for checkpoints that cannot be exported, for ``device="cuda"`` and for fp16; then what
   ``ONEPASS_BACKEND`` names, if it runs the precision.
3. For bf16, OpenVINO if it is installed, else torch.
4. Whichever is faster of ONNX Runtime and OpenVINO, if both are installed (see
   `onepass.models.fastest`).
5. ONNX Runtime.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from onepass.backends.cpu import available_cores
from onepass.errors import BackendError, MissingExtra
from onepass.schema.shown import shown

BackendName = Literal["auto", "onnx", "openvino", "torch"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8"]
Device = Literal["auto", "cpu", "cuda"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
DEVICES: tuple[Device, ...] = get_args(Device)
VARIABLE = "ONEPASS_BACKEND"  # what "auto" means in this environment
EITHER = "onnx or openvino"  # both can run it, and nobody has chosen
LEAST_BOUND, THREADS_A_CORE = 8, 4  # more threads than that wait for each other without an end
FASTER = 1.1  # times as fast must OpenVINO be: it opens slower and takes more memory

_ABLE = {
    "onnx": ("fp32", "int8"),
    "openvino": ("fp32", "bf16", "int8"),
    "torch": ("fp32", "bf16", "fp16"),
}
TORCH_ONLY = (
    "{name} generates labels, which runs in torch and fp32 only: there are no ONNX graphs of it; "
    "open it with backend='torch'."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a checkpoint is to be run.

    Attributes:
        backend: one of `BACKENDS`.
        precision: one of `PRECISIONS`.
        threads: of one run, see `check_threads`; None for the cores that the process may use.
        device: one of `DEVICES`.
        compiled: whether torch compiles what it runs.

    Raises:
        BackendError: if something is not known, or cannot be had together.

    >>> Wanted(precision="int8").backend
    'auto'
    """

    backend: BackendName = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    device: Device = "auto"
    compiled: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("backend", self.backend, BACKENDS),
            ("precision", self.precision, PRECISIONS),
            ("device", self.device, DEVICES),
        ):
            if value not in known:
                raise BackendError(f"{name} {shown(value)} is not known; {', '.join(known)} are.")
        check_threads(self.threads)
        able = _ABLE.get(self.backend)
        if able is not None and self.precision not in ("auto", *able):
            others = [name for name, known in _ABLE.items() if self.precision in known]
            raise BackendError(
                f"backend {self.backend!r} runs {_either(able)}, not {self.precision}; "
                f"for that ask for backend={_either([repr(name) for name in others])}."
            )
        if self.device == "cuda" and self.backend in ("onnx", "openvino"):
            raise BackendError(
                f"backend {self.backend!r} runs on the CPU; for device='cuda' ask for "
                "backend='torch'."
            )
        if self.compiled and self.backend != "torch":
            raise BackendError("Only torch compiles what it runs; ask for backend='torch'.")


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that this machine cannot run: a few a core are the most.

    Args:
        threads: that were asked for; None for one a core.

    Raises:
        BackendError: for another number.

    >>> check_threads(2)
    """
    if threads is None:
        return
    if type(threads) is not int or threads < 1:
        raise BackendError(
            f"threads must be a whole number from 1 up, but {shown(threads)} was given."
        )
    most = max(LEAST_BOUND, THREADS_A_CORE * available_cores())
    if threads > most:
        raise BackendError(
            f"threads must be at most {most} on this machine, but {threads!r:.30} was given; leave "
            "it out for one a core."
        )


def choose_backend(
    wanted: Wanted, name: str, *, exportable: bool, installed: Callable[[str], bool]
) -> str:
    """Return the name of the backend, or `EITHER` if the faster one is to be found out.

    Args:
        wanted: what was asked.
        name: of the checkpoint, for messages.
        exportable: whether it can be written as ONNX graphs.
        installed: says whether a package is installed.

    Raises:
        BackendError: if a checkpoint that runs in torch only is wanted in another way.
        MissingExtra: if bf16 is asked for and nothing that runs it is installed.

    >>> choose_backend(Wanted(), "mine", exportable=True, installed=lambda package: False)
    'onnx'
    """
    if not exportable:
        if wanted.backend not in ("auto", "torch") or wanted.precision not in ("auto", "fp32"):
            raise BackendError(TORCH_ONLY.format(name=name))
        return "torch"
    if wanted.backend != "auto":
        return wanted.backend
    if wanted.device == "cuda" or wanted.precision == "fp16":
        return "torch"
    own = os.environ.get(VARIABLE) or "auto"
    if own not in BACKENDS:
        raise BackendError(
            f"{VARIABLE} is {shown(own)}, which is not known; {', '.join(BACKENDS)} are."
        )
    if own != "auto" and wanted.precision in ("auto", *_ABLE[own]):
        return own
    if wanted.precision == "bf16":
        for backend in ("openvino", "torch"):
            if installed(backend):
                return backend
        raise MissingExtra("Running in bf16", "openvino")
    return EITHER if installed("openvino") else "onnx"


def choose_precision(
    precision: Precision, *, fp32: bool, int8: bool, checked: bool, products: bool
) -> Literal["fp32", "int8"]:
    """Return the precision whose graphs are run.

    Args:
        precision: that was asked for.
        fp32: whether there are fp32 weights or graphs.
        int8: whether there are int8 graphs.
        checked: whether the loss of those was measured.
        products: whether this CPU computes their products from integers.

    >>> choose_precision("auto", fp32=True, int8=True, checked=False, products=True)
    'fp32'
    >>> choose_precision("auto", fp32=True, int8=True, checked=True, products=True)
    'int8'
    """
    if precision != "auto":
        return "int8" if precision == "int8" else "fp32"
    if int8 and ((checked and products) or not fp32):
        return "int8"
    return "fp32"


def _either(names: list[str] | tuple[str, ...]) -> str:
    """Return names as they are listed in a sentence.

    >>> _either(("fp32", "bf16", "int8"))
    'fp32, bf16 or int8'
    """
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
