# The commands of this project. `make` alone lists them.
PYTHON ?= python3
PORT ?= 8080
PAGE_PORT ?= 8000
HOST ?=
CORS ?=
GALLERY ?=
PHOTOS ?=
ARGS ?=

DEMO := .venv/demo
FULL := .venv/full

# Some environments forbid compiled files. The tests start hundreds of Pythons, and each would compile its imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo check test coverage bench figures lint lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Some shells export HOST. Only `make demo HOST=...` opens the demo to the network.
demo: $(DEMO)/.ready ## try it here: make demo [GALLERY=folder|clothing-dataset] [PORT=8080] [PAGE_PORT=8000] [HOST=127.0.0.1] [CORS=origins]
	@exec $(DEMO)/bin/python scripts/demo.py --port "$(PORT)" --page-port "$(PAGE_PORT)" $(if $(GALLERY),--gallery "$(GALLERY)") \
		$(if $(CORS),--cors "$(CORS)") $(if $(filter command,$(origin HOST)),--host "$(HOST)")

PYTEST := $(FULL)/bin/python -m pytest
# One worker more than cores, since many tests wait for a server or a browser; in the order that tests/conftest.py sets.
PARALLEL = --numprocesses $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))') --no-loadscope-reorder
# Pytest ends with 5 where ARGS leave it nothing to run.
OR_NONE := || [ $$? -eq 5 ]

check: lint ## check style, types and imports, and run the quick tests: make check [ARGS="-k gallery"]
	$(PYTEST) $(PARALLEL) -m "not slow and not alone" $(ARGS) $(OR_NONE)

test: $(FULL)/.ready ## run all tests: make test [ARGS="-k gallery"]
	$(PYTEST) $(PARALLEL) -m "not alone" $(ARGS) $(OR_NONE)
	$(PYTEST) -m alone $(ARGS) $(OR_NONE)

# Their code runs in other processes, or is not measured.
UNMEASURED := bundle demo deployed docs gcp infra page training

coverage: $(FULL)/.ready ## find what no test runs of embeddings and functions, without training; fail below the floor
	$(PYTEST) $(PARALLEL) -m "not alone" $(addprefix --ignore tests/,$(UNMEASURED)) --cov $(ARGS)

BENCH := .benchmark_cache/bench.json

bench: $(FULL)/.ready ## measure speed and memory: make bench [PHOTOS=folder] [ARGS="--only cold_start search"]
	$(FULL)/bin/python scripts/benchmark.py --json $(BENCH) $(if $(PHOTOS),--photos "$(PHOTOS)") $(ARGS)

figures: $(FULL)/.ready ## write what `make bench` found into docs/performance.md
	$(FULL)/bin/python scripts/performance_tables.py $(BENCH)

lint: $(FULL)/.ready ## check style, types and imports
	$(FULL)/bin/ruff check
	$(FULL)/bin/ruff format --check
	$(FULL)/bin/lint-imports --no-logo
	$(FULL)/bin/mypy

# Without --upgrade, uv keeps every version that a lock has already. Only the first lock looks for newer versions; the
# others take theirs from it.
COMPILE := $(FULL)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet --upgrade

lock: $(FULL)/.ready ## upgrade the lock files to the newest versions that pyproject.toml allows
	$(COMPILE) --group cloud --group train --group dev --output-file requirements.txt
	$(COMPILE) --constraint requirements.txt --output-file functions/requirements.txt
	$(COMPILE) infra/gcp/requirements.in --constraint requirements.txt --output-file infra/gcp/requirements.txt

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
