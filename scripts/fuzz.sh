#!/usr/bin/env bash
# Runs every fuzz target for $1.
set -euo pipefail
time=${1:-30s}
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func (Fuzz\w+)' "$dir"/*_test.go | awk '{print $2}' | while read -r target; do
    echo "fuzz: $dir $target" >&2
    # shellcheck disable=SC2086
    go test ${TAGS:-} "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" </dev/null
  done
done
