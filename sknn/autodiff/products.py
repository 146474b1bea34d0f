"""Products of derivatives with a vector, without the matrix: Jacobian, Hessian, and the Gauss-Newton matrix between.

Each costs a few evaluations of the function, however long the vector is. Of a network as a function of its parameters
they are taken through ``network.at``: ``f = lambda theta: network.at(theta)(x)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .jet import jet
from .tape import Array, Tensor, Value, grad


def jvp(f: Callable[[Value], Value], x: Value, v: Value) -> tuple[Value, Value]:
    """The value of f and its derivative along v, the product of the Jacobian J of f at x with v.

    Parameters
    ----------
    f : callable
        A function of one argument made of operations.
    x, v : array of one shape
        Where, and along what.

    Returns
    -------
    y, J v : arrays of the shape of f(x)

    Raises
    ------
    ValueError
        If `v` is not of the shape of `x`.

    See Also
    --------
    jet : Derivatives along v of higher order.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import jvp
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(1, init="ones")], (2,), None, dtype="float64")
    >>> x = np.array([[2.0, 3.0]])
    >>> jvp(lambda theta: network.at(theta)(x), network.theta, np.array([1.0, 0.0, 10.0]))
    (array([[5.]]), array([[12.]]))
    """
    y, slope = jet(f, x, v, order=1)
    return y, slope


def hvp(f: Callable[[Value], Value], x: Array, v: Array) -> Array:
    """The product of the Hessian H of a scalar f at x with v: the gradient of the derivative of f along v.

    Parameters
    ----------
    f : callable
        A function of one argument made of operations, that gives a scalar.
    x, v : array of one shape
        Where, and the vector.

    Returns
    -------
    H v : array of the shape of x

    Raises
    ------
    ValueError
        If f gives no scalar, or `v` is not of the shape of `x`.

    References
    ----------
    Pearlmutter (1994). Fast exact multiplication by the Hessian. Neural Computation 6(1), 147-160.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import hvp
    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    point = Tensor(x)
    slope = jvp(f, point, v)[1]
    return grad(slope, point) if isinstance(slope, Tensor) else np.zeros_like(x)


def ggn(f: Callable[[Value], Value], loss: Callable[[Value], Value], x: Array, v: Array) -> Array:
    """The product of the generalised Gauss-Newton matrix of loss(f(x)) with v, J' H J v.

    J is the Jacobian of f at x and H the Hessian of the loss at f(x): of the Hessian of loss(f(x)), what does not
    come from the curvature of f. It is positive semidefinite if the loss is convex, and the Fisher information if the
    loss is the negative logarithm of a density of the exponential family with f(x) as its natural parameters.

    Parameters
    ----------
    f : callable
        A function of one argument made of operations: outputs of parameters.
    loss : callable
        A scalar of these outputs, made of operations.
    x, v : array of one shape
        Where, and the vector.

    Returns
    -------
    J' H J v : array of the shape of x

    Raises
    ------
    ValueError
        If the loss gives no scalar, or `v` is not of the shape of `x`.

    References
    ----------
    Schraudolph (2002). Fast curvature matrix-vector products for second-order gradient descent. Neural Computation
    14(7), 1723-1738.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.autodiff import ggn
    >>> from sknn.losses import SquaredError
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(1, init="ones")], (2,), None, dtype="float64")
    >>> x, y, v = np.array([[2.0, 3.0]]), np.array([[1.0]]), np.array([1.0, 0.0, 10.0])
    >>> ggn(lambda theta: network.at(theta)(x), lambda raw: SquaredError()(raw, y).sum(), network.theta, v)
    array([24., 36., 12.])
    """
    y, slope = jvp(f, x, v)
    point = Tensor(x)
    outputs = f(point)
    return grad(outputs, point, seed=hvp(loss, y, slope))
