"""Where a memory-mapped array lies on disk: what is sent to another process instead of its values."""

from dataclasses import dataclass
from mmap import mmap
from typing import Any, Literal

import numpy as np


def mapping_of(X: Any) -> np.memmap | None:
    """Find the memory-mapped array that an array is, or is a view of.

    Parameters
    ----------
    X : object
        Anything.

    Returns
    -------
    memmap or None
        The one that was opened: views of it keep its ``offset`` whatever their own first value is.
    """
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap) and isinstance(X.base, mmap):
            return X
        X = X.base
    return None


@dataclass(frozen=True)
class Place:
    """Where a memory-mapped array lies.

    Parameters
    ----------
    path : str
        The file.
    dtype : dtype
        The type of the values.
    offset : int
        The byte of the file where the first value is.
    shape : tuple of int
        The axes.
    order : {"C", "F"}
        Whether the last or the first axis runs fastest.
    """

    path: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    @classmethod
    def of(cls, X: Any) -> "Place | None":
        """Locate an array.

        Parameters
        ----------
        X : object
            Anything.

        Returns
        -------
        Place or None
            None if it is in memory, has no file of its own or has gaps between its values.
        """
        mapping = mapping_of(X)
        if mapping is None or mapping.filename is None or not (X.flags.c_contiguous or X.flags.f_contiguous):
            return None
        offset = mapping.offset + X.__array_interface__["data"][0] - mapping.__array_interface__["data"][0]
        return cls(str(mapping.filename), X.dtype, offset, X.shape, "C" if X.flags.c_contiguous else "F")

    def open(self) -> np.memmap:
        """Map the array again.

        Returns
        -------
        memmap
            Read-only.
        """
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape, self.order)
