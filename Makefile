# Every target makes its own virtual environment when it is missing. Another interpreter gets its own
# one: `make test PYTHON=python3.12` uses .venv-3.12.
PYTHON ?= python3
ifeq ($(PYTHON),python3)
VENV ?= .venv
else
VENV ?= .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
endif

BIN := $(VENV)/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
PYTEST_ARGS ?=
BENCH_ARGS ?=
INVENTORY ?= all

INSTALLED := $(VENV)/.installed
INSTALLED_BENCH := $(VENV)/.installed-bench

.DEFAULT_GOAL := help
.PHONY: help venv demo test check bench docs site failures faults inventory vsix clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    lint the example project'
	@echo 'make test    run the tests (PYTEST_ARGS="-k secret", PYTHON=python3.12)'
	@echo 'make check   ruff, mypy, import-linter, generated files up to date'
	@echo 'make docs    write the generated documentation again'
	@echo 'make site    the web site of the documentation, in build/site/html'
	@echo 'make bench   measure against other linters and yaml-language-server (BENCH_ARGS="--only files")'
	@echo 'make failures  what the doctor says for each failure (runs tests of four families)'
	@echo 'make faults  what a client does for each fault of a server: error, retries, time'
	@echo 'make inventory  which items of ../shared/seeds/INVENTORY.md the tests prove (INVENTORY="S4 S3-CB")'
	@echo 'make vsix    the extension for VS Code, build/osiris-lsp.vsix (needs Node 20 or newer, and npm the first time)'
	@echo 'make venv    only make the virtual environment'
	@echo 'make clean   remove virtual environments, caches and built files'

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: `$(PYTHON)` does not run Python 3.11 or newer; name one with `make PYTHON=python3.12`' >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'error: `$(PYTHON) -m venv` failed; on Debian and Ubuntu install the package python3-venv' >&2; exit 1; }
	$(PIP) --upgrade 'pip>=25.1'
	$(PIP) --editable '.[aws,bigquery,duckdb,keyring,mongodb,pandas,redis,vault]' --group dev
	@touch $@

$(INSTALLED_BENCH): $(INSTALLED)
	$(PIP) --group bench
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/osiris-lsp demo

test: $(INSTALLED)
	$(PY) -m pytest -n auto $(PYTEST_ARGS)

check: $(INSTALLED)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) -m tests.tools.generate --check

docs: $(INSTALLED)
	$(PY) -m tests.tools.generate

site: $(INSTALLED)
	@$(PY) -m tests.tools.site

failures: $(INSTALLED)
	@$(PY) -m tests.tools.failures

faults: $(INSTALLED)
	@$(PY) -m tests.tools.faults

inventory: $(INSTALLED)
	$(PY) -m pytest -q -n auto $(addprefix --inventory=,$(INVENTORY)) $(PYTEST_ARGS)

bench: $(INSTALLED_BENCH)
	@$(PY) -m tests.bench $(BENCH_ARGS)

vsix: $(INSTALLED) editors/vscode/node_modules/.package-lock.json
	rm -rf build/wheel
	$(PY) -m build --wheel --no-isolation --outdir build/wheel . >/dev/null
	cd editors/vscode && node build.mjs ../.. ../../build/wheel/*.whl ../../build/osiris-lsp.vsix

editors/vscode/node_modules/.package-lock.json: editors/vscode/package-lock.json
	cd editors/vscode && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

clean:
	rm -rf .venv .venv-* build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf editors/vscode/dist editors/vscode/LICENSE editors/vscode/node_modules
	find osiris_lsp tests -name __pycache__ -type d -prune -exec rm -rf {} +
