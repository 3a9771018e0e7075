#!/usr/bin/env bash
# Compiles the CPU kernels to WebAssembly: cpu/simd/kernels/module/kernels.wasm. With --check it compiles them
# beside and fails if the committed module differs. The bytes depend on the compiler, so it is one
# version of Clang, Debian 12's.
set -euo pipefail
cd "$(dirname "$0")/../cpu/simd/kernels"
version=14
clang=$(command -v "clang-$version" || true)
lld=$(command -v "wasm-ld-$version" || true)
if [ -z "$clang" ] || [ -z "$lld" ]; then
  echo "kernels: missing clang-$version or lld-$version; as root run: apt-get install -y --no-install-recommends clang-$version lld-$version" >&2
  exit 1
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$clang" --target=wasm32 -O3 -msimd128 -nostdlib -ffreestanding -fvisibility=default -Wall -Wno-psabi \
  -fuse-ld="$lld" -Wl,--no-entry -Wl,--export-dynamic -Wl,--import-memory -Wl,--strip-all base.c -o "$out"
if [ "${1:-}" != --check ]; then
  install -m 644 "$out" module/kernels.wasm
elif ! cmp -s "$out" module/kernels.wasm; then
  echo "kernels: kernels.wasm is not what its source compiles to; run scripts/kernels.sh and commit it" >&2
  exit 1
fi
