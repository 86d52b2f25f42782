# The verbs of this project. `make demo` to see it, `make test` to trust it.
.PHONY: help setup dev demo test lint golden bench bench-detection bench-inline bench-paint bench-peers reference screenshots lock clean
.DEFAULT_GOAL := help

PY := .venv/bin/python

help:  ## what each verb does
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## .venv/bin/quivive, from locked requirements
	@sh scripts/setup.sh run

dev:
	@sh scripts/setup.sh dev

demo: setup  ## simulate a company, learn, detect, and show one takeover
	@.venv/bin/quivive demo --serve

lint: dev  ## style, types, import contracts
	@.venv/bin/ruff check src tests benchmarks scripts
	@.venv/bin/ruff format --check src tests benchmarks scripts
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache --no-logo

test: lint  ## everything CI runs
	@$(PY) -m pytest -n 2 --ignore=tests/browser
	@$(PY) -m pytest tests/browser

golden: dev  ## rewrite the expected halves of the golden pairs (then read the diff)
	@QUIVIVE_REWRITE_GOLDEN=1 $(PY) -m pytest tests/contract -k golden

reference: dev  ## regenerate docs/reference
	@$(PY) scripts/reference.py

screenshots: dev  ## take the pictures of the docs anew, in Chromium
	@$(PY) scripts/screenshots.py

bench: dev  ## what a login costs, as ratios: renews docs/performance.md
	@$(PY) -m benchmarks

bench-peers:  ## the same logins judged by other detectors, side by side
	@sh scripts/setup.sh bench
	@.venv-bench/bin/python -m benchmarks.peers

bench-inline: dev  ## how long an answer takes in the login's own path
	@$(PY) -m benchmarks.inline

bench-paint: dev  ## how soon the console's pages show something, in Chromium, on the demo
	@$(PY) -m benchmarks.paint

bench-detection: dev  ## incident recall at alert budgets, on simulated organisations
	@$(PY) -m benchmarks.detection

lock:  ## renew requirements/*.txt
	@sh scripts/lock.sh

clean:
	@rm -rf .venv .venv-bench .quivive demo .mypy_cache .ruff_cache .hypothesis
