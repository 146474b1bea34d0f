"""Parameters declared once: what becomes of the lines of a class body, on estimators made for these tests."""

from __future__ import annotations

import inspect
import pickle
import pydoc
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal

import cloudpickle
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import InvalidParameterError, StrOptions

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor
from sknn.nn import Dense, Dropout
from sknn.template.declaring import Declaring
from sknn.template.parameters import constraints, fitted, fixed, parameter

SHARED = parameter(default=0.5, interval="[0, 1)", text="A share, named in two bodies.")


class Base(Declaring):
    """What is shared.

    Raises
    ------
    ValueError
        On bad input.
    """

    tol: float = parameter(default=1e-4, interval="[0, inf)", text="When to stop.")
    seed: int | None = parameter(default=None, text="Where to begin.")
    curve_: list[float] = fitted("The loss of each epoch.")


class Kind(Base):
    """What a kind adds."""

    weight: dict | Literal["balanced"] | None = parameter(default=None, text="Of the classes.")
    classes_: np.ndarray | list[np.ndarray] = fitted("The classes.", shape="(n_classes,)")


class Family(Base):
    """What a family adds."""

    sizes: int | Sequence[int] = parameter(default=(100,), interval="[1, inf)", text="Units.", kw_only=False)
    activation: str = parameter(default="relu", named={"relu": 1, "tanh": 2}, text="Of the layers.", kw_only=False)
    dropout: float = SHARED

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer."""
        return []


class Both(Family, Kind):
    """A family of a kind, that says everything: its own loss_ in the text.

    Examples
    --------
    >>> Both()
    Both()
    """

    own: bool = parameter(default=False, text="Its own.")


class Derived(Both):
    activation = "tanh"
    tol = 1e-2


class Without(Both):
    """One that has no dropout."""

    dropout: float = fixed(0.0)


def names(estimator: type) -> list[str]:
    return list(inspect.signature(estimator).parameters)


# -- __init__ ------------------------------------------------------------------------------------------------------


def test_order_is_positional_then_own_then_the_familys_then_the_kinds_then_shared():
    assert names(Both) == ["sizes", "activation", "own", "dropout", "weight", "tol", "seed"]


def test_the_signature_says_type_and_default():
    arguments = inspect.signature(Both).parameters
    assert str(arguments["sizes"]) == "sizes: 'int | Sequence[int]' = (100,)"
    assert arguments["activation"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert arguments["dropout"].kind is inspect.Parameter.KEYWORD_ONLY


def test_arguments_are_kept_as_they_are():
    sizes = [3, 4]
    estimator = Both(sizes, "tanh", tol=2)
    assert estimator.sizes is sizes
    assert (estimator.activation, estimator.tol, estimator.dropout) == ("tanh", 2, 0.5)
    assert vars(estimator).keys() == set(names(Both))


def test_another_default_keeps_the_place_of_its_parameter():
    assert names(Derived) == names(Both)
    assert (Derived(7).sizes, Derived().activation, Derived().tol) == (7, "tanh", 1e-2)
    assert (Both().activation, Both().tol) == ("relu", 1e-4)
    assert not hasattr(Derived, "tol")


def test_what_is_fixed_is_no_parameter_but_has_its_value():
    assert "dropout" not in names(Without)
    assert Without().dropout == 0.0
    assert "dropout" not in Without().get_params()
    with pytest.raises(TypeError, match="unexpected keyword argument 'dropout'"):
        Without(dropout=0.1)


def test_what_is_fixed_to_a_name_has_its_meaning():
    class Flat(Both):
        activation: str = fixed("tanh")

    assert Flat()._meant("activation", Flat().activation) == 2


def test_a_fixed_parameter_can_come_back():
    class Again(Without):
        dropout: float = SHARED

    assert Again(dropout=0.1).dropout == 0.1


def test_what_fits_leave_is_not_there_before():
    assert not hasattr(Both(), "curve_")
    assert not hasattr(Both, "classes_")


def test_a_property_or_method_named_like_a_parameter_does_not_become_its_default():
    class Odd(Both):
        @property
        def tol(self):
            return 7

        def seed(self):
            return 8

    assert inspect.signature(Odd).parameters["tol"].default == 1e-4
    assert inspect.signature(Odd).parameters["seed"].default is None
    assert Odd().tol == 7


REFUSED = {
    "too many by position": (lambda: Both(1, "relu", True), "Both.__init__.. too many positional arguments"),
    "one twice": (lambda: Both(1, sizes=2), "Both.__init__.. multiple values for argument 'sizes'"),
    "an unknown one": (lambda: Both(beta=1), "Both.__init__.. got an unexpected keyword argument 'beta'"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


# -- classes of others ---------------------------------------------------------------------------------------------


class ByHand(Both):
    """scikit-learn's way.

    Parameters
    ----------
    depth : int
        Its only one.
    """

    def __init__(self, depth=2):
        super().__init__(sizes=(5,) * depth)
        self.depth = depth


def test_an_initialiser_written_by_hand_is_respected():
    class Heir(ByHand):
        pass

    for Estimator in (ByHand, Heir):
        assert Estimator().get_params() == {"depth": 2}
        assert clone(Estimator(3)).sizes == (5, 5, 5)
    assert "depth : int\n" in ByHand.__doc__
    assert "tol :" not in ByHand.__doc__


def test_an_initialiser_of_a_mixin_is_respected():
    class Counting:
        made = 0

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            type(self).made += 1

    class Counted(Counting, Both):
        pass

    assert Counted([3], tol=1).sizes == [3]
    assert Counted.made == 1


def test_two_declaring_bases_need_nothing_written():
    class Mixed(Family, Kind):
        pass

    assert names(Mixed) == ["sizes", "activation", "dropout", "weight", "tol", "seed"]
    assert Mixed(weight="balanced").weight == "balanced"


WRONG = {
    "no type": ({"alpha": SHARED}, "declares 'alpha' without its type"),
    "a bare type": ({"__annotations__": {"alpha": float}}, "gives 'alpha' a type but no parameter"),
    "a bare type of a parameter": ({"__annotations__": {"tol": float}}, "gives 'tol' a type but no parameter"),
    "a value that is no parameter": ({"__annotations__": {"alpha": float}, "alpha": 1.0}, "gives 'alpha' a type"),
}


@pytest.mark.parametrize(("body", "message"), WRONG.values(), ids=WRONG)
def test_a_line_that_would_be_ignored_or_misread_is_refused(body, message):
    with pytest.raises(TypeError, match=message):
        type("Wrong", (Both,), {"__module__": __name__, **body})


@pytest.mark.parametrize("line", [{"__annotations__": {"x": "int"}, "x": SHARED}, {"tol": 1.0}])
def test_nothing_is_declared_below_an_initialiser_written_by_hand(line):
    with pytest.raises(TypeError, match="an __init__ that was written by hand"):
        type("Wrong", (ByHand,), {"__module__": __name__, **line})


def test_class_variables_and_defaults_with_their_type_are_no_mistake():
    class Fine(Both):
        table: ClassVar[dict] = {}
        tol: float = 0.1

    assert Fine().tol == 0.1
    assert Fine.table == {}


# -- copies --------------------------------------------------------------------------------------------------------


def test_clones_and_pickles_keep_parameters():
    estimator = Both([3], tol=0.1)
    for copied in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert copied.get_params() == estimator.get_params()


def test_a_class_that_workers_cannot_import_is_the_same_there():
    class Local(MLPClassifier):  # which workers can import, as they cannot the classes above
        """Of this function alone."""

        levels: int | None = parameter(default=None, interval="[1, inf)", text="How many.")
        tol = 0.25

    def told(Estimator):
        kinds = [str(each) for each in Estimator()._parameter_constraints["levels"]]
        return str(inspect.signature(Estimator)), Estimator.__doc__, Estimator(levels=3).get_params(), kinds

    Local.__module__ = "__main__"  # pickled by value
    here = told(Local)
    assert told(pickle.loads(cloudpickle.dumps(Local))) == here
    told.__module__ = "__main__"
    assert Parallel(n_jobs=2)(delayed(told)(each) for each in [Local, Local]) == [here, here]


# -- what is allowed -----------------------------------------------------------------------------------------------


class Kinds(Declaring):
    """One parameter for each kind of type."""

    whole: int = parameter(default=1, interval="[1, inf)", text="A.")
    real: float | None = parameter(default=None, interval="(0, 1]", text="B.")
    flag: bool = parameter(default=True, text="C.")
    several: int | Sequence[int] = parameter(default=1, interval="[1, 5]", text="D.")
    choice: Literal["a", "b"] | Callable = parameter(default="a", text="E.")
    name: str | Dense = parameter(default="x", named={"x": Dense(1)}, text="F.")
    instance: dict | Dense = parameter(default={}, text="G.")
    anything: Any = parameter(default=None, text="H.")
    layers: Sequence[Dense] = parameter(default=(), allowed=(list, tuple), text="I.")


ALLOWED = {
    "whole": ([1, 9, np.int64(3)], [0, 1.5, "1", None], "an int in the range [1, inf)"),
    "real": ([None, 0.5, 1, np.float32(0.5)], [0.0, 1.1, "a"], "a float in the range (0.0, 1.0] or None"),
    "flag": ([True, np.False_], [None, "a"], "an instance of 'bool'"),
    "several": ([3, [1, 2], np.array([7])], [6, 1.5, None], "an int in the range [1, 5] or an array-like"),
    "choice": (["a", len], ["c", None, 1], "} or a callable"),
    "name": (["x", Dense(2)], ["y", Dense, None], "a str among {'x'} or an instance of"),
    "instance": ([{}, Dense(2)], [[], None], "an instance of 'dict' or an instance of"),
    "anything": ([None, 1, "a", object()], [], ""),
    "layers": ([[], ()], [np.zeros(2), None, Dense(1)], "an instance of 'list' or an instance of 'tuple'"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_the_type_says_what_is_allowed(name):
    right, wrong, words = ALLOWED[name]
    for value in right:
        Kinds(**{name: value})._validate_params()
    for value in wrong:
        with pytest.raises(InvalidParameterError) as raised:
            Kinds(**{name: value})._validate_params()
        assert words in str(raised.value)


def test_constraints_are_those_of_all_bases_and_of_parameters_alone():
    assert set(constraints(Both)) == set(names(Both))
    assert "dropout" not in Without._parameter_constraints
    assert constraints(Kinds)["anything"] == "no_validation"


def test_constraints_in_scikit_learns_words_can_be_added_by_hand():
    class Own(BaseEstimator):
        _parameter_constraints: ClassVar[dict] = {**Both._parameter_constraints, "more": [StrOptions({"a"})]}

    assert Own._parameter_constraints.keys() == {*names(Both), "more"}


# -- the docstring -------------------------------------------------------------------------------------------------

BOTH = """\
A family of a kind, that says everything: its own loss_ in the text.

Parameters
----------
sizes : int or sequence of int, default=(100,)
    Units.
activation : {"relu", "tanh"}, default="relu"
    Of the layers.
own : bool, default=False
    Its own.
dropout : float, default=0.5
    A share, named in two bodies.
weight : dict, "balanced" or None, default=None
    Of the classes.
tol : float, default=0.0001
    When to stop.
seed : int or None, default=None
    Where to begin.

Attributes
----------
coefs_ : list of ndarray
    The weights of each layer.
classes_ : ndarray of shape (n_classes,) or list of ndarray
    The classes.
curve_ : list of float
    The loss of each epoch.

Raises
------
ValueError
    On bad input.

Examples
--------
>>> Both()
Both()"""


def test_the_docstring_has_sections_for_parameters_and_attributes():
    assert inspect.getdoc(Both) == BOTH
    assert Both().__doc__ == Both.__doc__
    assert "tol : float, default=0.0001" in pydoc.render_doc(Both, renderer=pydoc.plaintext)


def test_what_a_class_does_not_write_is_that_of_its_bases_but_for_examples():
    assert inspect.getdoc(Derived).startswith("A family of a kind")
    assert "On bad input." in Derived.__doc__
    assert ">>>" not in Derived.__doc__
    assert 'default="tanh"' in Derived.__doc__


def test_long_texts_are_wrapped():
    class Long(Declaring):
        """One."""

        a: int = parameter(default=1, text="word " * 60)

    assert max(map(len, Long.__doc__.splitlines())) <= 120


# -- what lies inside ----------------------------------------------------------------------------------------------


class Reaching(Base):
    """With descriptions."""

    layer: str | Dense = parameter(default="x", named={"x": Dense(3), "y": Dropout(0.1)}, text="A name or a layer.")
    layers: Sequence[Dense] = parameter(default=(Dense(1), Dropout()), allowed=(list, tuple), text="Some.")
    plain: str = parameter(default="a", text="No description.")


def test_get_params_tells_what_lies_in_descriptions_and_nothing_of_names():
    params = Reaching().get_params()
    assert (params["layers__0"], params["layers__0__units"], params["layers__1__rate"]) == (Dense(1), 1, 0.5)
    assert not any(name.startswith("layer__") for name in params)
    assert Reaching(layer=Dense(2)).get_params()["layer__units"] == 2
    assert Reaching().set_params(**params).get_params() == params


REACHED = {
    "a description": ({"layer": Dense(2)}, {"layer__units": 5}, "layer", Dense(5)),
    "a name": ({}, {"layer__units": 5}, "layer", Dense(5)),
    "another name first": ({}, {"layer__rate": 0.3, "layer": "y"}, "layer", Dropout(0.3)),
    "a new one first": ({}, {"layer__units": 5, "layer": Dense(2, "relu")}, "layer", Dense(5, "relu")),
    "an item": ({}, {"layers__1__rate": 0.3}, "layers", (Dense(1), Dropout(0.3))),
}


@pytest.mark.parametrize(("given", "changes", "name", "expected"), REACHED.values(), ids=REACHED)
def test_set_params_reaches_into_descriptions(given, changes, name, expected):
    assert getattr(Reaching(**given).set_params(**changes), name) == expected


UNREACHED = {
    "no such part of a name": (
        {"layer__rate": 1},
        "Invalid parameter 'rate' for Dense.*Valid parameters are: .'units'",
    ),
    "no such item": ({"layers__2__units": 1}, "Invalid parameter '2'"),
    "no description": ({"plain__x": 1}, "Invalid parameter 'x' for 'a'"),
    "a number": ({"tol__x": 1}, "Invalid parameter 'x' for 0.0001"),
    "a name that stands for nothing": ({"layer": "z", "layer__units": 1}, "Invalid parameter 'units' for 'z'"),
    "no such parameter": ({"other__x": 1}, "Invalid parameter 'other' for estimator Reaching"),
}


@pytest.mark.parametrize(("changes", "message"), UNREACHED.values(), ids=UNREACHED)
def test_what_is_not_there_is_a_value_error(changes, message):
    with pytest.raises(ValueError, match=message):
        Reaching().set_params(**changes)


# -- numbers of any kind --------------------------------------------------------------------------------------------

NUMBERS = {
    "alpha": (MLPClassifier, {"alpha": 0.1}),
    "learning_rate_init": (MLPClassifier, {"learning_rate_init": 0.01}),
    "clip_norm": (MLPClassifier, {"clip_norm": 0.3}),
    "dropout": (MLPClassifier, {"dropout": 0.3}),
    "label_smoothing": (MLPClassifier, {"label_smoothing": 0.1}),
    "momentum": (MLPClassifier, {"solver": "sgd", "momentum": 0.3}),
    "validation_fraction": (MLPClassifier, {"early_stopping": True, "validation_fraction": 0.3}),
    "a search": (MLPClassifier, {"solver": "lbfgs", "alpha": 0.1, "tol": 0.01}),
    "delta": (MLPRegressor, {"loss": "huber", "delta": 0.3}),
    "quantile": (MLPRegressor, {"loss": "quantile", "quantile": 0.3}),
    "eta0 of the rule": (PerceptronClassifier, {"eta0": 0.3}),
    "its validation": (PerceptronClassifier, {"early_stopping": True, "validation_fraction": 0.3}),
    "eta0 of a neuron": (PerceptronRegressor, {"eta0": 0.01}),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_of_any_kind_is_that_number(case):
    estimator, params = NUMBERS[case]
    rng = np.random.RandomState(0)
    X = rng.normal(size=(30, 3))
    y = (X[:, 0] > 0).astype(int)

    def theta(kind):
        changed = {name: kind(value) if type(value) is float else value for name, value in params.items()}
        return estimator(max_iter=3, random_state=0).set_params(**changed).fit(X, y).network_.theta

    for kind in (np.float64, lambda value: Fraction(value)):
        np.testing.assert_array_equal(theta(kind), theta(float))
    np.testing.assert_array_equal(theta(np.float32), theta(lambda value: float(np.float32(value))))


@pytest.mark.parametrize("name", ["alpha", "learning_rate_init", "tol", "clip_norm", "epsilon", "max_iter"])
def test_numbers_that_no_float_can_hold_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MLPClassifier must be"):
        MLPClassifier(**{name: 10**400}).fit([[0.0], [1.0]], [0, 1])


UNORDERED = {
    "a set of widths": (MLPClassifier, {"hidden_layer_sizes": {3, 8}}, "hidden_layer_sizes must be > 0, got"),
    "a dict of widths": (MLPClassifier, {"hidden_layer_sizes": {}}, "hidden_layer_sizes must be > 0, got"),
    "an array of no axis": (MLPClassifier, {"hidden_layer_sizes": np.array(3)}, "hidden_layer_sizes must be > 0, got"),
    "a set of filters": (CNNClassifier, {"filters": {3, 8}}, "filters={.*} must hold a positive integer"),
    "filters of no axis": (CNNClassifier, {"filters": np.array(3)}, "filters=array.* must hold a positive integer"),
    "a set of quantiles": (
        MLPRegressor,
        {"loss": "quantile", "quantile": {0.1, 0.9}},
        "quantile={.*} must be a number",
    ),
    "words": (MLPRegressor, {"loss": "quantile", "quantile": ["a"]}, r"quantile=\['a'\] must be a number between"),
}


@pytest.mark.parametrize("case", UNORDERED)
def test_what_has_no_order_is_no_list_of_sizes(case):
    estimator, params, message = UNORDERED[case]
    with pytest.raises(ValueError, match=message):
        estimator(**params).fit([[0.0, 1.0], [1.0, 1.0]], [0, 1])
