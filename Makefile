# Every target does its own set-up in .venv; all it takes is Python 3.11 or newer, and make.
# `make PYTHON=/path/to/python3.12 ...` says which Python; by default the first that is new enough.

.DEFAULT_GOAL := help

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for p in python3 python python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo "$$p" && break; done
PYTHON ?= $(shell $(FIND_PYTHON))

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# A test starts many processes: none is to compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready

.PHONY: help install demo test lint bench attack faults judgement conformance bundle docs clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(READY) ## install rulezero into .venv
	@echo "install: $(BIN)/rulezero is ready"

demo: $(READY) ## the whole flow on a throw-away project, with SQLite
	@$(BIN)/rulezero demo

test: $(DEV_READY) ## run every test; policies/ must be covered to the last branch
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report= --durations=12 $(ARGS)
	@$(BIN)/coverage report --include='policies/*' --show-missing --skip-covered --fail-under=100

lint: $(DEV_READY) ## format, style, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

bench: $(DEV_READY) ## measure; writes bench/results.json
	@missed=0; for one in start warm judgement rehearsal; do \
		$(BIN)/python bench/$$one.py || missed=1; done; exit $$missed

attack: $(DEV_READY) ## play every attack, a hostile model for 100,000 steps; writes the table
	@$(BIN)/python tests/redteam/attack.py $(ARGS)

judgement: $(DEV_READY) ## hold the review against what databases really do, case by case
	@$(BIN)/python tests/judgement -n auto

docs: $(DEV_READY) ## write the rules' pages into docs/rules
	@$(BIN)/python -m rulezero_server.cli.rulebook docs/rules

faults: $(DEV_READY) ## break a run at every point, on three databases; writes the table
	@$(BIN)/python tests/faults -n auto --dist worksteal $(ARGS)

conformance bundle: ## not built yet
	@echo "$@: this is not built yet." >&2; exit 1

clean: ## remove .venv and what the tools left
	rm -rf $(VENV) build dist .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then \
		echo "rulezero needs Python 3.11 or newer; $(or $(PYTHON),no python that was found) is none." >&2; \
		echo "Install one, or say where it is: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@echo "setting up $(VENV) ..." >&2
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(READY): pyproject.toml | $(BIN)/python
	@echo "installing rulezero ..." >&2
	@$(PIP) install --editable .
	@touch $@

$(DEV_READY): pyproject.toml | $(BIN)/python
	@echo "installing rulezero and what its tests need ..." >&2
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable . --group dev
	@touch $(READY) $@
