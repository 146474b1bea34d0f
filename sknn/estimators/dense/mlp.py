"""Multi-layer perceptrons: drop-in replacements of scikit-learn's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import sqrt
from typing import Any

from ...autodiff.tape import Array
from ...nn import BatchNorm, Dense, Layer, Residual
from ...ops.activation import ACTIVATIONS
from ...template import layers as dense
from ...template.estimator import Estimator
from ...template.fitted import left_by_fit
from ...template.kinds import Classifier, Regressor
from ...template.parameters import parameter

# Which of scikit-learn's parameters says a field of a solver or schedule that is given by name.
SAID_BY = {name: name for name in ("momentum", "beta_1", "beta_2", "epsilon", "max_fun")}
SAID_BY |= {"nesterov": "nesterovs_momentum", "power": "power_t"}


class MLP(Estimator):
    """Dense layers only, with the parameters of scikit-learn's.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by back-propagating errors. Nature 323.

    Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS.

    Kingma, Ba (2015). Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980.

    Ioffe, Szegedy (2015). Batch normalization. ICML. Ba, Kiros, Hinton (2016). Layer normalization. arXiv:1607.06450.

    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks. ECCV. arXiv:1603.05027.

    Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. JMLR 15.

    Szegedy et al. (2016). Rethinking the inception architecture for computer vision (label smoothing). CVPR.

    Koenker, Bassett (1978). Regression quantiles. Econometrica 46.
    """

    hidden_layer_sizes: int | Sequence[int] = parameter(
        default=(100,),
        interval="[1, inf)",
        text="Units of each hidden layer; () is a linear model: logistic or linear regression.",
        kw_only=False,
    )
    activation: str | Sequence[str] = parameter(
        default="relu",
        allowed=dense.ACTIVATION_NAMES,
        text=f"Of the hidden layers, one for all or one for each: {', '.join(ACTIVATIONS)}.",
        kw_only=False,
    )
    depth: int | None = dense.DEPTH
    batch_norm: bool = dense.BATCH_NORM
    layer_norm: bool = dense.LAYER_NORM
    residual: bool = parameter(
        default=False,
        text="Whether each hidden layer but the first adds its input to its output, h + dropout(f(norm(h W + b))), "
        "with nothing on the way around it. Needs at least two hidden layers, of equal width.",
    )
    dropout: float = dense.DROPOUT
    power_t: float = parameter(default=0.5, interval="[0, inf)", text='The exponent of "invscaling".')
    momentum: float = parameter(default=0.9, interval="[0, 1]", text='Momentum of "sgd".')
    nesterovs_momentum: bool = parameter(default=True, text="Whether it is Nesterov's.")
    beta_1: float = parameter(default=0.9, interval="[0, 1)", text='Decay of the first moment of "adam" and "adamw".')
    beta_2: float = parameter(default=0.999, interval="[0, 1)", text="Decay of their second moment.")
    epsilon: float = parameter(
        default=1e-8, interval="(0, inf)", text='Keeps their quotient finite, and that of "rmsprop".'
    )
    max_fun: int = parameter(default=15000, interval="[1, inf)", text='Most evaluations of the loss by "lbfgs".')

    def _layers(self, n_outputs: int) -> list[Layer]:
        sizes = dense.hidden_sizes(self)
        functions = dense.activations(self.activation, len(sizes))
        layers: list[Layer] = []
        for position, (units, activation) in enumerate(zip(sizes, functions, strict=True)):
            block = dense.hidden(self, Dense(units, **_scheme(activation)), activation)
            layers += [Residual(block)] if self.residual and position > 0 else block  # the first changes the width
        return [*layers, Dense(n_outputs, **_scheme(functions[-1] if functions else str(self.activation)))]

    def _check_options(self) -> None:
        super()._check_options()
        sizes = dense.hidden_sizes(self)
        if not sizes:
            self._refuse(("dropout", "batch_norm", "layer_norm", "residual"), "no hidden layers")
        if self.residual and (len(sizes) < 2 or len(set(sizes)) > 1):
            raise ValueError(
                "residual=True adds the input of each hidden layer but the first to its output: it needs at least two "
                f"hidden layers, of equal width, got hidden_layer_sizes={sizes}"
            )

    def _meant(self, name: str, value: Any) -> Any:
        """A name stands for what the parameters of scikit-learn say of it, a description for itself."""
        meant = super()._meant(name, value)
        if meant is value or not isinstance(value, str):
            return meant
        said = [each.name for each in fields(meant) if each.name in SAID_BY]
        return replace(meant, **{field: getattr(self, SAID_BY[field]) for field in said})

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, views of shape (n_in, n_out) into the network's parameters."""
        walk = left_by_fit(self, "network_").walk()
        return [params["weight"] for layer, params in walk if isinstance(layer, Dense)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, views of shape (n_out,) into the network's parameters.

        Where the batch is normalised the shift that follows is the bias.
        """
        names = {Dense: "bias", BatchNorm: "shift"}
        layers = [(params, names.get(type(layer))) for layer, params in left_by_fit(self, "network_").walk()]
        return [params[name] for params, name in layers if name in params]


def _scheme(activation: str) -> dict[str, Any]:
    """scikit-learn's initial weights: Glorot's uniform ones, for biases too, smaller for the logistic function."""
    return {"bias_init": "glorot_uniform", "gain": sqrt(1 / 3) if activation in ("logistic", "sigmoid") else 1.0}


class MLPClassifier(MLP, Classifier):
    """Multi-layer perceptron classifier: minimises the log loss, as scikit-learn's of the same name does.

    Two classes have one logistic output, more have one softmax output each, a multilabel target has a logistic
    output for each label; for y of several columns of classes there is all that for each column, and the losses are
    added up. With outputs z, targets y and weights W the objective of a batch of weight n is

    .. math:: \\frac{1}{n} \\sum_i w_i\\, \\ell(z_i, y_i) + \\frac{\\alpha}{2 n} \\sum_l \\lVert W_l \\rVert^2

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0)).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """


class MLPRegressor(MLP, Regressor):
    """Multi-layer perceptron regressor; standardises the target inside, so that its scale does not matter.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> network = MLPRegressor(20, solver="lbfgs", alpha=10.0, max_iter=1000, random_state=0)
    >>> make_pipeline(StandardScaler(), network).fit(X, 1e6 * y).score(X, 1e6 * y) > 0.5
    True
    >>> quantiles = MLPRegressor((), loss="quantile", quantile=[0.1, 0.5, 0.9], learning_rate_init=0.01, tol=1e-3)
    >>> quantiles.set_params(random_state=0).fit(X, y).predict_quantiles(X).shape
    (442, 3)
    """
