"""What sknn runs on: for bug reports, and to see which kernels are in use."""

import platform
from importlib.metadata import version

from .ops import threads
from .ops._kernels import in_use

PACKAGES = ("sknn", "numpy", "scipy", "scikit-learn", "pandas", "joblib", "threadpoolctl")


def show_versions() -> None:
    """Print the versions of what sknn stands on, the kernels in use, and the threads they may use.

    The kernels are ``numpy``, where the compiled ones were not built or the environment variable ``SKNN_KERNELS`` is
    ``numpy``, or the instruction set of the compiled ones: ``avx512``, ``avx2`` or ``baseline``.

    Examples
    --------
    >>> show_versions()  # doctest: +ELLIPSIS
    Python: ...
    kernels: ...
    """
    facts = {
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in PACKAGES},
        "kernels": in_use,
        "threads": threads.available_threads(),
    }
    print("\n".join(f"{name}: {fact}" for name, fact in facts.items()))
