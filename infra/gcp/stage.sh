#!/usr/bin/env bash
# Copies the sources for Google Cloud to DIR/search and DIR/reindex, each with main.py and requirements.txt at its root.
# The repository itself cannot be uploaded: the buildpack would install its requirements.txt, tensorflow included.
set -euo pipefail

if (($# != 1)); then
  echo "usage: stage.sh DIR" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

for target in search reindex; do
  staged=$1/$target
  if [[ -e $staged ]]; then
    echo "stage.sh: $staged exists already; give an empty folder" >&2
    exit 2
  fi
  mkdir -p "$staged"
  cp "$here/main.py" "$staged/"
  tar -C "$root" --exclude=__pycache__ --exclude='.*_cache' --exclude=embeddings/training \
    --exclude=functions/requirements.txt -cf - functions embeddings | tar -C "$staged" -xf -
done
cp "$root/functions/requirements.txt" "$1/search/"
# The same packages and google-cloud-storage, which lists and writes.
cp "$here/requirements.txt" "$1/reindex/"
