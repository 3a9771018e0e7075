"""Trains BD3-LM in PyTorch as its authors do, and prints tokens a second: the doubled input [x_t ; x_0],
SDPA under a boolean mask of 2n x 2n, the head over the noisy half, AdamW, clipping, averaged weights."""
import argparse
import json
import math
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:]) * self.weight


class Block(nn.Module):
    def __init__(self, dim, heads, cond):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = Norm(dim), Norm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.modulation = nn.Linear(cond, 6 * dim)

    def forward(self, x, c, cos, sin, mask):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(c).chunk(6, -1)
        batch, rows, dim = x.shape
        qkv = self.qkv(self.norm1(x) * (1 + scale1) + shift1)
        q, k, v = qkv.view(batch, rows, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        o = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=mask)
        x = x + gate1 * self.out(o.transpose(1, 2).reshape(batch, rows, dim))
        y = self.norm2(x) * (1 + scale2) + shift2
        return x + gate2 * self.down(F.gelu(self.up(y), approximate="tanh"))


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Model(nn.Module):
    def __init__(self, vocab, dim, layers, heads, cond, length, block):
        super().__init__()
        self.length = length
        self.embed = nn.Parameter(torch.empty(vocab, dim).uniform_(-1, 1) / math.sqrt(dim))
        self.sigma = nn.Sequential(nn.Linear(256, cond), nn.SiLU(), nn.Linear(cond, cond), nn.SiLU())
        self.blocks = nn.ModuleList(Block(dim, heads, cond) for _ in range(layers))
        self.norm, self.modulation, self.head = Norm(dim), nn.Linear(cond, 2 * dim), nn.Linear(dim, vocab)
        angles = torch.outer(torch.arange(length), 10000 ** (-torch.arange(0, dim // heads, 2) / (dim // heads)))
        self.register_buffer("cos", angles.cos().repeat(2, 1))
        self.register_buffer("sin", angles.sin().repeat(2, 1))
        level = torch.zeros(1, 256)
        level[:, :128] = 1
        self.register_buffer("level", level)
        i = torch.arange(2 * length)
        clean, at = i >= length, (i % length) // block
        q, k = at[:, None], at[None, :]
        cq, ck = clean[:, None], clean[None, :]
        self.register_buffer("mask", ((q == k) & (cq == ck)) | ((q > k) & ~cq & ck) | ((q >= k) & cq & ck))

    def forward(self, xt, x0):
        c = self.sigma(self.level)
        x = self.embed[torch.cat([xt, x0], 1)]
        for block in self.blocks:
            x = block(x, c, self.cos, self.sin, self.mask)
        shift, scale = self.modulation(c).chunk(2, -1)
        return self.head(self.norm(x[:, : self.length]) * (1 + scale) + shift)


def main():
    p = argparse.ArgumentParser()
    for name in ("vocab", "dim", "layers", "heads", "cond", "length", "block", "batch"):
        p.add_argument("--" + name, type=int, required=True)
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--compile", action="store_true")
    a = p.parse_args()
    torch.manual_seed(1)
    model = Model(a.vocab, a.dim, a.layers, a.heads, a.cond, a.length, a.block)
    average = [w.detach().clone() for w in model.parameters()]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
    forward = torch.compile(model) if a.compile else model

    def step():
        x0 = torch.randint(a.vocab - 1, (a.batch, a.length))
        blocks = a.batch * a.length // a.block
        t = ((torch.rand(blocks) + torch.arange(blocks)) / blocks).clamp(1e-3).view(a.batch, -1).repeat_interleave(a.block, 1)
        masked = torch.rand(a.batch, a.length) <= t
        logits = forward(torch.where(masked, a.vocab - 1, x0), x0)
        logits[..., a.vocab - 1] -= 1e6
        nll = F.cross_entropy(logits.flatten(0, 1), x0.flatten(), reduction="none")
        loss = (nll * (masked / t).flatten()).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        torch._foreach_lerp_(average, [w.detach() for w in model.parameters()], 1e-3)
        return loss.item()

    for _ in range(3):
        step()
    began = time.perf_counter()
    for _ in range(a.steps):
        step()
    seconds = (time.perf_counter() - began) / a.steps
    print(json.dumps({
        "ms_a_step": 1000 * seconds, "tokens_per_second": a.batch * a.length / seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, "version": torch.__version__,
    }))


main()
