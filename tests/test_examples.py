"""Every example says what one learns from it, runs as a script without a warning, and soon ends."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted(Path(__file__).parents[1].glob("examples/*.py"))
LONG = {  # several seconds, in CI alone
    *("augmented_digits", "cnn_features", "deconvolution_unet", "denoising_spectra", "digits_cnn", "filaments_unet"),
    *("forecasting", "galaxy_types", "layer_widths", "reversing_with_attention", "shuffled_pixels", "spectra_cnn"),
    *("digits_generated", "imputing_a_table", "rare_classes", "simulator_posterior", "spectra_parameters"),
    *("expected_improvement", "gap_in_a_curve", "labels_saved", "stacked_networks", "star_distance"),
    *("stellar_colours", "text_by_characters", "transfer_spectra", "variable_stars", "vit_attention"),
}
SECONDS = 200  # on a busy machine; a tenth of it on a quiet one


def run(example, folder):
    """The example as a process of its own that writes into the folder."""
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, "-W", "error", str(example), str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize(
    "example",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LONG else []) for path in EXAMPLES],
)
def test_runs_without_a_warning(example, tmp_path):
    done = run(example, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_says_what_one_learns(example):
    assert "You learn" in (ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or "")
