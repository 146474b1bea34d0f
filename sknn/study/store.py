"""The finished cells of a study in one SQLite file, which several processes share through leases that expire.

A cell is a row: first leased (an owner, the time of the last renewal, the seconds it holds), then finished (an outcome
with its checksum, and no owner any more).

The file keeps SQLite's rollback journal rather than a write-ahead log: it stays one file that can be copied, needs no
shared memory, and SQLite notices when it is deleted or moved while open. What a killed process left half written is
rolled back by whoever reads the file next.
"""

import hashlib
import math
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn, Self

from .outcome import Outcome

APPLICATION = int.from_bytes(b"sknn", "big")  # in the header of the file: whose it is
VERSION = 1  # and of what form
PATIENCE = 30.0  # seconds to wait for another process that is writing

CELLS = """
CREATE TABLE cells (
    key TEXT PRIMARY KEY NOT NULL,
    label TEXT NOT NULL,
    owner TEXT,
    renewed REAL,
    lease REAL,
    checksum BLOB,
    outcome BLOB,
    CHECK (CASE WHEN owner IS NULL THEN typeof(outcome) = 'blob' AND typeof(checksum) = 'blob'
                ELSE outcome IS NULL AND checksum IS NULL END)
)"""

CLAIM = """
INSERT INTO cells (key, label, owner, renewed, lease) VALUES (:key, :label, :owner, :now, :lease)
ON CONFLICT (key) DO UPDATE SET label = :label, owner = :owner, renewed = :now, lease = :lease
WHERE outcome IS NULL AND (owner = :owner OR abs(:now - renewed) > lease)
"""

COMMIT = """
INSERT INTO cells (key, label, checksum, outcome) VALUES (:key, '', :checksum, :outcome)
ON CONFLICT (key) DO UPDATE SET owner = NULL, renewed = NULL, lease = NULL, checksum = :checksum, outcome = :outcome
WHERE outcome IS NULL
"""

# EXTRA puts the end of the journal on disk as well, which after a loss of power would undo the commit.
DURABLE = "PRAGMA synchronous = EXTRA"

START_AGAIN = "Put back an intact copy, or move the file away to start a new store."
ADVICE = {
    sqlite3.SQLITE_NOTADB: f"is not an SQLite file, or its beginning is damaged. {START_AGAIN}",
    sqlite3.SQLITE_CORRUPT: f"is damaged. {START_AGAIN}",
    sqlite3.SQLITE_ERROR: f"is damaged: its table is not the one of a store. {START_AGAIN}",
    sqlite3.SQLITE_BUSY: f"was held by another process for more than {PATIENCE:g} seconds. Run the study again.",
    sqlite3.SQLITE_READONLY: "cannot be written to. Make the file and its folder writable, or name another file.",
    sqlite3.SQLITE_READONLY_DBMOVED: "was deleted or moved while it was open. Run the study again.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Name a file in a folder that you may write to, and leave it there.",
    sqlite3.SQLITE_FULL: "has no room to grow: the disk is full. Free some space and run the study again.",
}


class StoreError(RuntimeError):
    """The store cannot be used; the message names the file and says what to do. The file was left as it is."""


class Store:
    """The finished cells of a study, safe from a kill at any moment and shared by several processes and threads.

    A result counts from the moment that `commit` returns: it outlives a killed process and a loss of power. A cell is
    computed by whoever holds its lease; the lease of a process that died runs out, and another may claim the cell.
    Should two processes finish the same cell all the same, the first result stays.

    Parameters
    ----------
    path : str or path-like
        The file. A missing or empty one becomes a new store (an empty one is what a kill at creation leaves behind);
        an existing store is checked for damage.
    lease : float, default=20.0
        Seconds for which a claim holds unless it is renewed. They are counted by the clock on the wall, the one clock
        that all processes share (a monotonic clock may start anew with each). If that clock is set back by more than
        the lease, the lease counts as expired, so that no cell is locked until the clock has caught up.

    Raises
    ------
    StoreError
        If the folder is missing, the file cannot be written to, is damaged, is no store of sknn or one of another
        version. The file is never overwritten, repaired or deleted.
    ValueError
        If `lease` is not a positive, finite number.

    Notes
    -----
    Any number of threads may use one store. Other processes open their own, or leave an outcome by `commit_to`: a store
    can neither be pickled nor used after a fork. Like every SQLite file, it wants a disk whose file locks work, which
    those of some network file systems do not.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Store(folder + "/study.sqlite") as store:
    ...     store.claim("a1", "ridge on wine, fold 0")
    ...     store.commit("a1", Outcome({"r2": 0.5}))
    ...     store.claim("a1", "ridge on wine, fold 0")
    ...     {key: outcome.row for key, outcome in store.finished(["a1", "a2"]).items()}
    True
    False
    {'a1': {'r2': 0.5}}
    """

    def __init__(self, path: str | os.PathLike[str], *, lease: float = 20.0) -> None:
        if not (lease > 0 and math.isfinite(lease)):
            raise ValueError(f"lease must be a positive number of seconds, got {lease!r}.")
        self.path = Path(path).absolute()
        self.lease = float(lease)
        self._owner = uuid.uuid4().hex
        self._process = os.getpid()
        self._lock = threading.Lock()
        if not os.path.isdir(self.path.parent):
            raise StoreError(f"{self.path} cannot be created: there is no folder {self.path.parent}. Make it first.")
        with _errors_of(self.path):
            self._connection = sqlite3.connect(
                self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def finished(self, keys: Iterable[str]) -> dict[str, Outcome]:
        """The outcomes of those of the cells that are finished.

        Raises
        ------
        StoreError
            If an outcome is not what was stored.
        """
        query = "SELECT key, checksum, outcome FROM cells WHERE key = ? AND outcome IS NOT NULL"
        with self._transaction() as connection:
            rows = [row for key in keys for row in connection.execute(query, (key,))]
        return {key: self._outcome(key, checksum, content) for key, checksum, content in rows}

    def claim(self, key: str, label: str) -> bool:
        """Take the lease of a cell: True if this store has it now, False if the cell is finished or leased to another.

        Of several processes that claim a cell at once, one gets it. `label` is for people who look into the file.
        """
        with self._transaction() as connection:
            lease = {"owner": self._owner, "now": time.time(), "lease": self.lease}
            return connection.execute(CLAIM, {"key": key, "label": label, **lease}).rowcount == 1

    def renew(self) -> None:
        """Prolong all leases of this store; those that another has taken over meanwhile stay lost."""
        with self._transaction() as connection:
            connection.execute("UPDATE cells SET renewed = ? WHERE owner = ?", (time.time(), self._owner))

    def release(self, keys: Iterable[str]) -> None:
        """Give back the leases of these cells, so that others need not wait; leases of others are left alone."""
        with self._transaction() as connection:
            pairs = [(key, self._owner) for key in keys]
            connection.executemany("DELETE FROM cells WHERE key = ? AND owner = ?", pairs)

    def commit(self, key: str, outcome: Outcome) -> None:
        """Finish a cell for good and drop its lease; if the cell is finished already, its first outcome stays."""
        with self._transaction() as connection:
            _finish(connection, key, outcome)

    def close(self) -> None:
        """Give back all leases and close the file; closing twice does no harm."""
        with suppress(StoreError), self._transaction() as connection:  # leases that cannot be given back run out
            connection.execute("DELETE FROM cells WHERE owner = ?", (self._owner,))
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"The store {self.path} cannot be pickled or copied: it belongs to the process that opened it. "
            "Let workers return their outcomes, or leave them in the file by commit_to."
        )

    def _open(self) -> None:
        """Make the table in a new file, or check that it is an intact store."""
        with _errors_of(self.path):
            self._connection.execute(DURABLE)
        with self._transaction() as connection:
            marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
            if marks == [0, 0] and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                connection.execute(CELLS)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
                return
            if marks[0] != APPLICATION:
                raise StoreError(f"{self.path} is an SQLite file, but no store of sknn. Name another file.")
            if marks[1] != VERSION:
                raise StoreError(
                    f"{self.path} is a store of version {marks[1]}, but this sknn reads version {VERSION}. "
                    "Use the sknn that wrote it, or name another file."
                )
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise StoreError(f"{self.path} is damaged ({found.splitlines()[-1]}). {START_AGAIN}")
            connection.execute("DELETE FROM cells WHERE 0")  # even a write of nothing fails in a read-only file

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread and process alone until all is written, or nothing of it."""
        if os.getpid() != self._process:
            raise StoreError(f"{self.path} was opened by another process. Open it in this one.")
        with self._lock, _errors_of(self.path), self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _outcome(self, key: str, checksum: bytes, content: bytes) -> Outcome:
        if checksum != _checksum(key, content):
            raise StoreError(f"{self.path} is damaged (the outcome of the cell {key!r} was changed). {START_AGAIN}")
        return Outcome.from_bytes(content)


def commit_to(path: Path, key: str, outcome: Outcome) -> None:
    """Finish a cell of a store that another process holds open, as its `Store.commit` would: for its workers.

    Parameters
    ----------
    path : Path
        The file, absolute. It was checked when the store was opened, and is not again for every cell.
    key : str
        What identifies the cell.
    outcome : Outcome
        What came out; if the cell is finished already, its first outcome stays.

    Raises
    ------
    StoreError
        If the file is no longer there or cannot be written to.
    """
    with _errors_of(path):
        there = f"{path.as_uri()}?mode=rw"  # never a new file
        with (
            closing(sqlite3.connect(there, uri=True, timeout=PATIENCE, isolation_level=None)) as connection,
            connection,
        ):
            connection.execute(DURABLE)
            connection.execute("BEGIN IMMEDIATE")
            _finish(connection, key, outcome)


def _finish(connection: sqlite3.Connection, key: str, outcome: Outcome) -> None:
    content = outcome.to_bytes()
    connection.execute(COMMIT, {"key": key, "checksum": _checksum(key, content), "outcome": content})


def _checksum(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Say what SQLite's error means for the store."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quoted damaged text in a message
        raise StoreError(f"{path} {ADVICE[sqlite3.SQLITE_CORRUPT]}") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        advice = ADVICE.get(code) or ADVICE.get(code & 0xFF) or f"cannot be used: {error}"
        raise StoreError(f"{path} {advice}") from error
