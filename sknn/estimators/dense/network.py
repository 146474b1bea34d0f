"""Networks from layers of your own choice, with parameters that searches reach into."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from ...autodiff.tape import Array
from ...nn import Dense, Layer, Network, Unflatten
from ...nn.init import Random
from ...nn.promises import check_shapes
from ...series import lies_in_series
from ...template.estimator import Estimator
from ...template.grids import read_grids
from ...template.inputs import as_rows, as_series, stated_shape
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter


class OwnNetwork(Estimator):
    """What a list of layers means for the network."""

    layers: Sequence[Layer] = parameter(
        default=(Dense(100, activation="relu"),),
        allowed=(list, tuple),
        text="The hidden layers, from :mod:`sknn.nn`, in order. The output layer is added: a Dense layer with as many "
        "units as the target needs. They must end in a row of features for each sample: after convolutions comes "
        "``Flatten()`` or ``GlobalPool()``. They are descriptions that fitting never changes, so the same may stand in "
        "several networks. In searches ``layers__0__units`` is a parameter of the first one, ``layers__0`` that layer "
        "as a whole.",
        kw_only=False,
    )
    input_shape: Sequence[int] | None = parameter(
        default=None,
        text="Of one sample as the first layer is to see it, (H, W, C) for images, with the channels named and last. X "
        "may have that shape, may leave out a single channel, or be flattened. None: the shape that samples have in X. "
        "Series of different lengths, a list or a column of arrays (T_i, channels) or (T_i,), are (None, channels), "
        "images of different sizes (None, None, channels); steps at the end of (n, T, channels) that are NaN are left "
        "out.",
    )

    _shape: tuple[Any, ...] = fitted("That of a sample; None along axes of any size.")
    _accepts_grids: ClassVar[bool] = True

    def _check_options(self) -> None:
        super()._check_options()
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise ValueError(f"layers[{position}]={layer!r} is no layer of sknn.nn, such as Dense(100)")

    def _layers(self, n_outputs: int) -> list[Layer]:
        grid: list[Layer] = [Unflatten(self._shape)] if len(self._shape) > 1 and None not in self._shape else []
        return [*grid, *self.layers, Dense(n_outputs)]

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Network:
        network = super()._networks(x, target, rng, dtype)
        if len(network.output_shape) > 1:
            raise ValueError(
                f"layers end in samples of shape {network.shapes[-2]}, but the output layer takes a row of features: "
                "put Flatten() or GlobalPool() where the grid is to end"
            )
        check_shapes(network, x[:2].astype(dtype))
        return network

    @property
    def _accepted_sparse(self) -> Any:
        """Sparse X can go into a dense layer only."""
        first = self.layers[0] if isinstance(self.layers, list | tuple) and self.layers else Dense(1)
        rows = self.input_shape is None or len(self.input_shape) == 1
        return Estimator._accepted_sparse if rows and isinstance(first, Dense) else False

    def _channels(self) -> Array | None:
        if len(self._shape) == 1 or None in self._shape:
            return None
        return np.arange(prod(self._shape)) % self._shape[-1]

    def _read_x(self, X: Any, fresh: bool) -> Any:
        if self._free_grid if fresh else None in self._shape[1:]:
            return read_grids(self, X, fresh)
        if lies_in_series(self, X, fresh):
            return as_series(self, X, fresh)
        return super()._read_x(as_rows(self, X, fresh), fresh)

    @property
    def _free_grid(self) -> bool:
        """Whether images of any size are to come, (None, None, channels); series say it of themselves."""
        return self.input_shape is not None and len(self.input_shape) > 2 and None in self.input_shape

    def _read_shape(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of a sample: stated, or that which it has in X."""
        wanted = "positive integers, such as (8, 8, 1); of series whose length is left open (None, channels)"
        return given[1:] if self.input_shape is None else stated_shape(self, range(1, 33), wanted)


class NetworkClassifier(OwnNetwork, Classifier):
    """Classifier with a network of your own layers; loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sknn import NetworkClassifier
    >>> from sknn.nn import BatchNorm, Dense
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NetworkClassifier([Dense(8, activation="tanh"), BatchNorm()], learning_rate_init=0.03, tol=0.003)
    >>> network.set_params(layers__0__units=16, random_state=0).fit(X, y).summary()[["layer", "parameters"]]
                 layer  parameters
    0  Dense(16, tanh)          80
    1      BatchNorm()          32
    2         Dense(3)          51
    >>> search = GridSearchCV(network, {"layers__0__units": [4, 16], "layers__0__activation": ["tanh", "relu"]})
    >>> search.fit(X, y).score(X, y) > 0.9
    True
    """


class NetworkRegressor(OwnNetwork, Regressor):
    """Regressor with a network of your own layers; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import NetworkRegressor
    >>> from sknn.nn import Conv, Dense, GlobalPool
    >>> rng = np.random.RandomState(0)
    >>> X = np.sin(np.arange(30) * rng.uniform(0.2, 2, (300, 1)))[..., None]  # waves of 30 steps with one channel
    >>> y = np.abs(np.diff(X[..., 0])).mean(axis=1)
    >>> network = NetworkRegressor(
    ...     [Conv(8, kernel_size=5, activation="relu"), GlobalPool(), Dense(8, activation="tanh")],
    ...     learning_rate_init=0.01,
    ...     random_state=0,
    ... )
    >>> network.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.9
    True
    """
