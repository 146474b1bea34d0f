"""Gradients of each sample by the parameters of a network, which training adds up.

What a dense layer y = f(x W + b) adds for a sample is an outer product, of the sample's input and of its slope in front
of f, so that a whole batch takes one backward pass. The same two arrays make the Kronecker factors of the Gauss-Newton
matrix or the Fisher information (Martens & Grosse 2015). Where anything else has parameters, or a sample could have
left its row, samples are differentiated one by one.

Products of a vector with derivatives by all parameters are :func:`sknn.autodiff.jvp`, :func:`sknn.autodiff.hvp` and
:func:`sknn.autodiff.ggn` of ``lambda theta: network.at(theta)(x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Operation, Primitive, Tensor, grad
from ..ops import loss
from ..ops.activation import activate
from ..ops.dense import dense
from ..ops.residual import join
from .trainable import Place


def per_sample_gradients(function: Callable[..., Tensor], network: Any, *batch: Any) -> tuple[Array, Array]:
    """What a function gives for each sample, and the gradients of that by all parameters of a network.

    Parameters
    ----------
    function : callable
        Called as ``function(network, *batch)`` with the network watched, as it predicts. It gives one row for each
        sample, that depends on no other: a loss (n,), or outputs (n, ...).
    network : Network or Parts
        By whose parameters it is differentiated.
    *batch : arrays, or other rows
        With a row for each sample. What has none, or stays the same, belongs into the function.

    Returns
    -------
    values : ndarray of shape (n, ...)
        What the function gives.
    gradients : ndarray of shape (n, ..., n_parameters)
        In the order of `theta`, zero for frozen parameters. Of outputs (n, n_outputs) it is the Jacobian.

    Raises
    ------
    TypeError
        If the function gives no Tensor, or a scalar.
    ValueError
        If it gives other than one row for one sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import SquaredError
    >>> from sknn.nn import Dense, Network, per_sample_gradients
    >>> network = Network([Dense(1, init="ones")], (2,), None, dtype="float64")
    >>> x, y = np.array([[2.0, 3.0], [1.0, 2.0]]), np.array([[4.0], [5.0]])
    >>> per_sample_gradients(lambda net, x, y: SquaredError()(net(x), y), network, x, y)
    (array([0.5, 2. ]), array([[ 2.,  3.,  1.],
           [-2., -4., -2.]]))
    """
    values = _applied(function, network, batch)
    gradients = np.zeros((*values.shape, network.n_parameters), network.theta.dtype)
    by_output = gradients.reshape(len(values), -1, network.n_parameters)
    layers = _dense_layers(values, network)
    places = [place for _, place in _trainable(network)]
    if layers is None:
        for i in range(len(values)):
            row = _applied(function, network, [rows[i : i + 1] for rows in batch])
            if row.shape != (1, *values.shape[1:]):
                raise ValueError(
                    f"function must give {(1, *values.shape[1:])} for one sample as it gives {values.shape} for all, "
                    f"got {row.shape}: hand over as batch what has a row for each sample"
                )
            _write_row(row, network.leaves, places, by_output[i])
    else:
        for seed, gradient in zip(_seeds(values), by_output.swapaxes(0, 1), strict=True):
            _write_products(values, seed, layers, places, gradient)
    return values.value, gradients


def per_sample_factors(
    function: Callable[..., Tensor], network: Any, *batch: Any
) -> tuple[Array, dict[str, tuple[Array, Array]]]:
    """The gradients of :func:`per_sample_gradients` by dense layers, as factors: inputs, and slopes before activation.

    The gradient of output k for sample i by the weights of a layer is the sum of the outer products of ``inputs[i]``
    and ``slopes[k, i]`` over all positions of the sample, that by its biases the sum of ``slopes[k, i]``. With H the
    curvature of the loss, the Kronecker factors of a layer's Gauss-Newton matrix are the means of inputs' inputs and of
    slopes' H slopes.

    Parameters
    ----------
    function, network, *batch
        As of :func:`per_sample_gradients`.

    Returns
    -------
    values : ndarray of shape (n, ...)
        What the function gives.
    factors : dict of str to (inputs, slopes)
        By the name of the weights: arrays of shape (n, ..., n_in) and (n_outputs, n, ..., n_out), where n_outputs is
        the number of all outputs of a sample, 1 for a loss.

    Raises
    ------
    TypeError
        If the function gives no Tensor, or a scalar.
    ValueError
        If something else than dense layers, each applied once to samples in rows, has parameters.

    References
    ----------
    Martens, Grosse (2015). Optimizing neural networks with Kronecker-factored approximate curvature. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Network, per_sample_factors
    >>> network = Network([Dense(1, init="ones")], (2,), None, dtype="float64")
    >>> per_sample_factors(lambda net, x: net(x)[:, 0], network, np.array([[2.0, 3.0]]))
    (array([5.]), {'0.weight': (array([[2., 3.]]), array([[[1.]]]))})
    """
    values = _applied(function, network, batch)
    names = [name for name, _ in _trainable(network)]
    layers = _dense_layers(values, network)
    if layers is None or len({layer.weight for layer in layers} - {None}) < len(layers):
        raise ValueError(
            f"network={network!r} has no factors of this function: its parameters must be those of Dense layers, each "
            "applied once to samples in rows; per_sample_gradients differentiates any"
        )
    by_output = [_factors(values, seed, layers) for seed in _seeds(values)]
    factors = {}
    for layer, pairs in zip(layers, zip(*by_output, strict=True), strict=True):
        factors[names[layer.weight]] = (pairs[0][0], np.stack([slopes for _, slopes in pairs]))  # type: ignore[index]
    return values.value, factors


def _applied(function: Callable[..., Tensor], network: Any, batch: Sequence[Any]) -> Tensor:
    """What the function gives for samples, watched."""
    values = function(network.function(watched=True), *batch)
    if not isinstance(values, Tensor) or values.ndim == 0:
        raise TypeError(f"function must give a Tensor with a row for each sample, got {values!r}")
    return values


def _seeds(values: Tensor) -> Iterator[Array]:
    """For each output of a sample, what takes its gradient."""
    n_outputs = prod(values.shape[1:])
    for k in range(n_outputs):
        seed = np.zeros((len(values), n_outputs), values.dtype)
        seed[:, k] = 1.0
        yield seed.reshape(values.shape)


def _trainable(network: Any) -> list[tuple[str, Place]]:
    """The name and the place in theta of each of `network.leaves`."""
    return [(name, network.names[name]) for name in network.trained]


# ------------------------------------------------------------------------------------------------- one by one


def _write_row(row: Tensor, leaves: Sequence[Tensor], places: Sequence[Place], gradients: Array) -> None:
    """The gradients (n_outputs, n_parameters) of a single sample."""
    for seed, gradient in zip(_seeds(row), gradients, strict=True):
        for place, found in zip(places, grad(row, leaves, seed=seed), strict=True):
            gradient[place.start : place.stop] = found.ravel()


# ------------------------------------------------------------------------------------- all at once, by dense layers


class _DenseLayer(NamedTuple):
    """A dense operation on the tape, and which of the leaves its weights and biases are, if any."""

    entry: Tensor
    weight: int | None
    bias: int | None


def _dense_layers(values: Tensor, network: Any) -> list[_DenseLayer] | None:
    """The operations that parameters go into, if all are dense ones and every sample stays in its row from there on."""
    numbers = {leaf.moment: k for k, leaf in enumerate(network.leaves)}
    layers, seen, waiting = [], {values.moment}, [values]
    while waiting:
        entry = waiting.pop()
        inputs = [x for x in entry.inputs if isinstance(x, Tensor)]
        own = [numbers.get(x.moment) if isinstance(x, Tensor) else None for x in entry.inputs]
        rows = [x for x in inputs if x.moment not in numbers]
        if not _keeps_rows(entry, rows, len(values)):
            return None
        if len(rows) < len(inputs):
            if not entry.operation.has_factors or own[0] is not None:  # type: ignore[union-attr]
                return None
            layers.append(_DenseLayer(entry, own[1], own[2] if len(own) > 2 else None))
        for x in rows:
            if x.operation is not None and x.moment not in seen:
                seen.add(x.moment)
                waiting.append(x)
    return layers


def _keeps_rows(entry: Tensor, rows: Sequence[Tensor], n: int) -> bool:
    """Whether each row of a result comes from those rows of samples alone that lie in the same place."""
    if any(x.ndim == 0 or len(x) != n for x in (entry, *rows)):
        return False
    operation = entry.operation
    if isinstance(operation, Primitive) and isinstance(operation.function, np.ufunc):
        return all(x.ndim == entry.ndim for x in rows)
    keeps = KEEPS_ROWS.get(operation)  # type: ignore[arg-type]
    return keeps is not None and np.ndim(entry.inputs[0]) > 1 and keeps(*entry.inputs, **entry.options)


def _always(*inputs: Any, **options: Any) -> bool:
    return True


def _takes_all_rows(x: Any, first: Any, *others: Any) -> bool:
    if first is Ellipsis:
        return len(others) < x.ndim
    return isinstance(first, slice) and first == slice(None)


KEEPS_ROWS: dict[Operation, Callable[..., bool]] = {  # of operations on samples (n, ...), beside elementwise ones
    **dict.fromkeys(
        (dense, activate, join, loss.softmax_cross_entropy, loss.sigmoid_cross_entropy, loss.margin_loss), _always
    ),
    **dict.fromkeys((loss.squared_error, loss.absolute_error, loss.huber_error, loss.quantile_error), _always),
    loss.poisson_deviance: _always,
    F.reshape: _always,  # while there are as many rows
    F.sum: lambda x, axis=None, keepdims=False: axis is not None and 0 not in np.arange(x.ndim)[np.atleast_1d(axis)],
    F.take: lambda x, index: isinstance(index, tuple) and _takes_all_rows(x, *index),
}


def _factors(values: Tensor, seed: Array, layers: Sequence[_DenseLayer]) -> list[tuple[Array, Array]]:
    """Inputs and slopes of each sample, of each layer."""
    arrived = grad(values, [layer.entry for layer in layers], seed=seed)
    return [layer.entry.operation.factors(layer.entry, g) for layer, g in zip(layers, arrived, strict=True)]  # type: ignore[union-attr]


def _write_products(
    values: Tensor, seed: Array, layers: Sequence[_DenseLayer], places: Sequence[Place], gradient: Array
) -> None:
    """The gradients (n, n_parameters) of one output, which begin with zeros."""
    written = set()
    for layer, (inputs, slopes) in zip(layers, _factors(values, seed, layers), strict=True):
        for number, product in ((layer.weight, _outer), (layer.bias, _total)):
            if number is None:
                continue
            part = _part(gradient, places[number])
            if number in written:  # the layer is applied more than once
                part += product(inputs, slopes)
            else:
                product(inputs, slopes, out=part)
                written.add(number)


def _outer(inputs: Array, slopes: Array, out: Array | None = None) -> Array:
    """The outer product of each sample, added up over its positions."""
    if inputs.ndim == 2:  # a product of two views takes up to three times as long
        return np.einsum("ni,no->nio", inputs, slopes, out=out)
    return np.matmul(_positions(inputs).swapaxes(1, 2), _positions(slopes), out=out)


def _total(inputs: Array, slopes: Array, out: Array | None = None) -> Array:
    return _positions(slopes).sum(axis=1, out=out)


def _part(gradient: Array, place: Place) -> Array:
    """The gradients by one parameter, (n, *shape): a view."""
    return gradient[:, place.start : place.stop].reshape(len(gradient), *place.shape)


def _positions(x: Array) -> Array:
    """(n, ..., channels) as (n, positions, channels)."""
    return x.reshape(len(x), -1, x.shape[-1])
