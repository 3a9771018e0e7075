#!/usr/bin/env bash
# Builds libtokenizers.a (Hugging Face tokenizers behind a C interface) from the Go module's own Rust
# sources into $1, once. The module's Cargo.toml names a git fork that no registry carries and a
# benchmark that its archive lacks; both are replaced here.
set -euo pipefail
dst=${1:-.cache/tokenizers}
version=$(go list -m -f '{{.Version}}' github.com/daulet/tokenizers)
[ "$(cat "$dst/version" 2>/dev/null)" = "$version" ] && [ -f "$dst/libtokenizers.a" ] && exit 0
command -v cargo >/dev/null || {
  echo "libtokenizers: cargo not found; install Rust from https://rustup.rs, or with: apt-get install cargo" >&2
  exit 1
}
go mod download github.com/daulet/tokenizers
src=$(go list -m -f '{{.Dir}}' github.com/daulet/tokenizers)
echo "libtokenizers: building $version with cargo (2-4 minutes, once)" >&2
mkdir -p "$dst"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$src/src" "$work/"
chmod -R u+w "$work"
awk '/^\[/ {skip = /^\[\[bench\]\]/} skip {next} /^tiktoken-rs/ {print "tiktoken-rs = \"0.9\""; next} {print}' \
  "$src/Cargo.toml" >"$work/Cargo.toml"
(cd "$work" && CARGO_TARGET_DIR="$work/target" cargo build --release --lib >"$work/log" 2>&1) || {
  tail -n 30 "$work/log" >&2
  exit 1
}
cp "$work/target/release/libtokenizers.a" "$dst/libtokenizers.a.new"
mv "$dst/libtokenizers.a.new" "$dst/libtokenizers.a"
echo "$version" >"$dst/version"
