"""What would keep files from being written is found out before, and said with the name of the file."""

import resource
import subprocess
import sys

import pytest

from sknn.study.output import check_file, check_files, check_room, write_whole

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from sknn.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    assert write_whole(path, "über").read_text("utf-8") == "über"

    def breaks(unfinished):
        unfinished.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*a\.txt'"):
        write_whole(path, breaks)
    assert path.read_text("utf-8") == "über"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_is_found_out(tmp_path, monkeypatch):
    check_files(tmp_path, with_figures=True)
    check_file(tmp_path / "a")
    with pytest.raises(OSError, match="missing"):
        check_file(tmp_path / "missing" / "a")
    (tmp_path / "figures").write_text("a file")
    check_files(tmp_path, with_figures=False)
    with pytest.raises(NotADirectoryError, match="figures"):
        check_files(tmp_path, with_figures=True)
    (tmp_path / "report.html").mkdir()
    with pytest.raises(IsADirectoryError, match=r"report\.html"):
        check_files(tmp_path, with_figures=False)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"'.*b'"):
        check_file(tmp_path / "b")


def test_room_is_tried_and_left_as_it_was(tmp_path):
    check_room(tmp_path / "a", 2_500_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large \(nothing was computed, as 2\.5 MB may be needed\): '.*a'"):
            check_room(tmp_path / "a", 2_500_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_a_study_finds_out_before_it_computes(tmp_path):
    command = [sys.executable, "-c", LIMITED, "1000000", "study", "iris", "--models", "dummy", "--out", "out"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert "File too large" in finished.stderr
    assert "report.html" in finished.stderr
    assert not (tmp_path / "out").exists()
