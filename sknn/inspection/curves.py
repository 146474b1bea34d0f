"""How the loss fell, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .common import given_axes, innermost, line_colors, pyplot

STYLES: dict[str, Any] = {"training loss": "-", "validation loss": "--", "validation score": ":"}
WIDE = 30  # a loss that falls by this factor is drawn on a logarithmic axis


class LossCurveDisplay:
    """Loss curves of one network or of several, with what was found on validation samples.

    Make one with :meth:`from_estimator`. Each network has a colour. The loss on the training samples is a solid line,
    the loss on the validation samples a dashed one; a validation score, which has another scale, is dotted and read on
    the right. A dot marks the best epoch by that score, or else by the validation loss: early stopping keeps its
    weights.

    Parameters
    ----------
    loss_curves : dict of str to sequence of float
        The training loss after each epoch, by the name of the network.
    validation_loss_curves, validation_scores : dict of str to sequence of float, default=None
        The same for the loss on validation samples and the score (larger is better), for the networks that have them.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the curves are.
    score_ax_ : matplotlib Axes or None
        The axes on the right, for validation scores.
    lines_ : dict of str to dict of str to matplotlib Line2D
        ``lines_[name]["training loss"]`` and so on.

    Examples
    --------
    >>> from sknn.inspection import LossCurveDisplay
    >>> display = LossCurveDisplay(loss_curves={"slow": [1.0, 0.9, 0.8], "fast": [1.0, 0.5, 0.4]}).plot()
    >>> display.ax_.get_ylabel()
    'loss'
    """

    def __init__(
        self,
        *,
        loss_curves: Mapping[str, Sequence[float]],
        validation_loss_curves: Mapping[str, Sequence[float]] | None = None,
        validation_scores: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.loss_curves = loss_curves
        self.validation_loss_curves = validation_loss_curves
        self.validation_scores = validation_scores

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> LossCurveDisplay:
        """Draw the curves of fitted estimators.

        Parameters
        ----------
        estimator : estimator, list of estimators or dict of str to estimator
            Fitted, with a `loss_curve_`; a pipeline or a search stands for the network in it. The networks of a list
            are named by their classes, those of a dict by its keys.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs
            Of the lines, for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If an estimator has no `loss_curve_`, or there is none at all.
        NotFittedError
            If an estimator is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sknn import MLPClassifier
        >>> from sknn.inspection import LossCurveDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> networks = {f"{n} units": MLPClassifier(n, tol=0.01, random_state=0).fit(X, y) for n in (5, 50)}
        >>> LossCurveDisplay.from_estimator(networks).ax_.get_xlabel()
        'epoch'
        """
        pyplot(f"{cls.__name__}.from_estimator")
        networks = _named(estimator)
        display = cls(
            loss_curves={name: _loss_curve(network) for name, network in networks.items()},
            validation_loss_curves=_curves(networks, "validation_loss_curve_"),
            validation_scores=_curves(networks, "validation_scores_"),
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> LossCurveDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs
            Of the lines, for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LossCurveDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_: dict[str, dict[str, Any]] = {name: {} for name in self.loss_curves}
        scores = self._scores()
        self.score_ax_ = ax.twinx() if scores else None
        losses = self.validation_loss_curves or {}
        self._draw(ax, "training loss", self.loss_curves, kwargs)
        self._draw(ax, "validation loss", losses, kwargs)
        self._draw(self.score_ax_, "validation score", scores, kwargs)
        self._mark(ax, "validation loss", losses.keys() - scores.keys(), np.nanargmin)
        self._mark(self.score_ax_, "validation score", scores, np.nanargmax)
        self._label()
        return self

    def _scores(self) -> dict[str, Sequence[float]]:
        """The scores that say something else than the validation loss."""
        losses = self.validation_loss_curves or {}
        scores = self.validation_scores or {}
        return {
            name: score
            for name, score in scores.items()
            if name not in losses or not np.array_equal(score, np.negative(losses[name]), equal_nan=True)
        }

    def _draw(self, ax: Any, kind: str, curves: Mapping[str, Sequence[float]], kwargs: dict[str, Any]) -> None:
        colors = dict(zip(self.loss_curves, line_colors(len(self.loss_curves)), strict=True))
        for name, curve in curves.items():
            style = {"color": colors[name], "linestyle": STYLES[kind], **kwargs}
            (self.lines_[name][kind],) = ax.plot(np.arange(1, len(curve) + 1), curve, **style)

    def _mark(self, ax: Any, kind: str, names: Iterable[str], best: Callable[[Array], Any]) -> None:
        """A dot on the best epoch of each curve that decides which weights are kept."""
        for name in names:
            line = self.lines_[name][kind]
            epochs, values = line.get_data()
            if np.isfinite(values).any():
                k = best(values)
                ax.plot(epochs[k], values[k], "o", color=line.get_color(), markersize=5)

    def _label(self) -> None:
        from matplotlib.ticker import MaxNLocator

        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        losses = np.concatenate([line.get_ydata() for line in self.ax_.get_lines()])
        if 0 < WIDE * np.nanmin(losses) < np.nanmax(losses):
            self.ax_.set_yscale("log")
        handles, names = self._legend()
        if self.score_ax_ is not None:  # curves of both axes cross anywhere, so the legend stands above
            self.score_ax_.set_ylabel("validation score")
            n_columns = min(len(names), 3)
            self.ax_.legend(handles, names, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=n_columns)
        elif names:
            self.ax_.legend(handles, names, frameon=False)

    def _legend(self) -> tuple[list[Any], list[str]]:
        """A line for each network, if there are several, and one for each kind of curve, if there are several."""
        from matplotlib.lines import Line2D

        networks = {name: lines["training loss"] for name, lines in self.lines_.items()}
        kinds = [kind for kind in STYLES if any(kind in lines for lines in self.lines_.values())]
        color = next(iter(networks.values())).get_color() if len(networks) == 1 else "0.4"
        samples = {kind: Line2D([], [], color=color, linestyle=STYLES[kind]) for kind in kinds}
        legend = {**(networks if len(networks) > 1 else {}), **(samples if len(samples) > 1 else {})}
        return list(legend.values()), list(legend)


def _named(estimator: Any) -> dict[str, Any]:
    """The networks by name: the keys of a dict, the classes of a list, numbered if there are several of one."""
    if isinstance(estimator, Mapping):
        networks = {str(name): innermost(each) for name, each in estimator.items()}
    else:
        each = estimator if isinstance(estimator, list | tuple | np.ndarray) else [estimator]
        inner = [innermost(one) for one in each]
        classes = [type(one).__name__ for one in inner]
        networks = {
            name if classes.count(name) == 1 else f"{name} {classes[:k].count(name) + 1}": one
            for k, (name, one) in enumerate(zip(classes, inner, strict=True))
        }
    if not networks:
        raise ValueError(f"estimator={estimator!r} is empty; give one fitted estimator or more")
    return networks


def _loss_curve(network: Any) -> Sequence[float]:
    curve = getattr(network, "loss_curve_", None)
    if not curve and hasattr(network, "_target") and network._target.is_certain:
        raise ValueError(
            f"{network!r} has an empty loss_curve_: y has a single class, {network.classes_}, so that nothing was "
            "to be learnt; fit it to samples of several classes"
        )
    if not curve:
        raise ValueError(f"{network!r} has no loss_curve_: with this solver training records none; choose another")
    return curve


def _curves(networks: Mapping[str, Any], attribute: str) -> dict[str, Sequence[float]]:
    found = {name: getattr(network, attribute, None) for name, network in networks.items()}
    return {name: curve for name, curve in found.items() if curve}
