"""What a run stands on: the machine, the versions, the kernels and threads in use, the commit, the time."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import redirect_stdout
from datetime import datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path

from threadpoolctl import threadpool_info

import sknn

from .common import PEERS, installed

CPUINFO = Path("/proc/cpuinfo")


def now() -> str:
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")


def commit() -> str:
    """The commit of the sources, and whether they have changed since; "unknown" outside of a repository."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def machine() -> dict[str, str]:
    """Processor, cores and their load, and all that :func:`sknn.show_versions` tells, the BLAS, and the peers."""
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "load at the start": load,
        **_told_by_sknn(),
        "BLAS of NumPy": blas(),
        **{name: version(module) for module, name in PEERS.items() if installed(module)},
    }


def processor() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def blas() -> str:
    """Library, version and the processor it takes this one for: the speed of its products depends on that."""
    libraries = [each for each in threadpool_info() if each["user_api"] == "blas"]
    if not libraries:
        return "unknown"
    found = max(libraries, key=lambda each: "numpy" in Path(each["filepath"]).parent.name)  # SciPy may have its own
    facts = (found["internal_api"], found["version"], found.get("architecture"))
    return f"{' '.join(fact for fact in facts if fact)}, {found['num_threads']} threads"


def _told_by_sknn() -> dict[str, str]:
    text = StringIO()
    with redirect_stdout(text):
        sknn.show_versions()
    pairs = (line.partition(": ") for line in text.getvalue().splitlines())
    return {name: fact for name, _, fact in pairs}
