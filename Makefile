# What a person types. `make` alone lists it.
PYTHON ?= python3
PORT ?= 8080
PAGE_PORT ?= 8000
GALLERY ?=
PHOTOS ?=

DEMO := .venv/demo
FULL := .venv/full

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO)/.ready ## try it here: make demo [GALLERY=folder|clothing-dataset] [PORT=8080] [PAGE_PORT=8000]
	@exec $(DEMO)/bin/python scripts/demo.py --port "$(PORT)" --page-port "$(PAGE_PORT)" $(if $(GALLERY),--gallery "$(GALLERY)")

test: $(FULL)/.ready ## run all tests
	$(FULL)/bin/python -m pytest

bench: $(FULL)/.ready ## measure speed and memory: make bench [PHOTOS=folder]
	$(FULL)/bin/python scripts/benchmark.py --json .benchmark_cache/bench.json --plot .benchmark_cache/growth.png \
		$(if $(PHOTOS),--photos "$(PHOTOS)")

lint: $(FULL)/.ready ## check style and types
	$(FULL)/bin/ruff check
	$(FULL)/bin/ruff format --check
	$(FULL)/bin/mypy

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet

lock: ## write the lock files anew from pyproject.toml (needs uv)
	$(LOCK) --output-file functions/requirements.txt
	$(LOCK) --group cloud --group train --group dev --output-file requirements.txt
	$(LOCK) infra/gcp/requirements.in --constraint requirements.txt --output-file infra/gcp/requirements.txt

# The demo's environment has what a deployed function has and nothing else; tests and training need the full one.
$(DEMO)/.ready: functions/requirements.txt
$(FULL)/.ready: requirements.txt

# The locks are complete, so pip has nothing to resolve (--no-deps); modules are compiled when first used (--no-compile).
.venv/%/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo 'This needs Python 3.11, 3.12 or 3.13 as $(PYTHON); choose one, for example: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo "Installing $^ into $(@D) ..."
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile -r $^
	@touch $@
