# Every target bootstraps what it needs: a virtual environment in .venv, from pyproject.toml with the versions of constraints.txt.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto
export OMP_NUM_THREADS ?= 2

.PHONY: help migrate undo parity power report status new compare test coverage lint bench clean

help: ## list the targets
	@echo "lossport: take legacy losses to a clean library, provably"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "A first migration: make migrate LOSS=clip     take it back: make undo LOSS=clip"

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or newer, or say make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is $$($(PYTHON) -V); lossport needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 2; }
	@echo "bootstrap: a virtual environment in $(VENV), with the versions of constraints.txt (a minute or two, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,examples]' 2>$(VENV)/install.log \
	  || { cat $(VENV)/install.log >&2; echo "bootstrap: installing failed; the messages of pip stand above" >&2; exit 1; }
	@touch $@
	@echo "bootstrap: ready"

migrate: $(READY) ## LOSS=clip: prove the new loss, switch the call sites, retire the legacy file (LOSS=all: every loss)
	@[ -n "$(LOSS)" ] || { echo "make migrate: which loss? make migrate LOSS=clip (make status lists them)" >&2; exit 2; }
	@$(BIN)/lossport migrate $(LOSS)

undo: $(READY) ## LOSS=clip: take a migration back
	@[ -n "$(LOSS)" ] || { echo "make undo: which loss? make undo LOSS=clip" >&2; exit 2; }
	@$(BIN)/lossport undo $(LOSS)

parity: $(READY) ## compare new losses with legacy ones (LOSS=clip: that one alone)
	@$(BIN)/lossport parity $(LOSS)

power: $(READY) ## plant faults in new losses and count which ones parity catches (LOSS=clip: in that one alone)
	@$(BIN)/lossport power $(LOSS)

new: $(READY) ## LOSS=name: write the skeleton of a new loss, with tests that are red
	@[ -n "$(LOSS)" ] || { echo "make new: what is it called? make new LOSS=siglip2" >&2; exit 2; }
	@$(BIN)/lossport new $(LOSS)

compare: $(READY) ## measure ways to write a loss side by side, into docs/decision.md
	@$(BIN)/lossport compare

report: $(READY) ## write reports/index.html, this week's page and reports/metrics.json
	@$(BIN)/lossport report

status: $(READY) ## where each loss stands, and what is next
	@$(BIN)/lossport status

# What is slow by nature is left to `all`, see tests/conftest.py; `rest` is what `all` adds, but for what is marked `matrix`.
TIER_quick := -m "not slow and not full and not settings"
TIER_default := -m "not full and not settings"
TIER_all :=
TIER_rest := -m "(full or settings) and not matrix"
TIERS := quick default all rest
PYTEST := $(BIN)/python -m pytest -q -rs --durations 10 --numprocesses $(WORKERS) --dist worksteal

test: export OMP_NUM_THREADS = 1
test: export PYTHONDONTWRITEBYTECODE = # what pytest compiles is kept: each run would spend ten seconds on it, in every worker
test: TESTS ?= default
test: $(READY) ## what a change is likely to break, on every core (TESTS=quick: in a minute; TESTS=all: all; TESTS=tests/losses: those)
	@$(PYTEST) $(if $(filter $(TIERS),$(TESTS)),$(TIER_$(TESTS)),$(TESTS))

coverage: $(READY) ## run the tests of the losses, with coverage: the report takes it from coverage.json
	@$(BIN)/python -m pytest -q --cov=losses --cov-branch --cov-report=json --cov-report=term tests/losses

lint: $(READY) ## ruff and the strict type checker
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY) ## speed, side by side in one run, as ratios
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file; done

clean: ## remove the virtual environment, caches and undo records; never sources, goldens, ledger or reports
	@[ ! -e .lossport/journal.json ] || { echo "make clean: a lossport command was cut short here, and .lossport holds what puts it right: run make status first" >&2; exit 2; }
	@rm -rf $(VENV) .lossport .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage coverage.json build dist migration/lossport.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
