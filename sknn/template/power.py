"""What comes before a density: columns within their bounds, made as normal as a power makes them, and standardised."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..autodiff.tape import Array
from .bounds import Bounds
from .scaling import Scaling, is_constant

LARGEST_POWER = 2.0
SOME = 10_000  # values of a column, evenly spaced, say what its power is


class PowerScaling:
    """Columns that a density can learn: unbounded, without heavy tails, with mean 0 and standard deviation 1.

    What has bounds is freed of them (:class:`sknn.template.bounds.Bounds`). What comes of that is centred and scaled by
    its quartiles, which outliers do not move, bent by powers that make it as normal as it can be, and standardised::

        ((1 + x)^p - 1) / p     for x >= 0     (p = 0: log(1 + x))
        -((1 - x)^q - 1) / q    for x < 0      (q = 0: -log(1 - x))

    The powers of Yeo and Johnson (2000) are those with q = 2 - p, which mend skewness; with one of its own for each
    side heavy tails are mended as well. Powers lie between 0 and 2, so that every number comes of one, and samples can
    always be taken back. As the first step takes away place and scale, other units of the data change nothing but the
    volume.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Samples; of images the pixels, with their channels in columns. What is scaled may have more axes.
    weight : ndarray of shape (n,), default=None
        Their weights.
    kind : {"power", "standard"} or None, default="power"
        Whether columns are bent and standardised, standardised alone, or only freed of their bounds.
    bounds : Bounds, default=None
        Between which they lie.

    Attributes
    ----------
    first, last : Scaling or None
        Before the power, and after it.
    powers : ndarray of shape (2, d) or None
        q and p of each column.

    References
    ----------
    Yeo, Johnson (2000). A new family of power transformations to improve normality or symmetry. Biometrika 87.

    Examples
    --------
    >>> x = np.random.default_rng(0).lognormal(size=(1000, 1))
    >>> scaling = PowerScaling(x)
    >>> z = scaling(x)
    >>> bool((z**3).mean() < 1), bool((((x - x.mean()) / x.std()) ** 3).mean() > 3)
    (True, True)
    >>> bool(np.abs(scaling.inverse(z) - x).max() < 1e-8)
    True
    """

    def __init__(
        self,
        x: Array,
        weight: Array | None = None,
        *,
        kind: str | None = "power",
        bounds: Bounds | None = None,
    ) -> None:
        self.kind = kind
        self.bounds = None if bounds is None else bounds.beside(np.asarray(x, np.float64))
        self.first: Scaling | None = None
        self.powers: Array | None = None
        self.last: Scaling | None = None
        values = self._standard(np.asarray(x, np.float64))
        if kind is not None:
            self.first = QuartileScaling(values, weight) if kind == "power" else Scaling([(values, weight)])
            values = self.first(values)
        if kind == "power":
            self.powers = _powers(values, weight)
            self.last = Scaling([(bent(values, self.powers), weight)])

    def __call__(self, x: Array) -> Array:
        """Scaled x, in its precision."""
        scaled = self._standard(x)
        if self.powers is not None and self.last is not None:
            scaled = self.last(bent(scaled, self.powers))
        return scaled.astype(x.dtype, copy=False)

    def inverse(self, z: Array) -> Array:
        """x of scaled z, in double precision."""
        x = np.asarray(z, np.float64)
        if self.powers is not None and self.last is not None:
            x = straightened(self.last.inverse(x), self.powers)
        if self.first is not None:
            x = self.first.inverse(x)
        return x if self.bounds is None else self.bounds.inverse(x)

    def log_volume(self, x: Array) -> Array:
        """How much larger the log-density of each x is than that of scaled x; -inf out of bounds. Shape (n,)."""
        x = np.asarray(x, np.float64)
        slopes = np.zeros(x.shape) if self.bounds is None else self.bounds.log_slopes(x)
        if self.first is not None:
            slopes = slopes - np.log(self.first.scale)
        if self.powers is not None and self.last is not None:
            slopes = slopes + _log_slopes(self._standard(x), self.powers) - np.log(self.last.scale)
        volume: Array = slopes.reshape(len(x), -1).sum(axis=1)
        return volume

    def _standard(self, x: Array) -> Array:
        """Before the power."""
        free = x if self.bounds is None else self.bounds(x)
        return free if self.first is None else self.first(free)


class QuartileScaling(Scaling):
    """(x - median) / scale, where the scale of normal numbers is their standard deviation; of numbers of which half are
    one value, mean and standard deviation."""

    def __init__(self, x: Array, weight: Array | None = None) -> None:
        super().__init__([(x, weight)])
        low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf", weights=weight)
        spread = ~is_constant(high - low, middle, len(x))
        self.scale = np.where(spread, (high - low) / 1.349, self.scale)
        self.mean = np.where(spread, middle, self.mean)


def bent(x: Array, powers: Array) -> Array:
    """The powers of Yeo and Johnson, those of each column below 0 and above it."""
    size, power = np.log1p(np.abs(x)), np.where(x < 0, *powers)
    some = np.where(power == 0, 1.0, power)
    return np.copysign(np.where(power == 0, size, np.expm1(some * size) / some), x)


def straightened(y: Array, powers: Array) -> Array:
    """What :func:`bent` makes y of."""
    size, power = np.abs(y), np.where(y < 0, *powers)
    some = np.where(power == 0, 1.0, power)
    return np.copysign(np.expm1(np.where(power == 0, size, np.log1p(some * size) / some)), y)


def _log_slopes(x: Array, powers: Array) -> Array:
    return (np.where(x < 0, *powers) - 1.0) * np.log1p(np.abs(x))


def _powers(x: Array, weight: Array | None) -> Array:
    """Those of each column with the largest likelihood of a normal distribution, shape (2, d)."""
    weight = np.ones(len(x)) if weight is None else weight
    return np.array([_two_powers(column, weight) for column in x.T]).T


def _two_powers(x: Array, weight: Array) -> Array:
    step = max(1, len(x) // SOME)
    x, weight = x[::step], weight[::step]
    share = weight / weight.sum()

    def loss(powers: Array) -> float:
        y = bent(x, powers)
        mean = share @ y
        return 0.5 * float(np.log(share @ np.square(y - mean))) - float(share @ _log_slopes(x, powers))

    if np.ptp(x) == 0:
        return np.ones(2)
    best: Array = minimize(loss, np.ones(2), bounds=[(0.0, LARGEST_POWER)] * 2).x
    return best.round(2)  # finer ones are no better, and hang on how the data are rounded
