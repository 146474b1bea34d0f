"""A parameter is declared once: what stands in a class body becomes all that scikit-learn and readers ask for.

From the declarations come the signature of ``__init__``, ``_parameter_constraints``, and the sections Parameters and
Attributes of the docstring.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from inspect import Parameter as Argument
from inspect import Signature, formatannotation, get_annotations
from typing import Any, ClassVar, Self, dataclass_transform

from ..description import changed, nested
from .documentation import Documentation
from .listed import changed_inside, inside
from .parameters import REQUIRED, Attribute, Fixed, Parameter, constraints, fitted, fixed, parameter, parameters
from .scikit_learn import BaseEstimator


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(parameter, fitted, fixed))
class Declaring(BaseEstimator):
    """An estimator whose parameters are declared in class bodies: its own first, then those of its bases in order.

    A line ``name: type = parameter(...)`` declares one, ``name = value`` gives one of a base another default. A class
    may also write its ``__init__`` by hand, as those of scikit-learn do; it and its subclasses then declare nothing.

    Raises
    ------
    TypeError
        In the class statement: if a declaration has no type, or a type no declaration, or if something is declared
        where ``__init__`` was written by hand.

    Examples
    --------
    >>> class Ridge(Declaring):
    ...     alpha: float = parameter(default=1.0, interval="[0, inf)", text="Strength of the penalty.")
    >>> class StrongRidge(Ridge):
    ...     alpha = 10.0
    >>> StrongRidge(), StrongRidge(alpha=2).alpha
    (StrongRidge(), 2)
    >>> StrongRidge(beta=1)
    Traceback (most recent call last):
    TypeError: StrongRidge.__init__() got an unexpected keyword argument 'beta'
    """

    _declared: ClassVar[dict[str, Any]] = {}  # in the body of this class
    _defaults: ClassVar[dict[str, Any]] = {}  # given by it to parameters of its bases
    _parameter_constraints: ClassVar[dict[str, Any]]  # what scikit-learn validates

    def __init_subclass__(cls, **kwargs: Any) -> None:
        body, known = dict(vars(cls)), parameters(cls)
        cls._declared = _declarations(cls)
        cls._defaults = {
            name: value
            for name, value in body.items()
            if name in known and name not in cls._declared and not hasattr(value, "__get__")  # no property, no method
        }
        for name in [*cls._declared, *cls._defaults]:
            delattr(cls, name)
        for name, each in cls._declared.items():
            if isinstance(each, Fixed):
                setattr(cls, name, each.value)
        if not _by_hand(cls):
            cls.__init__ = _initialiser(cls)  # type: ignore[method-assign]
        elif cls._declared or cls._defaults:
            raise TypeError(f"{cls.__name__} declares parameters, but there is an __init__ that was written by hand")
        cls._parameter_constraints = constraints(cls)
        cls.__doc__ = Documentation(body.get("__doc__"))  # type: ignore[assignment]
        super().__init_subclass__(**kwargs)

    @classmethod
    @cache  # scikit-learn asks each time that it makes or checks an estimator
    def _get_param_names(cls: Any) -> list[str]:
        return super()._get_param_names()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to tell also what lies inside of them: the parameters of estimators, also of several in a list, and
            those of descriptions, as ``layers__0`` and ``layers__0__units``.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        for name in self._get_param_names() if deep else ():
            params.update(nested(params[name], name))
            for inner, estimator in inside(params[name]).items():
                path = f"{name}__{inner}"
                params[path] = estimator
                params.update({f"{path}__{each}": value for each, value in estimator.get_params().items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator, or what lies inside of them.

        ``solver__beta_2=0.95`` changes one number of a solver, be it a description or the name of one, ``layers__0`` a
        whole layer, ``layers__0__units`` a parameter of it. Descriptions stay as they are: the estimator gets new ones.
        ``estimator__net__alpha`` changes one of several estimators that stand in a list, by its name.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter, or nothing like it inside.
        """
        own: dict[str, Any] = {}
        within: dict[str, dict[str, Any]] = {}
        for path, value in params.items():
            name, _, rest = path.partition("__")
            whole = params.get(name, getattr(self, name)) if name in self._get_param_names() else None
            if rest and whole is not None and not hasattr(whole, "set_params"):
                within.setdefault(name, {})[rest] = value
            else:
                own[path] = value
        for name, changes in within.items():
            value = self._meant(name, own.get(name, getattr(self, name)))
            own[name] = changed_inside(value, changes) if inside(value) else changed(value, changes)
        return super().set_params(**own)

    def _meant(self, name: str, value: Any) -> Any:
        """What a value of a parameter stands for, where it is a name, or holds names; otherwise itself."""
        if isinstance(value, list | tuple):
            return type(value)(self._meant(name, each) for each in value)
        return _meanings(type(self)).get(name, {}).get(value, value) if isinstance(value, str) else value  # type: ignore


def _declarations(cls: type) -> dict[str, Any]:
    """What a class body declares, each with its type, evaluated at once: joblib's workers know another module."""
    body, types = vars(cls), get_annotations(cls)
    found = {name: each for name, each in body.items() if isinstance(each, Parameter | Attribute | Fixed)}
    if untyped := found.keys() - types.keys():
        raise TypeError(f"{cls.__name__} declares {min(untyped)!r} without its type")
    given = body.keys() & parameters(cls).keys()  # another default, with its type once more
    bare = {name for name in types.keys() - found.keys() - given if "ClassVar" not in str(types[name])}
    if bare:  # checkers take it for a parameter
        raise TypeError(f"{cls.__name__} gives {min(bare)!r} a type but no parameter(...), fitted(...) or fixed(...)")
    return {name: _typed(each, types[name], cls) for name, each in found.items()}


def _typed(each: Any, written: Any, cls: type) -> Any:
    if not isinstance(written, str):
        return replace(each, hint=written, written=formatannotation(written))
    module = vars(sys.modules[cls.__module__])
    return replace(each, hint=eval(written, module, dict(vars(cls))), written=written)


# -- __init__ ------------------------------------------------------------------------------------------------------


def _by_hand(cls: type) -> bool:
    """Whether somebody wrote the ``__init__`` that the class would have otherwise."""
    nearest: Any = next(base for base in cls.__mro__ if "__init__" in vars(base))
    return nearest is not object and not hasattr(nearest.__init__, "__signature__")


def _initialiser(cls: type) -> Any:
    known = parameters(cls)
    defaults = {name: each.default for name, each in known.items() if each.default is not REQUIRED}
    required = known.keys() - defaults.keys()
    by_position = [name for name, each in known.items() if not each.kw_only]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = {**dict(zip(by_position, args, strict=False)), **kwargs}
        if len(given) < len(args) + len(kwargs) or not required <= given.keys() <= known.keys():
            _refuse(type(self).__name__, signature, (self, *args), kwargs)
        vars(self).update({**defaults, **given})

    kinds = {False: Argument.POSITIONAL_OR_KEYWORD, True: Argument.KEYWORD_ONLY}
    signature = __init__.__signature__ = Signature(  # type: ignore[attr-defined]
        [Argument("self", Argument.POSITIONAL_OR_KEYWORD)]
        + [
            Argument(name, kinds[each.kw_only], default=each.default, annotation=each.written)
            for name, each in known.items()
        ],
        return_annotation=None,
    )
    __init__.__qualname__, __init__.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return __init__


def _refuse(name: str, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}.__init__() {error}") from None


@cache
def _meanings(cls: Any) -> dict[str, Any]:
    """What names stand for, by parameter; also of one that is fixed."""
    bodies = (vars(base).get("_declared", {}) for base in reversed(cls.__mro__))
    return {name: each.named for body in bodies for name, each in body.items() if isinstance(each, Parameter)}
