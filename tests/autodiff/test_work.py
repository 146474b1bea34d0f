"""Work: what operations count, whether they are recorded or not, and who sees it."""

import threading

import numpy as np
import pytest
from scipy import sparse

from sknn.autodiff import Operation, Tensor, Work, counting, grad, jet, no_grad, op
from sknn.autodiff import primitives as p

A, B = np.ones((2, 3)), np.ones((3, 4))
SPARSE = sparse.csr_array(np.eye(3))  # of three entries

COUNTED = {
    "a product": (lambda x: p.matmul(x, B), 24, 8),
    "of stacks": (lambda x: p.matmul(p.broadcast_to(x, (5, 2, 3)), B), 5 * 24, 40),
    "with vectors": (lambda x: p.matmul(p.matmul(np.ones(2), x), np.ones(3)), 6 + 3, 3),
    "a sparse one": (lambda x: p.matmul(SPARSE, p.transpose(x)), 3 * 2, 6),
    "by a sparse one": (lambda x: p.matmul(x, SPARSE), 3 * 2, 6),
    "elementwise": (lambda x: p.sum(p.tanh(p.concatenate([x, x]) * 2.0)), 0, 12),
    "one that comes again": (lambda x: p.matmul(p.matmul(p.matmul(x, B), B.T), B), 3 * 24, 8),
    "a number": (lambda x: p.sum(x), 0, 1),
}


@pytest.mark.parametrize(("function", "multiplications", "values"), COUNTED.values(), ids=COUNTED)
def test_what_operations_take_recorded_or_not(function, multiplications, values):
    with counting() as plain:
        function(A)
    with counting() as recorded:
        y = function(Tensor(A))
    with no_grad(), counting() as unrecorded:
        function(Tensor(A))
    assert isinstance(y, Tensor)
    assert plain == recorded == unrecorded == Work(multiplications, values)


def test_derivatives_that_are_part_of_the_computation_count():
    x = Tensor(A)
    with counting() as work:
        grad(p.sum(p.square(p.matmul(x, B))), x, create_graph=True)
    assert work.multiplications == 2 * 24
    with counting() as work:
        jet(lambda x: p.matmul(p.square(x), B), A, A, order=2)
    assert work.multiplications == 3 * 24
    with counting() as work:  # the second derivative of x itself is zero, and is not multiplied
        jet(lambda x: p.matmul(x, B), A, A, order=2)
    assert work.multiplications == 2 * 24


def test_an_operation_says_what_it_makes_on_the_way(monkeypatch):
    monkeypatch.setattr(Operation, "table", dict(Operation.table))

    @op
    def through_a_table(x):
        return x @ np.ones((3, 100)) @ np.ones(100), None

    @through_a_table.takes
    def _(y, x):
        return 400 * len(x), 100 * len(x)

    with counting() as work:
        through_a_table(Tensor(A))
        p.matmul(A, B)
    assert work == Work(800 + 24, 200)


def test_only_within_the_context_and_in_its_thread():
    with counting() as work:
        thread = threading.Thread(target=lambda: p.matmul(A, B))
        thread.start()
        thread.join()
        with pytest.raises(ValueError, match="matmul"):
            p.matmul(A, A)
    p.matmul(A, B)
    assert work == Work(0, 0)
