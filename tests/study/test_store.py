"""The store of a study: what it keeps, who may compute what, and what happens to damaged files."""

import copy
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from sknn.study.lease import Heartbeat
from sknn.study.outcome import Outcome
from sknn.study.store import Store, StoreError, commit_to

KEYS = [f"cell {number}" for number in range(8)]
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that share nothing are made by fork")


def outcome(number):
    """An outcome that can be told from all others, of a few pages."""
    return Outcome({"number": number, "score": number / 3}, {"predicted": np.full(1500, float(number))})


def contents(path, keys=KEYS):
    """What a store holds, as bytes."""
    with Store(path) as store:
        return {key: each.to_bytes() for key, each in store.finished(keys).items()}


def execute(path, statement):
    """What any program may do to an SQLite file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study.sqlite"


@pytest.fixture
def filled(path):
    """A store with all cells finished but the last, which is leased."""
    with Store(path) as store:
        for number, key in enumerate(KEYS[:-1]):
            store.commit(key, outcome(number))
    execute(path, f"INSERT INTO cells (key, label, owner, renewed, lease) VALUES ('{KEYS[-1]}', '', 'dead', 0, 1)")
    return path


# ------------------------------------------------------------------------------------------------------- keeping


def test_a_store_opened_again_has_the_same_outcomes(path):
    kept = Outcome({"model": "ridge", "score": np.nan, "error": None}, {"predicted": np.array([0.1, np.inf])})
    with Store(path) as store:
        store.commit("a", kept)
    with Store(str(path)) as store:
        (key, again), *others = store.finished(["b", "a"]).items()
    assert (key, others) == ("a", [])
    assert again.to_bytes() == kept.to_bytes()


def test_only_the_finished_cells_asked_for_come_back(filled):
    with Store(filled) as store:
        assert list(store.finished([KEYS[3], "unknown", KEYS[-1], KEYS[1]])) == [KEYS[3], KEYS[1]]
        assert store.finished([]) == {}


def test_the_first_outcome_of_a_cell_stays(path):
    with Store(path) as first, Store(path) as second:
        first.commit("a", outcome(1))
        second.commit("a", outcome(2))
        assert first.finished(["a"])["a"].row["number"] == 1


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    with Store(path) as store:
        store.commit(KEYS[0], outcome(0))
    assert list(contents(path)) == KEYS[:1]


def test_all_stays_in_one_file_that_can_be_copied(filled):
    before = contents(filled)
    assert [file.name for file in filled.parent.iterdir()] == [filled.name]
    filled.rename(filled.with_name("moved.sqlite"))
    assert contents(filled.with_name("moved.sqlite")) == before


def test_a_worker_finishes_a_cell_of_the_store_that_its_parent_holds_open(path):
    with Store(path) as store, Store(path) as other:
        assert store.claim("a", "ridge")
        commit_to(path, "a", outcome(0))
        commit_to(path, "a", outcome(1))
        store.commit("a", outcome(2))
        assert not other.claim("a", "ridge")
        assert other.finished(["a"])["a"].row["number"] == 0


@pytest.mark.parametrize("name", ["gone.sqlite", "gone/study.sqlite"])
def test_a_worker_makes_no_new_store(tmp_path, name):
    with pytest.raises(StoreError, match=r"gone.*cannot be opened"):
        commit_to(tmp_path / name, "a", outcome(0))
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------------- leases


def test_a_cell_goes_to_one_store_until_it_is_given_back(path):
    with Store(path) as first, Store(path) as second:
        assert first.claim("a", "ridge")
        assert not second.claim("a", "ridge")
        assert first.claim("a", "ridge"), "claiming again prolongs"
        second.release(["a"])
        assert not second.claim("a", "ridge"), "leases of others are not given back"
        first.release(["a", "unknown"])
        assert second.claim("a", "ridge")


def test_a_finished_cell_cannot_be_claimed(path):
    with Store(path) as first, Store(path) as second:
        assert first.claim("a", "ridge")
        first.commit("a", outcome(0))
        first.release(["a"])
        first.renew()
        assert not first.claim("a", "ridge")
        assert not second.claim("a", "ridge")
        assert list(first.finished(["a"])) == ["a"]


def test_closing_gives_the_leases_back(path):
    with Store(path) as other:
        with Store(path) as store:
            store.claim("a", "ridge")
        assert other.claim("a", "ridge")
        store.close()


def test_a_lease_expires_unless_it_is_renewed(path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("sknn.study.store.time.time", lambda: now)
    with Store(path, lease=20) as first, Store(path, lease=1) as second:
        first.claim("a", "ridge")
        now = 1019.0
        assert not second.claim("a", "ridge"), "the lease is as long as its owner said"
        first.renew()
        now = 1038.0
        assert not second.claim("a", "ridge")
        now = 1040.0
        assert second.claim("a", "ridge")
        first.renew()
        first.release(["a"])
        assert not first.claim("a", "ridge"), "a lease taken over stays lost"


def test_an_expired_owner_may_still_finish_its_cell(path):
    with Store(path, lease=0.01) as first, Store(path) as second:
        first.claim("a", "ridge")
        time.sleep(0.02)
        assert second.claim("a", "ridge")
        first.commit("a", outcome(1))
        second.commit("a", outcome(2))
        assert second.finished(["a"])["a"].row["number"] == 1


def test_a_clock_set_back_locks_no_cell(path, monkeypatch):
    now = 100_000.0
    monkeypatch.setattr("sknn.study.store.time.time", lambda: now)
    with Store(path, lease=20) as first, Store(path, lease=20) as second:
        first.claim("a", "ridge")
        now -= 5
        assert not second.claim("a", "ridge")
        now -= 3600
        assert second.claim("a", "ridge")


@pytest.mark.parametrize("lease", [0, -1.0, float("nan"), float("inf")])
def test_a_lease_must_be_a_positive_number(path, lease):
    with pytest.raises(ValueError, match="lease must be a positive number of seconds, got"):
        Store(path, lease=lease)
    assert not path.exists()


def test_a_heartbeat_keeps_leases_until_its_block_ends(path):
    with Store(path, lease=0.2) as first, Store(path) as second:
        with Heartbeat(first):
            first.claim("a", "ridge")
            time.sleep(0.5)
            assert not second.claim("a", "ridge")
        time.sleep(0.25)
        assert second.claim("a", "ridge")


def test_a_heartbeat_stops_at_once(path):
    with Store(path, lease=1000) as store:
        start = time.perf_counter()
        with Heartbeat(store):
            assert threading.active_count() > 1
        assert time.perf_counter() - start < 10
        assert "sknn-heartbeat" not in {thread.name for thread in threading.enumerate()}


def lose_the_store(path, error=None):
    """A block whose heartbeat finds the store closed, and which may end with an error."""
    store = Store(path, lease=0.02)
    with Heartbeat(store):
        store.close()
        time.sleep(0.1)
        if error:
            raise error


def test_a_heartbeat_that_failed_warns_at_the_end(path):
    with pytest.warns(RuntimeWarning, match=r"could not be renewed.*study\.sqlite"):
        lose_the_store(path)


def test_a_heartbeat_that_failed_does_not_hide_the_error_of_its_block(path):
    with pytest.raises(KeyError, match="the block"):
        lose_the_store(path, KeyError("the block"))


# ------------------------------------------------------------------------------------------ threads and processes


def test_threads_share_one_store(path):
    with Store(path) as store:

        def work():
            for number in range(20):
                store.claim(str(number), "ridge")
                store.renew()
                store.commit(str(number), outcome(number))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        finished = store.finished(map(str, range(20)))
    assert {key: each.row["number"] for key, each in finished.items()} == {str(number): number for number in range(20)}


def run(script, *arguments):
    """Run a script that forks; what it prints, line by line."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


RACE = """
import os, random, sys
from sknn.study.store import Outcome, Store

path, go = sys.argv[1], os.pipe()
for process in range(4):
    if os.fork() == 0:
        os.close(go[1])
        os.read(go[0], 1)  # all start together, also with making the file
        keys = random.Random(process).sample(range(200), 200)
        with Store(path) as store:
            won = [str(key) for key in keys if store.claim(str(key), "race")]
            for key in won[::2]:
                store.commit(key, Outcome({"process": process}))
            os.write(1, f"{process} {' '.join(won)}\\n".encode())
            store.close = lambda: os._exit(0)  # leave the other leases behind
os.close(go[1])
for process in range(4):
    assert os.wait()[1] == 0
"""


@POSIX
def test_of_racing_processes_one_gets_each_cell(path):
    won = {int(process): keys for process, *keys in map(str.split, run(RACE, path))}
    assert sorted(key for keys in won.values() for key in keys) == sorted(map(str, range(200)))
    with Store(path) as store:
        finished = {key: each.row["process"] for key, each in store.finished(map(str, range(200))).items()}
    assert finished == {key: process for process, keys in won.items() for key in keys[::2]}


KILLS = """
import os, random, signal, sys, time
import numpy as np
from sknn.study.store import Outcome, Store

def write(path, start, report):
    rng = random.Random(start)
    with Store(path, lease=0.001) as store:
        for number in range(start, start + 1000):
            store.claim(str(number), "killed")
            size = rng.choice([0, 10, 3000, 30000])
            store.commit(str(number), Outcome({"size": size}, {"numbers": np.full(size, number)}))
            os.write(report, b"x")

path, rng, acknowledged = sys.argv[1], random.Random(0), []
for start in range(0, 25_000, 1000):
    reading, report = os.pipe()
    child = os.fork()
    if child == 0:
        write(path, start, report)
    os.close(report)
    if rng.random() < 0.8:
        os.read(reading, 1)  # past the opening
        count = 1
    else:
        count = 0
    time.sleep(rng.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while some := os.read(reading, 1000):
        count += len(some)
    os.close(reading)
    acknowledged += [str(number) for number in range(start, start + count)]
    with Store(path) as store:
        finished = store.finished(acknowledged)
        assert list(finished) == acknowledged, "a commit that returned was lost"
        one_more = str(start + count)
        finished |= store.finished([one_more])
        for key, outcome in finished.items():
            numbers = outcome.arrays["numbers"]
            assert (numbers == int(key)).all() and len(numbers) == outcome.row["size"]
        time.sleep(0.002)
        assert store.claim(one_more, "after the kill") == (one_more not in finished)
print(len(acknowledged))
"""


@POSIX
def test_a_process_killed_at_any_moment_leaves_whole_outcomes(path):
    (count,) = run(KILLS, path)
    assert int(count) >= 17  # one in each round that waits for one, more where the machine is fast


FORK = """
import os, sys
from sknn.study.store import Store, StoreError, commit_to

with Store(sys.argv[1]) as store:
    store.claim("a", "parent")
    if os.fork() == 0:
        try:
            store.finished([])
        except StoreError as error:
            os.write(1, str(error).encode())
        os._exit(0)
    os.wait()
    assert store.finished([]) == {}
"""


@POSIX
def test_a_store_is_refused_after_a_fork(path):
    assert "was opened by another process" in run(FORK, path)[0]


@pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda function: function.__qualname__)
def test_a_store_cannot_be_sent_to_another_process(path, send):
    with Store(path) as store, pytest.raises(TypeError, match=r"study\.sqlite cannot be pickled.* workers return"):
        send(store)


# --------------------------------------------------------------------------------------- files that cannot be used


def refused(path, message):
    """Opening and reading fail with this message, which names the file, and leave the file as it is."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match=message) as caught:
        contents(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def overwrite(path, position, content):
    whole = path.read_bytes()
    path.write_bytes(whole[:position] + content + whole[position + len(content) :])


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])


def swap_outcomes(path):
    """Give two cells each other's outcomes, checksums and all."""
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute("SELECT checksum, outcome, key FROM cells WHERE key IN (?, ?)", KEYS[:2]).fetchall()
        for (*content, _), (*_, key) in zip(rows, rows[::-1], strict=True):
            connection.execute("UPDATE cells SET checksum = ?, outcome = ? WHERE key = ?", (*content, key))


DAMAGES = {
    "another kind of file": (lambda path: path.write_text("model,score\nridge,0.5\n"), "is not an SQLite file"),
    "its beginning overwritten": (partial(overwrite, position=0, content=bytes(20)), "is not an SQLite file"),
    "cut within the first page": (partial(cut, length=300), "is damaged|is not an SQLite file"),
    "cut between pages": (partial(cut, length=8192), "is damaged"),
    "cut by one byte": (lambda path: cut(path, path.stat().st_size - 1), "is damaged"),
    "a page of zeros": (partial(overwrite, position=4096, content=bytes(4096)), "is damaged"),
    "a table's name that is no text": (
        lambda path: overwrite(path, path.read_bytes().index(b"TABLE cells"), b"T\x9c"),
        "is damaged",
    ),
    "an outcome changed": (
        lambda path: overwrite(path, path.read_bytes().index(np.full(8, 3.0).tobytes()), b"\1"),
        r"is damaged \(the outcome of the cell 'cell 3'",
    ),
    "outcomes swapped": (swap_outcomes, "is damaged .the outcome of the cell 'cell 0'"),
    "no table": (lambda path: execute(path, "DROP TABLE cells"), "is damaged: its table"),
    "another table": (lambda path: execute(path, "ALTER TABLE cells RENAME key TO name"), "is damaged: its table"),
    "not a store of sknn": (lambda path: execute(path, "PRAGMA application_id = 0"), "no store of sknn"),
    "a newer version": (lambda path: execute(path, "PRAGMA user_version = 2"), "of version 2, but this sknn reads"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_is_no_intact_store_is_reported_and_left_alone(filled, damage, message):
    damage(filled)
    refused(filled, message)


def test_another_programs_database_is_refused(path):
    execute(path, "CREATE TABLE bookmarks (url TEXT)")
    refused(path, "is an SQLite file, but no store of sknn")


def test_a_changed_byte_anywhere_is_reported_or_changes_no_outcome(filled):
    before, whole = contents(filled), filled.read_bytes()
    rng, reported = np.random.default_rng(0), 0
    heads = [page + offset for page in range(0, len(whole), 4096) for offset in range(8)]
    for position in [*heads, *rng.integers(len(whole), size=150).tolist()]:
        filled.write_bytes(whole)
        overwrite(filled, position, bytes([whole[position] ^ int(rng.integers(1, 256))]))
        try:
            assert contents(filled) == before, position
        except StoreError:
            reported += 1
    assert reported > 100


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere"):
        Store(tmp_path / "nowhere" / "study.sqlite")


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


READ_ONLY = """
import os, sys
from sknn.study.store import Store, StoreError, commit_to

if os.geteuid() == 0:
    os.setuid(65534)  # root may write to any file
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@POSIX
def test_a_read_only_file_is_refused(filled):
    with TemporaryDirectory() as folder:  # unlike those of pytest, it can be opened to others
        os.chmod(folder, 0o755)
        path = shutil.copy(filled, folder)
        os.chmod(path, 0o444)
        assert "study.sqlite cannot be written to" in run(READ_ONLY, path)[0]


def test_a_store_deleted_while_open_is_reported(filled):
    with Store(filled) as store:
        filled.unlink()
        with pytest.raises(StoreError, match="was deleted or moved while it was open"):
            store.commit(KEYS[-1], outcome(7))
    assert not filled.exists()


def test_a_store_held_by_another_process_for_too_long_is_reported(filled, monkeypatch):
    monkeypatch.setattr("sknn.study.store.PATIENCE", 0.05)
    with closing(sqlite3.connect(filled, isolation_level=None)) as holder, Store(filled) as store:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="was held by another process"):
            store.claim(KEYS[-1], "ridge")
        holder.execute("ROLLBACK")
        assert store.claim(KEYS[-1], "ridge")


def test_a_closed_store_says_so(path):
    store = Store(path)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.finished([])
