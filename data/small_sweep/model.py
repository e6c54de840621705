"""A plain decoder-only transformer: pre-norm, learned positions, GELU, no biases, nothing shared.

The embedding and the matrix of the logits are separate, so that a model has two sizes: ``params`` counts everything,
``params_nonembedding`` neither of the two matrices nor the positions. Beside it, for one experiment, a recurrent one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CONTEXT = 256
VOCAB = 1_024


class Block(nn.Module):
    """Attention and a feed-forward layer of four times the width, each behind a norm and added to its input."""

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(d_model, bias=False)
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.attention_out = nn.Linear(d_model, d_model, bias=False)
        self.feed_forward_norm = nn.LayerNorm(d_model, bias=False)
        self.up = nn.Linear(d_model, 4 * d_model, bias=False)
        self.down = nn.Linear(4 * d_model, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        heads = self.qkv(self.attention_norm(x)).view(batch, length, 3, self.n_heads, width // self.n_heads)
        attended = F.scaled_dot_product_attention(*heads.permute(2, 0, 3, 1, 4), is_causal=True)
        x = x + self.attention_out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.feed_forward_norm(x))))


class LogitLoss(torch.autograd.Function):
    """Mean cross-entropy of ``hidden @ matrix.T``, with its gradients computed along with it.

    The same as ``F.cross_entropy`` of the logits, in one pass over them instead of five: with 1,024 tokens in the
    vocabulary and widths of a few dozen, those passes are most of a small model's time.
    """

    @staticmethod
    def forward(ctx, hidden: Tensor, matrix: Tensor, targets: Tensor) -> Tensor:
        logits = hidden @ matrix.t()
        highest = logits.amax(1, keepdim=True)
        chosen = logits.gather(1, targets[:, None])
        share = logits.sub_(highest).exp_()
        total = share.sum(1, keepdim=True)
        loss = (total.log() + highest - chosen).mean()
        gradient = share.div_(total * len(targets))
        gradient.scatter_add_(1, targets[:, None], torch.full_like(chosen, -1 / len(targets)))
        ctx.save_for_backward(gradient @ matrix, gradient.t() @ hidden)
        return loss

    @staticmethod
    def backward(ctx, scale: Tensor) -> tuple[Tensor, Tensor, None]:
        to_hidden, to_matrix = ctx.saved_tensors
        return scale * to_hidden, scale * to_matrix, None


class LanguageModel(nn.Module):
    """The distribution of the next token at every place of a window, from what :meth:`hidden` makes of the tokens."""

    logits: nn.Linear

    def hidden(self, tokens: Tensor) -> Tensor:
        """What the logits are computed from, one row a token."""
        raise NotImplementedError

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch, nats per token."""
        return LogitLoss.apply(self.hidden(tokens), self.logits.weight, targets.flatten())

    def losses(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Loss of each token, in the shape of ``targets``; without gradients."""
        logits = self.logits(self.hidden(tokens))
        return F.cross_entropy(logits, targets.flatten(), reduction="none").view(targets.shape)


class Recurrent(LanguageModel):
    """Gated recurrent units in place of the blocks: one state a layer, carried from token to token."""

    def __init__(self, d_model: int, n_layers: int):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, d_model)
        self.units = nn.GRU(d_model, d_model, n_layers, batch_first=True)
        self.norm = nn.LayerNorm(d_model, bias=False)
        self.logits = nn.Linear(d_model, VOCAB, bias=False)
        nn.init.normal_(self.logits.weight, std=d_model**-0.5)

    def hidden(self, tokens: Tensor) -> Tensor:
        return self.norm(self.units(self.embedding(tokens))[0]).flatten(0, 1)


class Transformer(LanguageModel):
    """Blocks of attention and a feed-forward layer, one after another."""

    def __init__(self, d_model: int, n_layers: int, n_heads: int):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, d_model)
        self.positions = nn.Embedding(CONTEXT, d_model)
        self.blocks = nn.ModuleList(Block(d_model, n_heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model, bias=False)
        self.logits = nn.Linear(d_model, VOCAB, bias=False)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """Unit variance of tokens and through each matrix, small positions, residual branches scaled by their number.

        Logits that start at zero, or embeddings that start small, hold runs of a few hundred steps on the plateau of
        the single token's frequencies.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
        nn.init.normal_(self.embedding.weight)
        nn.init.normal_(self.positions.weight, std=0.02)
        for block in self.blocks:
            for matrix in (block.attention_out, block.down):
                matrix.weight.mul_((2 * len(self.blocks)) ** -0.5)

    def hidden(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x).flatten(0, 1)
