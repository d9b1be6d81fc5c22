# `make run` and `make test` set up everything they need in .venv, from the lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCE ?= data/raw
OUT    ?= data/processed
DATE   ?= 2025-11-26

export OMP_NUM_THREADS := 1

.PHONY: run test check lint types benchmark-ner setup lock docs clean

run: $(VENV)/.ready ## set up and run the nightly job on data/raw
	$(BIN)/exonym run $(SOURCE) --out $(OUT) --date $(DATE)

test: $(VENV)/.ready ## set up and run the tests
	$(BIN)/python -m pytest

check: lint types test ## everything CI checks

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

docs: $(VENV)/.ready ## generate docs/tables.md from pipeline/schemas.py
	$(BIN)/python -m pipeline.tables_page > docs/tables.md

benchmark-ner: $(VENV)/.ready ## measure every shipped model on the corpora's test parts
	$(BIN)/python benchmarks/engines.py | tee benchmarks/results/engines.txt

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

lock: ## resolve pyproject.toml anew and write requirements.lock
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/pip install --quiet torch==2.13.0
	build/lock/bin/pip install --quiet '.[test]' 'setuptools>=77'
	build/lock/bin/pip freeze --all --exclude exonym --exclude pip | sed 's/+cpu$$//' > requirements.lock

clean:
	rm -rf build $(VENV)
