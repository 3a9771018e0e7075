#!/usr/bin/env bash
# Compiles the CPU kernels to WebAssembly, in cpu/simd/kernels/module: kernels.wasm, and for browsers that have
# relaxed SIMD kernels-relaxed.wasm, whose multiplications and additions are one instruction. With --check it
# compiles them beside and fails if a committed module differs. The bytes depend on the compiler, so it is
# one version of Clang, Debian 12's newest.
set -euo pipefail
cd "$(dirname "$0")/../cpu/simd/kernels"
version=16
clang=$(command -v "clang-$version" || true)
lld=$(command -v "wasm-ld-$version" || true)
if [ -z "$clang" ] || [ -z "$lld" ]; then
  echo "kernels: missing clang-$version or lld-$version; as root run: apt-get install -y --no-install-recommends clang-$version lld-$version" >&2
  exit 1
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for name in kernels kernels-relaxed; do
  relaxed=()
  [ "$name" = kernels ] || relaxed=(-mrelaxed-simd)
  "$clang" --target=wasm32 -O3 -msimd128 "${relaxed[@]}" -nostdlib -ffreestanding -fvisibility=default -Wall -Wno-psabi \
    -fuse-ld="$lld" -Wl,--no-entry -Wl,--export-dynamic -Wl,--import-memory -Wl,--strip-all base.c -o "$out"
  if [ "${1:-}" != --check ]; then
    install -m 644 "$out" "module/$name.wasm"
  elif ! cmp -s "$out" "module/$name.wasm"; then
    echo "kernels: $name.wasm is not what its source compiles to; run scripts/kernels.sh and commit it" >&2
    exit 1
  fi
done
