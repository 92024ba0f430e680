# Two commands: `make demo` shows what Gravity does, `make test` checks that it does.
# Everything is installed into .venv from the locked versions in requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
GRAVITY := $(BIN)/gravity --config examples/demo.toml
BOOK := b05
READERS := --reader us-maya --reader jp-keiko

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PIP_PROGRESS := /^ *(Collecting|Obtaining)/ { printf "\r\033[K   %3d  %s", ++n, $$2; fflush() } \
	/^Installing/ { printf "\r\033[K   installing %d packages …\n", n; fflush() }

.PHONY: demo test bench-profiles bench-pool bench-critic bench-runs install weights clean

demo: weights
	@echo "── 1/4  profile → plan → draw or write → deduplicate → criticise → publish"
	@$(GRAVITY) synth --readers sample --run demo
	@echo "── 2/4  export the accepted pairs"
	@$(GRAVITY) pairs export demo
	@echo "── 3/4  a short DPO run"
	@$(GRAVITY) train demo
	@echo "── 4/4  one book, two readers, base against tuned"
	@$(GRAVITY) describe --run demo --book $(BOOK) $(READERS)
	@echo
	@echo "Next:  source .venv/bin/activate"
	@echo "       gravity tui           browse runs, decide on pairs, preview descriptions"
	@echo "       gravity runs show     what became of every requested pair"
	@echo "       gravity review        decide on the doubtful pairs in this terminal"

test: weights
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile --cov --cov-report=term

bench-profiles: weights
	@$(BIN)/python -m benchmarks.profiles

bench-pool: weights
	@$(BIN)/python -m benchmarks.pool

bench-critic: weights
	@$(BIN)/python -m benchmarks.critic --llm 60

bench-runs: install
	@$(BIN)/python -m benchmarks.runs

install: .venv/installed

weights: install
	@$(BIN)/gravity models fetch

.venv/installed: pyproject.toml requirements.lock
	@$(PYTHON) .ci/preflight.py
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "── installing the locked dependencies into .venv (about 2.5 minutes, 2.5 GB)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		--constraint requirements.lock --editable '.[dev]' | awk '$(PIP_PROGRESS)'
	@touch $@

clean:
	rm -rf .venv .gravity build *.egg-info
