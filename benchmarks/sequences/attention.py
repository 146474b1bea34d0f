"""Networks of attention: an encoder of series, and a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknn.autodiff import primitives as F
from sknn.nn import Embedding, LayerNorm, Network, Positions, TransformerBlock
from sknn.nn.network import differentiate
from sknn.ops.dense import dense
from sknn.ops.loss import average, softmax_cross_entropy
from sknn.optim import Adam

from ..core.rows import Task, Work, beside_pytorch, row
from ..measure import Measurement
from .recurrent import RATE

N_HEADS, N_TOKENS = 4, 65


@dataclass(frozen=True)
class Encoder(Work):
    """A step of training of blocks on series of numbers, towards 0; compared are the loss and a gradient."""

    width: int
    n_steps: int
    batch_size: int = 64
    depth: int = 2

    def data(self) -> np.ndarray:
        shape = (self.batch_size, self.n_steps, self.width)
        return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def network(self) -> Network:
        blocks = [TransformerBlock(N_HEADS, feedforward=2) for _ in range(self.depth)]
        return Network(blocks, (None, self.width), np.random.default_rng(1))

    def loss(self, net: Any, x: np.ndarray) -> Any:
        return F.mean(F.square(net(x)))

    def sknn(self) -> Task:
        network, x = self.network(), self.data()
        function, descent = network.function(watched=True, training=True), Adam().start(network.theta, network.groups)
        place = next(place for name, place in network.names.items() if name.endswith("qkv.weight"))

        def step() -> Sequence[Any]:
            value, _ = differentiate(self.loss(function, x), [network])
            gradient = network.grad[place.start : place.stop].reshape(place.shape)
            descent.step(network.theta, network.grad, RATE)
            return [value, gradient.copy()]

        return step

    def pytorch(self, torch: Any) -> Task:
        from . import pytorch

        return pytorch.steps(pytorch.encoder(self.network(), N_HEADS), torch.from_numpy(self.data()), RATE)


@dataclass(frozen=True)
class LanguageModel(Encoder):
    """Causal blocks without biases on tokens, behind learned positions; the output shares the embedding's weights."""

    def data(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, N_TOKENS, (self.batch_size, self.n_steps))

    def network(self) -> Network:
        blocks = [TransformerBlock(N_HEADS, causal=True, use_bias=False) for _ in range(self.depth)]
        before = [Embedding(N_TOKENS, self.width, gain=0.02), Positions("learned")]  # as GPT-2 begins
        return Network([*before, *blocks, LayerNorm()], (self.n_steps,), np.random.default_rng(1))

    def loss(self, net: Any, x: np.ndarray) -> Any:
        rows = F.reshape(net(x), (-1, self.width))
        logits = dense(rows, F.transpose(net.parameters["0"]["weight"]))
        return average(softmax_cross_entropy(logits, x.ravel()))

    def pytorch(self, torch: Any) -> Task:
        from . import pytorch

        return pytorch.steps(pytorch.language_model(self.network(), N_HEADS), torch.from_numpy(self.data()), RATE)


def trained(name: str, work: Encoder, limit: float) -> Measurement:
    return replace(row(name, work, beside_pytorch(limit)), suite="sequences")


MEASUREMENTS = [
    *(
        trained(f"encoder {width}, T {n_steps}", Encoder(width, n_steps), limit)
        for width, limit in ((64, 0.9), (128, 1.0))
        for n_steps in (64, 128, 256)
    ),
    trained("language model 128, T 64", LanguageModel(128, 64, 12, 4), 1.0),
]
