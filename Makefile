# Two commands matter: `make demo` runs the main job, `make test` proves it.
# Everything lives in .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo test test-postgres lint types bench soak mutants golden fuzz lock clean

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

# All books of the suite's fixtures on PostgreSQL. It says how many tests are of the file alone.
test-postgres: setup
	TALLYBOOK_TEST_STORE=postgresql $(BIN)/python -m pytest -n auto --dist loadfile tests/store tests/ledger tests/post \
		tests/close tests/reconcile tests/report tests/live tests/budget tests/check tests/invariants tests/scenarios tests/meter

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m bench

mutants: setup
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --require-hashes -r requirements/mutants.txt
	.venv-mutants/bin/python -m bench.mutants --write docs/mutants.md

soak: setup
	$(BIN)/python -m tallybook.sim.world.soak --minutes 60 --kills 200 --write docs/soak.md

golden: setup
	cd tests && ../$(BIN)/python -m engines.proof

FUZZ_SECONDS ?= 600
fuzz: setup
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --require-hashes -r requirements/fuzz.txt
	mkdir -p out/fuzz/responses out/fuzz/sources out/fuzz/passing
	PYTHONPATH=src .venv-fuzz/bin/python -m fuzz.responses out/fuzz/responses -max_total_time=$(FUZZ_SECONDS)
	PYTHONPATH=src .venv-fuzz/bin/python -m fuzz.sources out/fuzz/sources -max_total_time=$(FUZZ_SECONDS)
	PYTHONPATH=src .venv-fuzz/bin/python -m fuzz.passing out/fuzz/passing -max_total_time=$(FUZZ_SECONDS)

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group otel -o requirements/otel.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group sdk -o requirements/sdk.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group litellm -o requirements/litellm.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group spark -o requirements/spark.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group servers -o requirements/servers.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra redis --extra postgres --extra s3 -o requirements/image.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group build -o requirements/build.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group deploy -o requirements/deploy.txt
	uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --group focus -o requirements/focus.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group fuzz -o requirements/fuzz.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev --group mutants -o requirements/mutants.txt

clean:
	rm -rf $(VENV) .venv-* out build dist
