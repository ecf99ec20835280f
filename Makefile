# Two commands: `make run` and `make test`. Everything else is a shortcut for work on the project itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: run test coverage explore setup lint types contracts openapi contract-test client-test check bench bench-counts bench-stock bench-search bench-bulk bench-channels bench-scarce bench-substitution bench-ofl bench-file-feed lock clean
.DEFAULT_GOAL := run

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "dom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup
	$(BIN)/dom up --demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# The same tests, and the branch coverage of dom/, services/ and store/ by all of them; fails below the floor of
# pyproject.toml. `.venv/bin/coverage report` names the lines afterwards.
coverage: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=

# The property tests with new random examples; `make explore SECONDS=3600 ARGS="--seed 7"`.
SECONDS ?= 600
explore: setup
	$(BIN)/python -m tools.explore --seconds $(SECONDS) $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.limits

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

# Writes docs/openapi.json; refuses what would break callers.
openapi: setup
	$(BIN)/python -m api.openapi

# Asks the running API by its own document; CONTRACT_EXAMPLES, CONTRACT_SEED and CONTRACT_SECONDS widen the budget.
contract-test: setup
	$(BIN)/python -m tools.contract_test

# A client is generated from the document, without a warning. The generator has an environment of its own: it wants an
# older typer than the `dom` command.
CLIENT := $(VENV)/client
client-test: setup
	test -x $(CLIENT)/bin/openapi-python-client || { $(PYTHON) -m venv $(CLIENT) && $(CLIENT)/bin/python -m pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1; }
	rm -rf $(CLIENT)/generated
	PATH="$(CURDIR)/$(BIN):$$PATH" $(CLIENT)/bin/openapi-python-client generate --path docs/openapi.json --output-path $(CLIENT)/generated --meta none --fail-on-warning

check: lint types contracts test

bench: setup
	$(BIN)/python -m bench

# Statements of an idle system; statements, commits and events of an order. `make bench-counts ARGS="--orders 3 --idle 15"`.
bench-counts: setup
	$(BIN)/python -m bench.counts $(ARGS)

# `make bench-stock ARGS=--quick` for a smoke test.
bench-stock: setup
	$(BIN)/python -m bench.stock $(ARGS)

# A million orders, made in minutes, and every kind of search; `make bench-search ARGS="--orders 50000"` for fewer.
bench-search: setup
	$(BIN)/python -m bench.search $(ARGS)

# A node closes, and a bulk run sources its orders anew; `make bench-bulk ARGS="--orders 200"` for fewer.
bench-bulk: setup
	$(BIN)/python -m bench.bulk $(ARGS)

# Webhooks, their lag, and a back-fill; `make bench-channels ARGS="--messages 200 --backfill 2000"` for less.
bench-channels: setup
	$(BIN)/python -m bench.channels $(ARGS)

# A day with scarce stock, with re-allocation and without; `make bench-scarce ARGS=--quick` for a smoke test.
bench-scarce: setup
	$(BIN)/python -m bench.scarce $(ARGS)

# A day with scarce stock, with approved substitutes and without; `make bench-substitution ARGS=--quick` for a smoke test.
bench-substitution: setup
	$(BIN)/python -m bench.substitution $(ARGS)

# A CSV file of 100,000 orders through its connector, restarted in the middle; `make bench-file-feed ARGS="--orders 5000"`.
bench-file-feed: setup
	$(BIN)/python -m bench.file_feed $(ARGS)

# Per order, over a horizon, re-optimisation; `make bench-ofl ARGS="--only per_order"` for one of them.
bench-ofl: setup
	$(BIN)/python -m bench.ofl $(ARGS)

# Needs uv; the lock names versions and hashes, never an index.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra embedded --extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o deploy/requirements.lock
	sed -n '/^setuptools==/,/^    # via/{/# via/!p}' requirements.lock > deploy/build.lock

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
