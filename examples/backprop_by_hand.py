"""Backpropagation, once by hand and once by sknn: the same gradients, the same training
=====================================================================================

You learn what backpropagation computes. A network with one hidden layer learns XOR, "the one or the other but not
both": with nothing but the formulas, written out in NumPy, and with sknn's core, which finds the gradient of any
network on its own. Both start from the same weights; their gradients agree to rounding, and so does all that follows.

The notation is that of textbooks since Rumelhart, Hinton and Williams, "Learning representations by back-propagating
errors" (1986): layer l = 1, 2 has weights W[l], biases b[l], inputs z[l] and outputs a[l] = s(z[l]) with the sigmoid
s(z) = 1 / (1 + exp(-z)); its error delta[l] is the slope of a sample's loss along z[l]. Samples are the rows of a
matrix, and * multiplies matrices entry by entry.

::

    python examples/backprop_by_hand.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sknn.losses import SquaredError
from sknn.nn import Dense, Network, value_and_grad
from sknn.ops.loss import average

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])
N_HIDDEN = 4
LEARNING_RATE = 5.0
N_EPOCHS = 2000


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def backprop(W1, W2, b1, b2):
    """The loss at these weights and biases, and its gradient with respect to each, by the formulas."""
    n = len(X)

    # Forward pass: the output of a layer is the input of the next.
    z1 = X @ W1 + b1  #                          z[1] = x W[1] + b[1]
    a1 = sigmoid(z1)  #                          a[1] = s(z[1])
    z2 = a1 @ W2 + b2  #                         z[2] = a[1] W[2] + b[2]
    a2 = sigmoid(z2)  #                          a[2] = s(z[2])
    loss = np.sum((a2 - Y) ** 2) / (2 * n)  #    L = 1/(2n) sum of (a[2] - y)^2 over the n samples

    # Backward pass: the error of a layer gives that of the layer before. The sigmoid's slope is s'(z) = a * (1 - a).
    delta2 = (a2 - Y) * a2 * (1 - a2)  #         delta[2] = (a[2] - y) * s'(z[2])
    delta1 = (delta2 @ W2.T) * a1 * (1 - a1)  #  delta[1] = (delta[2] W[2]^T) * s'(z[1])

    # The slope along a weight: its input times the error at its output, averaged over the samples. A bias has input 1.
    dW2 = a1.T @ delta2 / n  #                   dL/dW[2] = 1/n a[1]^T delta[2]
    db2 = delta2.sum(axis=0) / n  #              dL/db[2] = 1/n sum of delta[2]
    dW1 = X.T @ delta1 / n  #                    dL/dW[1] = 1/n x^T delta[1]
    db1 = delta1.sum(axis=0) / n  #              dL/db[1] = 1/n sum of delta[1]
    return loss, [dW1, dW2, db1, db2]


def objective(network, X, Y):
    """The same loss for sknn: only the forward pass is said, the backward pass follows from it."""
    return average(SquaredError()(network(X), Y))


# The same network in sknn, where the sigmoid is called "logistic".
layers = [Dense(N_HIDDEN, "logistic", init="glorot_normal"), Dense(1, "logistic", init="glorot_normal")]
network = Network(layers, input_shape=(2,), rng=np.random.RandomState(0), dtype="float64")


def by_name(vector):
    """The parts W[1], W[2], b[1], b[2] of sknn's one flat vector of all weights (theta), or of its gradient."""
    return [vector[place.start : place.stop].reshape(place.shape) for place in network.names.values()]


weights = [part.copy() for part in by_name(network.theta)]
_, gradients = backprop(*weights)
_, [sknn_gradient] = value_and_grad(objective, [network], X, Y)
print("The first gradient, by hand and by sknn\n               shape   largest entry  difference")
for name, by_hand, by_sknn in zip(network.names, gradients, by_name(sknn_gradient), strict=True):
    difference = np.abs(by_hand - by_sknn).max()
    print(f"  {name:10}  {by_hand.shape!s:6}  {np.abs(by_hand).max():13.4f}  {difference:10.0e}")

# Gradient descent: each weight takes a step down its slope.
curve, sknn_curve = [], []
for _ in range(N_EPOCHS + 1):
    loss, gradients = backprop(*weights)
    weights = [w - LEARNING_RATE * dw for w, dw in zip(weights, gradients, strict=True)]  # W <- W - eta dL/dW
    curve.append(loss)

    loss, [sknn_gradient] = value_and_grad(objective, [network], X, Y)
    network.theta -= LEARNING_RATE * sknn_gradient
    sknn_curve.append(loss)

print("\nThe loss as training goes on\n   epoch     by hand        sknn")
for epoch in range(0, N_EPOCHS + 1, N_EPOCHS // 8):
    print(f"  {epoch:6d}  {curve[epoch]:.8f}  {sknn_curve[epoch]:.8f}")
np.testing.assert_allclose(sknn_curve, curve, rtol=1e-10)
difference = np.abs(np.subtract(curve, sknn_curve)).max()
print(f"  largest difference in all {N_EPOCHS + 1} epochs: {difference:.0e}")

print("\nWhat the network has learned\n   x1  x2   y   output")
for (x1, x2), y, output in zip(X, Y[:, 0], network(X)[:, 0], strict=True):
    print(f"    {x1:.0f}   {x2:.0f}   {y:.0f}    {output:.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(curve, color="#E69F00", linewidth=5, alpha=0.6, label="by hand")
left.plot(sknn_curve, color="#0072B2", linewidth=1.5, label="sknn")
left.set(yscale="log", xlabel="epoch", ylabel="loss", title="The same training")
left.legend(frameon=False)
hidden = sigmoid(X @ weights[0] + weights[2])
image = right.imshow(np.hstack([X, hidden, network(X)]), cmap="cividis", vmin=0, vmax=1, aspect="auto")
for edge in (1.5, 1.5 + N_HIDDEN):
    right.axvline(edge, color="white", linewidth=4)
right.set_xticks(range(3 + N_HIDDEN), ["$x_1$", "$x_2$", *(f"$a_{k + 1}$" for k in range(N_HIDDEN)), "output"])
right.set_yticks(range(4), [f"XOR is {y:.0f}" for y in Y[:, 0]])
right.set_title("What the hidden layer makes of the inputs")
figure.colorbar(image, ax=right, shrink=0.8)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "backprop_by_hand.png", dpi=150)
print(f"Picture: {folder / 'backprop_by_hand.png'}")
