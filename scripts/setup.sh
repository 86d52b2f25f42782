#!/bin/sh
# Makes .venv from the locked requirements. $1 is "run" (users), "dev" (contributors, CI), or
# "bench": .venv-bench, apart from the others, with the detectors that Quivive is measured beside.
# Works on a bare Debian: installs python3-venv when the interpreter cannot make environments.
set -eu
export DEBIAN_FRONTEND=noninteractive
kind="${1:-run}"
cd "$(dirname "$0")/.."

python=""
for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
        python="$candidate"
        break
    fi
done
if [ -z "$python" ]; then
    echo "quivive needs Python 3.11, 3.12 or 3.13: install one, or name it with PYTHON=/path/to/python make setup" >&2
    exit 2
fi

venv=.venv
[ "$kind" = bench ] && venv=.venv-bench
stamp="$venv/.installed-$kind"
[ "$kind" = run ] && [ -e .venv/.installed-dev ] && stamp=".venv/.installed-dev"
if [ -e "$stamp" ] && [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt "requirements/$kind.txt" ]; then
    exit 0
fi

if [ ! -x "$venv/bin/python" ]; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && apt-get install -y -qq --no-install-recommends "python$version-venv" >/dev/null
        else
            echo "this Python cannot make virtual environments: install the package python$version-venv, then run make setup again" >&2
            exit 2
        fi
    fi
    "$python" -m venv "$venv"
fi
# LightGBM (development and the extra "trees") needs OpenMP's runtime; without it its tests are skipped.
if [ "$kind" = dev ] && command -v ldconfig >/dev/null && ! ldconfig -p | grep -q 'libgomp\.so\.1'; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        (apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1) >/dev/null ||
            echo "libgomp1 could not be installed: tests of boosted trees will be skipped" >&2
    else
        echo "libgomp.so.1 is missing: tests of boosted trees will be skipped (package libgomp1)" >&2
    fi
fi
# The store is tested on PostgreSQL, too; where it cannot be had, those tests are skipped.
if [ "$kind" = dev ]; then
    sh scripts/postgres.sh install || echo "tests on PostgreSQL will be skipped" >&2
fi
# The console is tested in a real browser.
if [ "$kind" = dev ] && ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core) >/dev/null ||
            echo "chromium could not be installed: tests of the console in a browser will be skipped" >&2
    else
        echo "chromium is missing: tests of the console in a browser will be skipped (package chromium)" >&2
    fi
fi
# The edge checks are tested with the real nginx.
if [ "$kind" = dev ] && ! PATH="$PATH:/usr/sbin" command -v nginx >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        (apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light) >/dev/null ||
            echo "nginx-light could not be installed: tests with the real nginx will be skipped" >&2
    else
        echo "nginx is missing: tests with the real one will be skipped (package nginx-light)" >&2
    fi
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$kind.txt"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch "$venv/.installed-$kind"
echo "ready: $venv/bin/quivive"
