"""Multi-layer perceptrons: drop-in replacements of scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from ..autodiff.tape import Array
from ..nn import Dense, Layer
from .base import ClassifierTargets
from .targets import check_first_partial_fit
from .training import MultilayerEstimator, RegressionLoss


class MLP(MultilayerEstimator):
    """Dense layers only."""

    def _layers(self, n_outputs: int) -> list[Layer]:
        scheme = self._scheme()
        hidden = [Dense(units, self.activation, **scheme) for units in self._hidden_sizes()]
        return [*self._scaling(), *hidden, Dense(n_outputs, **scheme)]

    @property
    def n_layers_(self) -> int:
        """The number of layers, with the inputs as one."""
        return len(self.coefs_) + 1

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, views of shape (n_in, n_out) into the network's parameters."""
        return self._parameters("weight")

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, views of shape (n_out,) into the network's parameters."""
        return self._parameters("bias")

    def _parameters(self, name: str) -> list[Array]:
        if "network_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return [layer[name] for layer in self.network_.parameters.values() if name in layer]


class MLPClassifier(ClassifierTargets, ClassifierMixin, MLP):
    """Multi-layer perceptron classifier: minimises the log loss, as scikit-learn's of the same name does.

    Two classes have one logistic output, more have one softmax output each, a multilabel target has a logistic
    output for each label. With outputs z, targets y and weights W the objective of a batch of weight n is

    .. math:: \\frac{1}{n} \\sum_i w_i\\, \\ell(z_i, y_i) + \\frac{\\alpha}{2 n} \\sum_l \\lVert W_l \\rVert^2

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; () is logistic regression.
    activation : str, default="relu"
        Of the hidden layers: "identity", "logistic" (or "sigmoid"), "tanh", "relu", "leaky_relu", "elu", "selu",
        "gelu", "silu", "mish", "softplus" or "softmax".
    solver : {"adam", "sgd", "adamw", "rmsprop", "lbfgs"}, default="adam"
        How the weights are found. "lbfgs" uses all samples in each step, computes in float64 and suits small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty; for "adamw" of the decoupled weight decay.
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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases (n_out,) of each layer.
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
        The loss on them, without the penalty.
    n_iter_, t_ : int
        Epochs (iterations of "lbfgs") and samples seen.
    n_layers_, n_outputs_ : int
        Layers, with the inputs as one; outputs.
    out_activation_ : str
        "logistic" or "softmax".
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input, and when training diverges; the estimator is then left as it was before the call.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by back-propagating errors. Nature 323.

    Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks. AISTATS.

    Kingma, Ba (2015). Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980.

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

    _parameter_constraints: ClassVar[dict] = {**MLP._parameter_constraints, **ClassifierTargets._class_constraints}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
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
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or an indicator matrix.
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
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or an indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen; needed in the first call.

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
    activation : str, default="relu"
        Of the hidden layers; see :class:`MLPClassifier`.
    loss : {"squared_error", "absolute_error", "huber", "poisson"}, default="squared_error"
        What is minimised; "poisson" predicts exp of the output, for counts y >= 0. Several outputs are added up in
        the objective and averaged in loss_curve_, as in scikit-learn.
    delta : float, default=1.35
        From where on errors count linearly for "huber", in units of the target's standard deviation.
    target_scaling : {"standard", None}, default="standard"
        Whether the network learns (y - mean) / standard deviation instead of y; predictions are in units of y in any
        case. Not used for "poisson".
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state, tol
        See :class:`MLPClassifier`.
    verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
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
        On bad input, and when training diverges; the estimator is then left as it was before the call.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by back-propagating errors. Nature 323.

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
    """

    _parameter_constraints: ClassVar[dict] = {**MLP._parameter_constraints, **RegressionLoss._loss_constraints}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        loss: Literal["squared_error", "absolute_error", "huber", "poisson"] = "squared_error",
        delta: float = 1.35,
        target_scaling: Literal["standard"] | None = "standard",
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
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
