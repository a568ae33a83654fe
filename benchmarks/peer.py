"""The peer: the same model, loss and optimizer as `models`, as one writes them in PyTorch."""

import os
from collections.abc import Callable
from functools import cache

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

from benchmarks.task import Advance, Recipe, Task

_INIT_SCALE = 0.02
_ROTARY_BASE = 10_000.0
_EPSILON = 1e-6  # of flax's LayerNorm


class Block(nn.Module):
    """Attention and a feed-forward layer, each on the normalized residual stream."""

    def __init__(self, recipe: Recipe, *, fused: bool):
        super().__init__()
        self.fused = fused
        width = recipe.width
        self.heads = recipe.heads
        self.attention_norm = nn.LayerNorm(width, eps=_EPSILON, bias=False)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.feed_forward_norm = nn.LayerNorm(width, eps=_EPSILON, bias=False)
        self.feed_forward_in = nn.Linear(width, 4 * width, bias=False)
        self.feed_forward_out = nn.Linear(4 * width, width, bias=False)

    def forward(self, stream_BxTxD: Tensor, cos_TxC: Tensor, sin_TxC: Tensor) -> Tensor:
        """One block; cosine and sine are those of the rotary positions."""
        batch, time, width = stream_BxTxD.shape
        projected = self.query_key_value(self.attention_norm(stream_BxTxD))
        query, key, value = projected.view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = rotate(query, cos_TxC, sin_TxC), rotate(key, cos_TxC, sin_TxC)
        mixed = attention(query, key, value, fused=self.fused)
        mixed = mixed.transpose(1, 2).reshape(batch, time, width)
        stream_BxTxD = stream_BxTxD + self.attention_out(mixed)
        hidden = functional.gelu(
            self.feed_forward_in(self.feed_forward_norm(stream_BxTxD)), approximate="tanh"
        )
        return stream_BxTxD + self.feed_forward_out(hidden)


class Transformer(nn.Module):
    """The decoder of `factcap.models.transformer.decoder`, its readout tied to the embedding."""

    def __init__(self, recipe: Recipe, time: int, *, fused: bool = True):
        super().__init__()
        self.embedding = nn.Embedding(recipe.vocabulary, recipe.width)
        self.blocks = nn.ModuleList(Block(recipe, fused=fused) for _ in range(recipe.depth))
        self.norm = nn.LayerNorm(recipe.width, eps=_EPSILON, bias=False)
        half = recipe.width // recipe.heads // 2
        # angle(t, c) = t * base^(-c / half)
        angle_TxC = torch.outer(torch.arange(time), _ROTARY_BASE ** (-torch.arange(half) / half))
        self.register_buffer("cos_TxC", angle_TxC.cos(), persistent=False)
        self.register_buffer("sin_TxC", angle_TxC.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                scale = (2 * recipe.depth) ** -0.5 if name.endswith("_out.weight") else 1.0
                nn.init.normal_(parameter, std=_INIT_SCALE * scale)

    def forward(self, tokens_BxT: Tensor, first: int) -> Tensor:
        """Logits of the next token, for the positions from `first` on."""
        stream_BxTxD = self.embedding(tokens_BxT)
        for block in self.blocks:
            stream_BxTxD = block(stream_BxTxD, self.cos_TxC, self.sin_TxC)
        return functional.linear(self.norm(stream_BxTxD[:, first:]), self.embedding.weight)


def rotate(heads_BxHxTxC: Tensor, cos_TxC: Tensor, sin_TxC: Tensor) -> Tensor:
    """Turn each pair of channels by an angle proportional to the position."""
    left, right = heads_BxHxTxC.chunk(2, dim=-1)
    turned = (left * cos_TxC - right * sin_TxC, right * cos_TxC + left * sin_TxC)
    return torch.cat(turned, dim=-1).to(heads_BxHxTxC.dtype)


def attention(query: Tensor, key: Tensor, value: Tensor, *, fused: bool) -> Tensor:
    """Causal attention over heads of shape batch, heads, time, channels.

    The fused kernel pays on a GPU and for long rows. Over a dozen positions plain products are
    faster on CPU, where the compiler joins them with what surrounds them.
    """
    if fused:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    time, channels = query.shape[-2:]
    score = query @ key.transpose(-1, -2) * channels**-0.5
    later = torch.ones(time, time, dtype=torch.bool, device=query.device).triu(1)
    return score.masked_fill(later, -torch.inf).softmax(dim=-1) @ value


def learning_rates(recipe: Recipe) -> list[float]:
    """Learning rate of each step: linear to the peak, constant, linear to a hundredth."""
    step = np.arange(recipe.steps)
    rising = (step + 1) / max(recipe.warmup * recipe.steps, 1)
    falling = (recipe.steps - step) / (recipe.decay * recipe.steps)
    shape = np.minimum(rising, 1) * np.clip(falling, 0.01, 1)
    return (recipe.learning_rate * shape).tolist()


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW in its fused form, one kernel for the whole update."""
    return torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(0.9, recipe.beta2),
        eps=1e-8,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


def value_loss(model: Transformer, tokens_BxT: Tensor, context: int) -> Tensor:
    """Mean negative log-likelihood of the value tokens in nats, each given those before it."""
    logits_BxVxW = model(tokens_BxT[:, :-1], context - 1)
    return functional.cross_entropy(logits_BxVxW.flatten(0, 1), tokens_BxT[:, context:].flatten())


def start(task: Task) -> Advance:
    """Draw the members' parameters; nothing is trained until the result is called.

    The set-up is `eager` or a mode of `torch.compile`; `plain` after it stands for plain
    attention (`eager plain`, say). The members are trained one after another.
    """
    recipe = task.recipe
    mode, plain = task.setup.split()[0], task.setup.endswith(" plain")
    device = torch.device({"cpu": "cpu", "gpu": "cuda"}[task.device])
    # On a GPU the engine it is compared with computes float32 products in TF32 as well.
    torch.set_float32_matmul_precision("highest" if task.device == "cpu" else "high")
    if task.device == "cpu":
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    rows_FxT = torch.tensor(task.facts.tokens, dtype=torch.long, device=device)
    context = int(task.facts.key_length[0])
    loss = drawn_loss if mode == "eager" else _compiled(mode)
    cast = torch.bfloat16 if task.precision == "bfloat16" else None
    rates = learning_rates(recipe)
    members = []
    for seed in task.members:
        torch.manual_seed(seed)
        model = Transformer(recipe, rows_FxT.shape[1] - 1, fused=not plain).to(device)
        generator = torch.Generator(device).manual_seed(seed)
        members.append((model, make_optimizer(model, recipe), generator))
    done = 0

    def advance() -> list[float]:
        nonlocal done
        segment = rates[done : done + task.segment]
        done += task.segment
        nats = torch.empty(len(members), len(segment), device=device)
        for number, (model, optimizer, generator) in enumerate(members):
            index_SxB = torch.randint(
                len(rows_FxT), (len(segment), recipe.batch), generator=generator, device=device
            )
            for step, rate in enumerate(segment):
                if mode == "reduce-overhead":
                    torch.compiler.cudagraph_mark_step_begin()
                step_nats = loss(model, rows_FxT, index_SxB[step], context, cast)
                step_nats.backward()
                apply(optimizer, rate)
                nats[number, step] = step_nats.detach()
        return nats.mean(dim=1).tolist()

    return advance


def apply(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """One update at this learning rate; the gradients are dropped."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def drawn_loss(
    model: Transformer,
    rows_FxT: Tensor,
    index_B: Tensor,
    context: int,
    cast: torch.dtype | None,
) -> Tensor:
    """`value_loss` of the facts of these numbers, with automatic casts to a smaller type."""
    with torch.autocast(rows_FxT.device.type, cast, enabled=cast is not None):
        return value_loss(model, rows_FxT[index_B], context)


@cache
def _compiled(mode: str) -> Callable[..., Tensor]:
    # Kept for the life of the process: the members, and the trainings after the first, share it.
    return torch.compile(drawn_loss, mode=mode, dynamic=False, fullgraph=True)
