"""Generative adversarial networks: what is drawn, under which conditions, and what a fit says of it."""

import pickle
import warnings
from copy import deepcopy
from math import nan

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import GAN
from sknn.callbacks import Checkpoint
from sknn.estimators.generative.adversarial_layers import critic_layers, generator_layers
from sknn.estimators.generative.collapse import coverage, spread, warn_of_collapse
from sknn.metrics import energy_distance
from sknn.nn import BatchNorm, Draws, Network
from sknn.optim import LBFGS, Adam
from sknn.train import phases

untrained = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
CENTRES = np.array([[0.0, 0.0], [60.0, 0.0], [0.0, 6.0]])  # in units of which one is ten times the other
KINDS = RNG.integers(3, size=900)
X = CENTRES[KINDS] + [10.0, 1.0] * RNG.normal(size=(900, 2))
SMALL: dict = {"hidden_layer_sizes": (32, 32), "latent_dim": 4, "batch_size": 90, "random_state": 0}
BRIEF: dict = {**SMALL, "max_iter": 2}
FITTED = GAN(**SMALL, max_iter=100).fit(X)
TOLD = GAN(**SMALL, max_iter=100, conditional=True).fit(X, KINDS)
UNITS = X.std(axis=0)


def apart(drawn, real):
    return energy_distance(drawn / UNITS, real / UNITS)


# -- what is drawn -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "wasserstein"])
def test_samples_are_distributed_as_the_data_are(loss):
    """Nearer than a Gaussian of the same mean and covariance."""
    rng = np.random.default_rng(1)
    model = FITTED if loss == "non_saturating" else GAN(**SMALL, max_iter=100, loss=loss).fit(X)
    gaussian = rng.multivariate_normal(X.mean(axis=0), np.cov(X.T), size=900)
    assert apart(model.sample(900, random_state=0), X) < 0.6 * apart(gaussian, X)


def test_classes_are_obeyed():
    rng = np.random.default_rng(1)
    for kind, centre in enumerate(CENTRES):
        assert_allclose(TOLD.sample(300, y=kind, random_state=0).mean(axis=0) / UNITS, centre / UNITS, atol=0.25)
    judge = KNeighborsClassifier(15).fit(X / UNITS, KINDS)
    drawn = rng.integers(3, size=600)
    assert judge.score(TOLD.sample(y=drawn, random_state=1) / UNITS, drawn) > 0.9


def test_shuffled_labels_teach_nothing_of_classes():
    rng = np.random.default_rng(1)
    model = GAN(**SMALL, max_iter=60, conditional=True).fit(X, rng.permutation(KINDS))
    drawn = rng.integers(3, size=2000)
    found = KNeighborsClassifier(15).fit(X / UNITS, KINDS).predict(model.sample(y=drawn, random_state=0) / UNITS)
    assert np.mean(found == drawn) == pytest.approx(1 / 3, abs=0.06)


def test_numbers_are_obeyed():
    rng = np.random.default_rng(1)
    t = rng.uniform(size=900)
    model = GAN(**SMALL, max_iter=100, conditional=True).fit(X + 300.0 * t[:, None] * [1.0, 0.0], t)
    means = [model.sample(400, y=each, random_state=0)[:, 0].mean() for each in (0.2, 0.8)]
    assert means[1] - means[0] == pytest.approx(180.0, rel=0.15)


def test_samples_are_no_copies():
    """They are as far from the nearest training sample as new ones are."""
    rng = np.random.default_rng(1)
    new = CENTRES[rng.integers(3, size=900)] + [10.0, 1.0] * rng.normal(size=(900, 2))
    nearest = NearestNeighbors(n_neighbors=1).fit(X / UNITS)
    drawn, others = (nearest.kneighbors(rows / UNITS)[0].mean() for rows in (FITTED.sample(900, random_state=0), new))
    assert drawn > 0.7 * others


@pytest.mark.parametrize("model", [FITTED, TOLD], ids=["plain", "conditional"])
def test_nothing_that_is_asked_changes_the_estimator(model):
    before = pickle.dumps(model)
    y = KINDS if model.conditional else None
    first = model.sample(5, random_state=3)
    assert_array_equal(model.sample(5, random_state=3), first)
    assert model.critic(X, y).shape == (900,)
    assert model.score(X, y) == model.score(X, y)
    assert pickle.dumps(model) == before


def test_one_random_state_draws_the_same_from_a_copy():
    assert_array_equal(pickle.loads(pickle.dumps(TOLD)).sample(4, random_state=0), TOLD.sample(4, random_state=0))


# -- what judges it ------------------------------------------------------------------------------------------------


@untrained
def test_the_score_is_minus_the_energy_distance_of_samples_of_a_fixed_seed():
    fake = FITTED.generator_(Draws(0).normal((900, 4)))
    assert FITTED.score(X) == pytest.approx(-energy_distance(FITTED.input_scaling_(X), fake), rel=1e-12)
    assert FITTED.score(X) > GAN(**SMALL, max_iter=30, averaging=0.0, n_critic=100).fit(X).score(X) + 0.2


def test_a_score_with_weights_is_of_samples_drawn_by_them():
    one = KINDS == 0
    assert FITTED.score(X, sample_weight=one) == pytest.approx(FITTED.score(X[one]), abs=0.05)
    assert FITTED.score(X, sample_weight=one) < FITTED.score(X) - 0.3


def test_the_score_of_a_conditional_one_knows_which_condition_belongs_where():
    assert TOLD.score(X, KINDS) > TOLD.score(X, (KINDS + 1) % 3) + 0.1


@untrained
def test_a_search_chooses_by_it():
    search = GridSearchCV(GAN(**SMALL), {"max_iter": [1, 40]}, cv=2).fit(X)
    assert search.best_params_ == {"max_iter": 40}


def test_it_stops_by_the_distance_of_samples_from_those_held_out():
    model = GAN(**SMALL, max_iter=60, early_stopping=True, n_iter_no_change=5, learning_rate="constant").fit(X)
    scores = model.validation_scores_
    assert model.n_iter_ == np.argmax(scores) + 1 + 6 < 60
    assert_allclose(scores, -np.array(model.validation_loss_curve_))


def test_critics_scores_are_higher_where_there_are_samples():
    rng = np.random.default_rng(1)
    far = X.mean(axis=0) + 20.0 * UNITS * rng.normal(size=(50, 2))
    assert FITTED.critic(X).mean() > FITTED.critic(far).mean()
    assert sorted(FITTED.loss_curves_) == ["critic", "critic_loss", "generator", "penalty"]
    assert FITTED.critic_ is FITTED.network_.critic


# -- collapse ------------------------------------------------------------------------------------------------------

WIDE = RNG.normal(size=(300, 2))
COLLAPSES = {
    "it hardly spreads": (0.1 * WIDE, nan, r"generated rows spread 0\.10 times as far as real ones"),
    "half is left out": (np.abs(WIDE), nan, r"\d\d% of the real rows have no generated row as near as their fifth"),
    "a critic that is far ahead": (RNG.normal(size=(300, 2)), 0.003, r"from real ones \(its loss is 0\.003\)"),
}


@pytest.mark.parametrize(("fake", "critic_loss", "cause"), COLLAPSES.values(), ids=COLLAPSES)
def test_a_collapse_is_told_with_its_cause(fake, critic_loss, cause):
    with pytest.warns(ConvergenceWarning, match=cause):
        warn_of_collapse(fake, WIDE, critic_loss)


def test_a_generator_that_learnt_nothing_is_told():
    with pytest.warns(ConvergenceWarning, match=r"The generator has collapsed, or has not learnt yet: \d\d% of the"):
        GAN(**BRIEF, learning_rate_init=1e-7).fit(X)


def test_a_good_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(FITTED).set_params(max_iter=60).fit(X)


def test_signs_of_collapse_by_hand():
    rng = np.random.default_rng(1)
    real = np.repeat([[0.0], [10.0]], 50, axis=0) + 0.1 * rng.normal(size=(100, 1))
    one_mode, new = real[:50] + 0.01, np.repeat([[0.0], [10.0]], 50, axis=0) + 0.1 * rng.normal(size=(100, 1))
    assert coverage(one_mode, real) == pytest.approx(0.5, abs=0.1)
    assert coverage(new, real) > 0.9
    assert spread(real / 4.0, real) == pytest.approx(0.25)
    assert spread(real, np.zeros((4, 1))) == 1.0


# -- packs, weights ------------------------------------------------------------------------------------------------


@untrained
@pytest.mark.parametrize("conditional", [False, True])
def test_a_critic_of_packs_scores_packs(conditional):
    model = GAN(**BRIEF, packing=4, conditional=conditional).fit(X[:899], KINDS[:899])
    y = KINDS[:8] if conditional else None
    scores = model.critic(X[:8], y)
    assert scores.shape == (2,)
    again = model.critic(X[:4], y if y is None else y[:4])
    assert_allclose(again, scores[:1])
    swapped = model.critic(X[[4, 5, 6, 7, 0, 1, 2, 3]], y if y is None else y[[4, 5, 6, 7, 0, 1, 2, 3]])
    assert_allclose(swapped, scores[::-1])
    with pytest.raises(ValueError, match=r"X has 7 samples, which make no whole packs of packing=4"):
        model.critic(X[:7], y if y is None else y[:7])


def test_what_weighs_more_is_drawn_more_often():
    """Samples of weight zero are as if they were not there."""
    weight = np.array([9.0, 1.0, 0.0])[KINDS]
    model = GAN(**SMALL, max_iter=100, packing=2).fit(X, sample_weight=weight)
    found = KNeighborsClassifier(15).fit(X / UNITS, KINDS).predict(model.sample(2000, random_state=0) / UNITS)
    shares = np.bincount(found, minlength=3) / 2000
    assert_allclose(shares, [0.9, 0.1, 0.0], atol=0.08)


# -- convolutions --------------------------------------------------------------------------------------------------

BRIGHT = RNG.integers(2, size=300)
PICTURES = 0.3 * RNG.normal(size=(300, 5, 7, 1))
PICTURES[np.arange(300)[:, None], np.array([[0, 1], [3, 4]])[BRIGHT]] += 2.0


def test_a_convolutional_one_draws_pictures_of_a_class():
    model = GAN(filters=(8, 16), latent_dim=8, conditional=True, max_iter=40, random_state=0).fit(PICTURES, BRIGHT)
    drawn = model.sample(y=np.repeat([0, 1], 100), random_state=0)
    assert drawn.shape == (200, 5, 7, 1)
    above, below = drawn[:, :2].mean(axis=(1, 2, 3)), drawn[:, 3:].mean(axis=(1, 2, 3))
    assert np.mean((below > above) == np.repeat([False, True], 100)) > 0.9
    assert model.critic(drawn, np.repeat([0, 1], 100)).shape == (200,)


GRIDS = {
    "pictures": (PICTURES, {}),
    "without an axis for the channel": (PICTURES[..., 0], {"input_shape": (5, 7, 1)}),
    "flat": (PICTURES.reshape(300, 35), {"input_shape": (5, 7, 1)}),
    "signals": (PICTURES.reshape(300, 35), {}),
    "channels": (PICTURES.reshape(300, 35, 1)[..., [0, 0, 0]], {}),
}


@untrained
@pytest.mark.parametrize(("grids", "params"), GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_samples_have_the_shape_in_which_data_came(grids, params, penalty):
    model = GAN(filters=(2, 3, 4), packing=2, penalty=penalty, max_iter=1, random_state=0, **params).fit(grids)
    assert model.sample(3).shape == (3, *grids.shape[1:])
    assert model.critic(grids).shape == (150,)
    assert np.isfinite(model.score(grids))
    assert any(isinstance(layer, BatchNorm) for layer in model.critic_.layers) == (penalty == 0.0)


@untrained
def test_a_number_is_one_convolution():
    one, listed = (GAN(filters=each, max_iter=1, random_state=0).fit(PICTURES) for each in (3, [3]))
    assert_array_equal(one.network_.theta, listed.network_.theta)


def test_the_networks_are_those_of_dcgan():
    """As counted by hand for 28 x 28 pixels, kernels of 4: the dense layer, two transposed convolutions, a norm."""
    generator = Network(generator_layers((28, 28, 1), (), (64, 128)), (64,), np.random.RandomState(0))
    critic = Network(critic_layers((), (64, 128), 0, batch_norm=True), (28, 28, 1), np.random.RandomState(0))
    assert generator.output_shape == (28, 28, 1)
    assert generator.n_parameters == 64 * 6272 + 6272 + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1
    assert critic.n_parameters == 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 6272 + 1


# -- going on, going wrong -----------------------------------------------------------------------------------------


class Killed(Exception):
    pass


@untrained
@pytest.mark.parametrize(
    "params",
    [{}, {"early_stopping": True}, {"packing": 2, "loss": "wasserstein", "n_critic": 3, "conditional": True}],
    ids=["plain", "validated", "packs and several critics"],
)
def test_killed_in_either_phase_it_goes_on_to_the_same_bits(params, monkeypatch, tmp_path):
    model = GAN(**{**SMALL, "max_iter": 4}, **params)
    whole = clone(model).fit(X, KINDS)
    gradient, seen = phases.RunningPhase.gradient, [0]
    for instant in (25, 30):
        seen[0] = 0

        def dying(*args, instant=instant):
            seen[0] += 1
            if seen[0] == instant:
                raise Killed
            return gradient(*args)

        monkeypatch.setattr(phases.RunningPhase, "gradient", dying)
        with pytest.raises(Killed):
            clone(model).set_callbacks(Checkpoint(tmp_path / str(instant), every=1)).fit(X, KINDS)
        monkeypatch.setattr(phases.RunningPhase, "gradient", gradient)
        found = clone(model).set_callbacks(Checkpoint(tmp_path / str(instant), every=1)).fit(X, KINDS)
        assert_array_equal(found.network_.theta, whole.network_.theta)
        assert found.loss_curves_ == whole.loss_curves_


@untrained
def test_a_warm_start_goes_on_and_refuses_other_networks():
    model = GAN(**BRIEF, warm_start=True).fit(X)
    before = model.network_.theta.copy()
    assert not np.array_equal(model.fit(X).network_.theta, before)
    for changed in ({"latent_dim": 5}, {"hidden_layer_sizes": 3}, {"packing": 2}):
        with pytest.raises(ValueError, match=r"parameters that shape the (generator|critic) were changed"):
            clone(model).fit(X).set_params(**changed).fit(X)


@untrained
def test_what_was_fitted_decides_until_the_next_fit():
    model = GAN(**BRIEF, packing=2).fit(X)
    changed = deepcopy(model).set_params(latent_dim=7, packing=3)
    assert_array_equal(changed.sample(3, random_state=0), model.sample(3, random_state=0))
    assert_array_equal(changed.critic(X[:10]), model.critic(X[:10]))
    assert changed.score(X) == model.score(X)


@untrained
def test_names_of_solvers_are_those_of_adversaries():
    named, described = (GAN(**BRIEF, solver=each).fit(X) for each in ("adam", Adam(beta_1=0.5, beta_2=0.99)))
    assert_array_equal(named.network_.theta, described.network_.theta)
    searched = GAN(**BRIEF).set_params(solver__beta_1=0.0)
    assert searched.solver == Adam(beta_1=0.0, beta_2=0.99)


REFUSED = {
    "L-BFGS": ({"solver": LBFGS()}, r"solver=LBFGS\(.*\) minimises one function, and adversaries have two"),
    "stopping by a loss": ({"n_iter_no_change": 5}, "n_iter_no_change=5 does not apply with early_stopping=False"),
    "dense layers beside filters": ({"filters": (4,), "hidden_layer_sizes": 8}, "hidden_layer_sizes=8 does not apply"),
    "no filters": ({"filters": ()}, r"filters=\(\) must hold a positive integer for each convolution"),
    "packs larger than a batch": ({"packing": 91, "batch_size": 90}, "packing=91 needs as many samples in a batch"),
    "half a filter": ({"filters": (0.5,)}, r"filters=\(0.5,\) must hold a positive integer"),
    "a shape without filters": ({"input_shape": (2, 1)}, r"input_shape=\(2, 1\) is for convolutional networks"),
    "no units": ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
    "a loss unheard of": ({"loss": "least_squares"}, "loss"),
    "a negative penalty": ({"penalty": -1.0}, "penalty"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        GAN(**params).fit(X)


def test_a_condition_is_no_picture():
    with pytest.raises(ValueError, match=r"y has shape \(300, 5, 7, 1\), but GAN takes one condition for each sample"):
        GAN(conditional=True).fit(X[:300], PICTURES)


@untrained
@parametrize_with_checks([GAN(max_iter=5, hidden_layer_sizes=8, random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)
