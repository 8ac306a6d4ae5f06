# `make demo` and `make test` are all that a fresh machine needs, with Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
TEMPLATE := {{cookiecutter.project_slug}}
DEMO := build/customer-etl
JOBS ?= auto
ROWS ?= 100000

.PHONY: demo test test-fast lint bench pictures pins setup clean

demo: .venv/bake
	$(BIN)/cookiecutter . --no-input --overwrite-if-exists --output-dir build
	$(MAKE) --no-print-directory -C $(DEMO) run PYTHON="$(abspath $(BIN)/python)"

test: lint
	$(BIN)/python -m pytest --numprocesses $(JOBS) --durations 15

test-fast: setup
	$(BIN)/python -m pytest --numprocesses $(JOBS) --durations 10 -m "not slow"

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/typos

bench: setup
	$(BIN)/python benchmarks/pipeline.py --rows $(ROWS)

pictures: setup
	$(BIN)/python docs/pictures/make_run.py

pins: setup
	$(BIN)/python refresh_pins.py

setup: .venv/test

.venv/uv: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	touch $@

.venv/bake .venv/test: .venv/uv pyproject.toml
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt --group $(@F)
	touch $@

clean:
	rm -rf .venv build
