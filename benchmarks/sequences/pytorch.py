"""The networks of attention in PyTorch, with the weights of those in sknn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from sknn.nn import Network


class Block(nn.Module):
    """Pre-norm attention, then a GELU network at each step."""

    def __init__(self, width: int, ratio: int, n_heads: int, causal: bool, bias: bool) -> None:
        super().__init__()
        self.n_heads, self.causal = n_heads, causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width, bias=bias)
        self.up, self.down = nn.Linear(width, ratio * width, bias=bias), nn.Linear(ratio * width, width, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, steps, 3, self.n_heads, width // self.n_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, steps, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Tokens(nn.Module):
    """Blocks between an embedding with positions and an output that shares its weights."""

    def __init__(self, embedding: torch.Tensor, positions: torch.Tensor, blocks: list[Block]) -> None:
        super().__init__()
        self.embedding, self.positions = nn.Parameter(embedding), nn.Parameter(positions)
        self.blocks, self.norm = nn.Sequential(*blocks), nn.LayerNorm(embedding.shape[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = F.embedding(x, self.embedding) + self.positions[: x.shape[1]]
        return self.norm(self.blocks(inside)) @ self.embedding.T


def encoder(network: Network, n_heads: int) -> nn.Module:
    return nn.Sequential(*(block(each, n_heads, causal=False) for each in in_order(network)))


def language_model(network: Network, n_heads: int) -> nn.Module:
    embedding, positions, *blocks, _ = in_order(network)
    within = [block(each, n_heads, causal=True) for each in blocks]
    return Tokens(torch.tensor(embedding["weight"]), torch.tensor(positions["weight"]), within)


def in_order(network: Network) -> list[dict[str, Any]]:
    """The parameters of each layer, if it has any."""
    return [network.parameters.get(str(position), {}) for position in range(len(network.layers))]


def block(parameters: dict[str, Any], n_heads: int, causal: bool) -> Block:
    """One with the dense layers of a TransformerBlock; norms begin alike anyway."""
    own = {**parameters["0"]["1"], **parameters["1"]["1"]}
    width, units = own["up"]["weight"].shape
    made = Block(width, units // width, n_heads, causal, "bias" in own["up"])
    for name, layer in own.items():
        linear = getattr(made, name)
        linear.load_state_dict({key: torch.tensor(each.T) for key, each in layer.items()})
    return made


def steps(module: nn.Module, x: torch.Tensor, rate: float) -> Callable[[], list[Any]]:
    """Each call is a step of Adam on the cross entropy with the tokens, or the mean square of what comes out."""
    optimizer = torch.optim.Adam(module.parameters(), rate, fused=True)
    first = next(each for each in module.modules() if isinstance(each, Block))

    def step() -> list[Any]:
        optimizer.zero_grad(set_to_none=True)
        y = module(x)
        loss = y.square().mean() if x.is_floating_point() else F.cross_entropy(y.flatten(0, 1), x.flatten())
        loss.backward()
        optimizer.step()
        return [loss.item(), first.qkv.weight.grad.T]

    return step


class Recurrent(nn.Module):
    """A GRU on an embedding; called with tokens and a state, it gives what it makes of them and the state after."""

    def __init__(self, n_tokens: int, units: int, width: int = 64) -> None:
        super().__init__()
        self.embedding, self.layer = nn.Embedding(n_tokens, width), nn.GRU(width, units, batch_first=True)
        self.output = nn.Linear(units, n_tokens)

    def forward(self, x: torch.Tensor, state: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        states, last = self.layer(self.embedding(x), state)
        return self.output(states[:, -1]), last


def generation(
    architecture: str, units: int, n_tokens: int, length: int, depth: int = 1, n_heads: int = 4, context: int = 64
) -> Callable[[], None]:
    """Draws so many tokens, one after the other, on one thread."""
    if architecture == "gru":
        network = Recurrent(n_tokens, units)
    else:
        blocks = [Block(units, 4, n_heads, causal=True, bias=False) for _ in range(depth)]
        network = Tokens(torch.randn(n_tokens, units), torch.randn(context, units), blocks)
    network.eval()

    def draw() -> None:
        torch.set_num_threads(1)
        state, tokens = None, [0]
        with torch.no_grad():
            for _ in range(length):
                if architecture == "gru":
                    logits, state = network(torch.tensor([tokens[-1:]]), state)
                else:
                    logits = network(torch.tensor([tokens[-context:]]))[:, -1]
                tokens.append(int(torch.multinomial(logits.softmax(1), 1)))

    return draw
