# The two commands are `make demo` and `make test`: each does its own set-up on a machine with Python 3.11, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## make .venv with the `dispatch` command

$(VENV)/.installed: requirements.lock pyproject.toml
	@scripts/prepare $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## run the main job on a local Kubernetes and tell the story (KEEP=1 leaves it running)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

test: install ## run every test
	@$(BIN)/python scripts/test.py

quick: install ## run the unit and property tests alone, in about half a minute
	@$(BIN)/python scripts/test.py --quick

lint: install ## formatting, lint, types, and the order of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install ## measure against the floor of the same machine, in one run
	@$(BIN)/python -m benchmarks

lock: install ## renew requirements.lock from pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 \
	  --no-header --no-annotate --upgrade --output-file requirements.lock

clean: ## remove what was made here (the caches of tools stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .demo dist

.PHONY: help install demo test quick lint bench lock clean
