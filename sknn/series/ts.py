"""Files of the archives of UCR and UEA, ``.ts``: one series in each line, its channels and its label between colons."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ..autodiff.tape import Array
from .forms import ragged

OUTSIDE = re.compile(r":(?![^()]*\))")  # colons outside of brackets: times such as 12:30 have some inside
STEP = re.compile(r"\(([^()]*)\)")
YES, NO = ("true", "yes"), ("false", "no")


def read_ts(path: str | os.PathLike[str]) -> tuple[Array, Array | None]:
    """Read series and their labels from a ``.ts`` file.

    Parameters
    ----------
    path : str or path
        The file, in text or packed by gzip (``.ts.gz``).

    Returns
    -------
    X : ndarray of shape (n_samples, T, channels), or ndarray of object of shape (n_samples,)
        All series in one array if they are of one length, otherwise an array (T_i, channels) for each. ``?`` is NaN.
        Where steps have times, these are channel 0, for ``time_channel=0``.
    y : ndarray of shape (n_samples,) or None
        Class labels as they are written, or numbers where the file has targets; None if it has neither.

    Raises
    ------
    ValueError
        If a line is not as the format wants it, which is named with its number.

    References
    ----------
    Bagnall et al. (2018). The UEA multivariate time series classification archive. arXiv:1811.00075.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sknn.series import read_ts
    >>> path = pathlib.Path(tempfile.mkdtemp(), "waves.ts")
    >>> _ = path.write_text("@classLabel true up down\\n@data\\n1,2,3:up\\n4,?:down\\n")
    >>> X, y = read_ts(path)
    >>> X[1].tolist(), y.tolist()
    ([[4.0], [nan]], ['up', 'down'])
    """
    path = Path(path).expanduser()
    header = Header()
    samples: list[Array] = []
    labels: list[str] = []
    with _opened(path) as file:
        for number, line in _lines(file):
            try:
                if not header.complete:
                    header.read(line)
                    continue
                fields = [str(each) for each in OUTSIDE.split(line)]
                labels.append(fields.pop().strip() if header.labelled else "")
                samples.append(_sample(fields, header.has_times))
                _check_alike(samples[0], samples[-1])
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from None
    if not samples:
        raise ValueError(f"{path.name} holds no series: they stand behind a line @data")
    of_one_length = len({len(sample) for sample in samples}) == 1
    return np.stack(samples) if of_one_length else ragged(samples), header.in_kind(labels)


def has_times(path: str | os.PathLike[str]) -> bool:
    """Whether the steps of a ``.ts`` file have times, which `read_ts` makes channel 0."""
    header = Header()
    with _opened(Path(path).expanduser()) as file:
        for _, line in _lines(file):
            if header.complete:
                break
            header.read(line)
    return header.has_times


def _opened(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


@dataclass
class Header:
    """What the lines before the series say of them."""

    has_times: bool = False
    labelled: bool = False
    are_numbers: bool = False
    complete: bool = False

    def read(self, line: str) -> None:
        """Take in a line; ValueError if it is none of a header."""
        name, *words = line.split()
        name = name.lower()
        if not name.startswith("@"):
            raise ValueError(f"{line[:40]!r} stands before @data, but begins with no @")
        if name == "@data":
            self.complete = True
        elif name == "@timestamps":
            self.has_times = _truth(name, words)
        elif name in ("@classlabel", "@targetlabel"):
            self.labelled = _truth(name, words)
            self.are_numbers = self.labelled and name == "@targetlabel"

    def in_kind(self, labels: list[str]) -> Array | None:
        """Labels as they are written, targets as numbers."""
        if not self.labelled:
            return None
        return np.array([np.nan if label == "?" else float(label) for label in labels] if self.are_numbers else labels)


def _truth(name: str, words: list[str]) -> bool:
    word = words[0].lower() if words else ""
    if word not in (*YES, *NO):
        raise ValueError(f"{name} must be followed by true or false, got {word!r}")
    return word in YES


def _lines(file: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Those that say something, with their numbers."""
    for number, line in enumerate(file, 1):
        text = line.strip().lstrip("\ufeff")
        if text and not text.startswith(("#", "%")):
            yield number, text


def _sample(channels: list[str], has_times: bool) -> Array:
    """(T, channels) of what stands between the colons of a line."""
    if not channels:
        raise ValueError("there is a label, but no series before it")
    if has_times:
        times, values = zip(*map(_with_times, channels), strict=True)
        if any(not np.array_equal(times[0], other) for other in times):
            raise ValueError("the channels have different times")
        return np.column_stack([times[0], *values])
    columns = [_numbers(each.split(",")) for each in channels]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(f"the channels have different lengths: {[len(column) for column in columns]}")
    return np.column_stack(columns)


def _with_times(channel: str) -> tuple[Array, Array]:
    """Times and values of ``(time,value),(time,value)``."""
    steps = [step.rpartition(",") for step in STEP.findall(channel)]
    if not steps:
        raise ValueError(f"{channel[:40]!r} holds no (time,value)")
    return _times([time for time, _, _ in steps]), _numbers([value for _, _, value in steps])


def _times(words: list[str]) -> Array:
    """Numbers as they are, dates in days since 1970-01-01."""
    try:
        return np.array(words, np.float64)
    except ValueError:
        return np.array([word.strip() for word in words], "datetime64[us]").astype(np.float64) / 86_400e6


def _numbers(words: list[str]) -> Array:
    return np.array(["nan" if word.strip() == "?" else word for word in words], np.float64)


def _check_alike(first: Array, sample: Array) -> None:
    if sample.shape[1] != first.shape[1]:
        raise ValueError(f"the series has {sample.shape[1]} channels, where the first has {first.shape[1]}")
