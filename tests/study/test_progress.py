"""The progress of a study: a bar where there is a terminal, plain lines where there is none."""

from io import StringIO

import pytest
from rich.console import Console

from sknn.study.progress import show_progress


def shown(width, terminal):
    output = StringIO()
    with show_progress(Console(file=output, width=width, force_terminal=terminal, color_system=None)) as progress:
        progress(11, 25, "breast_cancer: random_forest, fold 3 of 5")
    return output.getvalue()


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_a_bar_cuts_no_number(width):
    text = shown(width, terminal=True)
    assert "11/25 " in text
    assert "-:-- left" in text
    assert "…" not in text
    assert ("random_forest, fold 3 of 5 " in text) == (width >= 60)


def test_a_plain_line_without_a_terminal():
    assert shown(80, terminal=False) == "[12/25] breast_cancer: random_forest, fold 3 of 5\n"
