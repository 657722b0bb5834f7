# Every target makes its own environment in .venv on first use; PYTHON chooses the interpreter (3.11 to 3.13).
PYTHON ?= python3
PORT ?= 3000
SCALE ?= 1
WORKERS ?= logical
ONLY ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

# The demo and the tests are worlds of their own, whatever this shell is set up for.
APART := env -u BILLCOM_DATABASE_URL -u BILLCOM_DAGSTER_DATABASE_URL -u BILLCOM_SECRET_KEY -u DAGSTER_HOME
# Tests make thousands of small databases and would wait for the disk: in memory, where 4 GB of it are free.
IN_MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "TMPDIR=/dev/shm" }')
DEMO := $(APART) DAGSTER_HOME="$(CURDIR)/.billcom"

# By environment, because that pins the build backend too: the first name for pip up to 25.2, both for later ones.
PINNED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo dev test lint format bench screenshots readme clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## mirror a simulated BILL organization into .billcom/billcom.db, end to end
	@$(DEMO) $(BIN)/billcom demo

dev: $(INSTALLED) ## open the Dagster UI on the demo's data, its simulated BILL running (PORT=3000)
	@exec $(DEMO) $(BIN)/billcom demo --ui --port $(PORT)

test: lint ## check style, types, definitions and behaviour (SQLite and PostgreSQL)
	@$(APART) $(BIN)/dagster definitions validate --workspace workspace.yaml
	@$(BIN)/python -m billcom_assets_tests.peers
	@$(APART) $(IN_MEMORY) $(BIN)/pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist loadfile \
		--durations 15 --durations-min 3

lint: $(INSTALLED) ## check style and types alone
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(INSTALLED) ## put imports and layout in order
	@$(BIN)/ruff check --select I --fix
	@$(BIN)/ruff format

bench: $(INSTALLED) ## measure speed and memory beside dlt on PostgreSQL (SCALE=0.1 for a quick look; ONLY=scale for 200,000 bills)
	@$(BIN)/python -m billcom_assets_tests.bench --scale $(SCALE) $(if $(ONLY),--only $(ONLY))

screenshots: $(INSTALLED) ## take the README's screenshots again, in headless Chromium
	@$(APART) $(BIN)/python -m billcom_assets_tests.screenshots

readme: $(INSTALLED) ## write the README's outputs again, from its commands
	@$(APART) $(BIN)/python -m billcom_assets_tests.readme

clean: ## remove the environments and the demo's data
	@rm -rf .venv .venv-peers .billcom

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "billcom-assets needs Python 3.11, 3.12 or 3.13; choose one with: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into .venv (once; a minute or two) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(PINNED) $(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@
