#!/bin/sh
# Locks the requirements for every supported Python, with hashes (needs uv: pip install uv).
set -eu
cd "$(dirname "$0")/.."
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}
lock pyproject.toml requirements/build.in -o requirements/run.txt
lock pyproject.toml requirements/build.in --extra dev -o requirements/dev.txt
lock pyproject.toml requirements/build.in --extra bench -o requirements/bench.txt
