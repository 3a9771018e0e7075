#!/usr/bin/env bash
# Prints unpicked samples of the starter model as Markdown: seeds 0 to 9, no prompt.
set -euo pipefail
for seed in 0 1 2 3 4 5 6 7 8 9; do
  echo "**Seed $seed.** $(go run ./native generate --engine cpu --seed "$seed" --max-tokens 80 2>/dev/null | tr '\n' ' ' | sed 's/[[:space:]]*$//; s/[*_<>]/\\&/g')"
  echo
done
