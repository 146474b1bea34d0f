"""Predictions: the precision they are computed in, in parts and on threads, and weights that change underneath."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sknn.nn import BatchNorm, Dense, Network
from sknn.ops.memory import kept_memory
from sknn.template import forward
from sknn.template.forward import Forward

X = np.random.RandomState(1).randn(40, 6)
LAYERS = [Dense(5, activation="tanh"), BatchNorm(), Dense(3)]


def network(dtype: str = "float32") -> Network:
    return Network(LAYERS, (6,), np.random.RandomState(0), dtype)


def exact(net: Network) -> np.ndarray:
    return net.copy("float64")(X)


@pytest.mark.parametrize("inner", ["float32", "float64"])
@pytest.mark.parametrize(("outer", "rtol"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_answers_come_in_the_precision_of_the_samples(inner, outer, rtol, container):
    net = network(inner)
    answer = Forward(net)(container(X.astype(outer)))
    assert answer.dtype == outer
    np.testing.assert_allclose(answer, exact(net), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_changed_in_place_count_in_the_next_call(dtype):
    net = network()
    predict = Forward(net)
    predict(X.astype(dtype))
    net.theta *= 2
    net.state += 1
    np.testing.assert_array_equal(predict(X.astype(dtype)), Forward(net)(X.astype(dtype)))


def test_parts_make_up_the_whole(monkeypatch):
    net = network()
    whole = Forward(net)(X)
    monkeypatch.setattr(forward, "ELEMENTS", 7 * 6)
    predict = Forward(net)
    np.testing.assert_allclose(predict(X), whole, rtol=1e-13)
    assert predict.at_once == 7


@pytest.mark.parametrize("n_outputs", [1, 64])
def test_within_a_fit_parts_take_the_memory_of_one(monkeypatch, n_outputs):
    net = Network([Dense(64), Dense(64), Dense(n_outputs)], (6,), np.random.RandomState(0))
    x = np.random.RandomState(1).randn(8 * 2048, 6).astype("float32")
    predict, expected = Forward(net), Forward(net)(x)
    monkeypatch.setattr(predict, "at_once", 2048)
    tracemalloc.start()
    try:
        with kept_memory():
            answer = predict(x)
            held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-5)
    assert held - answer.nbytes < 4 * 4 * 64 * 2048


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_the_first_layers_alone(n_layers):
    net = network("float64")
    found = Forward(net)(X, lambda nets, batch, draws: nets[:n_layers](batch.x))
    np.testing.assert_array_equal(found, net[:n_layers](X))


def test_a_pickle_holds_the_weights_once_and_shares_them_with_the_network():
    net = network()
    predict = Forward(net)
    predict(X)
    again_net, again = pickle.loads(pickle.dumps((net, predict)))
    assert again.network is again_net
    np.testing.assert_array_equal(again(X), predict(X))
    assert len(pickle.dumps((net, predict))) < len(pickle.dumps(net)) + 200


def test_threads_may_predict_side_by_side():
    predict = Forward(network())
    expected = predict(X)
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: predict(X), range(50)):
            np.testing.assert_array_equal(answer, expected)
