"""Sequence to sequence: a distribution over answers, searches that go by it, what is learnt and refused."""

from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict, cross_val_score

from sknn import Seq2Seq

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
TEXTS = ["".join(RNG.choice(list("abc"), RNG.integers(1, 5))) for _ in range(200)]
BACKWARDS = [text[::-1] for text in TEXTS]
SHORT = ["".join(RNG.choice(list("xyz"), len(text) % 4)) for text in TEXTS]  # nothing to learn: all is possible
CURVES = [np.cumsum(RNG.normal(size=(RNG.integers(3, 7), 2)), axis=0) for _ in TEXTS]
FEW: dict[str, Any] = {"max_iter": 3, "learning_rate_init": 0.01, "dtype": "float64", "random_state": 0}
MODELS = {
    "attention": Seq2Seq(6, **FEW),
    "attention, two layers": Seq2Seq(5, depth=2, **FEW),
    "no attention, two layers": Seq2Seq(5, attention=False, depth=2, **FEW),
    "transformer": Seq2Seq(8, architecture="transformer", n_heads=2, depth=2, **FEW),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    """Answers of three letters, of which it has learnt little."""
    return clone(MODELS[request.param]).set_params(max_length=3).fit(TEXTS, SHORT)


def answers(n):
    return ["".join(letters) for letters in product("xyz", repeat=n)]


SOME = TEXTS[:4]
ALL = [answer for n in range(4) for answer in answers(n)]


# -- probabilities -------------------------------------------------------------------------------------------------


def test_probabilities_of_all_answers_add_up_to_one(model):
    for text in SOME:
        finished = np.exp(model.score_samples([text] * len(ALL), ALL)).sum()
        x, y = model._inputs([text] * 81), model._target.encode(answers(4), np.float64)
        unfinished = np.exp(model._log_probabilities(x, y).reshape(81, 5)[:, :4].sum(axis=1)).sum()
        assert abs(finished + unfinished - 1.0) < 1e-10


def test_an_answer_alone_is_as_in_any_company(model):
    together = model.score_samples(SOME, ALL[10:14])
    alone = [model.score_samples([x], [y])[0] for x, y in zip(SOME, ALL[10:14], strict=True)]
    assert_allclose(together, alone, rtol=1e-12)
    predicted = model.predict(TEXTS)
    assert predicted.tolist() == [model.predict([text])[0] for text in TEXTS]
    found = model.predict_n_best(SOME, 3)
    for k, text in enumerate(SOME):
        one = model.predict_n_best([text], 3)
        assert found[0][k].tolist() == one[0][0].tolist()
        assert_allclose(found[1][k], one[1][0], rtol=1e-12)


def test_the_widest_beam_finds_the_most_probable_answers(model):
    sequences, log_p = model.predict_n_best(SOME, 4**4)
    for text, found, values in zip(SOME, sequences, log_p, strict=True):
        expected = model.score_samples([text] * len(ALL), ALL)
        order = np.argsort(-expected, kind="stable")
        assert found[: len(ALL)].tolist() == [ALL[k] for k in order]
        assert_allclose(values[: len(ALL)], expected[order], rtol=1e-12)
        assert set(found[len(ALL) :]) == {None}
        assert (values[len(ALL) :] == -np.inf).all()


def test_a_beam_of_one_takes_the_most_probable_token_each_time(model):
    for text, found in zip(SOME, model.predict(SOME), strict=True):
        answer = ""
        while len(answer) < 3:
            x, y = model._inputs([text] * 3), model._target.encode([answer + letter for letter in "xyz"], np.float64)
            log_p = model._log_probabilities(x, y).reshape(3, -1)[:, len(answer)]
            if 1.0 - np.exp(log_p).sum() > np.exp(log_p).max():
                break
            answer += "xyz"[log_p.argmax()]
        assert found == answer


def test_no_token_changes_what_was_expected_before_it(model):
    x = model._inputs(["abc"])
    one, other = (model._log_probabilities(x, model._target.encode([y], np.float64)) for y in ("xyzxy", "xyxxy"))
    assert_array_equal(one[:2], other[:2])
    assert (one[2:] != other[2:]).all()


@pytest.mark.parametrize("name", MODELS)
def test_at_first_all_tokens_are_about_as_probable(name):
    start = clone(MODELS[name]).set_params(max_iter=1, learning_rate_init=1e-9).fit(TEXTS, SHORT)
    assert_allclose(start.loss_, np.log(4), rtol=0.02)


def test_probabilities_of_n_best_are_those_of_score_samples_and_penalties_prefer_long_ones(model):
    sequences, log_p = model.predict_n_best(TEXTS[:20], 3)
    for k in range(3):
        assert_allclose(model.score_samples(TEXTS[:20], sequences[:, k]), log_p[:, k], rtol=1e-12)
    long = clone(model).set_params(beam_size=20, length_penalty=5.0, warm_start=True).fit(TEXTS, SHORT)
    assert set(map(len, long.predict(TEXTS[:20]))) == {3}


# -- learning ------------------------------------------------------------------------------------------------------

QUICK: dict[str, Any] = {"max_iter": 30, "learning_rate_init": 0.01, "batch_size": 20, "random_state": 0}


@pytest.mark.parametrize(
    "model", [Seq2Seq(24, **QUICK), Seq2Seq(32, architecture="transformer", **QUICK)], ids=["rnn", "transformer"]
)
def test_strings_are_turned_round(model):
    fitted = clone(model).fit(TEXTS, BACKWARDS)
    assert fitted.score(TEXTS, BACKWARDS) > 0.95
    assert fitted.score(TEXTS, BACKWARDS, sample_weight=np.arange(200) < 10) > 0.8
    assert fitted.vocabulary_ == ["a", "b", "c"]


def test_answers_are_of_the_kind_of_y():
    lists = [[letter.upper() for letter in text] for text in TEXTS]
    found = Seq2Seq(8, **FEW).fit(pd.Series(TEXTS), lists).predict(TEXTS[:3])
    assert found.dtype == object
    assert all(isinstance(each, list) for each in found)
    words = [" ".join(each) for each in lists]
    spoken = Seq2Seq(24, tokens="words", **QUICK).fit(lists, words)
    assert spoken.vocabulary_ == ["A", "B", "C"]
    assert spoken.score(lists, words) > 0.9


def test_with_less_teacher_forcing_the_decoder_meets_its_own_guesses():
    models = [Seq2Seq(8, teacher_forcing=share, **FEW).fit(TEXTS, BACKWARDS) for share in (1.0, 0.5, 0.0)]
    thetas = [model.network_.theta for model in models]
    assert not any(np.array_equal(one, other) for one, other in pairwise(thetas))
    free = Seq2Seq(24, teacher_forcing=0.7, **QUICK).fit(TEXTS, BACKWARDS)
    assert free.score(TEXTS, BACKWARDS) > 0.9


def test_of_several_layers_of_the_decoder_the_last_one_looks_at_the_input():
    decoder = clone(MODELS["attention, two layers"]).fit(TEXTS, BACKWARDS).network_.parts["decoder"]
    names = ["Embedding", "Recurrent", "AttentiveRecurrent", "Dense", "Dense"]
    assert [type(layer).__name__ for layer in decoder.layers] == names


def test_attention_looks_where_the_answer_comes_from():
    model, is_there = Seq2Seq(24, **QUICK).fit(TEXTS, BACKWARDS), []
    for x, weights in zip(TEXTS, model.attention_weights(TEXTS, BACKWARDS), strict=True):
        assert weights.shape == (len(x) + 1, len(x))
        assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
        is_there += (weights[:-1].argmax(axis=1) == np.arange(len(x))[::-1]).tolist()
    assert np.mean(is_there) > 0.9
    given = model.attention_weights(["abc"], ["c"])[0]
    assert given.shape == (2, 3)
    transformer = Seq2Seq(8, architecture="transformer", n_heads=2, depth=3, max_iter=1).fit(TEXTS, BACKWARDS)
    found = transformer.attention_weights(["ab", "abc"], ["a", "abc"])
    assert [each.shape for each in found] == [(3, 2, 2, 2), (3, 2, 4, 3)]


# -- numbers -------------------------------------------------------------------------------------------------------


def test_curves_become_curves_of_the_same_lengths():
    sums = [2.0 + 100.0 * x.sum(axis=1) for x in CURVES]
    model = Seq2Seq(24, **QUICK).fit(CURVES, sums)
    found = model.predict(CURVES)
    assert [each.shape for each in found] == [each.shape for each in sums]
    assert_allclose(model.score(CURVES, sums), r2_score(np.concatenate(sums), np.concatenate(list(found))))
    assert model.score(CURVES, sums) > 0.9


def test_spectra_become_parameters():
    place, width = RNG.uniform(3, 9, 300), RNG.uniform(0.5, 2.0, 300)
    spectra = np.exp(-(((np.arange(12) - place[:, None]) / width[:, None]) ** 2))
    parameters = np.column_stack([place, width])
    model = Seq2Seq(24, **QUICK).fit(spectra, parameters)
    assert model.predict(spectra[:5]).shape == (5, 2)
    assert model.score(spectra, parameters) > 0.9
    assert_array_equal(model.predict(spectra[:5]), model.predict([row for row in spectra[:5]]))


def test_curves_become_words_and_words_curves():
    names = ["up" if x[-1, 0] > x[0, 0] else "down" for x in CURVES]
    assert Seq2Seq(24, **QUICK).fit(CURVES, names).score(CURVES, names) > 0.9
    level = {"a": -1.0, "b": 0.0, "c": 3.0}
    levels = [np.array([level[letter] for letter in text]) for text in TEXTS]
    assert Seq2Seq(24, **QUICK).fit(TEXTS, levels).score(TEXTS, levels) > 0.9


# -- beside scikit-learn -------------------------------------------------------------------------------------------


def test_it_is_no_classifier_and_passes_cross_validation():
    model = Seq2Seq(8, **FEW)
    assert not is_classifier(model)
    assert not is_regressor(model)
    assert np.isfinite(cross_val_score(model, np.array(TEXTS), np.array(BACKWARDS), cv=2)).all()
    assert cross_val_predict(model, np.array(TEXTS), np.array(BACKWARDS), cv=2).shape == (200,)


def test_early_stopping_goes_by_held_out_pairs():
    model = Seq2Seq(8, early_stopping=True, **FEW).fit(TEXTS, BACKWARDS, X_val=TEXTS[:20], y_val=BACKWARDS[:20])
    lengths = np.array([len(text) + 1 for text in TEXTS[:20]])
    loss = -model.score_samples(TEXTS[:20], BACKWARDS[:20]).sum() / lengths.sum()
    assert_allclose(-model.best_validation_score_, loss, rtol=1e-9)


def test_weights_count_samples():
    weight = 1.0 + np.arange(200) % 2
    weighted = Seq2Seq(8, **{**FEW, "batch_size": 400, "max_iter": 5})
    with pytest.warns(UserWarning, match="Got `batch_size`=400 larger"):
        one = clone(weighted).fit(TEXTS, BACKWARDS, weight)
    repeated = np.repeat(np.arange(200), weight.astype(int))
    other = clone(weighted).set_params(batch_size=300)
    other.fit([TEXTS[k] for k in repeated], [BACKWARDS[k] for k in repeated])
    assert_allclose(one.network_.theta, other.network_.theta, rtol=1e-6, atol=1e-8)


# -- what it refuses -----------------------------------------------------------------------------------------------


class Refused(NamedTuple):
    """A call that cannot be answered, and what is said of it."""

    call: Any
    error: type[Exception]
    message: str


def small(**params):
    return Seq2Seq(4, max_iter=1, random_state=0, **params)


REFUSED = {
    "no y": Refused(lambda: small().fit(TEXTS), ValueError, "requires y to be passed"),
    "one string": Refused(lambda: small().fit("abc", ["x"]), TypeError, r"got str; make one of it, as \[X\] does"),
    "an empty sequence": Refused(lambda: small().fit(["a", ""], ["x", "y"]), ValueError, r"X\[1\] is empty"),
    "no samples": Refused(lambda: small().fit([], []), ValueError, "X has no samples: it must hold at least one seq"),
    "nothing to predict": Refused(
        lambda: small().fit(["ab"], ["x"]).predict([]), ValueError, "X has no samples: it must hold at least one seq"
    ),
    "no steps": Refused(
        lambda: small().fit([np.zeros((0, 2)), np.ones((3, 2))], ["x", "y"]), ValueError, "sample 0 of X has no steps"
    ),
    "no steps to predict from": Refused(
        lambda: small().fit(CURVES, CURVES).predict([np.zeros((0, 1))]), ValueError, "sample 0 of X has no steps"
    ),
    "an unknown token": Refused(
        lambda: small().fit(["ab"], ["x"]).predict(["q"]),
        ValueError,
        r"X\[0\] holds the token 'q', which did not occur",
    ),
    "an unknown token of y": Refused(
        lambda: small().fit(["ab"], ["x"]).score_samples(["a"], ["q"]), ValueError, r"y\[0\] holds the token 'q'"
    ),
    "other lengths": Refused(
        lambda: small().fit(CURVES, [x[1:] for x in CURVES]), ValueError, "y must hold series of one length, or each as"
    ),
    "NaN": Refused(
        lambda: small().fit(["ab"], [[1.0, np.nan]]), ValueError, "y contains NaN or infinity: sample 0, step 1"
    ),
    "numbers instead of tokens": Refused(
        lambda: small().fit(["ab"], ["x"]).predict([[0.5]]), TypeError, r"X\[0\] is a list, but fit was given strings"
    ),
    "tokens instead of numbers": Refused(
        lambda: small().fit(CURVES, CURVES).predict(["ab"]), ValueError, "X holds tokens, but fit was given series"
    ),
    "probabilities of numbers": Refused(
        lambda: small().fit(CURVES, CURVES).score_samples(CURVES, CURVES), ValueError, "y in fit held series of numbers"
    ),
    "no attention": Refused(
        lambda: small(attention=False).fit(["ab"], ["x"]).attention_weights(["a"]), ValueError, "attention=False: the"
    ),
    "n of none": Refused(lambda: small().fit(["ab"], ["x"]).predict_n_best(["a"], 0), ValueError, "n=0 must be an int"),
    "heads of a cell": Refused(
        lambda: small(n_heads=2).fit(["ab"], ["x"]), ValueError, "n_heads=2 does not apply with architecture='rnn'"
    ),
    "a transformer without attention": Refused(
        lambda: small(architecture="transformer", attention=False).fit(["ab"], ["x"]),
        ValueError,
        "attention=False does",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_by_name(name):
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()
