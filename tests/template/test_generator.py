"""What holds of all generators and densities, shown on a Gaussian whose mean may depend on a condition."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn.autodiff import primitives as F
from sknn.nn import Dense, Network
from sknn.template.density import Density

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LOG_2_PI = float(np.log(2.0 * np.pi))


class Gaussian(Density):
    """A Gaussian of the variances of X around a mean that is linear in the condition."""

    input_scaling = "standard"

    def _networks(self, x, target, rng, dtype):
        return Network([Dense(x.shape[1])], (1 if target is None else target.n_conditions,), rng, dtype)

    def _outputs(self, nets, batch, draws):
        mean = nets(np.zeros((len(batch.x), 1), batch.x.dtype) if batch.y is None else batch.y)
        return -0.5 * F.sum(F.square(batch.x - mean) + LOG_2_PI, axis=1)

    def _objective(self, nets, batch, draws):
        return -self._outputs(nets, batch, draws)

    def score_samples(self, X, y=None):
        x = self._inputs(X)
        condition = self._conditions(y, len(x), self.network_.theta.dtype)
        return self._forward(x, self._outputs, condition) + self.input_scaling_.log_volume(X)

    def _sampled(self, n, condition, draws):
        mean = self.network_(np.zeros((n, 1), draws.dtype) if condition is None else condition)
        return self.input_scaling_.inverse(mean + draws.normal(mean.shape))


RNG = np.random.default_rng(0)
KINDS = RNG.choice(["low", "high"], 400)
X = 50.0 + 10.0 * RNG.normal(size=(400, 2)) + 40.0 * (KINDS == "high")[:, None]
PLAIN = Gaussian(random_state=0, max_iter=60, learning_rate_init=0.02).fit(X)
TOLD = Gaussian(conditional=True, random_state=0, max_iter=60, learning_rate_init=0.02).fit(X, KINDS)


def test_a_log_density_is_that_of_the_data_as_given():
    mean = PLAIN.input_scaling_.inverse(PLAIN.network_(np.zeros((1, 1))))
    assert_allclose(mean[0], X.mean(axis=0), atol=0.2)
    assert_allclose(PLAIN.score_samples(X), norm(mean, X.std(axis=0)).logpdf(X).sum(axis=1), rtol=1e-12)
    assert PLAIN.score(X) == pytest.approx(PLAIN.score_samples(X).mean())
    assert PLAIN.score(X, sample_weight=np.arange(400) == 7) == pytest.approx(PLAIN.score_samples(X[7:8])[0])


def test_y_is_ignored_unless_the_model_is_conditional():
    twin = Gaussian(random_state=0, max_iter=60, learning_rate_init=0.02).fit(X, KINDS)
    assert_array_equal(twin.network_.theta, PLAIN.network_.theta)
    assert_array_equal(PLAIN.score_samples(X, KINDS), PLAIN.score_samples(X))
    assert cross_val_score(Gaussian(max_iter=3), X, cv=2).shape == (2,)


def test_a_condition_is_obeyed():
    assert TOLD.score(X, KINDS) > PLAIN.score(X) + 0.5
    assert_array_equal(TOLD.score_samples(X[:5], "low"), TOLD.score_samples(X[:5], ["low"] * 5))
    assert TOLD.score_samples(X[:5], "low") == pytest.approx(
        [TOLD.score_samples(X[k : k + 1], "low")[0] for k in range(5)], abs=1e-12
    )
    low, high = (TOLD.sample(2000, kind, random_state=0) for kind in ("low", "high"))
    assert_allclose((high - low).mean(axis=0), 40.0, atol=3.0)
    assert_allclose(TOLD.sample(4000, random_state=0).mean(axis=0), X.mean(axis=0), atol=2.0)


@pytest.mark.parametrize("model", [PLAIN, TOLD], ids=["plain", "conditional"])
def test_samples_repeat_by_seed_and_change_nothing(model):
    before = pickle.dumps(model)
    first = model.sample(3, random_state=1)
    assert_array_equal(first, model.sample(3, random_state=1))
    assert not np.array_equal(model.sample(3), model.sample(3))
    assert (first.shape, first.dtype) == ((3, 2), np.float64)
    assert model.sample().shape == (1, 2)
    assert model.sample(0).shape == (0, 2)
    assert pickle.dumps(model) == before


TABLE = pd.DataFrame({"kind": KINDS, "size": X[:, 0], "shade": X[:, 1]})


def test_columns_of_conditions_are_those_of_the_fit():
    model = Gaussian(conditional=True, max_iter=3, random_state=0).fit(X, TABLE)
    assert model.sample(y=TABLE[:7]).shape == (7, 2)
    swapped = TABLE[["kind", "shade", "size"]]
    for ask in (
        lambda: model.sample(y=swapped),
        lambda: model.score(X, swapped),
        lambda: model.partial_fit(X, swapped),
    ):
        with pytest.raises(
            ValueError, match=r"y has the columns \['kind', 'shade', 'size'\], but those of the fit were"
        ):
            ask()


def test_conditions_say_how_many():
    assert TOLD.sample(y=[]).shape == (0, 2)
    assert TOLD.sample(y=KINDS[:7]).shape == (7, 2)
    assert TOLD.sample(7, y=KINDS[:7]).shape == (7, 2)


def test_whether_there_are_conditions_is_decided_by_the_first_fit():
    plain, told = (deepcopy(model).set_params(conditional=model is PLAIN) for model in (PLAIN, TOLD))
    assert plain.score(X, KINDS) == PLAIN.score(X)
    assert told.score(X, KINDS) == TOLD.score(X, KINDS)
    with pytest.raises(ValueError, match="conditional was changed after the first fit, to True"):
        plain.partial_fit(X, KINDS)
    with pytest.raises(ValueError, match="conditional was changed after the first fit, to False"):
        told.partial_fit(X)


def test_what_counts_for_nothing_may_be_impossible():
    class Impossible(Gaussian):
        def score_samples(self, X, y=None):
            return np.where(X[:, 0] == X[0, 0], -np.inf, super().score_samples(X, y))

    model = Impossible(max_iter=3, random_state=0).fit(X)
    assert model.score(X) == -np.inf
    assert model.score(X, sample_weight=np.arange(400)) > -np.inf


REFUSED = {
    "two for three": (TOLD, {"n_samples": 3, "y": ["low", "high"]}, "2 conditions for 3 samples"),
    "a new class": (TOLD, {"y": "middle"}, "class 'middle', which was not there in fit"),
    "no condition known": (PLAIN, {"y": "low"}, "conditional=False"),
    "fewer than none": (PLAIN, {"n_samples": -1}, "n_samples=-1 must be a whole number"),
    "half a sample": (PLAIN, {"n_samples": 0.5}, "n_samples=0.5 must be a whole number"),
}


@pytest.mark.parametrize(("model", "asked", "message"), REFUSED.values(), ids=REFUSED)
def test_nonsense_is_refused(model, asked, message):
    with pytest.raises(ValueError, match=message):
        model.sample(**asked)


def test_a_conditional_model_needs_conditions():
    with pytest.raises(ValueError, match="conditional=True needs y, the conditions"):
        TOLD.score_samples(X)
    with pytest.raises(ValueError, match="conditional=True needs y, the conditions"):
        Gaussian(conditional=True).fit(X)
    with pytest.raises(
        ValueError, match=r"y has shape \(400, 2, 2\), but Gaussian takes one condition for each sample"
    ):
        Gaussian(conditional=True).fit(X, np.zeros((400, 2, 2)))


@parametrize_with_checks([Gaussian(max_iter=5, random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)
