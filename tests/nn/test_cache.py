"""What layers keep from one pass to the next."""

import numpy as np

from sknn.nn.cache import Cache


def test_slots_come_in_the_same_order_in_every_pass():
    cache = Cache()
    cache.begin()
    first, second = cache.slot(), cache.slot()
    assert first == second == {}
    assert first is not second
    cache.begin()
    assert cache.slot() is first
    assert cache.slot() is second


def test_taken_samples_are_copies_in_the_order_asked_for():
    cache = Cache()
    cache.begin()
    cache.slot()["h"] = np.arange(6.0).reshape(3, 2)
    taken = cache.take([2, 0, 2])
    taken.begin()
    slot = taken.slot()
    np.testing.assert_array_equal(slot["h"], [[4.0, 5.0], [0.0, 1.0], [4.0, 5.0]])
    slot["h"][...] = 0.0
    cache.begin()
    np.testing.assert_array_equal(cache.slot()["h"], np.arange(6.0).reshape(3, 2))
