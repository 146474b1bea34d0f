"""Attention beside a loop and PyTorch, in blocks and as one, and what one sample and one step see of others; see
test_fused.py for gradients."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops import attention as module
from sknn.ops.attention import Scope, attention, attention_weights
from sknn.ops.rotary import rotate

rng = np.random.default_rng(7)
LENGTHS = np.array([5, 1, 9, 5, 2])


def drawn(width: int, lengths=LENGTHS, dtype="float64") -> np.ndarray:
    return rng.standard_normal((np.sum(lengths), width)).astype(dtype)


def cut(rows: np.ndarray, lengths=LENGTHS) -> list[np.ndarray]:
    return np.split(rows, np.cumsum(lengths)[:-1])


def with_gradients(qkv: np.ndarray, seed: np.ndarray, **options) -> tuple[np.ndarray, np.ndarray]:
    leaf = Tensor(qkv)
    y = attention(leaf, **options)
    return y.value, grad(y, leaf, seed=seed)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("n_heads", [1, 2])
def test_as_a_loop_over_samples_heads_and_queries(causal, n_heads):
    qkv = drawn(12)
    found = attention(qkv, scope=Scope(LENGTHS, causal=causal), n_heads=n_heads)
    d = 4 // n_heads
    for y, sample in zip(cut(found), cut(qkv), strict=True):
        for h in range(n_heads):
            q, k, v = (sample[:, 4 * i + h * d : 4 * i + (h + 1) * d] for i in range(3))
            for t in range(len(sample)):
                seen = t + 1 if causal else len(sample)
                w = np.exp(k[:seen] @ q[t] / np.sqrt(d))
                assert_allclose(y[t, h * d : (h + 1) * d], w @ v[:seen] / w.sum(), rtol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_weights_add_up_to_1_and_are_0_where_nothing_is_seen(causal):
    scope = Scope(LENGTHS, causal=causal)
    weights = attention_weights(drawn(12), scope=scope, n_heads=2)
    for each, n in zip(weights, LENGTHS, strict=True):
        assert each.shape == (2, n, n)
        assert_allclose(each.sum(axis=-1), 1, rtol=1e-14)
        assert (np.triu(each, 1) == 0).all() == (causal or n == 1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("few", [True, False], ids=["kept", "made again"])
def test_a_sample_has_the_same_bits_alone_and_in_any_batch(monkeypatch, causal, dtype, few):
    monkeypatch.setattr(module, "KEPT", 1 << 24 if few else 0)
    qkv, seed = drawn(24, dtype=dtype), drawn(8, dtype=dtype)
    y, g = with_gradients(qkv, seed, scope=Scope(LENGTHS, causal=causal), n_heads=2)
    for k, n in enumerate(LENGTHS):
        alone = with_gradients(cut(qkv)[k], cut(seed)[k], scope=Scope([n], causal=causal), n_heads=2)
        assert_array_equal(cut(y)[k], alone[0])
        assert_array_equal(cut(g)[k], alone[1])


@pytest.mark.parametrize("at_once", [1, 20, 100, 1 << 18])
@pytest.mark.parametrize("kept_bytes", [0, 1 << 24])
@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_in_blocks_as_in_one(monkeypatch, at_once, kept_bytes, drops, causal):
    options = {"n_heads": 2}
    if drops:
        options |= {"kept": rng.random(2 * np.sum(LENGTHS**2)) > 0.3, "rate": 0.3}
    qkv, seed = drawn(12), drawn(4)
    expected = with_gradients(qkv, seed, scope=Scope(LENGTHS, causal=causal), **options)
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    monkeypatch.setattr(module, "KEPT", kept_bytes)
    found = with_gradients(qkv, seed, scope=Scope(LENGTHS, causal=causal), **options)
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_changes_no_bit_of_those_before_it(dtype):
    qkv = drawn(24, [30], dtype)
    scope = Scope([30], causal=True)
    before = attention(qkv, scope=scope, n_heads=2)
    for t in (1, 13, 29):
        other = qkv.copy()
        other[t] += 1
        after = attention(other, scope=scope, n_heads=2)
        assert_array_equal(after[:t], before[:t])
        assert (after[t:] != before[t:]).any(axis=1).all()
        seed = np.zeros((30, 8), dtype)
        seed[:t] = 1
        assert_array_equal(with_gradients(qkv, seed, scope=scope, n_heads=2)[1][t:], 0)


def test_the_order_of_keys_does_not_matter_and_that_of_queries_is_kept():
    q, kv, order = drawn(4, [6]), drawn(8, [9]), rng.permutation(9)
    scope = Scope([6], [9])
    expected = attention(q, kv, scope=scope, n_heads=2)
    assert_allclose(attention(q, kv[order], scope=scope, n_heads=2), expected, rtol=1e-12)
    assert_allclose(attention(q[::-1], kv, scope=scope, n_heads=2), expected[::-1], rtol=1e-12)


def test_keys_may_lie_anywhere():
    q, kv = drawn(4, [2, 1]), drawn(8, [3, 4])
    expected = attention(q, kv, scope=Scope([2, 1], [3, 4], causal=True), n_heads=2)
    spread = np.full((20, 8), np.nan)
    spread[1:4], spread[10:14] = cut(kv, [3, 4])
    assert_allclose(attention(q, spread, scope=Scope([2, 1], [3, 4], [1, 10], causal=True), n_heads=2), expected)


def test_memory_stays_far_below_that_of_all_weights():
    qkv, seed = drawn(12, [2048]), drawn(4, [2048])
    tracemalloc.start()
    try:
        with_gradients(qkv, seed, scope=Scope([2048], causal=True), n_heads=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2048**2 * 8 / 3


@pytest.mark.parametrize("causal", [False, True])
def test_large_matches_do_not_overflow(causal):
    qkv = 1e4 * drawn(12, dtype="float32")
    y, g = with_gradients(qkv, np.ones((22, 4), "float32"), scope=Scope(LENGTHS, causal=causal), n_heads=2)
    assert np.isfinite(y).all()
    assert np.isfinite(g).all()


def test_dropped_weights_do_not_count_and_others_grow():
    qkv = drawn(3, [4])
    weights = attention_weights(qkv, scope=Scope([4]), n_heads=1)[0][0]
    kept = rng.random(16) > 0.5
    y = attention(qkv, scope=Scope([4]), n_heads=1, kept=kept, rate=0.5)
    assert_allclose(y, 2 * (weights * kept.reshape(4, 4)) @ qkv[:, 2:], rtol=1e-12)


def test_products_of_turned_rows_depend_on_how_far_they_are_apart():
    x = np.repeat(drawn(8, [2]), 10, axis=0)
    angles = np.arange(20)[:, None] % 10 * np.array([1.0, 0.1])
    turned = rotate(x, cos=np.cos(angles), sin=np.sin(angles), turned=8)
    products = turned[:10] @ turned[10:].T
    for apart in range(-9, 10):
        diagonal = np.diagonal(products, apart)
        assert_allclose(diagonal, diagonal[0], rtol=1e-12)
    assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(x, axis=1), rtol=1e-14)


WRONG = {
    "no keys": (lambda: Scope([1, 1], [2, 0]), "sample 1 has 0 keys for 1 queries"),
    "too few": (lambda: Scope([3], [2], causal=True), "sample 0 has 2 keys for 3 queries: the first would see none"),
    "samples": (lambda: Scope([3, 1], [2]), "there are queries of 2 samples, but keys of 1"),
    "heads": (lambda: attention(drawn(12), scope=Scope(LENGTHS), n_heads=3), "a multiple of 3 heads; got 4, 4 and 4"),
    "widths": (
        lambda: attention(drawn(2, [3]), drawn(8, [3]), scope=Scope([3]), n_heads=2),
        "must be of one width, a multiple of 2 heads; got 2, 4 and 4",
    ),
    "rows": (lambda: attention(drawn(6), scope=Scope([3]), n_heads=1), "of 3 queries and 3 keys, but there are 22 and"),
}


@pytest.mark.parametrize(("action", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, message):
    with pytest.raises(ValueError, match=message):
        action()


# -- beside PyTorch 2.13, float64 ----------------------------------------------------------------------------------

QKV = np.cos(1.0 + 0.7 * np.arange(36)).reshape(3, 12)
# torch.nn.functional.scaled_dot_product_attention of QKV in two heads, all steps seen, and causal.
RECORDED = {
    False: [
        [-0.14392078421724894, -0.13073107054942826, 0.482822714481259, 0.5380871534896209],
        [0.3378846085070578, 0.40335358167149504, -0.009728950781064838, -0.0964083993134352],
        [-0.3773058516089908, -0.5146858627893461, -0.2558675952466821, -0.3554280874165823],
    ],
    True: [
        [0.9502325919585296, 0.5260775173811053, -0.14550003380861354, -0.7486466455973987],
        [0.7192948218687539, 0.3199734233065228, -0.39936110103794875, -0.5165801598798456],
        [-0.3773058516089908, -0.5146858627893461, -0.2558675952466821, -0.3554280874165823],
    ],
}


@pytest.mark.parametrize("causal", RECORDED)
def test_the_numbers_of_pytorch(causal):
    found = attention(QKV, scope=Scope([3], causal=causal), n_heads=2)
    assert_allclose(found, RECORDED[causal], rtol=0, atol=1e-14)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [(4, 4), (7, 7), (5, 8)])
def test_values_and_gradients_beside_pytorch(causal, lengths):
    torch = pytest.importorskip("torch")
    n_queries, n_keys = lengths
    # A mask of its own, as PyTorch's causal one begins at the first key: here the last query sees all of them.
    seen = torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries) if causal else None
    q, kv, seed = drawn(8, [n_queries]), drawn(16, [n_keys]), drawn(8, [n_queries])
    leaves = [Tensor(q), Tensor(kv)]
    y = attention(*leaves, scope=Scope([n_queries], [n_keys], causal=causal), n_heads=2)
    there = [torch.tensor(x, requires_grad=True) for x in (q, kv[:, :8], kv[:, 8:])]
    heads = [x.reshape(len(x), 2, 4).transpose(0, 1) for x in there]
    mixed = torch.nn.functional.scaled_dot_product_attention(*heads, attn_mask=seen)
    expected = mixed.transpose(0, 1).reshape(n_queries, 8)
    expected.backward(torch.tensor(seed))
    assert_allclose(y.value, expected.detach(), rtol=0, atol=1e-10)
    to_q, to_kv = grad(y, leaves, seed=seed)
    assert_allclose(to_q, there[0].grad, rtol=0, atol=1e-10)
    assert_allclose(to_kv, np.hstack([there[1].grad, there[2].grad]), rtol=0, atol=1e-10)
