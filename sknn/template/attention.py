"""What the attention of a fitted network looks at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array


def attention_weights(estimator: Any, X: Any) -> Array | list[Array]:
    """The weights of all layers of attention for X: an array for each sample, or one of all where these are alike."""
    x = estimator._inputs(X)
    found: list[Array] = []

    def collected(nets: Any, batch: Any, draws: Any) -> Any:
        layers: list[list[Array]] = []
        raw = estimator._outputs(nets, batch._replace(given={"attention_weights": layers}), draws)
        found.extend(np.stack(of_sample).astype(x.dtype) for of_sample in zip(*layers, strict=True))
        return raw

    estimator._forward.count_whole(x, estimator._outputs)  # so that no sample is asked for twice
    estimator._forward(x, collected)
    return np.stack(found) if len({each.shape for each in found}) == 1 else found
