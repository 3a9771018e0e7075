#!/usr/bin/env bash
# Fetches what `make bench` compares with into the folder given: onnxruntime (a Python environment),
# onnxruntime-web (an npm package) and, where "torch" follows, PyTorch (5 GB). Whichever cannot be fetched
# is left out, and said so.
set -uo pipefail
dir=$1
mkdir -p "$dir"
if [ ! -x "$dir/python/bin/python" ] || ! "$dir/python/bin/python" -c 'import onnx, onnxruntime' 2>/dev/null; then
  echo "peers: installing onnxruntime" >&2
  if ! { python3 -m venv "$dir/python" && "$dir/python/bin/pip" install -q onnx==1.23.2 onnxruntime==1.32.0; } >"$dir/python.log" 2>&1; then
    rm -rf "$dir/python"
    echo "peers: no onnxruntime: it needs python3 with venv, and PyPI (see $dir/python.log)" >&2
  fi
fi
if [ ! -f "$dir/node_modules/onnxruntime-web/package.json" ]; then
  echo "peers: installing onnxruntime-web" >&2
  if ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$dir" onnxruntime-web@1.30.0 >"$dir/npm.log" 2>&1; then
    rm -rf "$dir/node_modules"
    echo "peers: no onnxruntime-web: it needs npm and its registry (see $dir/npm.log)" >&2
  fi
fi
if [ "${2:-}" = torch ] && ! "$dir/torch/bin/python" -c 'import torch' 2>/dev/null; then
  echo "peers: installing PyTorch, 5 GB" >&2
  if ! { python3 -m venv "$dir/torch" && "$dir/torch/bin/pip" install -q torch==2.15.0 numpy; } >"$dir/torch.log" 2>&1; then
    rm -rf "$dir/torch"
    echo "peers: no PyTorch: it needs python3 with venv, and PyPI (see $dir/torch.log)" >&2
  fi
fi
