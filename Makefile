# Tarla's tasks. `make demo` and `make test` need Python 3.11 and make, nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
BENCH_READY := $(VENV)/.bench-ready
FUZZ_READY := $(VENV)/.fuzz-ready

# An environment whose Python is gone, or that belongs to another folder (a moved or copied
# checkout), would run the wrong code or none: it is made anew.
ifneq ($(shell $(BIN)/python -c 'print("ok")' 2>/dev/null) $(shell cat $(VENV)/.folder 2>/dev/null),ok $(CURDIR))
$(shell rm -rf $(VENV))
endif

ORACLES := $(wildcard tests/oracle/*.R)

.PHONY: help r-oracle demo test chaos fuzz fuzz-coverage check bench audit-figures run model pictures synthesis-check model-figures slack lock clean centre evidence-study card example cohort-columns

help:
	@echo "make demo    the main job: one case through the real bot, no Slack account needed"
	@echo "make test    all tests (end-to-end ones need Chromium and Node: see CONTRIBUTING.md)"
	@echo "make chaos   the fault tests with their full counts (half an hour or more); make test has them in short"
	@echo "make fuzz    the grammar and the doors on 200,000 generated inputs (twenty minutes)"
	@echo "make fuzz-coverage  the grammar under a coverage-guided fuzzer (ten minutes, or SECONDS=...; Linux)"
	@echo "make check   lint, types, import contracts"
	@echo "make bench   Firth regression against its peers, and the engine alone (five minutes)"
	@echo "make audit-figures  the auditor's commands on a million events (ten minutes)"
	@echo "make run     the bot on your Slack workspace (settings in .env)"
	@echo "make slack   a local Slack with web client and the bot in it (needs Node)"
	@echo "make model   build the risk model again from the published facts (under a minute)"
	@echo "make model-figures  what documents, study and tests show of the model, written again (after make model)"
	@echo "make synthesis-check  the shipped model against a plain second implementation (a few minutes)"
	@echo "make pictures  draw the pictures of the documents again from the shipped model"
	@echo "make centre  write the tables of docs/centre.md again"
	@echo "make evidence-study  compare the engine with its rivals on simulated cohorts (some minutes)"
	@echo "make example  draw the example cohort of the study again (knowledge/data/example_cohort.csv)"
	@echo "make cohort-columns  write the table of columns in docs/cohort.md again"
	@echo "make r-oracle  work out again in R what the tests of the cohort study compare with (needs R)"
	@echo "make card    write docs/model-card.md again from model, evidence and study"

demo: $(RUN_READY)
	@$(BIN)/tarla demo

test: $(DEV_READY)
	@$(BIN)/python -m pytest -q -rs

chaos: $(DEV_READY)
	@TARLA_CHAOS=full $(BIN)/python -m pytest -q -rs tests/chaos tests/fault

fuzz: $(DEV_READY)
	@TARLA_CHAOS=full $(BIN)/python -m pytest -q -rs tests/fuzz

# Guided by what the input reaches, for as long as one likes; what is found is kept in the folder.
fuzz-coverage: $(FUZZ_READY)
	@mkdir -p .fuzz
	$(BIN)/python -m tests.fuzz.coverage_guided .fuzz -max_total_time=$(or $(SECONDS),600) -len_control=0 -max_len=400

check: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BENCH_READY)
	$(BIN)/python -m benchmarks.firth
	$(BIN)/python -m benchmarks.engine

audit-figures: $(DEV_READY)
	$(BIN)/python -m benchmarks.audit

run: $(RUN_READY)
	@$(BIN)/tarla serve --socket

model: $(RUN_READY)
	$(BIN)/tarla model build

pictures: $(RUN_READY)
	$(BIN)/tarla model pictures

centre: $(RUN_READY)
	$(BIN)/python -m bot.centre_document

model-figures: $(DEV_READY) centre evidence-study card
	$(BIN)/python -m tests.support.engine_freeze
	$(BIN)/python -m tests.support.readme_freeze
	$(BIN)/python -m pytest -q tests/unit/test_answer_render.py --snapshot-update

synthesis-check: $(DEV_READY)
	$(BIN)/python -m tests.support.engine_agreement

example: $(RUN_READY)
	$(BIN)/python -m knowledge.cohort.example > .example.part && mv .example.part knowledge/data/example_cohort.csv

cohort-columns: $(RUN_READY)
	$(BIN)/python -m bot.cohort.columns_document

evidence-study: $(RUN_READY)
	$(BIN)/tarla model study --docs docs
	$(BIN)/tarla model pictures

# Needs R with the packages named at the head of each script (Debian: r-cran-...).
r-oracle:
	@for script in $(ORACLES); do echo "$$script"; Rscript "$$script" || exit 1; done

card: $(RUN_READY)
	$(BIN)/tarla model card --out docs/model-card.md

slack: $(RUN_READY) node_modules
	@$(BIN)/python -m bot.localslack

node_modules: package.json package-lock.json
	@command -v npm >/dev/null || { echo "make slack needs Node (npm was not found)"; exit 1; }
	npm ci
	@touch node_modules

# Locks hold versions and hashes, no addresses: they fit any index that serves the same files.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group build -o locks/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o locks/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev --group bench -o locks/bench.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev --group fuzz -o locks/fuzz.txt

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and was not found"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@printf '%s\n' "$(CURDIR)" > $(VENV)/.folder

$(RUN_READY): locks/run.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	@$(PIP) --require-hashes -r locks/run.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(DEV_READY): locks/dev.txt $(RUN_READY)
	@echo "Setting up the tools for tests (once) ..."
	@$(PIP) --require-hashes -r locks/dev.txt
	@touch $@

$(FUZZ_READY): locks/fuzz.txt $(DEV_READY)
	@echo "Setting up the coverage-guided fuzzer (once; Linux, 64 bit) ..."
	@$(PIP) --require-hashes -r locks/fuzz.txt
	@touch $@

$(BENCH_READY): locks/bench.txt $(DEV_READY)
	@echo "Setting up the rivals of the benchmarks (once) ..."
	@$(PIP) --require-hashes -r locks/bench.txt
	@touch $@
