# Needs Python 3.11, 3.12 or 3.13 with venv, and nothing else; PYTHON names another one.
PYTHON ?= python3

# .venv: the service, as README installs it. .venv-dev: also what the simulators, the tests and the checks need.
SERVICE := .venv
SERVICE_READY := $(SERVICE)/.ready
DEV := .venv-dev
BIN := $(DEV)/bin
READY := $(DEV)/.ready

.PHONY: help demo test check drill bench lock
help:
	@echo "make demo     the whole service on this machine, with calls (KEEP=1 stays up)"
	@echo "make test     the tests"
	@echo "make drill    kill -9 at random while writes are accepted, 20 rounds of 500 (ROUNDS=n)"
	@echo "make bench    speed and API use, measured (BENCH=\"hanging traffic\" for some, ROUNDS=n)"
	@echo "make clients  third-party Salesforce clients against the local org (installs two nodes)"
	@echo "make check    lint, format, types, import directions, compose file and Dockerfile"
	@echo "make lock     requirements*.txt from requirements*.in (UPGRADE=1 takes newer versions)"

define install
	@$(PYTHON) shared/installed.py
	@echo "installing $< into $(@D) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
endef

$(SERVICE_READY): requirements.txt
	$(install)

$(READY): requirements-dev.txt
	$(install)

demo: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m demo $(if $(KEEP),--keep)

# The journeys install the service themselves, as README does.
test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile

drill: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m demo.drill --rounds $(or $(ROUNDS),20)

bench: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m bench $(BENCH) --rounds $(or $(ROUNDS),3)

# For every Python from 3.11 on, and with the hashes of all files of a version.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
lock: | $(READY)
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements.in requirements-dev.in --constraints requirements.txt --output-file requirements-dev.txt

include tests/clients/clients.mk
