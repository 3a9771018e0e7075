#!/usr/bin/env bash
# Fetches XLA's CPU plugin for PJRT (Apache-2.0, from a PyPI package) into $1, once.
set -euo pipefail
dst=${1:-.cache/pjrt}
package=lammps-jax-pjrt-cpu==0.11.2
sha256=1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1
[ -f "$dst/pjrt_c_api_cpu_plugin.so" ] && exit 0
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "pjrt: the packaged plugin is for Linux on x86-64; train with --backend go here" >&2
  exit 0
fi
python3 -m pip --version >/dev/null 2>&1 || {
  echo "pjrt: python3 with pip not found; install it with: apt-get install python3-pip" >&2
  exit 1
}
echo "pjrt: fetching $package (63 MB, once)" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --platform manylinux_2_27_x86_64 -d "$work" "$package"
wheel=$(echo "$work"/*.whl)
echo "$sha256  $wheel" | sha256sum --check --quiet
python3 -m zipfile -e "$wheel" "$work/x"
mkdir -p "$dst"
cp "$work"/x/*.dist-info/licenses/LICENSE "$dst/LICENSE.xla"
install -m 0755 "$work/x/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so" "$dst/plugin.new"
mv "$dst/plugin.new" "$dst/pjrt_c_api_cpu_plugin.so"
