"""Language models: that they are distributions, that decoding goes by them, what they learn and refuse."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sknn import LanguageModel
from sknn.estimators.sequences.stepping import Stepping
from sknn.nn import Sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
TEXTS = ["".join(RNG.choice(list("abc"), RNG.integers(1, 12), p=[0.5, 0.3, 0.2])) for _ in range(60)]
LONG = "".join(RNG.choice(list("abc"), 40))
FEW: dict[str, Any] = {"max_iter": 6, "learning_rate_init": 0.02, "dtype": "float64", "random_state": 0}
MODELS = {
    "gru": LanguageModel(6, **FEW),
    "lstm, two layers": LanguageModel(5, architecture="lstm", depth=2, **FEW),
    "transformer": LanguageModel(8, architecture="transformer", n_heads=2, depth=2, context=5, **FEW),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return clone(MODELS[request.param]).fit(TEXTS)


def beginnings(n):
    return ["".join(letters) for letters in product("abc", repeat=n)]


# -- probabilities -------------------------------------------------------------------------------------------------


def log_p_of_beginning(model, text):
    """From the probabilities of the next token, one after the other."""
    proba = np.log(model.predict_proba([text[:k] for k in range(len(text))]))
    return sum(row["abc".index(letter)] for row, letter in zip(proba, text, strict=True))


def test_probabilities_of_all_sequences_add_up_to_one(model):
    finished = [text for n in range(4) for text in beginnings(n)]
    unfinished = [log_p_of_beginning(model, text) for text in beginnings(4)]
    total = np.exp(model.score_samples(finished)).sum() + np.exp(unfinished).sum()
    assert abs(total - 1.0) < 1e-10


def test_the_probability_of_a_sequence_is_the_product_of_those_of_its_tokens_and_of_its_end(model):
    for text in ["", "a", "cab", LONG]:
        end = np.log(model.predict_proba([text])[0, -1])
        expected = end + (log_p_of_beginning(model, text) if text else 0.0)
        assert_allclose(model.score_samples([text]), expected, rtol=1e-12)


def test_scores_are_means_a_token(model):
    n_tokens = sum(map(len, TEXTS)) + len(TEXTS)
    assert_allclose(model.score(TEXTS), model.score_samples(TEXTS).sum() / n_tokens, rtol=1e-12)
    assert_allclose(model.perplexity(TEXTS), np.exp(-model.score(TEXTS)), rtol=1e-12)
    assert model.predict_proba(["", "ab"]).shape == (2, len(model.vocabulary_) + 1)


def test_a_sequence_alone_is_as_in_any_company(model):
    texts = [LONG, "", "cab", LONG[:7]]
    alone = [model.score_samples([text])[0] for text in texts]
    assert_allclose(model.score_samples(texts), alone, rtol=1e-12)
    assert_allclose(model.predict_proba(texts), [model.predict_proba([text])[0] for text in texts], rtol=1e-12)


def test_a_long_sequence_is_computed_piece_by_piece(model, monkeypatch):
    expected = model.score_samples([LONG, "ab"]), model.predict_proba([LONG, "ab"])
    monkeypatch.setattr(model._forward, "at_once", 3)
    assert_allclose(model.score_samples([LONG, "ab"]), expected[0], rtol=1e-12)
    assert_allclose(model.predict_proba([LONG, "ab"]), expected[1], rtol=1e-12)


def test_token_by_token_with_what_is_kept_is_the_whole_pass(model):
    """Far beyond the context of the transformer."""
    texts = ["".join(RNG.choice(list("abc"), 23)) for _ in range(3)]
    tokens = np.array([[3, *("abc".index(letter) for letter in text)] for text in texts])
    steps = Stepping(model.network_.function(), model._sight)
    for n in range(1, 24):
        raw = steps(tokens[:, n - 1 : n])
        expected = np.log(model.predict_proba([text[: n - 1] for text in texts]))
        found = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
        assert_allclose(found, expected, rtol=0, atol=1e-12)
        if n == 11:
            steps, tokens, texts = steps.take([2, 0]), tokens[[2, 0]], [texts[2], texts[0]]


def test_no_token_changes_what_was_expected_before_it(model):
    tokens = RNG.integers(0, 3, 5)
    for t in range(1, 5):
        changed = tokens.copy()
        changed[t] = (changed[t] + 1) % 3
        one, other = (model.network_(Sequences(each, [5])).values for each in (tokens, changed))
        assert_array_equal(one[:t], other[:t])
        assert (one[t] != other[t]).any()


# -- drawing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "ab"])
def test_tokens_are_drawn_as_often_as_they_are_probable(model, prefix):
    found = model.sample(20_000, prefix=prefix, max_length=len(prefix) + 1, random_state=0)
    next_ones = [text[len(prefix) :] for text in found]
    counts = [next_ones.count(letter) for letter in ["a", "b", "c", ""]]
    assert sum(counts) == 20_000
    assert chisquare(counts, 20_000 * model.predict_proba([prefix])[0]).pvalue > 0.001


def greedy(model, max_length):
    text = ""
    while len(text) < max_length and (best := model.predict_proba([text]).argmax()) < 3:
        text += "abc"[best]
    return text


@pytest.mark.parametrize("drawing", [{"temperature": 0}, {"temperature": 1e-6}, {"top_k": 1}])
def test_at_temperature_zero_the_most_probable_token_is_taken(model, drawing):
    assert model.sample(2, max_length=12, random_state=0, **drawing).tolist() == [greedy(model, 12)] * 2


def test_a_prefix_is_seen_as_far_as_a_beginning_is(model):
    for n in range(1, 30):
        best = ["a", "b", "c", ""][model.predict_proba([LONG[:n]])[0].argmax()]
        assert model.sample(prefix=LONG[:n], max_length=n + 1, temperature=0)[0] == LONG[:n] + best


def test_top_k_draws_the_most_probable_ones_alone(model):
    first = {text[:1] for text in model.sample(500, max_length=1, top_k=2, random_state=0)}
    best = np.argsort(-model.predict_proba([""])[0])[:2]
    assert first == {["a", "b", "c", ""][k] for k in best}


def test_a_seed_repeats_and_none_draws_anew(model):
    one, other = (model.sample(5, prefix="c", max_length=30, random_state=1) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert all(text.startswith("c") and len(text) <= 30 for text in one)
    assert {*model.sample(5, max_length=30)} != {*model.sample(5, max_length=30)}
    assert np.isfinite(model.score_samples(model.sample(20, random_state=0))).all()


# -- learning ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_at_first_all_tokens_are_about_as_probable(name):
    start = clone(MODELS[name]).set_params(max_iter=1, learning_rate_init=1e-9).fit(TEXTS)
    assert_allclose([start.loss_, -start.score(TEXTS)], np.log(4), rtol=0.02)


@pytest.mark.parametrize("architecture", ["gru", "lstm", "transformer"])
def test_a_pattern_is_learnt_and_goes_on(architecture):
    model = LanguageModel(32, architecture=architecture, max_iter=60, context=16, learning_rate_init=0.01)
    model.set_params(random_state=0).fit(["abcd" * 200])
    assert model.perplexity(["abcd" * 200]) < 1.05
    assert model.sample(prefix="cd", temperature=0, max_length=40)[0] == "cd" + "abcd" * 9 + "ab"


def test_lists_and_words_come_back_as_such():
    items = LanguageModel(8, max_iter=2, random_state=0).fit([[3, 1, 2], (2, 1)])
    assert items.vocabulary_ == [1, 2, 3]
    assert items.sample(prefix=[1, 2], max_length=4, random_state=0)[0][:2] == [1, 2]
    assert all(isinstance(each, list) for each in items.sample(3, random_state=0))
    words = LanguageModel(8, tokens="words", max_iter=2, random_state=0).fit(["to be or not to be", "to do"])
    assert words.vocabulary_ == ["be", "do", "not", "or", "to"]
    assert words.sample(prefix="to be", max_length=4, random_state=0)[0].startswith("to be")


def test_an_unknown_token_has_a_probability_and_is_never_drawn():
    model = LanguageModel(8, unknown="token", max_iter=3, random_state=0).fit(["aab", "abx", "abab"] * 3 + ["z"])
    assert np.isfinite(model.score_samples(["aqb"])).all()
    assert model.predict_proba([""]).shape == (1, len(model.vocabulary_) + 2)
    assert {*"".join(model.sample(200, random_state=0))} <= {"a", "b", "x"}


def test_an_epoch_takes_as_many_tokens_as_there_are():
    n_tokens = sum(map(len, TEXTS)) + len(TEXTS)
    model = LanguageModel(4, context=16, max_iter=3, tol=0.0, random_state=0).fit(TEXTS)
    assert model.t_ == 3 * -(-n_tokens // 16)
    assert LanguageModel(4, random_state=0).fit(["ab" * 40]).n_iter_ <= 150


def test_samples_of_weight_zero_are_as_if_left_out():
    weight = np.arange(len(TEXTS)) % 3
    one = LanguageModel(4, **FEW).fit(TEXTS, sample_weight=weight > 0)
    other = LanguageModel(4, **FEW).fit([text for text, w in zip(TEXTS, weight, strict=True) if w])
    assert_array_equal(one.network_.theta, other.network_.theta)


def test_validation_is_the_score_and_its_best_weights_are_kept():
    model = LanguageModel(8, early_stopping=True, **FEW).fit(TEXTS, X_val=TEXTS[:9])
    assert_allclose(model.best_validation_score_, model.score(TEXTS[:9]), rtol=1e-12)
    assert_allclose(model.validation_scores_, -np.array(model.validation_loss_curve_))


def test_a_search_tunes_it():
    search = GridSearchCV(LanguageModel(4, max_iter=2, random_state=0), {"architecture": ["gru", "lstm"]}, cv=2)
    found = search.fit(TEXTS)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


# -- what it refuses -----------------------------------------------------------------------------------------------


class Refused(NamedTuple):
    """A call that cannot be answered, and what is said of it."""

    call: Any
    error: type[Exception]
    message: str


SMALL = LanguageModel(4, max_iter=1, random_state=0)
REFUSED = {
    "one string": Refused(lambda: SMALL.fit("abc"), TypeError, r"got str; make one of it, as \[X\] does"),
    "an empty sequence": Refused(lambda: SMALL.fit(["a", ""]), ValueError, r"X\[1\]='' is empty: a sequence to learn"),
    "no samples": Refused(lambda: SMALL.fit([]), ValueError, "X has no samples: it must hold at least one sequence"),
    "nothing to score": Refused(
        lambda: clone(SMALL).fit(["ab"]).score([]), ValueError, "X has no samples: it must hold at least one sequence"
    ),
    "numbers": Refused(lambda: SMALL.fit([[0.5, 1.5]]), TypeError, "tokens are words, whole numbers or other names"),
    "words of lists": Refused(
        lambda: clone(SMALL).set_params(tokens="words").fit([[1, 2]]), ValueError, "tokens='words' splits strings"
    ),
    "heads of a cell": Refused(
        lambda: clone(SMALL).set_params(n_heads=2).fit(["ab"]), ValueError, "n_heads=2 does not apply with architecture"
    ),
    "an unknown token": Refused(
        lambda: clone(SMALL).fit(["ab"]).score(["ab", "aq"]), ValueError, r"X\[1\] holds the token 'q', which did not"
    ),
    "another kind": Refused(
        lambda: clone(SMALL).fit(["ab"]).predict_proba([["a"]]), TypeError, r"X\[0\] is a list, but fit was given str"
    ),
    "a prefix that is too long": Refused(
        lambda: clone(SMALL).fit(["ab"]).sample(prefix="abab", max_length=3), ValueError, "prefix has 4 tokens, more"
    ),
    "an unknown prefix": Refused(
        lambda: clone(SMALL).fit(["ab"]).sample(prefix="q"), ValueError, r"prefix\[0\] holds the token 'q'"
    ),
    **{
        f"{name}={value}": Refused(
            lambda name=name, value=value: clone(SMALL).fit(["ab"]).sample(**{name: value}),
            ValueError,
            f"{name}={value}",
        )
        for name, value in {"n_samples": 0, "max_length": 1.5, "temperature": -1, "top_k": 0}.items()
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_by_name(name):
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()
