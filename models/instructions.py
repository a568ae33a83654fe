"""Whether this machine multiplies bfloat16 numbers itself, or emulates them."""

import platform
import warnings
from functools import cache
from pathlib import Path

from factcap.models.compiler import on_cpu
from factcap.synth.errors import Notice

# Names of the instructions as Linux lists them: of x86 (AVX-512, AMX) and of ARM.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_CPUINFO = Path("/proc/cpuinfo")


class EmulatedWarning(Notice):
    """A precision that this machine computes more slowly than the one it is meant to outrun."""


@cache
def cpu_flags() -> frozenset[str]:
    """The instructions that the CPU says it has; empty where the system does not list them."""
    return frozenset(_said("flags", "Features").split())


def cpu_name() -> str:
    """What the CPU calls itself."""
    return _said("model name") or platform.processor() or platform.machine()


def _said(*fields: str) -> str:
    """What the system says of the first core in one of these fields; empty where it does not."""
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return ""
    found = (line.split(":", 1)[1].strip() for line in lines if line.startswith(fields))
    return next(found, "")


def cpu_has_bfloat16() -> bool:
    """Whether the CPU says that it has bfloat16 instructions."""
    return bool(_BFLOAT16 & cpu_flags())


def chosen_precision(precision: str) -> str:
    """The precision that a name stands for: `auto` is the quickest here, all else itself.

    That is bfloat16 on a CPU that has instructions for it, where as much is known with it (see
    docs/performance.md), and else float32, in which GPUs multiply TF32.
    """
    if precision != "auto":
        return precision
    return "bfloat16" if on_cpu() and cpu_has_bfloat16() else "float32"


def warn_if_emulated(precision: str) -> None:
    """Warn, in one line, of bfloat16 on a CPU without instructions for it."""
    if precision == "bfloat16" and on_cpu() and not cpu_has_bfloat16():
        warnings.warn(
            f"this CPU ({cpu_name()}) has no bfloat16 instructions and emulates them; "
            "float32 is quicker here",
            EmulatedWarning,
            3,
        )
