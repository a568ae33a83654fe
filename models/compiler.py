"""Options of the compiler that make small models faster, where it knows them."""

import os
from collections.abc import Mapping
from pathlib import Path

import jax

Options = Mapping[str, str | int]

# The highest level of optimization costs a fifth of the compile time and gives steps no faster
# than level 1.
_FAST: Options = {"xla_backend_optimization_level": 1}
# Matrix products with what surrounds them go to one library call, a fifth faster on CPU at some
# thousand parameters; but that library has no quick products of bfloat16.
_FUSED: Options = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}
_ONCE: Options = {"xla_backend_optimization_level": 0}


def keep_compiled() -> None:
    """Keep compiled programs on disk for later processes.

    They lie where `JAX_COMPILATION_CACHE_DIR` says, else in the user's cache directory. Only a
    command or a worker calls this: a library leaves such settings to the program that uses it.
    """
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        jax.config.update("jax_compilation_cache_dir", str(Path(caches) / "factcap" / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def on_cpu() -> bool:
    """Whether the default device is a CPU."""
    return jax.default_backend() == "cpu"


def fast_options(precision: str = "float32") -> Options:
    """Compiler options for what runs often; empty where the installed compiler lacks them.

    Args:
        precision: of products, `float32` or `bfloat16`.
    """
    return _known(_FAST if precision == "bfloat16" else {**_FUSED, **_FAST})


def once_options() -> Options:
    """Compiler options for what runs once: it compiles in half the time."""
    return _known(_ONCE)


def _known(options: Options) -> Options:
    if not on_cpu():
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=dict(options)).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return options
