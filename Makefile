# Python 3.11 or later, with venv, is all that is needed; PYTHON names another one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check drill bench
help:
	@echo "make demo     the whole service on this machine, with calls (KEEP=1 stays up)"
	@echo "make test     the tests"
	@echo "make drill    kill -9 at random while writes are accepted, 20 rounds of 500 (ROUNDS=n)"
	@echo "make bench    speed and API use, measured (BENCH=\"hanging traffic\" for some, ROUNDS=n)"
	@echo "make clients  third-party Salesforce clients against the local org (installs two nodes)"
	@echo "make check    lint, format, types, import directions, compose file and Dockerfile"

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile

drill: $(READY)
	@$(BIN)/python -m demo.drill --rounds $(or $(ROUNDS),20)

bench: $(READY)
	@$(BIN)/python -m bench $(BENCH) --rounds $(or $(ROUNDS),3)

include tests/clients/clients.mk
