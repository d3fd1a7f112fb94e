# Every target does its own set-up: only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 2
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: run test lint bench soak docs screenshots oracle lock clean tools

run: $(VENV)/.runtime
	@$(BIN)/candu-source demo $(ARGS)

test: lint tools
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.dev
	CANDU_SOAK=1 $(BIN)/pytest -x tests/acceptance $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/candu-source settings --markdown > docs/settings.md

# Every page of the console in every look, to be looked at.
screenshots: $(VENV)/.dev tools
	$(BIN)/python -m tests.console.pictures var/screenshots

# Our FreeMarker engine against Apache's, on random templates: make oracle ARGS="COUNT SEED".
oracle: $(VENV)/.dev
	@test -e /usr/share/java/freemarker.jar && command -v javac >/dev/null || { \
	  echo "Installing Debian's libfreemarker-java and a JDK (first run only)"; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends libfreemarker-java default-jdk-headless; }
	$(BIN)/python -m tests.freemarker.oracle $(ARGS)

lock: $(VENV)/.dev
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock

# A real browser for the tests of the collector, and curl for the lines that the documents print.
tools:
	@command -v chromium >/dev/null && command -v curl >/dev/null || { \
	  echo "Installing Debian's chromium and curl (first run only)"; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium curl; }

clean:
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/.venv
	@echo "Installing candu-source into $(VENV) (first run only)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/.venv
	@echo "Installing candu-source and its development tools into $(VENV) (first run only)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.runtime
