"""Where a run computes, and in what numbers.

It knows nothing about what is computed.
"""

from __future__ import annotations

import torch

from onepass.errors import InputError


def choose_device(name: str) -> str:
    """Return "cpu" or "cuda".

    Args:
        name: one of the two, or "auto" for a GPU where there is one.

    Raises:
        InputError: if there is no GPU that was asked for.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("The device cuda was asked for, but torch finds none; use device cpu.")
    if name == "auto":
        return "cuda" if available else "cpu"
    return name


def choose_precision(name: str, device: str) -> str:
    """Return "bf16", "fp16" or "fp32".

    Args:
        name: one of them, or "auto" for bf16 where the processor has products in it.
        device: "cpu" or "cuda".

    Raises:
        InputError: for fp16 on the CPU.
    """
    if name == "fp16" and device == "cpu":
        raise InputError(
            "The precision fp16 is for GPUs, but this run is on the CPU; use bf16 or fp32."
        )
    if name != "auto":
        return name
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if fast else "fp32"
