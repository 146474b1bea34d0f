"""What layers keep of the steps that they have seen, where a series comes piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np


class Cache:
    """A slot for each layer that keeps something from one pass to the next: its state, or keys and values.

    It comes to layers in ``context.given["cache"]``. Layers do not know where they stand: each asks for its slot as it
    is applied, so that in every pass the same one comes to the same layer. An empty slot means that nothing came
    before. What a layer keeps in its slot, by names of its own, are arrays with samples on the first axis.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Cache
    >>> cache = Cache()
    >>> cache.begin()
    >>> cache.slot()["h"] = np.array([[1.0], [2.0]])
    >>> cache.begin()
    >>> cache.slot()
    {'h': array([[1.],
           [2.]])}
    >>> beams = cache.take([1, 1, 0])
    >>> beams.begin()
    >>> beams.slot()["h"].ravel()
    array([2., 2., 1.])
    """

    def __init__(self) -> None:
        self._slots: list[dict[str, Any]] = []
        self._given = 0  # how many slots this pass has handed out

    def begin(self) -> None:
        """Start a pass over the layers: the next slot is the first one."""
        self._given = 0

    def slot(self) -> dict[str, Any]:
        """The slot of the next layer that asks, which that layer reads and writes.

        Returns
        -------
        slot : dict
            Arrays by name.
        """
        if self._given == len(self._slots):
            self._slots.append({})
        self._given += 1
        return self._slots[self._given - 1]

    def take(self, samples: Any) -> Cache:
        """What is kept of these samples, in this order, for instance of the prefixes that a beam search goes on with.

        Parameters
        ----------
        samples : array-like of int
            Their numbers; one may be named more than once.

        Returns
        -------
        cache : Cache
            Another one.
        """
        taken = Cache()
        taken._slots = [{name: np.take(x, samples, axis=0) for name, x in slot.items()} for slot in self._slots]
        return taken
