"""All code on the pages runs: Python in one namespace a page, bash in the same folder, what is printed as shown.

A fenced block ``python`` is executed, as a doctest where it has prompts; ``bash`` is a script, in which lines that
begin with ``pip`` are left out, and which has to fail below ``<!-- refused -->``; ``output`` is what the block before
it prints, where ``...`` stands for anything; ``text`` is no code. A block below ``<!-- not run: why -->`` is shown
only.

    pytest -n 0 docs
"""

import contextlib
import doctest
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt
from matplotlib import pyplot

ROOT = Path(__file__).parents[1]
HIDDEN = ("_build", "gallery", "reference/generated", "extensions")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(p for p in ROOT.glob("docs/**/*.md") if not str(p.relative_to(ROOT / "docs")).startswith(HIDDEN)),
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced block: its language, its text, the line of the page where the text begins, and what is said above it."""

    language: str
    text: str
    line: int
    remark: str


def blocks(markdown: str, line: int = 1) -> Iterator[Block]:
    """The blocks of code and output of a page, those inside directives too."""
    remark = ""
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "fence":
            language, start = token.info.strip(), line + token.map[0] + 1
            if language.startswith("{"):
                yield from blocks(token.content, start)
            elif language != "text":
                yield Block(language, token.content, start, remark)
        if token.map and token.level == 0:
            remark = token.content if token.type == "html_block" else ""


def run_python(block: Block, page: Path, names: dict) -> str:
    """What it prints. A failure names the line of the page."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if block.text.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line - 1)
            assert doctest.DocTestRunner(optionflags=FLAGS).run(test, clear_globs=False).failed == 0, printed.getvalue()
            names |= test.globs
        else:
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
    return printed.getvalue()


def run_bash(block: Block, page: Path) -> str:
    lines = [line for line in block.text.splitlines() if not line.startswith("pip ")]
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], capture_output=True, text=True)
    refused = block.remark.startswith("<!-- refused")
    assert (done.returncode != 0) == refused, f"{page}, line {block.line}: {done.stdout}{done.stderr}"
    return done.stderr if refused else done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict = {"__name__": "__main__"}
    printed = ""
    for block in blocks(page.read_text("utf-8")):
        assert block.language in ("python", "bash", "output"), f"{page}, line {block.line}: of no known language"
        if block.remark.startswith("<!-- not run:"):
            continue
        if block.language == "output":
            same = doctest.OutputChecker().check_output(block.text, printed, FLAGS)
            assert same, f"{page}, line {block.line}: shown\n{block.text}\nprinted\n{printed}"
        else:
            printed = run_python(block, page, names) if block.language == "python" else run_bash(block, page)
    pyplot.close("all")
