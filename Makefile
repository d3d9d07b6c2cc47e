# Two commands matter: `make demo` runs the main job, `make test` proves it.
# Everything lives in .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo test lint types bench soak golden lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup
	$(BIN)/tallybook demo

test: setup lint types
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m bench

soak: setup
	$(BIN)/python -m tallybook.sim.world.soak --minutes 60 --write docs/soak.md

golden: setup
	cd tests && ../$(BIN)/python -m engines.proof

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group otel -o requirements/otel.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group spark -o requirements/spark.txt

clean:
	rm -rf $(VENV) .venv-* out build dist
