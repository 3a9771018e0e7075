#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are missing: a browser, a software GPU, and
# the compiler that kernels.wasm is checked with.
set -euo pipefail
missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || missing+=(mesa-vulkan-drivers)
compgen -G '/usr/lib/*/libvulkan.so.1' >/dev/null || missing+=(libvulkan1)
command -v clang-16 >/dev/null || missing+=(clang-16)
command -v wasm-ld-16 >/dev/null || missing+=(lld-16)
[ ${#missing[@]} -eq 0 ] && exit 0
command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "packages: missing ${missing[*]}; as root run: $command" >&2
  exit 1
fi
echo "packages: installing ${missing[*]}" >&2
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
bash -c "$command" >"$log" 2>&1 || {
  tail -n 30 "$log" >&2
  exit 1
}
