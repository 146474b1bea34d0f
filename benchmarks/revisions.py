"""Another revision of the same repository in a folder of its own, with the compiled kernels that it asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sysconfig import get_config_var
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
KERNELS = Path("sknn/ops/_kernels")
BUILT = KERNELS / f"_native{get_config_var('EXT_SUFFIX')}"
SOURCES = (KERNELS, Path("setup.py"))


def commit_of(revision: str, root: Path = ROOT) -> str:
    """The commit that is meant; a ValueError where there is none of that name."""
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"no revision {revision!r} in the repository of {root}: give a commit, a branch or a tag")
    return done.stdout.strip()


@contextmanager
def worktree(commit: str, root: Path = ROOT) -> Iterator[Path]:
    """The files of a commit in a temporary folder, which is gone at the end, whatever happens meanwhile."""
    with TemporaryDirectory(prefix="sknn-against-") as temporary:
        folder = Path(temporary) / "sknn"
        try:
            subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, commit], cwd=root, check=True)
            yield folder
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=root, check=False)


def provide_kernels(folder: Path, commit: str, root: Path = ROOT) -> None:
    """Those of the working tree, and of the commit in its folder; built but once where their sources are the same."""
    if _is_stale(root):
        _build(root)
    same = subprocess.run(["git", "diff", "--quiet", commit, "--", *SOURCES], cwd=root).returncode == 0
    if not same:
        _build(folder)
    elif (root / BUILT).exists():  # it does not where there is no compiler
        shutil.copy2(root / BUILT, folder / BUILT)


def _is_stale(root: Path) -> bool:
    """Whether a source is younger than what was built, or nothing was built."""
    sources = [*(root / KERNELS).glob("*.[ch]pp"), root / "setup.py"]
    built = (root / BUILT).stat().st_mtime if (root / BUILT).exists() else -1
    return max(source.stat().st_mtime for source in sources) > built


def _build(folder: Path) -> None:
    print(f"building the kernels of {folder} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--build-temp"]
    with TemporaryDirectory() as objects:
        done = subprocess.run([*command, objects], cwd=folder, stdout=sys.stderr)
    if done.returncode:
        raise RuntimeError(f"the kernels of {folder} cannot be built, see above; setup.py needs setuptools 77 or later")


def environment(folder: Path) -> dict[str, str]:
    """Of a process (started with -P) that imports the sknn of a folder, and keeps its bytecode, as any user's does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(folder)}
