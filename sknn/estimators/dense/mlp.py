"""Multi-layer perceptrons: drop-in replacements of scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from typing import Any, ClassVar, Literal

from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from ...autodiff.tape import Array
from ...nn import BatchNorm, Dense, Layer, Residual
from ...template.targets import check_first_partial_fit
from ...template.training import ClassificationLoss, MultilayerEstimator, RegressionLoss


class MLP(MultilayerEstimator):
    """Dense layers only."""

    _parameter_constraints: ClassVar[dict] = {**MultilayerEstimator._parameter_constraints, "residual": ["boolean"]}

    def _layers(self, n_outputs: int) -> list[Layer]:
        sizes = self._hidden_sizes()
        activations = self._activations(len(sizes))
        layers = self._scaling()
        for position, (units, activation) in enumerate(zip(sizes, activations, strict=True)):
            hidden = self._hidden_layer(Dense(units, **_scheme(activation)), activation)
            layers += [Residual(hidden)] if self.residual and position > 0 else hidden  # the first changes the width
        return [*layers, Dense(n_outputs, **_scheme((activations or [self.activation])[-1]))]

    def _check_options(self) -> None:
        super()._check_options()
        sizes = self._hidden_sizes()
        if not sizes:
            self._refuse(("dropout", "batch_norm", "layer_norm", "residual"), "no hidden layers")
        if self.residual and (len(sizes) < 2 or len(set(sizes)) > 1):
            raise ValueError(
                "residual=True adds the input of each hidden layer but the first to its output: it needs at least two "
                f"hidden layers, of equal width, got hidden_layer_sizes={sizes}"
            )

    @property
    def n_layers_(self) -> int:
        """The number of layers, with the inputs as one."""
        return len(self.coefs_) + 1

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, views of shape (n_in, n_out) into the network's parameters."""
        return [params["weight"] for layer, params in self._fitted_layers() if isinstance(layer, Dense)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, views of shape (n_out,) into the network's parameters.

        Where the batch is normalised the shift that follows is the bias.
        """
        names = {Dense: "bias", BatchNorm: "shift"}
        layers = [(params, names.get(type(layer))) for layer, params in self._fitted_layers()]
        return [params[name] for params, name in layers if name in params]

    def _fitted_layers(self) -> Iterator[tuple[Layer, dict]]:
        if "network_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self.network_.walk()


def _scheme(activation: str) -> dict[str, Any]:
    """scikit-learn's initial weights: Glorot's uniform ones, for biases too, smaller for the logistic function."""
    return {"bias_init": "glorot_uniform", "gain": sqrt(1 / 3) if activation in ("logistic", "sigmoid") else 1.0}


class MLPClassifier(ClassificationLoss, ClassifierMixin, MLP):
    """Multi-layer perceptron classifier: minimises the log loss, as scikit-learn's of the same name does.

    Two classes have one logistic output, more have one softmax output each, a multilabel target has a logistic
    output for each label; for y of several columns of classes there is all that for each column, and the losses are
    added up. With outputs z, targets y and weights W the objective of a batch of weight n is

    .. math:: \\frac{1}{n} \\sum_i w_i\\, \\ell(z_i, y_i) + \\frac{\\alpha}{2 n} \\sum_l \\lVert W_l \\rVert^2

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; () is logistic regression.
    activation : str or sequence of str, default="relu"
        Of the hidden layers, one for all or one for each: "identity", "logistic" (or "sigmoid"), "tanh", "relu",
        "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus" or "softmax".
    depth : int or None, default=None
        With an integer `hidden_layer_sizes`, how many hidden layers have that width, so that a search can go over two
        numbers; None: one.
    batch_norm : bool, default=False
        Whether to normalise each hidden unit over the batch, in front of its activation function; the shift that is
        learnt with it takes the place of the bias. Not for "lbfgs" or a `batch_size` of 1.
    layer_norm : bool, default=False
        Whether to normalise the units of each hidden layer over the layer instead, sample by sample.
    residual : bool, default=False
        Whether each hidden layer but the first adds its input to its output, h + dropout(f(norm(h W + b))), with
        nothing on the way around it. Needs at least two hidden layers, of equal width.
    dropout : float, default=0.0
        The share of each hidden layer's outputs dropped in training, 0 <= dropout < 1. Not for "lbfgs".
    solver : {"adam", "sgd", "adamw", "rmsprop", "lbfgs"}, default="adam"
        How the weights are found. "lbfgs" uses all samples in each step, computes in float64 and suits small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty, alpha / (2 n) times the sum of squared weights for a batch of weight n: on weights
        W, not on biases or what a norm learns. For "adamw" that of the decoupled weight decay.
    clip_norm : float or None, default=None
        The largest Euclidean norm of the gradient of a batch's mean loss (without the penalty); a longer one is
        shortened to it. Not for "lbfgs".
    label_smoothing : float, default=0.0
        The share of each label's probability that is spread evenly over all classes in the training loss, 0 <=
        label_smoothing < 1. Not for multilabel targets.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch; "auto" is min(200, n_samples). 1 is single-sample, n_samples full-batch descent.
    learning_rate : str, default="constant"
        The schedule: "constant", "invscaling", "adaptive", "cosine", "one_cycle" or "exponential". The last three come
        to their end after `max_iter` epochs, each call of partial_fit counted as one.
    learning_rate_init : float, default=0.001
        The learning rate it starts from (for "one_cycle" its peak).
    power_t : float, default=0.5
        The exponent of "invscaling".
    max_iter : int, default=200
        Most epochs; for "lbfgs" most iterations.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the validation split and shuffling.
    tol : float, default=1e-4
        An epoch improves if it lowers the loss (or raises the validation score) by at least this; "lbfgs" has converged
        when no component of the gradient exceeds it.
    verbose : bool or int, default=False
        Whether to print progress.
    warm_start : bool, default=False
        Whether the next call of fit goes on from the fitted weights.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Factors on the weights of the samples in the loss: label -> factor (1 for labels that are not named), for a
        multilabel target a list of such, one for each label, whose factors are multiplied. "balanced" is total weight /
        (number of classes * weight of the class); partial_fit takes no "balanced".
    momentum : float, default=0.9
        Momentum of "sgd".
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when the score on validation samples no longer improves, and keep the best weights. The samples
        are those given to fit as X_val, or a share set aside. "lbfgs" never stops early.
    validation_fraction : float, default=0.1
        The share of samples set aside, of each class where there are enough of them.
    scoring : str or callable, default="loss"
        The score on validation samples: "loss" (its negative, so that larger is better), the name of a scorer of
        scikit-learn, or a callable ``scorer(estimator, X, y)``, which gets validated arrays. Scores are weighted with
        sample weights, the loss also with those of the classes.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        The constants of "adam" and "adamw"; "rmsprop" has epsilon too, and averages squares at the rate 0.9.
    n_iter_no_change : int, default=10
        Stop after more epochs than this without improvement.
    max_fun : int, default=15000
        Most evaluations of the loss by "lbfgs".
    input_scaling : {"standard", None}, default=None
        Whether the network standardises its inputs, feature by feature, with what it learns in the first fit.
    dtype : {"float32", "float64"}, default="float32"
        The precision of the computation. Predictions come back in the precision of X.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or a list of such
        Class labels; for several columns of classes those of each.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer; with `batch_norm` the shifts are the biases.
    network_ : Network
        The fitted network.
    loss_, best_loss_ : float
        The loss of the last epoch, and the smallest (for "lbfgs" that of the result); best_loss_ is None with early
        stopping.
    loss_curve_ : list of float
        The loss of each epoch (not for "lbfgs").
    validation_scores_, best_validation_score_ : list of float, float
        The score on validation samples after each epoch (iteration of "lbfgs"), larger is better, and at its best; None
        without such samples.
    validation_loss_curve_ : list of float
        The loss on them, without penalty, dropout and label smoothing.
    n_iter_, t_ : int
        Epochs (iterations of "lbfgs") and samples seen.
    n_layers_, n_outputs_ : int
        Layers, with the inputs as one; outputs.
    out_activation_ : str
        "logistic" or "softmax" (for several columns of classes, of which those of two classes are logistic).
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input, when an option is chosen that does not apply (scikit-learn's own have no effect then), and when
        training diverges; the estimator is then left as it was before the call.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by back-propagating errors. Nature 323.

    Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS.

    Kingma, Ba (2015). Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980.

    Ioffe, Szegedy (2015). Batch normalization. ICML. Ba, Kiros, Hinton (2016). Layer normalization. arXiv:1607.06450.

    He, Zhang, Ren, Sun (2016). Identity mappings in deep residual networks. ECCV. arXiv:1603.05027.

    Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. JMLR 15.

    Szegedy et al. (2016). Rethinking the inception architecture for computer vision (label smoothing). CVPR.

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

    _parameter_constraints: ClassVar[dict] = {**MLP._parameter_constraints, **ClassificationLoss._class_constraints}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        depth: int | None = None,
        batch_norm: bool = False,
        layer_norm: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
        clip_norm: float | None = None,
        label_smoothing: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        class_weight: dict | list[dict] | Literal["balanced"] | None = None,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        input_scaling: Literal["standard"] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        self._keep_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Fit to samples and their classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_columns)
            Class labels, an indicator matrix, or several columns of class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : MLPClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(MLP._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_columns)
            Class labels, an indicator matrix, or several columns of class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,) or list of such, default=None
            All classes that will ever be seen, a list of them for several columns; needed in the first call.

        Returns
        -------
        self : MLPClassifier
        """
        return self._fit(X, y, sample_weight, incremental=True, target=check_first_partial_fit(self, y, classes))


class MLPRegressor(RegressionLoss, RegressorMixin, MLP):
    """Multi-layer perceptron regressor; standardises the target inside, so that its scale does not matter.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; () is linear regression.
    activation : str or sequence of str, default="relu"
        Of the hidden layers; see :class:`MLPClassifier`.
    depth, batch_norm, layer_norm, residual, dropout
        See :class:`MLPClassifier`.
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"}, default="squared_error"
        What is minimised. Several outputs are added up in the objective and averaged in loss_curve_, as in
        scikit-learn. "poisson" predicts exp of the output, for counts y >= 0; with no hidden layer and `alpha` n times
        as large it is scikit-learn's ``PoissonRegressor(alpha)``, as its penalty is not divided by the weight n of the
        samples. "quantile" is the pinball loss.
    delta : float, default=1.35
        From where on errors count linearly for "huber", in units of the target's standard deviation.
    quantile : float or sequence of float, default=0.5
        Which quantiles of y "quantile" learns, between 0 and 1. `predict` gives the one nearest 0.5 (of two the lower),
        `predict_quantiles` gives all, and `score` is D2 of what `predict` gives. For a single target.
    target_scaling : {"standard", None}, default="standard"
        Whether the network learns (y - mean) / standard deviation instead of y; predictions are in units of y in any
        case. Not used for "poisson".
    solver, alpha, clip_norm, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state
        See :class:`MLPClassifier`.
    tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
        See :class:`MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, input_scaling, dtype
        See :class:`MLPClassifier`.

    Attributes
    ----------
    y_mean_, y_scale_ : float or ndarray of shape (n_outputs,)
        What the target was standardised with: 0 and 1 without scaling. They are those of the first fit as long as
        partial_fit or a warm start goes on from it. coefs_ and loss_curve_ are in scaled units.
    coefs_, intercepts_, network_, loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_
        See :class:`MLPClassifier`.
    validation_loss_curve_, n_iter_, t_, n_layers_, n_outputs_, n_features_in_, feature_names_in_
        See :class:`MLPClassifier`.
    out_activation_ : str
        "identity", or "exp" for "poisson".

    Raises
    ------
    ValueError
        On bad input, when an option is chosen that does not apply (scikit-learn's own have no effect then), and when
        training diverges; the estimator is then left as it was before the call.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by back-propagating errors. Nature 323.

    Koenker, Bassett (1978). Regression quantiles. Econometrica 46.

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

    _parameter_constraints: ClassVar[dict] = {**MLP._parameter_constraints, **RegressionLoss._loss_constraints}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        depth: int | None = None,
        batch_norm: bool = False,
        layer_norm: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        loss: Literal["squared_error", "absolute_error", "huber", "poisson", "quantile"] = "squared_error",
        delta: float = 1.35,
        quantile: float | Sequence[float] = 0.5,
        target_scaling: Literal["standard"] | None = "standard",
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
        clip_norm: float | None = None,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        input_scaling: Literal["standard"] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        self._keep_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPRegressor:
        """Fit to samples and their values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : MLPRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(MLP._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : MLPRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)
