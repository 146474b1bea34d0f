"""Several estimators as a parameter: their names, and how searches reach into them."""

import pytest
from sklearn.base import clone
from sklearn.linear_model import Lasso, Ridge

from sknn.template.declaring import Declaring
from sknn.template.listed import inside, listed
from sknn.template.parameters import parameter


class Team(Declaring):
    """An estimator around several."""

    members: list = parameter(text="The estimators.", kw_only=False)


NAMES = {
    "one": (Ridge(), ["ridge"]),
    "several": ([Ridge(), Lasso(), Ridge()], ["ridge-1", "lasso", "ridge-2"]),
    "pairs": ((("a", Ridge()), ["b", Lasso()]), ["a", "b"]),
}


@pytest.mark.parametrize(("value", "names"), NAMES.values(), ids=NAMES)
def test_names(value, names):
    assert list(listed("members", value)) == names


REFUSED = {
    "nothing": ([], "must be an estimator, or a list"),
    "a number": (3, "members=3 must be"),
    "a class": ([Ridge], "must be an estimator, or a list"),
    "a name alone": (["a"], "must be an estimator, or a list"),
    "some pairs": ([("a", Ridge()), Lasso()], "must be an estimator, or a list"),
    "a name twice": ([("a", Ridge()), ("a", Lasso())], "'a': names must differ"),
    "a path": ([("a__b", Ridge())], "'a__b': names must"),
    "no name": ([("", Ridge())], "'': names must"),
}


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_list_of_estimators_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        listed("members", value)


@pytest.mark.parametrize("value", [[], 3, ["a"], Ridge(), [("a", Ridge()), ("a", Lasso())]])
def test_searches_find_nothing_in_anything_else(value):
    assert inside(value) == {}


def test_a_parameter_of_one_of_them():
    team = Team([("a", Ridge()), ("b", Lasso())])
    assert team.get_params()["members__b__alpha"] == 1.0
    assert "members__b" not in team.get_params(deep=False)
    team.set_params(members__b__alpha=3.0, members__a=Lasso(5.0))
    assert [(name, each.alpha) for name, each in team.members] == [("a", 5.0), ("b", 3.0)]
    assert Team([Ridge()]).set_params(members__ridge__alpha=2.0).members[0].alpha == 2.0


def test_a_whole_one_comes_before_its_parameters():
    team = Team([("a", Ridge())]).set_params(members__a__alpha=3.0, members__a=Lasso())
    assert repr(team.members) == "[('a', Lasso(alpha=3.0))]"


def test_a_clone_has_its_own():
    team = Team([("a", Ridge())])
    clone(team).set_params(members__a__alpha=3.0)
    assert team.members[0][1].alpha == 1.0


@pytest.mark.parametrize("path", ["members__c__alpha", "members__a__beta"])
def test_what_is_not_there_is_named(path):
    with pytest.raises(ValueError, match=r"Invalid parameter '(c|beta)'"):
        Team([("a", Ridge())]).set_params(**{path: 1})
