#!/usr/bin/env bash
# The starter model: 3.4 M parameters of English, block size 4. Run it again to go on after a stop.
#
# Napkin maths: 7.7 M tokens of text, 2048 a step, 10,000 steps = 20 M tokens, 2.7 times through. The
# doubled pass costs 6 · (2 · 4 · 12 · 192² + 192 · 4096) = 26 MFLOP a token in the dense layers, about
# 31 with attention: 63 GFLOP a step, 0.65 s on two cores with XLA, less than two hours in all.
# Weights: 2 · 4096 · 192 + 4 · 12 · 192² = 3.3 M, 6.7 MB as f16; the budget of a page is 12 MB.
#
# Why so: blocks of 4 have the best likelihood of those that unmask in parallel, and their bound is
# exact with 15 passes. Masking by count has the same expectation as the paper's with less variance,
# which counts at batches this small. The rate is constant and the weights averaged over about 1,000
# steps, so training may end, or go on, anywhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
corpus=.cache/corpus
run=${RUN:-runs/starter}
steps=${STEPS:-10000}
mkdir -p bin "$run"
go build -o bin/ ./train ./tools/convert
[ -f "$run/tokenizer.json" ] || bin/train tokenizer --data "$corpus" --vocab 4095 --out "$run/tokenizer.json"
options=(
  --data "$corpus" --tokenizer "$run/tokenizer.json" --out "$run" --provenance train/recipes/starter.json
  --hidden 192 --heads 6 --layers 4 --cond 32 --length 256 --block 4
  --masking count --batch 8 --steps "$steps" --warmup 200 --lr 1.5e-3 --ema 0.999 --dropout 0
  --valid-every 1000 --valid-sequences 32 --save-every 250
)
bin/train "${options[@]}"
last=$(ls -d "$run"/step-* | tail -n 1)
bin/train eval --in "$last" --data "$corpus" --record
bin/convert --in "$last" --out models/starter --quant f16 --temperature 0.8 --force
