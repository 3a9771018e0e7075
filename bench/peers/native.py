"""Times DIR/step.onnx with onnxruntime's CPU provider: python native.py DIR THREADS. Prints {"ms": [...]}."""
import json
import sys
import time

import numpy as np
import onnxruntime

folder, threads = sys.argv[1], int(sys.argv[2])
with open(f"{folder}/step.json") as f:
    shape = json.load(f)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(f"{folder}/step.onnx", options, providers=["CPUExecutionProvider"])
inputs = {"ids": np.full(shape["rows"], 7, np.int64)}
past = np.full((shape["heads"], shape["context"], shape["hidden"] // shape["heads"]), 0.01, np.float32)
for i in range(shape["layers"]):
    inputs[f"past_k.{i}"] = inputs[f"past_v.{i}"] = past
session.run(None, inputs)
ms, end = [], time.perf_counter() + 1.5
while time.perf_counter() < end or len(ms) < 3:
    began = time.perf_counter()
    session.run(None, inputs)
    ms.append(1000 * (time.perf_counter() - began))
print(json.dumps({"ms": ms}))
