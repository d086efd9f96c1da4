# ===- peer.py - A training step in PyTorch --------------------------------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Serves bench/step.py and scripts/gpu-check: builds one model in one way, then reads numbers from its
# standard input and answers each with the milliseconds of that many training
# steps, as a JSON list. An empty line ends it; it then says its peak memory.
#
#   peer.py bloom-4x256|gpt2-124m|... eager|compile THREADS [bf16 [cuda BATCH]]
#   peer.py gpt2-124m|llama-125m fsdp|fsdp-kept|fsdp-compile THREADS [bf16]
#   peer.py gcn-cora eager|csr|compile THREADS GRAPH
#
# The models are written as one would to be fast: one QKV GEMM, fused
# attention (also with ALiBi's bias and grouped heads), one GEMM for what is
# gated and its gate, fused AdamW, no dropout.
#
# The modes fsdp... are FSDP2 over gloo, a process a rank, which finds the
# others by PyTorch's variables (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT):
# parameters are sharded again after a block's forward pass, or kept until its
# backward pass, or the former with compiled blocks. The batch is all ranks'.
#
# ===----------------------------------------------------------------------===#

import json
import math
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

# As LLaMA (transformers' LlamaConfig): see Llama.
LLAMAS = {
    # vocabulary, layers, width, heads, kv heads, feed-forward, length, batch
    "llama-125m": (32000, 12, 768, 12, 4, 2048, 256, 4),
}
TRANSFORMERS = {
    # vocabulary, layers, width, heads, length, batch, alibi
    "bloom-4x256": (4096, 4, 256, 8, 256, 8, True),
    "gpt2-124m": (50257, 12, 768, 12, 256, 4, False),
    "gpt2-124m-t1024": (50257, 12, 768, 12, 1024, 16, False),
    "bloom-560m-t1024": (250880, 24, 1024, 16, 1024, 8, True),
}


def slopes(heads):
    """ALiBi's slopes; reference: the BLOOM paper."""
    power = 2 ** math.floor(math.log2(heads))
    base = 2 ** -(2 ** -(math.log2(power) - 3))
    values = [base**i for i in range(1, power + 1)]
    extra = 2 ** -(2 ** -(math.log2(2 * power) - 3))
    return values + [extra ** (2 * i + 1) for i in range(heads - power)]


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x, bias):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1)
        q, k, v = (t.transpose(1, 2) for t in qkv.unbind(2))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=bias is None)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self, vocabulary, layers, width, heads, length, alibi):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = None if alibi else nn.Embedding(1024, width)
        self.norm0 = nn.LayerNorm(width) if alibi else nn.Identity()
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)
        bias = None
        if alibi:
            distance = torch.arange(length)[None, :] - torch.arange(length)[:, None]
            bias = torch.tensor(slopes(heads))[:, None, None] * distance
            bias = bias.masked_fill(distance > 0, -math.inf)[None]
        self.register_buffer("bias", bias)

    def forward(self, tokens, targets):
        x = self.tokens(tokens)
        if self.positions is not None:
            x = x + self.positions.weight[: tokens.shape[1]]
        x = self.norm0(x)
        for block in self.blocks:
            x = block(x, self.bias)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


class LlamaBlock(nn.Module):
    def __init__(self, width, heads, kv_heads, wide):
        super().__init__()
        dim = width // heads
        self.sizes = [heads, kv_heads, kv_heads]
        self.norm1, self.norm2 = nn.RMSNorm(width, 1e-6), nn.RMSNorm(width, 1e-6)
        self.qkv = nn.Linear(width, sum(self.sizes) * dim, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * wide, bias=False)
        self.down = nn.Linear(wide, width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, length, sum(self.sizes), -1).transpose(1, 2)
        q, k, v = qkv.split(self.sizes, dim=1)
        q, k = (rotate(t, cos, sin) for t in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    """Rotary positions on the halves of a head's columns."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(x.dtype)


class Llama(nn.Module):
    def __init__(self, vocabulary, layers, width, heads, kv_heads, wide, length):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(
            LlamaBlock(width, heads, kv_heads, wide) for _ in range(layers)
        )
        self.norm = nn.RMSNorm(width, 1e-6)
        self.head = nn.Linear(width, vocabulary, bias=False)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                nn.init.normal_(parameter, std=0.02)
        dim = width // heads
        angles = torch.outer(torch.arange(length), 10000 ** (-torch.arange(0, dim, 2) / dim))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, targets):
        x = self.tokens(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def optimizer_of(model):
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)


def transformer_of(name):
    """A model with its vocabulary, and its batch and length of samples."""
    if name in LLAMAS:
        *sizes, length, batch = LLAMAS[name]
        return Llama(*sizes, length), sizes[0], batch, length
    *sizes, length, batch, alibi = TRANSFORMERS[name]
    return Transformer(*sizes, length, alibi), sizes[0], batch, length


def shard(model, mode, precision):
    """FSDP2, a block and the rest each a unit; returns the number of ranks."""
    import torch.distributed as dist
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    dist.init_process_group("gloo")
    mesh = dist.init_device_mesh("cpu", (dist.get_world_size(),))
    options = {"mesh": mesh, "reshard_after_forward": mode != "fsdp-kept"}
    if precision == "bf16":
        options["mp_policy"] = MixedPrecisionPolicy(
            param_dtype=torch.bfloat16, reduce_dtype=torch.float32
        )
    for block in model.blocks:
        if mode == "fsdp-compile":
            block.compile()
        fully_shard(block, **options)
    fully_shard(model, **options)
    return dist.get_world_size()


def transformer_step(name, mode, precision="fp32", device="cpu", wanted=None):
    model, vocabulary, batch, length = transformer_of(name)
    batch = int(wanted or batch)
    model = model.to(device)
    autocast = precision == "bf16"
    if mode.startswith("fsdp"):
        batch //= shard(model, mode, precision)
        autocast = False
    optimizer = optimizer_of(model)
    forward = torch.compile(model) if mode == "compile" else model
    tokens = torch.randint(vocabulary, (batch, length + 1), device=device)

    def step():
        with torch.autocast(device, dtype=torch.bfloat16, enabled=autocast):
            loss = forward(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def gcn_step(mode, graph):
    from safetensors.torch import load_file
    from torch_geometric.nn.models import GCN

    data = load_file(graph)
    begins, columns = (data[k].long() for k in ("x.indptr", "x.indices"))
    size = (len(begins) - 1, int(columns.max()) + 1)
    x = torch.sparse_csr_tensor(begins, columns, torch.ones(len(columns)), size).to_dense()
    edges, labels, mask = data["edge_index"].long(), data["y"].long(), data["train_mask"]
    # The normalised adjacency is computed once, as Tessera does.
    model = GCN(x.shape[1], 16, 2, int(labels.max()) + 1, cached=True)
    if mode.endswith("csr"):
        ones = torch.ones(edges.shape[1])
        size = (x.shape[0], x.shape[0])
        edges = torch.sparse_coo_tensor(edges.flip(0), ones, size).to_sparse_csr()
    model(x, edges)  # fills the cache, which torch.compile cannot trace
    optimizer = optimizer_of(model)
    forward = torch.compile(model) if mode.startswith("compile") else model
    rows = mask.nonzero().squeeze(1)
    targets = labels[rows]

    def step():
        loss = F.cross_entropy(forward(x, edges)[rows], targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def serve(step):
    """Answers numbers on standard input, as said above, with times of steps."""
    print("ready", flush=True)
    for line in sys.stdin:
        if not line.strip():
            break
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - begin))
        print(json.dumps(times), flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)


def main():
    name, mode, threads, *rest = sys.argv[1:]
    torch.manual_seed(1)
    if int(threads):
        torch.set_num_threads(int(threads))
    make_step = gcn_step if name == "gcn-cora" else lambda *args: transformer_step(name, *args)
    serve(make_step(mode, *rest))


if __name__ == "__main__":
    main()
