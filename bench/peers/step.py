"""Writes one denoising pass of a folded BD3-LM as an ONNX graph with random weights, so that onnxruntime
does the work that our engines do: ids (rows) and the keys and values of a context in, logits out.

    python step.py --out DIR --layers 12 --hidden 768 --heads 12 --vocab 50258 --rows 4 --context 256
"""
import argparse
import json
import math
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """An ONNX graph under construction; every method returns the name of what it adds."""

    def __init__(self, seed):
        self.nodes, self.constants, self.rng = [], [], np.random.default_rng(seed)

    def constant(self, name, value, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weight(self, name, rows, columns):
        return self.constant(name, self.rng.standard_normal((rows, columns), np.float32) / math.sqrt(rows))

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"n{len(self.nodes)}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names


def build(a):
    g, d = Graph(0), a.hidden // a.heads
    angles = np.arange(a.context, a.context + a.rows)[:, None] / 10000.0 ** (np.arange(0, d, 2) / d)[None, :]
    cos, sin = g.constant("cos", np.cos(angles)[None]), g.constant("sin", np.sin(angles)[None])
    split_shape = g.constant("split_shape", [a.rows, a.heads, d], np.int64)
    joined_shape = g.constant("joined_shape", [a.rows, a.hidden], np.int64)
    halves = g.constant("halves", [d // 2, d // 2], np.int64)
    thirds = g.constant("thirds", [a.hidden] * 3, np.int64)
    scale = g.constant("scale", 1 / math.sqrt(d))

    def norm(x, name):
        ones, zeros = g.constant(name + ".scale", np.ones(a.hidden)), g.constant(name + ".shift", np.zeros(a.hidden))
        return g.op("LayerNormalization", x, ones, zeros, axis=-1, epsilon=1e-5)

    def by_head(x):
        return g.op("Transpose", g.op("Reshape", x, split_shape), perm=[1, 0, 2])

    def rotate(x):
        low, high = g.op("Split", x, halves, outputs=2, axis=-1)
        first = g.op("Sub", g.op("Mul", low, cos), g.op("Mul", high, sin))
        return g.op("Concat", first, g.op("Add", g.op("Mul", high, cos), g.op("Mul", low, sin)), axis=-1)

    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, [a.rows])]
    x = g.op("Gather", g.weight("embedding", a.vocab, a.hidden), "ids")
    for i in range(a.layers):
        for name in "kv":
            inputs.append(helper.make_tensor_value_info(f"past_{name}.{i}", TensorProto.FLOAT, [a.heads, a.context, d]))
        qkv = g.op("MatMul", norm(x, f"norm1.{i}"), g.weight(f"qkv.{i}", a.hidden, 3 * a.hidden))
        q, k, v = (by_head(t) for t in g.op("Split", qkv, thirds, outputs=3, axis=-1))
        k = g.op("Concat", f"past_k.{i}", rotate(k), axis=1)
        v = g.op("Concat", f"past_v.{i}", v, axis=1)
        scores = g.op("Mul", g.op("MatMul", rotate(q), g.op("Transpose", k, perm=[0, 2, 1])), scale)
        mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores, axis=-1), v), perm=[1, 0, 2])
        x = g.op("Add", x, g.op("MatMul", g.op("Reshape", mixed, joined_shape), g.weight(f"out.{i}", a.hidden, a.hidden)))
        up = g.op("MatMul", norm(x, f"norm2.{i}"), g.weight(f"up.{i}", a.hidden, 4 * a.hidden))
        up = g.op("Gelu", g.op("Add", up, g.constant(f"up.bias.{i}", np.zeros(4 * a.hidden))), approximate="tanh")
        down = g.op("MatMul", up, g.weight(f"down.{i}", 4 * a.hidden, a.hidden))
        x = g.op("Add", x, g.op("Add", down, g.constant(f"down.bias.{i}", np.zeros(a.hidden))))
    logits = g.op("MatMul", norm(x, "norm"), g.weight("head", a.hidden, a.vocab))
    g.nodes.append(helper.make_node("Add", [logits, g.constant("head.bias", np.zeros(a.vocab))], ["logits"]))
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [a.rows, a.vocab])]
    model = helper.make_model(helper.make_graph(g.nodes, "step", inputs, outputs, g.constants), opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 9
    return model


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--out", required=True)
    for name in ["layers", "hidden", "heads", "vocab", "rows", "context"]:
        p.add_argument("--" + name, type=int, required=True)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    onnx.save(build(a), f"{a.out}/step.onnx", save_as_external_data=True, location="step.onnx.data", all_tensors_to_one_file=True)
    with open(f"{a.out}/step.json", "w") as f:
        json.dump(vars(a), f)
